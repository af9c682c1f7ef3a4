/** Random messages that are not only well-formed but make sense, so that Open vSwitch takes them too. */
import fc from 'fast-check';
import {
  type Instruction,
  type MatchSpec,
  type Message,
  type MessageType,
  type MultipartReplyBody,
  type MultipartRequestBody,
  match,
  of13,
} from '../../src/index.js';
import { bytes, data, u8, u16, u32, u64 } from './arbitraries.js';
import { freeAction, instructions, is, meaning, number, opt, setField } from './legal-flows.js';

const { OFPP, OFPG } = of13;

const head = { version: is(4), xid: u32.filter((xid) => xid < 0xfeed0000) };
const counts = { packetCount: u64, byteCount: u64 };
const duration = {
  durationSec: fc.integer({ min: 0, max: 0xfffffffe }),
  durationNsec: fc.oneof(
    is(0),
    fc.integer({ min: 0, max: 999 }).map((ms) => ms * 1_000_000),
    number(29),
  ),
};
const ascii = (maxLength: number) => fc.string({ minLength: 1, maxLength, unit: fc.constantFrom(...'abcXYZ019.-') });
const portNo = fc.integer({ min: 1, max: 0xfeff });
const portConfig = fc.constantFrom(0, 1, 4, 0x20, 0x40, 0x65);
const portFeatures = fc.integer({ min: 0, max: 0xffff });
const portDesc = fc.record({
  portNo,
  hwAddr: bytes(6),
  name: ascii(15),
  config: portConfig,
  state: number(3),
  curr: portFeatures,
  advertised: portFeatures,
  supported: portFeatures,
  peer: portFeatures,
  currSpeed: u32,
  maxSpeed: u32,
});

const groupId = fc.integer({ min: 0, max: 0xfffffeff });
const plainActions = fc.array(fc.oneof(freeAction, setField('eth_src')), { maxLength: 3 });
const bucket = { watchPort: is(OFPP.ANY), watchGroup: is(OFPG.ANY), actions: plainActions };
const group = fc.oneof(
  fc.record({ groupType: is(0), buckets: few(fc.record({ weight: is(0), ...bucket })) }),
  fc.record({ groupType: is(1), buckets: few(fc.record({ weight: u16, ...bucket })) }),
  fc.record({
    groupType: is(2),
    buckets: fc.array(fc.record({ weight: is(0), ...bucket }), { minLength: 1, maxLength: 1 }),
  }),
  fc.record({
    groupType: is(3),
    buckets: few(
      fc.record({ weight: is(0), ...bucket, watchPort: portNo, watchGroup: fc.oneof(is(OFPG.ANY), groupId) }),
    ),
  }),
);

function few<T>(item: fc.Arbitrary<T>): fc.Arbitrary<T[]> {
  return fc.array(item, { maxLength: 3 });
}
function some<T>(item: fc.Arbitrary<T>): fc.Arbitrary<T[]> {
  return fc.array(item, { minLength: 1, maxLength: 3 });
}

const meterFlags = fc.constantFrom(1, 2, 5, 6, 9, 13);
const bands = some(
  fc.oneof(
    fc.record({ type: is('drop'), rate: u32, burstSize: u32 }),
    fc.record({ type: is('dscp_remark'), rate: u32, burstSize: u32, precLevel: u8 }),
  ),
);
const masks = {
  packetInMask: fc.tuple(number(3), number(3)),
  portStatusMask: fc.tuple(number(3), number(3)),
  flowRemovedMask: fc.tuple(number(4), number(4)),
};
const empty = <const T extends string>(type: T) => fc.record({ type: is(type), ...head });
const rates = fc.integer({ min: 0, max: 1000 });

type LegalTypes = Exclude<
  MessageType,
  'unknown' | 'error' | 'experimenter' | 'multipart_request' | 'multipart_reply' | `nx_${string}`
>;

