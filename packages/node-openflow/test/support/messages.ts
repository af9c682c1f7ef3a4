/** Random messages: one arbitrary for each type, multipart bodies included. */
import fc from 'fast-check';
import type { Message, MessageType, MultipartReplyBody, MultipartRequestBody } from '../../src/index.js';
import {
  actions,
  bands,
  buckets,
  bytes,
  data,
  helloElement,
  instructions,
  match,
  name,
  packetQueue,
  port,
  tableFeatures,
  u8,
  u16,
  u32,
  u64,
} from './arbitraries.js';

const is = <const T>(type: T) => fc.constant(type);
const duration = { durationSec: u32, durationNsec: u32 };
const counts = { packetCount: u64, byteCount: u64 };
const few = <T>(item: fc.Arbitrary<T>) => fc.array(item, { maxLength: 3 });
const four = fc.tuple(u32, u32, u32, u32);
const experimenterBody = { type: is('experimenter'), experimenter: u32, expType: u32, data: data() };
const flowRequest = { tableId: u8, outPort: u32, outGroup: u32, cookie: u64, cookieMask: u64, match };
const features = fc.record({ type: is('table_features'), entries: few(tableFeatures) });

/** Has tests of its own. */
type Nicira = `nx_${string}`;

type Bodies<B extends { readonly type: string }> = {
  readonly [T in Exclude<B['type'], 'unknown' | Nicira>]: fc.Arbitrary<Extract<B, { readonly type: T }>>;
};

const empty = <const T extends string>(type: T) => fc.record({ type: is(type) });

export const requestBodies = {
  desc: empty('desc'),
  flow: fc.record({ type: is('flow'), ...flowRequest }),
  aggregate: fc.record({ type: is('aggregate'), ...flowRequest }),
  table: empty('table'),
  port_stats: fc.record({ type: is('port_stats'), portNo: u32 }),
  queue: fc.record({ type: is('queue'), portNo: u32, queueId: u32 }),
  group: fc.record({ type: is('group'), groupId: u32 }),
  group_desc: empty('group_desc'),
  group_features: empty('group_features'),
  meter: fc.record({ type: is('meter'), meterId: u32 }),
  meter_config: fc.record({ type: is('meter_config'), meterId: u32 }),
  meter_features: empty('meter_features'),
  table_features: features,
  port_desc: empty('port_desc'),
  experimenter: fc.record(experimenterBody),
} as {
  readonly [T in MultipartRequestBody['type'] as Exclude<T, 'unknown' | Nicira>]: fc.Arbitrary<MultipartRequestBody>;
};

export const flowStats = fc.record({
  tableId: u8,
  ...duration,
  priority: u16,
  idleTimeout: u16,
  hardTimeout: u16,
  flags: u16,
  cookie: u64,
  ...counts,
  match,
  instructions,
});

const portStats = fc.record({
  portNo: u32,
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
});

export const replyBodies: Bodies<MultipartReplyBody> = {
  desc: fc.record({
    type: is('desc'),
    mfrDesc: name(255),
    hwDesc: name(20),
    swDesc: name(20),
    serialNum: name(31),
    dpDesc: name(20),
  }),
  flow: fc.record({ type: is('flow'), entries: few(flowStats) }),
  aggregate: fc.record({ type: is('aggregate'), ...counts, flowCount: u32 }),
  table: fc.record({
    type: is('table'),
    entries: few(fc.record({ tableId: u8, activeCount: u32, lookupCount: u64, matchedCount: u64 })),
  }),
  port_stats: fc.record({ type: is('port_stats'), entries: few(portStats) }),
  queue: fc.record({
    type: is('queue'),
    entries: few(fc.record({ portNo: u32, queueId: u32, txBytes: u64, txPackets: u64, txErrors: u64, ...duration })),
  }),
  group: fc.record({
    type: is('group'),
    entries: few(fc.record({ groupId: u32, refCount: u32, ...counts, ...duration, buckets: few(fc.record(counts)) })),
  }),
  group_desc: fc.record({
    type: is('group_desc'),
    entries: few(fc.record({ groupType: u8, groupId: u32, buckets })),
  }),
  group_features: fc.record({
    type: is('group_features'),
    types: u32,
    capabilities: u32,
    maxGroups: four,
    actions: four,
  }),
  meter: fc.record({
    type: is('meter'),
    entries: few(
      fc.record({
        meterId: u32,
        flowCount: u32,
        packetInCount: u64,
        byteInCount: u64,
        ...duration,
        bands: few(fc.record(counts)),
      }),
    ),
  }),
  meter_config: fc.record({
    type: is('meter_config'),
    entries: few(fc.record({ flags: u16, meterId: u32, bands })),
  }),
  meter_features: fc.record({
    type: is('meter_features'),
    maxMeter: u32,
    bandTypes: u32,
    capabilities: u32,
    maxBands: u8,
    maxColor: u8,
  }),
  table_features: features,
  port_desc: fc.record({ type: is('port_desc'), entries: few(port) }),
  experimenter: fc.record(experimenterBody),
};

