import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type ActionRecord,
  decodeActions,
  decodeBatch,
  decodeFlowAnswers,
  decodeGroupAnswers,
  decodeInstructions,
  decodeMatch,
  decodeMeterAnswers,
  decodePacketOut,
  decodePortAnswers,
  decodeQuery,
  encodeActions,
  encodeInstructions,
  encodeMatch,
  encodeQuery,
  fieldOnes,
  forEachUpcall,
  type InstructionRecord,
  type LearnSpecRecord,
  type MatchEntry,
  RecordWriter,
  type SubfieldRecord,
  type UpcallRecord,
  writeControllerState,
  writeFlowAnswer,
  writeFlowMod,
  writeGroupAnswer,
  writeGroupMod,
  writeMeterAnswer,
  writeMeterMod,
  writePacketOut,
  writePortAnswer,
  writePortConfig,
  writeSetConfig,
  writeUpcall,
} from '../../../src/datapath/records.js';
import { fields, matchFields } from '../../../src/datapath/schema.gen.js';

const u16 = fc.nat(0xffff);
const u32 = fc.nat(0xffffffff);
const u64 = fc.bigInt(0n, 0xffffffffffffffffn);
const bytes = (maxLength: number) => fc.uint8Array({ maxLength });

const entry = (field: number): fc.Arbitrary<MatchEntry> =>
  fc
    .record({ value: fc.bigInt(0n, fieldOnes(field)), mask: fc.option(fc.bigInt(0n, fieldOnes(field))) })
    .map(({ value, mask }) => ({ field, value: mask === null ? value : value & mask, mask: mask ?? undefined }));
const match: fc.Arbitrary<MatchEntry[]> = fc
  .subarray([...fields.keys()].slice(0, matchFields))
  .chain((ids) => fc.tuple(...ids.map((id) => entry(id))));
const action: fc.Arbitrary<ActionRecord> = fc.oneof(
  fc.record({ kind: fc.constant('output' as const), port: u32, maxLen: u16 }),
  fc.record({ kind: fc.constant('group' as const), group: u32 }),
  fc.record({ kind: fc.constant('set_queue' as const), queue: u32 }),
  fc.record({ kind: fc.constantFrom('push_vlan', 'push_mpls', 'pop_mpls', 'push_pbb'), ethertype: u16 }),
  fc.record({ kind: fc.constantFrom('pop_vlan', 'pop_pbb', 'dec_nw_ttl', 'copy_ttl_in', 'copy_ttl_out') }),
  fc.record({ kind: fc.constantFrom('set_mpls_ttl', 'set_nw_ttl'), ttl: fc.nat(255) }),
  fc
    .nat(fields.length - 1)
    .chain((field) => fc.bigInt(0n, fieldOnes(field)).map((value) => ({ kind: 'set_field' as const, field, value }))),
  fc.nat(fields.length - 1).chain((field) => {
    const bits = fc.bigInt(0n, fieldOnes(field));
    return fc.record({ kind: fc.constant('set_masked' as const), field: fc.constant(field), value: bits, mask: bits });
  }),
  u32.map((meter) => ({ kind: 'meter' as const, meter })),
);
const subfield = fc
  .nat(fields.length - 1)
  .chain((field) =>
    fc.record({ field: fc.constant(field), offset: fc.nat(7), bits: fc.integer({ min: 1, max: 128 }) }),
  );