export const legalMessages: { readonly [T in LegalTypes]: fc.Arbitrary<Message> } = {
  hello: fc.record({
    type: is('hello'),
    ...head,
    // With no bit at all ovs-ofctl falls back on the header.
    elements: fc
      .integer({ min: 1, max: 0x3f })
      .map((word) => [{ type: 'versionbitmap' as const, bitmaps: [word << 1] }]),
    rest: is(new Uint8Array(0)),
  }),
  echo_request: fc.record({ type: is('echo_request'), ...head, data: data() }),
  echo_reply: fc.record({ type: is('echo_reply'), ...head, data: data() }),
  features_request: empty('features_request'),
  features_reply: fc.record({
    type: is('features_reply'),
    ...head,
    datapathId: u64,
    nBuffers: u32,
    nTables: u8,
    auxiliaryId: u8,
    capabilities: fc.constantFrom(0, 1, 2, 4, 8, 0x20, 0x40, 0x100, 0x16f),
    reserved: is(0),
  }),
  get_config_request: empty('get_config_request'),
  get_config_reply: fc.record({
    type: is('get_config_reply'),
    ...head,
    flags: fc.integer({ min: 0, max: 2 }),
    missSendLen: u16,
  }),
  set_config: fc.record({ type: is('set_config'), ...head, flags: fc.integer({ min: 0, max: 2 }), missSendLen: u16 }),
  packet_in: fc.tuple(data(100), u16).chain(([frame, more]) =>
    fc.record({
      type: is('packet_in'),
      ...head,
      // A packet that is not buffered is there as a whole.
      ...(more % 2 === 0
        ? { bufferId: is(of13.OFP_NO_BUFFER), totalLen: is(frame.length) }
        : { bufferId: number(31), totalLen: is(Math.min(0xffff, frame.length + more)) }),
      reason: fc.integer({ min: 0, max: 2 }),
      tableId: u8,
      cookie: u64,
      match: fc
        .record({ in_port: portNo, metadata: opt(u64), tunnel_id: opt(u64) })
        .map((spec) => match(present(spec))),
      data: is(frame),
    }),
  ),
  flow_removed: meaning.chain(({ match: matched }) =>
    fc.record({
      type: is('flow_removed'),
      ...head,
      cookie: u64,
      priority: u16,
      reason: fc.integer({ min: 0, max: 3 }),
      tableId: u8,
      ...duration,
      idleTimeout: u16,
      hardTimeout: u16,
      ...counts,
      match: is(matched),
    }),
  ),
  port_status: fc.record({ type: is('port_status'), ...head, reason: fc.integer({ min: 0, max: 2 }), port: portDesc }),
  packet_out: fc.record({
    type: is('packet_out'),
    ...head,
    bufferId: is(of13.OFP_NO_BUFFER),
    inPort: fc.oneof(portNo, fc.constantFrom(OFPP.CONTROLLER, OFPP.LOCAL)),
    actions: plainActions,
    data: data(100),
  }),
  flow_mod: meaning.chain(({ match: matched, actions }) =>
    fc
      .record({
        type: is('flow_mod'),
        ...head,
        cookie: u64.filter((cookie) => cookie !== 0xffff_ffff_ffff_ffffn),
        cookieMask: u64,
        tableId: u8,
        command: fc.integer({ min: 0, max: 4 }),
        idleTimeout: u16,
        hardTimeout: u16,
        priority: u16,
        bufferId: fc.oneof(is(of13.OFP_NO_BUFFER), number(31)),
        outPort: fc.oneof(is(OFPP.ANY), portNo),
        outGroup: is(OFPG.ANY),
        flags: number(5),
        match: is(matched),
        instructions: instructions(actions),
      })
      // ovs-ofctl knows no adding of flows with a cookie mask, nor deletion with instructions.
      .map((flow) => ({
        ...flow,
        cookieMask: flow.command === 0 ? 0n : flow.cookieMask,
        tableId: flow.command < 3 && flow.tableId === 255 ? 0 : flow.tableId,
        instructions: fitting(flow.instructions, flow.command, flow.tableId),
      })),
  ),
  group_mod: fc
    .tuple(fc.integer({ min: 0, max: 1 }), groupId, group)
    .chain(([command, id, rest]) =>
      fc
        .record({ ...head, type: is('group_mod'), command: is(command) })
        .map((base) => ({ ...base, groupId: id, ...rest })),
    ),
  port_mod: fc.record({
    type: is('port_mod'),
    ...head,
    portNo,
    hwAddr: bytes(6),
    config: portConfig,
    mask: is(0x65),
    advertise: portFeatures,
  }),
  table_mod: fc.record({ type: is('table_mod'), ...head, tableId: u8, config: is(0) }),
  meter_mod: fc.record({
    type: is('meter_mod'),
    ...head,
    command: fc.integer({ min: 0, max: 1 }),
    flags: meterFlags,
    meterId: fc.oneof(fc.integer({ min: 1, max: 0xffff0000 }), is(0xfffffffe)),
    bands,
  }),
  barrier_request: empty('barrier_request'),
  barrier_reply: empty('barrier_reply'),
  queue_get_config_request: fc.record({ type: is('queue_get_config_request'), ...head, port: portNo }),
  queue_get_config_reply: portNo.chain((number) =>
    fc.record({
      type: is('queue_get_config_reply'),
      ...head,
      port: is(number),
      queues: fc.uniqueArray(
        fc.record({
          queueId: fc.integer({ min: 0, max: 100 }),
          port: is(number),
          properties: fc.tuple(rates, rates).map(([min, max]) => [
            { type: 'min_rate' as const, rate: min },
            { type: 'max_rate' as const, rate: max },
          ]),
        }),
        { selector: (queue) => queue.queueId, minLength: 1, maxLength: 3 },
      ),
    }),
  ),
  role_request: fc.record({
    type: is('role_request'),
    ...head,
    role: fc.integer({ min: 0, max: 3 }),
    generationId: u64.filter((id) => id !== 0xffff_ffff_ffff_ffffn),
  }),
  role_reply: fc.record({
    type: is('role_reply'),
    ...head,
    role: fc.integer({ min: 0, max: 3 }),
    generationId: u64.filter((id) => id !== 0xffff_ffff_ffff_ffffn),
  }),
  get_async_request: empty('get_async_request'),
  get_async_reply: fc.record({ type: is('get_async_reply'), ...head, ...masks }),
  set_async: fc.record({ type: is('set_async'), ...head, ...masks }),
};

