/** Flows that packets learn, in the model: what they are, how long they stay, with whom they go. */
import { beforeEach, expect, it } from 'vitest';
import type { PortNo } from '../../../src/datapath/datapath.js';
import { ModelDatapath } from '../../../src/datapath/model.js';
import {
  type ActionRecord,
  decodeFlowAnswers,
  decodeMatch,
  decodeSampleAnswers,
  encodeQuery,
  forEachUpcall,
  type LearnRecord,
  type SubfieldRecord,
  type UpcallRecord,
} from '../../../src/datapath/records.js';
import {
  type FieldName,
  FlowCommand,
  FlowRemovedReason,
  fields,
  LearnFlag,
  Query,
} from '../../../src/datapath/schema.gen.js';
import { tcpFrame } from '../../differential/frames.js';
import { apply, fieldNumber, flowMods, match, output, type Rule } from '../../differential/rules.js';

const SECOND = 1_000_000_000n;
let now: bigint;
let model: ModelDatapath;
let upcalls: UpcallRecord[];

beforeEach(() => {
  now = 0n;
  upcalls = [];
  model = new ModelDatapath(() => now);
  for (const n of [1, 2, 3]) model.portAttach(n as PortNo, { kind: 'capture' });
  model.onUpcall((records) => forEachUpcall(records, (record) => upcalls.push(record)));
});

const whole = (name: FieldName): SubfieldRecord => {
  const field = fieldNumber(name);
  return { field, offset: 0, bits: fields[field]!.bits };
};
const stations = (over: Partial<LearnRecord> = {}): LearnRecord => ({
  kind: 'learn',
  idle: 0,
  hard: 0,
  priority: 5,
  cookie: 9n,
  flags: 0,
  table: 1,
  finIdle: 0,
  finHard: 0,
  limit: 0,
  result: undefined,
  specs: [
    { use: 'match', to: whole('eth_dst'), from: whole('eth_src') },
    { use: 'output', from: whole('in_port') },
  ],
  ...over,
});

function add(rule: Rule, ...actions: ActionRecord[]): void {
  model.apply(flowMods({ ...rule, instructions: [apply(...actions)] }));
}
function flows(table: number) {
  return [...decodeFlowAnswers(model.read(encodeQuery({ query: Query.flows, table })).data)];
}
const receive = (port = 1) => model.inject(port as PortNo, tcpFrame());
function pass(seconds: number): void {
  now += BigInt(seconds) * SECOND;
  model.tick();
}

it('matches on what the packet had, and sends back where it came from', () => {
  add({}, stations());
  receive(2);
  const [flow] = flows(1);
  expect(flow).toMatchObject({ priority: 5, cookie: 9n, packets: 0n });
  const [eth] = decodeMatch(flow!.match)!;
  const source = tcpFrame().subarray(6, 12);
  expect(eth).toEqual({
    field: fieldNumber('eth_dst'),
    value: BigInt(`0x${Buffer.from(source).toString('hex')}`),
    mask: undefined,
  });
  expect(flow!.instructions).toEqual(decodeRule(apply({ kind: 'output', port: 2, maxLen: 0 })));
});

function decodeRule(instruction: ReturnType<typeof apply>): Uint8Array {
  const other = new ModelDatapath(() => 0n);
  other.apply(flowMods({ instructions: [instruction] }));
  const [flow] = decodeFlowAnswers(other.read(encodeQuery({ query: Query.flows })).data);
  return flow!.instructions;
}

it('packets that would learn it keep it; then it goes, and is told where that was asked for', () => {
  add({}, stations({ idle: 3, hard: 3, flags: LearnFlag.sendFlowRem }));
  for (let i = 0; i < 5; i++) {
    receive();
    pass(2);
    expect(flows(1)).toHaveLength(1);
  }
  pass(1);
  expect(flows(1)).toEqual([]);
  expect(upcalls).toMatchObject([
    { kind: 'flow_removed', cookie: 9n, reason: FlowRemovedReason.hardTimeout, table: 1 },
  ]);
});

it('limit and result', () => {
  const result = { field: fieldNumber('reg0'), offset: 0, bits: 1 };
  add({ table: 1, match: match({ in_port: 3n }), cookie: 9n }, output(1));
  add({}, stations({ limit: 1, flags: LearnFlag.writeResult, result }), {
    kind: 'output_reg',
    from: whole('reg0'),
    maxLen: 0,
  });
  receive(2);
  expect(flows(1)).toHaveLength(1);
  expect(upcalls).toEqual([]);
  model.apply(flowMods({ command: FlowCommand.delete, table: 1 }));
  receive(2);
  expect(flows(1)).toHaveLength(1);
  expect(upcalls).toMatchObject([{ kind: 'port_output', port: 1 }]);
});

it('delete_learned: with the last flow that learns with this cookie', () => {
  const learn = stations({ flags: LearnFlag.deleteLearned });
  add({ match: match({ in_port: 1n }) }, learn);
  add({ match: match({ in_port: 2n }) }, learn);
  receive(1);
  model.apply(flowMods({ command: FlowCommand.deleteStrict, match: match({ in_port: 1n }) }));
  expect(flows(1)).toHaveLength(1);
  add({ match: match({ in_port: 2n }) }, output(3));
  expect(flows(1)).toEqual([]);
});

it('fin_timeout shortens, and so does what was learned with it', () => {
  const tcp = match({ eth_type: 0x800n, ip_proto: 6n });
  add({ match: tcp, idle: 60 }, { kind: 'fin_timeout', idle: 2, hard: 4 }, stations({ finIdle: 5 }));
  receive();
  expect(flows(0)).toMatchObject([{ idle: 60, hard: 0 }]);
  const frame = tcpFrame();
  frame[47] = 0x11;
  model.inject(1 as PortNo, frame);
  expect(flows(0)).toMatchObject([{ idle: 2, hard: 4 }]);
  expect(flows(1)[0]!.instructions[8]).toBe(32);
});

it('samples are counted by collector set, as long as a flow names it', () => {
  const sample: ActionRecord = {
    kind: 'sample',
    probability: 0xffff,
    collectorSet: 4,
    obsDomain: 0,
    obsPoint: 0,
    samplingPort: 0xffff,
    direction: 0,
    form: 1,
  };
  const read = () => decodeSampleAnswers(model.read(encodeQuery({ query: Query.samples })).data);
  add({}, sample, sample);
  receive();
  expect(read()).toEqual([{ collectorSet: 4, packets: 2n, bytes: BigInt(2 * tcpFrame().length) }]);
  model.apply(flowMods({ command: FlowCommand.delete, table: 255 }));
  expect(read()).toEqual([]);
});

it('a truncated packet is the beginning of it', () => {
  add({}, { kind: 'output_trunc', port: 2, bytes: 62 }, { kind: 'output_trunc', port: 3, bytes: 999 });
  const frame = Uint8Array.from([...tcpFrame(), ...Array<number>(40).fill(7)]);
  model.inject(1 as PortNo, frame);
  expect(upcalls).toEqual([
    { kind: 'port_output', port: 2, frame: frame.slice(0, 62) },
    { kind: 'port_output', port: 3, frame },
  ]);
});