const data = bytes(20);
const valueOfBits = (to: SubfieldRecord) => fc.bigInt(0n, (1n << BigInt(to.bits)) - 1n);
const learnSpec: fc.Arbitrary<LearnSpecRecord> = fc.oneof(
  subfield.map((from) => ({ use: 'output' as const, from })),
  fc
    .tuple(fc.constantFrom('match' as const, 'load' as const), subfield)
    .chain(([use, to]) => fc.oneof(subfield, valueOfBits(to)).map((from) => ({ use, to, from }))),
);
const learn: fc.Arbitrary<ActionRecord> = fc.record({
  kind: fc.constant('learn' as const),
  idle: u16,
  hard: u16,
  priority: u16,
  cookie: u64,
  flags: u16,
  table: fc.nat(255),
  finIdle: u16,
  finHard: u16,
  limit: u32,
  result: fc.option(subfield, { nil: undefined }),
  specs: fc.array(learnSpec, { maxLength: 4 }),
});
const niciraAction: fc.Arbitrary<ActionRecord> = fc.oneof(
  subfield.chain((to) =>
    fc.bigInt(0n, (1n << BigInt(to.bits)) - 1n).map((value) => ({ kind: 'load' as const, to, value })),
  ),
  fc.record({ kind: fc.constant('move' as const), from: subfield, to: subfield }),
  fc.record({ kind: fc.constant('output_reg' as const), from: subfield, maxLen: u16 }),
  fc.record({ kind: fc.constant('resubmit' as const), port: u32, table: fc.nat(255) }),
  fc.record({ kind: fc.constant('stack_push' as const), from: subfield }),
  fc.record({ kind: fc.constant('stack_pop' as const), to: subfield }),
  fc.record({ kind: fc.constant('exit' as const) }),
  fc.record({
    kind: fc.constant('controller' as const),
    maxLen: u16,
    id: u16,
    reason: fc.nat(255),
    userdata: data,
    meter: u32,
  }),
  fc.record({ kind: fc.constant('dec_nw_ttl_ids' as const), ids: fc.array(u16, { maxLength: 5 }) }),
  fc.record({ kind: fc.constant('note' as const), note: data }),
  fc.record({ kind: fc.constant('check_pkt_larger' as const), bytes: u16, to: subfield }),
  fc.record({
    kind: fc.constant('multipath' as const),
    hashFields: u16,
    basis: u16,
    algorithm: u16,
    maxLink: u16,
    argument: u32,
    to: subfield,
  }),
  fc.record({
    kind: fc.constant('bundle' as const),
    hashFields: u16,
    basis: u16,
    algorithm: u16,
    members: fc.array(u32, { maxLength: 5 }),
    to: fc.option(subfield, { nil: undefined }),
  }),
  fc.record({ kind: fc.constant('output_trunc' as const), port: u32, bytes: u32 }),
  fc.record({ kind: fc.constant('fin_timeout' as const), idle: u16, hard: u16 }),
  fc.record({
    kind: fc.constant('sample' as const),
    probability: u16,
    collectorSet: u32,
    obsDomain: u32,
    obsPoint: u32,
    samplingPort: u16,
    direction: fc.nat(255),
    form: fc.nat(255),
  }),
  learn,
  fc.record({ kind: fc.constant('conjunction' as const), id: u32, clause: fc.nat(255), clauses: fc.nat(255) }),
);
const plainActions = fc.array(fc.oneof(action, niciraAction), { maxLength: 6 });
const clone = plainActions.map((list) => ({ kind: 'clone' as const, actions: list }));
const actions = fc.array(fc.oneof(action, niciraAction, clone), { maxLength: 6 });
const instructions: fc.Arbitrary<InstructionRecord[]> = fc
  .tuple(
    fc.option(u32.map((meter) => ({ kind: 'meter' as const, meter }))),
    fc.option(actions.map((list) => ({ kind: 'apply' as const, actions: list }))),
    fc.option(fc.constant({ kind: 'clear' as const })),
    fc.option(actions.map((list) => ({ kind: 'write' as const, actions: list }))),
    fc.option(fc.record({ kind: fc.constant('metadata' as const), value: u64, mask: u64 })),
    fc.option(fc.nat(255).map((table) => ({ kind: 'goto' as const, table }))),
    fc.option(
      fc.record({
        kind: fc.constant('stat_trigger' as const),
        flags: fc.nat(255),
        thresholds: fc.array(fc.record({ stat: fc.nat(255), value: u64 }), { maxLength: 4 }),
      }),
    ),
  )
  .map((list) => list.filter((item) => item !== null));

/** Writes every item. */
function all<Item>(write: (writer: RecordWriter, item: Item) => void, items: readonly Item[]): Uint8Array {
  return written((writer) => {
    for (const item of items) write(writer, item);
  });
}

function written(write: (writer: RecordWriter) => void): Uint8Array {
  const writer = new RecordWriter(8);
  write(writer);
  expect(writer.length % 8).toBe(0);
  return writer.take();
}

describe('match records', () => {
  it('decode what was encoded', () => {
    fc.assert(
      fc.property(match, (entries) => {
        expect(decodeMatch(encodeMatch(entries))).toEqual(entries);
      }),
    );
  });
  it('never accept a prefix that cuts an entry', () => {
    const whole = encodeMatch([{ field: 12, value: 0x0a000000n, mask: 0xff000000n }]);
    for (let length = 1; length < whole.length; length++)
      expect(decodeMatch(whole.subarray(0, length))).toBeUndefined();
  });
  it('refuse descending fields, wrong widths, values outside the mask', () => {
    expect(decodeMatch(Uint8Array.from([5, 2, 0, 0, 8, 0, 3, 6, 0, 0, 1, 2, 3, 4, 5, 6]))).toBeUndefined();
    expect(decodeMatch(Uint8Array.from([5, 1, 0, 0, 8]))).toBeUndefined();
    expect(decodeMatch(Uint8Array.from([5, 2, 1, 0, 8, 1, 0xff, 0]))).toBeUndefined();
    expect(decodeMatch(Uint8Array.from([200, 2, 0, 0, 8, 1]))).toBeUndefined();
  });
});