function present(spec: MatchSpec | { readonly [K in keyof MatchSpec]: MatchSpec[K] | undefined }): MatchSpec {
  return Object.fromEntries(Object.entries(spec).filter(([, value]) => value !== undefined)) as MatchSpec;
}

/** goto_table only goes forward; a deletion has no instructions. */
function fitting(list: readonly Instruction[], command: number, tableId: number): readonly Instruction[] {
  if (command >= 3) return [];
  return list.filter((one) => one.type !== 'goto_table' || one.tableId > tableId);
}

const flowRequest = meaning.chain(({ match: matched }) =>
  fc.record({
    tableId: u8,
    outPort: fc.oneof(is(OFPP.ANY), portNo),
    outGroup: is(OFPG.ANY),
    cookie: is(0n),
    cookieMask: is(0n),
    match: is(matched),
  }),
);

export const legalRequests: {
  readonly [T in MultipartRequestBody['type'] as Exclude<
    T,
    `nx_${string}` | 'unknown' | 'experimenter'
  >]: fc.Arbitrary<MultipartRequestBody>;
} = {
  desc: is({ type: 'desc' }),
  flow: flowRequest.map((rest) => ({ type: 'flow' as const, ...rest })),
  aggregate: flowRequest.map((rest) => ({ type: 'aggregate' as const, ...rest })),
  table: is({ type: 'table' }),
  port_stats: fc.record({ type: is('port_stats'), portNo: fc.oneof(portNo, is(OFPP.ANY)) }),
  queue: fc.record({
    type: is('queue'),
    portNo: fc.oneof(portNo, is(OFPP.ANY)),
    queueId: fc.oneof(u32, is(of13.OFPQ.ALL)),
  }),
  group: fc.record({ type: is('group'), groupId: fc.oneof(groupId, is(OFPG.ALL)) }),
  group_desc: is({ type: 'group_desc' }),
  group_features: is({ type: 'group_features' }),
  meter: fc.record({ type: is('meter'), meterId: fc.oneof(fc.integer({ min: 1, max: 1000 }), is(of13.OFPM.ALL)) }),
  meter_config: fc.record({
    type: is('meter_config'),
    meterId: fc.oneof(fc.integer({ min: 1, max: 1000 }), is(of13.OFPM.ALL)),
  }),
  meter_features: is({ type: 'meter_features' }),
  table_features: is({ type: 'table_features', entries: [] }),
  port_desc: is({ type: 'port_desc' }),
};

const flowStats = meaning.chain(({ match: matched, actions }) =>
  fc
    .record({
      tableId: u8,
      ...duration,
      priority: u16,
      idleTimeout: u16,
      hardTimeout: u16,
      flags: number(5),
      cookie: u64,
      packetCount: u64.filter((value) => value !== 0xffff_ffff_ffff_ffffn),
      byteCount: u64.filter((value) => value !== 0xffff_ffff_ffff_ffffn),
      match: is(matched),
      instructions: instructions(actions),
    })
    .map((flow) => ({ ...flow, instructions: fitting(flow.instructions, 0, flow.tableId) })),
);
const four = fc.tuple(u32, u32, u32, u32);
const actionBits = fc.constantFrom(0, 1, 1 << 17, (1 << 19) | (1 << 20), (1 << 22) | 1, 1 << 24, 1 << 25);

