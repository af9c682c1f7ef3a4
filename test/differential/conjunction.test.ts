/** Random conjunctive matches and packets: the native datapath does what the model does. */
import { afterAll, describe, expect, it } from 'vitest';
import { ModelDatapath } from '../../src/datapath/model.js';
import { NativeDatapathAdapter } from '../../src/datapath/native.js';
import { loadAddon, type NativeRuntime } from '../../src/datapath/native-addon.js';
import type { ActionRecord } from '../../src/datapath/records.js';
import { ReservedPort } from '../../src/datapath/schema.gen.js';
import { ethernet, ipv4, udp } from './frames.js';
import { Observer } from './observe.js';
import { Random } from './random.js';
import { apply, flowMods, match, output, packetOut, type Rule } from './rules.js';

let runtime: NativeRuntime | undefined;
afterAll(() => runtime?.close());

const PORTS = [1, 2, 3, 4, 5];
const CONJUNCTIONS = [7, 8, 9];

/** Flows that are clauses have a priority of their own, which others do not have. */
function randomRules(random: Random): Rule[] {
  const clauses = new Map(CONJUNCTIONS.map((id) => [id, 2 + random.below(2)]));
  const conjunction = (clause: number): ActionRecord[] =>
    random
      .some(CONJUNCTIONS, 60)
      .filter((id) => clause < clauses.get(id)!)
      .map((id) => ({ kind: 'conjunction', id, clause, clauses: clauses.get(id)! }));
  const address = () => 0x0a000000n + BigInt(random.below(4));
  const port = () => BigInt(random.below(4));
  const rules: Rule[] = [];
  for (let i = 0; i < 24; i++) {
    const clause = random.below(3);
    const on = [
      match({ eth_type: 0x800n, ipv4_src: random.chance(60) ? address() : [0x0a000000n, 0xfffffffen] }),
      match({ eth_type: 0x800n, ip_proto: 17n, udp_dst: port() }),
      match({ eth_type: 0x800n, ipv4_dst: address() }),
    ][clause]!;
    const actions = conjunction(clause);
    if (actions.length > 0)
      rules.push({ priority: random.pick([10, 20]), match: on, instructions: [apply(...actions)] });
  }
  for (const [i, id] of CONJUNCTIONS.entries()) {
    if (random.chance(80))
      rules.push({ priority: 30 + i, match: match({ conj_id: BigInt(id) }), instructions: [apply(output(1 + i))] });
  }
  const plain = {
    match: match({ eth_type: 0x800n, ip_proto: 17n, udp_dst: port() }),
    instructions: [apply(output(4))],
  };
  rules.push({ ...plain, priority: random.pick([5, 15, 25]) });
  if (random.chance(60)) rules.push({ priority: 1, instructions: [apply(output(5))] });
  return rules;
}

async function compare(seed: number): Promise<void> {
  const random = new Random(seed);
  runtime ??= loadAddon().openRuntime({ workers: 1, hypervisor: 'emulated' });
  const [model, subject] = [new Observer(new ModelDatapath()), new Observer(new NativeDatapathAdapter(runtime))];
  const both = [model, subject];
  let whole = 0;
  try {
    for (const each of both) each.attach(PORTS);
    const rules = flowMods(...randomRules(random));
    const statuses = both.map(({ datapath }) => [...datapath.apply(rules)]);
    expect(statuses[1]).toEqual(statuses[0]);
    for (let i = 0; i < 60; i++) {
      const [src, dst] = [`10.0.0.${random.below(4)}`, `10.0.0.${random.below(4)}`];
      const frame = ethernet({ type: 0x800, payload: ipv4({ src, dst, proto: 17, l4: udp(1000, random.below(5)) }) });
      const packet = packetOut(PORTS[4]!, frame, output(ReservedPort.table));
      for (const { datapath } of both) datapath.packetOut(packet);
      for (let wait = 0; wait < 200 && subject.count < model.count; wait++) {
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      const expected = model.take();
      expect(subject.take(), `packet ${i}: ${src} ${dst}`).toEqual(expected);
      whole += expected.filter((line) => /^out [123] /.test(line)).length;
    }
    expect(subject.state()).toEqual(model.state());
    conjunctionsMet += whole;
  } finally {
    for (const { datapath } of both) datapath.close();
  }
}
let conjunctionsMet = 0;

describe('random conjunctive matches: model against the native datapath', () => {
  it.each(Array.from({ length: 20 }, (_, i) => i + 1))('seed %i', compare);
  it('some were met', () => expect(conjunctionsMet).toBeGreaterThan(50));
});