describe('action and instruction records', () => {
  it('decode what was encoded', () => {
    fc.assert(
      fc.property(actions, (list) => {
        expect(decodeActions(encodeActions(list))).toEqual(list);
      }),
    );
    fc.assert(
      fc.property(instructions, (list) => {
        expect(decodeInstructions(encodeInstructions(list))).toEqual(list);
      }),
    );
  });
  it('have the lengths of docs/native-boundary.md', () => {
    expect([...encodeActions([{ kind: 'output', port: 0xfffffffd, maxLen: 128 }])]).toEqual([
      1, 0, 16, 0, 0xfd, 0xff, 0xff, 0xff, 128, 0, 0, 0, 0, 0, 0, 0,
    ]);
    expect(encodeActions([{ kind: 'group', group: 1 }]).length).toBe(16);
    expect([...encodeActions([{ kind: 'set_field', field: 3, value: 0x010203040506n }])]).toEqual([
      14, 0, 16, 0, 3, 6, 0, 0, 1, 2, 3, 4, 5, 6, 0, 0,
    ]);
    expect([...encodeInstructions([{ kind: 'metadata', value: 1n, mask: 2n }])]).toEqual([
      5, 0, 24, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2,
    ]);
  });
  it('survive arbitrary bytes', () => {
    fc.assert(
      fc.property(bytes(64), (random) => {
        decodeActions(random);
        decodeInstructions(random);
        decodeMatch(random);
        decodePacketOut(random);
        decodeQuery(random);
        for (const _ of decodeBatch(random));
      }),
    );
  });
  it('refuse instructions out of order and cut ones', () => {
    const two = encodeInstructions([{ kind: 'clear' }, { kind: 'goto', table: 3 }]);
    expect(decodeInstructions(two.subarray(0, 12))).toBeUndefined();
    expect(decodeInstructions(Uint8Array.from([...two.subarray(8), ...two.subarray(0, 8)]))).toBeUndefined();
  });
});

describe('batches', () => {
  it('give back every kind of record', () => {
    const flow = {
      op: 'flow_mod' as const,
      command: 0,
      table: 7,
      cookie: 0xfedcba9876543210n,
      cookieMask: 3n,
      priority: 0x8000,
      flags: 1,
      idle: 10,
      hard: 20,
      outPort: 0xffffffff,
      outGroup: 0xfffffffe,
      importance: 5,
      match: encodeMatch([{ field: 5, value: 0x800n, mask: undefined }]),
      instructions: encodeInstructions([{ kind: 'goto', table: 8 }]),
    };
    const group = {
      op: 'group_mod' as const,
      selection: { method: 2, parameter: 5n, fields: [{ field: 11, mask: 0xff00n }] },
      command: 1,
      type: 1,
      group: 9,
      place: 7,
      buckets: [{ id: 5, weight: 3, watchPort: 1, watchGroup: 2, actions: encodeActions([{ kind: 'pop_vlan' }]) }],
    };
    const meter = {
      op: 'meter_mod' as const,
      command: 0,
      meter: 4,
      flags: 1,
      bands: [{ type: 2, precLevel: 1, rate: 1000, burst: 100 }],
    };
    const batch = written((writer) => {
      writeFlowMod(writer, flow);
      writeGroupMod(writer, group);
      writeMeterMod(writer, meter);
      writePortConfig(writer, 3, 1, 33);
      writeSetConfig(writer, 1, 9);
      writeControllerState(writer, true);
    });
    expect([...decodeBatch(batch)]).toEqual([
      flow,
      group,
      meter,
      { op: 'port_config', port: 3, config: 1, mask: 33 },
      { op: 'set_config', fragMode: 1, firstEgress: 9 },
      { op: 'controller_state', connected: true, misses: false },
    ]);
  });
  it('end with one malformed record where the framing breaks', () => {
    const batch = written((writer) => writeSetConfig(writer, 0));
    expect([...decodeBatch(Uint8Array.from([...batch, 5, 0, 0, 0, 99, 0, 0, 0]))].map(({ op }) => op)).toEqual([
      'set_config',
      'malformed',
    ]);
  });
  it('packet-outs keep actions and frame', () => {
    const packet = {
      inPort: 0xfffffffd,
      actions: encodeActions([{ kind: 'pop_vlan' }]),
      frame: Uint8Array.of(1, 2, 3),
    };
    expect(decodePacketOut(written((writer) => writePacketOut(writer, packet)))).toEqual(packet);
  });
});

