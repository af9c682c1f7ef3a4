/**
 * Random rules and random packets: the native datapath does what the model does. One run with a
 * seed of one's own: XVIF_SEED=123 npx vitest …
 */
import { afterAll, describe, expect, it } from 'vitest';
import type { Datapath } from '../../src/datapath/datapath.js';
import { ModelDatapath } from '../../src/datapath/model.js';
import { NativeDatapathAdapter } from '../../src/datapath/native.js';
import { loadAddon, type NativeRuntime } from '../../src/datapath/native-addon.js';
import {
  type RecordWriter,
  writeControllerState,
  writeFlowMod,
  writeGroupMod,
  writeMeterMod,
  writePortConfig,
  writeSetConfig,
  writeTableConfig,
  writeWatchFlows,
} from '../../src/datapath/records.js';
import { ReservedPort } from '../../src/datapath/schema.gen.js';
import { Observer } from './observe.js';
import { Random } from './random.js';
import { randomFrame } from './random-frames.js';
import { PORTS, RuleMaker, randomBucketMod, randomGroup, randomMeter } from './random-rules.js';
import { batch, flowMod, output, packetOut } from './rules.js';

const RUNS = Number(process.env.XVIF_RUNS ?? 30);
const ROUNDS = 6;
const PACKETS = 30;
/** The first egress table, where there are any; flows of all tables are of the same kinds. */
const EGRESS = 3;

let runtime: NativeRuntime | undefined;
function other(): Datapath {
  runtime ??= loadAddon().openRuntime({ workers: 1, hypervisor: 'emulated' });
  return new NativeDatapathAdapter(runtime);
}
afterAll(() => runtime?.close());

function randomChange(random: Random, rules: RuleMaker, writer: RecordWriter): void {
  const kind = random.below(20);
  if (kind < 14) writeFlowMod(writer, flowMod(rules.make(random)));
  else if (kind < 16) writeGroupMod(writer, randomGroup(random));
  else if (kind < 17) writeGroupMod(writer, randomBucketMod(random));
  else if (kind < 18) writeMeterMod(writer, randomMeter(random));
  else if (kind < 19) writePortConfig(writer, random.pick([...PORTS, 77]), random.pick([0, 0, 1, 16, 32, 64]), 113);
  else if (random.chance(50)) writeSetConfig(writer, random.chance(80) ? 0 : 1, random.chance(40) ? EGRESS : 0);
  else {
    const [table, maxEntries] = [random.below(4), random.pick([3, 1000])];
    writeTableConfig(writer, { table, maxEntries, miss: random.below(4), eviction: 0 });
  }
}

/** Waits until as many upcalls have come as the model made, then a little for any that should not. */
async function settle(subject: Observer, expected: number): Promise<void> {
  for (let i = 0; i < 200 && subject.count < expected; i++) await new Promise((resolve) => setTimeout(resolve, 1));
  await new Promise((resolve) => setTimeout(resolve, 1));
}

async function compare(seed: number): Promise<void> {
  const random = new Random(seed);
  const frames = Array.from({ length: 40 }, () => randomFrame(random));
  const rules = new RuleMaker(frames);
  const [model, subject] = [new Observer(new ModelDatapath()), new Observer(other())];
  const both = [model, subject];
  try {
    for (const each of both) each.attach(PORTS);
    const connect = batch((writer) => {
      writeControllerState(writer, true, random.chance(50));
      writeWatchFlows(writer, true);
    });
    for (const each of both) each.datapath.apply(connect);
    for (let round = 0; round < ROUNDS; round++) {
      const changes = batch((writer) => {
        for (let i = 1 + random.below(25); i > 0; i--) randomChange(random, rules, writer);
      });
      const atomic = random.chance(15);
      const statuses = both.map(({ datapath }) => [...datapath.apply(changes, { atomic })]);
      expect(statuses[1], `statuses of round ${round}, atomic ${atomic}`).toEqual(statuses[0]);
      for (let i = 0; i < PACKETS; i++) {
        const frame = random.chance(90) ? random.pick(frames) : randomFrame(random);
        const packet = packetOut(random.pick(PORTS), frame, output(ReservedPort.table));
        const results = both.map(({ datapath }) => datapath.packetOut(packet));
        expect(results[1]).toBe(results[0]);
        await settle(subject, model.count);
        const context = `round ${round}, packet ${i}: ${Buffer.from(packet).toString('hex')}`;
        expect(subject.take(), context).toEqual(model.take());
      }
      for (const { datapath } of both) datapath.tick();
      await settle(subject, model.count);
      expect(subject.take(), `triggers after round ${round}`).toEqual(model.take());
      expect(subject.state(), `state after round ${round}`).toEqual(model.state());
    }
  } finally {
    for (const { datapath } of both) datapath.close();
  }
}

describe('random rules and packets: model against the native datapath', () => {
  const first = Number(process.env.XVIF_SEED ?? 1);
  const seeds = process.env.XVIF_SEED === undefined ? Array.from({ length: RUNS }, (_, i) => first + i) : [first];
  it.each(seeds)('seed %i', compare);
});