const head = { version: is(4), xid: u32 };
const symmetric = { version: fc.integer({ min: 1, max: 6 }), xid: u32 };
const masks = {
  packetInMask: fc.tuple(u32, u32),
  portStatusMask: fc.tuple(u32, u32),
  flowRemovedMask: fc.tuple(u32, u32),
};
const plain = <const T extends string>(type: T) => fc.record({ type: is(type), ...head });

export const messages: { readonly [T in Exclude<MessageType, 'unknown' | Nicira>]: fc.Arbitrary<Message> } = {
  hello: fc.record({
    type: is('hello'),
    ...symmetric,
    elements: few(helloElement),
    // Fewer than four bytes are no element.
    rest: data(3),
  }),
  error: fc.oneof(
    fc.record({
      type: is('error'),
      ...symmetric,
      errorType: fc.integer({ min: 0, max: 0xfffe }),
      errorCode: u16,
      data: data(),
    }),
    fc.record({
      type: is('error'),
      ...symmetric,
      errorType: is(0xffff),
      errorCode: u16,
      experimenter: u32,
      data: data(),
    }),
  ),
  echo_request: fc.record({ type: is('echo_request'), ...symmetric, data: data() }),
  echo_reply: fc.record({ type: is('echo_reply'), ...symmetric, data: data() }),
  experimenter: fc.record({ ...head, ...experimenterBody }),
  features_request: plain('features_request'),
  features_reply: fc.record({
    type: is('features_reply'),
    ...head,
    datapathId: u64,
    nBuffers: u32,
    nTables: u8,
    auxiliaryId: u8,
    capabilities: u32,
    reserved: u32,
  }),
  get_config_request: plain('get_config_request'),
  get_config_reply: fc.record({ type: is('get_config_reply'), ...head, flags: u16, missSendLen: u16 }),
  set_config: fc.record({ type: is('set_config'), ...head, flags: u16, missSendLen: u16 }),
  packet_in: fc.record({
    type: is('packet_in'),
    ...head,
    bufferId: u32,
    totalLen: u16,
    reason: u8,
    tableId: u8,
    cookie: u64,
    match,
    data: data(200),
  }),
  flow_removed: fc.record({
    type: is('flow_removed'),
    ...head,
    cookie: u64,
    priority: u16,
    reason: u8,
    tableId: u8,
    ...duration,
    idleTimeout: u16,
    hardTimeout: u16,
    ...counts,
    match,
  }),
  port_status: fc.record({ type: is('port_status'), ...head, reason: u8, port }),
  packet_out: fc.record({ type: is('packet_out'), ...head, bufferId: u32, inPort: u32, actions, data: data(200) }),
  flow_mod: fc.record({
    type: is('flow_mod'),
    ...head,
    cookie: u64,
    cookieMask: u64,
    tableId: u8,
    command: u8,
    idleTimeout: u16,
    hardTimeout: u16,
    priority: u16,
    bufferId: u32,
    outPort: u32,
    outGroup: u32,
    flags: u16,
    match,
    instructions,
  }),
  group_mod: fc.record({ type: is('group_mod'), ...head, command: u16, groupType: u8, groupId: u32, buckets }),
  port_mod: fc.record({
    type: is('port_mod'),
    ...head,
    portNo: u32,
    hwAddr: bytes(6),
    config: u32,
    mask: u32,
    advertise: u32,
  }),
  table_mod: fc.record({ type: is('table_mod'), ...head, tableId: u8, config: u32 }),
  meter_mod: fc.record({ type: is('meter_mod'), ...head, command: u16, flags: u16, meterId: u32, bands }),
  multipart_request: fc.record({
    type: is('multipart_request'),
    ...head,
    flags: u16,
    body: fc.oneof(...Object.values(requestBodies)),
  }),
  multipart_reply: fc.record({
    type: is('multipart_reply'),
    ...head,
    flags: u16,
    body: fc.oneof(...(Object.values(replyBodies) as fc.Arbitrary<MultipartReplyBody>[])),
  }),
  barrier_request: plain('barrier_request'),
  barrier_reply: plain('barrier_reply'),
  queue_get_config_request: fc.record({ type: is('queue_get_config_request'), ...head, port: u32 }),
  queue_get_config_reply: fc.record({
    type: is('queue_get_config_reply'),
    ...head,
    port: u32,
    queues: few(packetQueue),
  }),
  role_request: fc.record({ type: is('role_request'), ...head, role: u32, generationId: u64 }),
  role_reply: fc.record({ type: is('role_reply'), ...head, role: u32, generationId: u64 }),
  get_async_request: plain('get_async_request'),
  get_async_reply: fc.record({ type: is('get_async_reply'), ...head, ...masks }),
  set_async: fc.record({ type: is('set_async'), ...head, ...masks }),
};

export const anyMessage: fc.Arbitrary<Message> = fc.oneof(...Object.values(messages));