describe('answers and upcalls', () => {
  it('flows, groups, meters and ports come back', () => {
    const flow = {
      table: 1,
      priority: 2,
      cookie: 3n,
      packets: 4n,
      bytes: 5n,
      duration: 6n,
      unused: 10n,
      unchanged: 11,
      idle: 7,
      hard: 8,
      flags: 9,
    };
    const flows = [
      { ...flow, importance: 1, isNew: true, match: Uint8Array.of(5, 2, 0, 0, 8, 0), instructions: new Uint8Array(8) },
      { ...flow, importance: 0, isNew: false, match: new Uint8Array(0), instructions: new Uint8Array(0) },
    ];
    const flowData = all(writeFlowAnswer, flows);
    expect([...decodeFlowAnswers(flowData)]).toEqual(flows);
    const bucket = {
      id: 8,
      weight: 1,
      watchPort: 2,
      watchGroup: 3,
      actions: new Uint8Array(8),
      packets: 4n,
      bytes: 5n,
    };
    const group = { type: 2, references: 3, packets: 4n, bytes: 5n, duration: 6n, buckets: [bucket, bucket] };
    const selected = [
      { field: 3, mask: 0xffff00000000n },
      { field: 6, mask: 0x1fffn },
    ];
    const groups = [
      { ...group, group: 1, selection: { method: 0, parameter: 0n, fields: [] } },
      { ...group, group: 2, selection: { method: 1, parameter: 1n << 40n, fields: selected } },
    ];
    const groupData = all(writeGroupAnswer, groups);
    expect([...decodeGroupAnswers(groupData)]).toEqual(groups);
    const band = { type: 1, precLevel: 2, rate: 3, burst: 4, packets: 5n, bytes: 6n };
    const meters = [{ meter: 1, flags: 2, flows: 3, packets: 4n, bytes: 5n, duration: 6n, bands: [band, band] }];
    const meterData = all(writeMeterAnswer, meters);
    expect([...decodeMeterAnswers(meterData)]).toEqual(meters);
    const port = { port: 1, config: 2, state: 3, rxPackets: 4n, txPackets: 5n, rxBytes: 6n, txBytes: 7n };
    const ports = [{ ...port, rxDropped: 8n, txDropped: 9n, rxErrors: 10n, txErrors: 11n, duration: 12n }];
    expect(decodePortAnswers(all(writePortAnswer, ports))).toEqual(ports);
  });
  it('queries default to everything', () => {
    expect(decodeQuery(encodeQuery({ query: 1 }))).toEqual({
      query: 1,
      table: 255,
      id: 0xffffffff,
      cookie: 0n,
      cookieMask: 0n,
      outPort: 0xffffffff,
      outGroup: 0xffffffff,
      cursor: 0n,
      since: 0n,
      match: new Uint8Array(0),
    });
  });
  it('upcalls of every kind come back', () => {
    const records: UpcallRecord[] = [
      {
        kind: 'packet_in',
        reason: 1,
        table: 2,
        cookie: 0xffffffffffffffffn,
        inPort: 4,
        maxLen: 128,
        controllerId: 7,
        userdata: Uint8Array.of(4, 5),
        registers: new Map([
          [0, 1],
          [15, 0xffffffff],
        ]),
        frameTotal: 3,
        metadata: 0x0102030405060708n,
        tunnelId: 9n,
        inPhyPort: 4,
        packetType: 0x1894f,
        frame: Uint8Array.of(1, 2, 3),
      },
      {
        kind: 'flow_removed',
        reason: 2,
        table: 3,
        cookie: 4n,
        priority: 5,
        idle: 6,
        hard: 7,
        flags: 1,
        duration: 8n,
        unused: 7n,
        packets: 9n,
        bytes: 10n,
        match: Uint8Array.of(5, 2, 0, 0, 8, 0),
      },
      { kind: 'port_state', port: 3, state: 1, text: 'carrier lost' },
      { kind: 'port_output', port: 3, frame: Uint8Array.of(9) },
    ];
    const seen: UpcallRecord[] = [];
    const batch = all(writeUpcall, records);
    forEachUpcall(batch, (record) => seen.push(record));
    expect(seen).toEqual(records);
  });
});
