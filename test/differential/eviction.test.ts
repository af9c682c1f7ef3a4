/** Full tables that make room: the native datapath does what the model does, whatever comes in which order. */
import { afterAll, expect, it } from 'vitest';
import type { Datapath } from '../../src/datapath/datapath.js';
import { ModelDatapath } from '../../src/datapath/model.js';
import { NativeDatapathAdapter } from '../../src/datapath/native.js';
import { loadAddon, type NativeRuntime } from '../../src/datapath/native-addon.js';
import { type RecordWriter, writeFlowMod, writeTableConfig, writeWatchFlows } from '../../src/datapath/records.js';
import { EvictionFlag, FlowCommand, FlowFlag, Status, TableMiss } from '../../src/datapath/schema.gen.js';
import { Observer } from './observe.js';
import { Random } from './random.js';
import { batch, flowMod } from './rules.js';

const LIMIT = 20;
const IN_PORT = 0;

let runtime: NativeRuntime | undefined;
function native(): Datapath {
  runtime ??= loadAddon().openRuntime({ workers: 1, hypervisor: 'emulated' });
  return new NativeDatapathAdapter(runtime);
}
afterAll(() => runtime?.close());

function change(writer: RecordWriter, random: Random): void {
  // Importance follows from the match, so that no two flows have the same.
  const port = 1 + random.below(60);
  const command = random.pick([
    FlowCommand.add,
    FlowCommand.add,
    FlowCommand.add,
    FlowCommand.modify,
    FlowCommand.delete,
  ]);
  const match = [{ field: IN_PORT, value: BigInt(port), mask: undefined }];
  const importance = (port * 37) % 61;
  const flags = FlowFlag.sendFlowRem | (command === FlowCommand.modify && random.chance(50) ? FlowFlag.orAdd : 0);
  writeFlowMod(writer, flowMod({ command, match, importance, flags, cookie: BigInt(port) }));
}

/** By these bits of the port flows form groups. */
function configure(writer: RecordWriter, maxEntries: number, eviction: number, groupBits = 0n): void {
  const groups = groupBits === 0n ? [] : [{ field: IN_PORT, mask: groupBits }];
  writeTableConfig(writer, { table: 0, maxEntries, miss: TableMiss.default, eviction, groups });
}

it.each([1, 2, 3, 4, 5, 6])('seed %i', async (seed) => {
  const random = new Random(seed);
  const [model, subject] = [new Observer(new ModelDatapath()), new Observer(native())];
  const both = [model, subject];
  try {
    const begin = batch((writer) => {
      configure(writer, LIMIT, EvictionFlag.importance);
      writeWatchFlows(writer, true);
    });
    for (const { datapath } of both) datapath.apply(begin);
    let full = 0;
    for (let round = 0; round < 40; round++) {
      const changes = batch((writer) => {
        if (random.chance(10)) {
          const eviction = random.chance(70) ? EvictionFlag.importance : 0;
          configure(writer, 5 + random.below(LIMIT), eviction, random.pick([0n, 3n, 0x38n, 0xffn]));
        }
        for (let i = 1 + random.below(8); i > 0; i--) change(writer, random);
      });
      const atomic = random.chance(30);
      const statuses = both.map(({ datapath }) => [...datapath.apply(changes, { atomic })]);
      expect(statuses[1], `round ${round}, atomic ${atomic}`).toEqual(statuses[0]);
      if (statuses[0]!.includes(Status.tableFull)) full++;
      for (let i = 0; i < 200 && subject.count < model.count; i++)
        await new Promise((resolve) => setTimeout(resolve, 1));
      expect(subject.take(), `round ${round}, atomic ${atomic}`).toEqual(model.take());
      expect(subject.state(), `round ${round}, atomic ${atomic}`).toEqual(model.state());
    }
    expect(full).toBeGreaterThan(0);
  } finally {
    for (const { datapath } of both) datapath.close();
  }
});