export const legalReplies: {
  readonly [T in MultipartReplyBody['type'] as Exclude<
    T,
    `nx_${string}` | 'unknown' | 'experimenter' | 'table_features'
  >]: fc.Arbitrary<MultipartReplyBody>;
} = {
  desc: fc.record({
    type: is('desc'),
    mfrDesc: ascii(255),
    hwDesc: ascii(20),
    swDesc: ascii(20),
    serialNum: ascii(31),
    dpDesc: ascii(20),
  }),
  flow: fc.record({ type: is('flow'), entries: some(flowStats) }),
  aggregate: fc.record({ type: is('aggregate'), ...counts, flowCount: u32 }),
  table: fc.record({
    type: is('table'),
    entries: fc.uniqueArray(fc.record({ tableId: u8, activeCount: u32, lookupCount: u64, matchedCount: u64 }), {
      selector: (table) => table.tableId,
      minLength: 1,
      maxLength: 1,
    }),
  }),
  port_stats: fc.record({
    type: is('port_stats'),
    entries: few(
      fc.record({
        portNo,
        rxPackets: u64,
        txPackets: u64,
        rxBytes: u64,
        txBytes: u64,
        rxDropped: u64,
        txDropped: u64,
        rxErrors: u64,
        txErrors: u64,
        rxFrameErr: u64,
        rxOverErr: u64,
        rxCrcErr: u64,
        collisions: u64,
        ...duration,
      }),
    ),
  }),
  queue: fc.record({
    type: is('queue'),
    entries: few(fc.record({ portNo, queueId: u32, txBytes: u64, txPackets: u64, txErrors: u64, ...duration })),
  }),
  group: fc.record({
    type: is('group'),
    entries: few(fc.record({ groupId, refCount: u32, ...counts, ...duration, buckets: few(fc.record(counts)) })),
  }),
  group_desc: fc.record({
    type: is('group_desc'),
    entries: few(fc.tuple(groupId, group).map(([id, rest]) => ({ groupId: id, ...rest }))),
  }),
  group_features: fc.record({
    type: is('group_features'),
    types: number(4),
    capabilities: number(4),
    maxGroups: four,
    actions: fc.tuple(actionBits, actionBits, actionBits, actionBits),
  }),
  meter: fc.record({
    type: is('meter'),
    entries: fc.array(
      fc.record({
        meterId: fc.integer({ min: 1, max: 1000 }),
        flowCount: u32,
        packetInCount: u64,
        byteInCount: u64,
        ...duration,
        bands: few(fc.record(counts)),
      }),
      { minLength: 1, maxLength: 1 },
    ),
  }),
  meter_config: fc.record({
    type: is('meter_config'),
    entries: fc.array(fc.record({ flags: meterFlags, meterId: fc.integer({ min: 1, max: 1000 }), bands }), {
      minLength: 1,
      maxLength: 1,
    }),
  }),
  meter_features: fc.record({
    type: is('meter_features'),
    maxMeter: u32,
    bandTypes: fc.constantFrom(2, 4, 6),
    capabilities: fc.integer({ min: 1, max: 15 }),
    maxBands: u8,
    maxColor: u8,
  }),
  port_desc: fc.record({ type: is('port_desc'), entries: few(portDesc) }),
};

/** All properties a reply must have. */
export const tableFeaturesReply: Message = {
  version: 4,
  xid: 7,
  type: 'multipart_reply',
  flags: 0,
  body: {
    type: 'table_features',
    entries: [
      {
        tableId: 3,
        name: 'classifier',
        metadataMatch: 0xffn,
        metadataWrite: 0xfn,
        config: 0,
        maxEntries: 1000,
        properties: [
          { type: 'instructions', ids: [{ type: 'goto_table' }, { type: 'apply_actions' }] },
          { type: 'next_tables', ids: [4, 5] },
          { type: 'write_actions', ids: [{ type: 'output' }, { type: 'group' }] },
          { type: 'apply_actions', ids: [{ type: 'output' }, { type: 'group' }] },
          {
            type: 'match',
            ids: [
              { field: 'in_port', hasMask: false },
              { field: 'eth_dst', hasMask: true },
            ],
          },
          {
            type: 'wildcards',
            ids: [
              { field: 'in_port', hasMask: false },
              { field: 'eth_dst', hasMask: false },
            ],
          },
          { type: 'write_setfield', ids: [{ field: 'eth_dst', hasMask: false }] },
          { type: 'apply_setfield', ids: [{ field: 'eth_dst', hasMask: false }] },
        ],
      },
    ],
  },
};
