/** Random messages of every type of a version, which it can express, in the form that its decoding gives. */
import fc from 'fast-check';
import type { Message, MultipartReplyBody, MultipartRequestBody } from '../../src/index.js';
import { bytes, data, helloElement, name, tableFeatures, u8, u16, u32, u64 } from './arbitraries.js';
import {
  actionsOf,
  bands,
  bucketOf,
  few,
  instructionsOf,
  is,
  matchOf,
  merge,
  optionalList,
  optionalOnce,
  oxmIdOf,
  portNo,
  portOf,
  queueOf,
  stats,
  vendorProperty,
} from './versions.js';

type Arbitraries<T> = Readonly<Record<string, fc.Arbitrary<T>>>;

const counts = { packetCount: u64, byteCount: u64 };
const none = 0xffffffff;
const known = fc.integer({ min: 0, max: none - 1 });
const knownCount = u64.filter((count) => count !== 0xffff_ffff_ffff_ffffn);
const duration = (since: number) => (version: number) =>
  version >= since ? { durationSec: known, durationNsec: u32 } : { durationSec: is(none), durationNsec: is(none) };
const duration13 = duration(4);
const four = fc.tuple(u32, u32, u32, u32);
const empty = <const T extends string>(type: T) => fc.record({ type: is(type) });
const pair = fc.tuple(u32, u32);
const extraStats = few(stats).map((list) => (list.length === 0 ? {} : { stats: list }));
const time = fc.record({ seconds: u64, nanoseconds: u32 });
const innerMessage = data(30).map((rest) => {
  const length = 8 + rest.length;
  return new Uint8Array([4, 14, length >> 8, length & 0xff, 0, 0, 0, 1, ...rest]);
});
const tableProperty = fc.oneof(
  fc.record({ type: is('eviction'), flags: u32 }),
  fc.record({ type: is('vacancy'), vacancyDown: u8, vacancyUp: u8, vacancy: u8 }),
  vendorProperty,
);
/** Bits above the field's own are not kept. */
const selectionField = fc.oneof(
  fc.record({ field: is('ipv4_src'), mask: bytes(4) }),
  fc.record({ field: is('eth_dst'), mask: bytes(6) }),
  fc.record({ field: is('vlan_pcp'), mask: fc.constantFrom(1, 5, 7).map((bits) => Uint8Array.of(bits)) }),
);
/** A byte for each letter, whatever it is. */
const methodName = fc
  .array(fc.integer({ min: 1, max: 255 }), { maxLength: 15 })
  .map((codes) => String.fromCharCode(...codes));
const groupProperty = fc.oneof(
  fc.record({ type: is('selection_method'), method: methodName, parameter: u64, fields: few(selectionField) }),
  vendorProperty,
);
const tableDesc = fc.record({ tableId: u8, config: u32, properties: few(tableProperty) });
const controllerStatus = fc.record({
  ...{ shortId: u16, role: u32, reason: u8, channelStatus: u8 },
  properties: few(fc.oneof(fc.record({ type: is('uri'), uri: name(20) }), vendorProperty)),
});

/** In 1.5 what counts may not be there; then the value says "unknown". */
const flowCounts = (version: number) =>
  version < 6
    ? fc.record({ durationSec: u32, durationNsec: u32, ...counts })
    : merge(
        fc.record({ durationSec: known, durationNsec: u32, packetCount: knownCount, byteCount: knownCount }),
        extraStats,
      );

function flowRequest(version: number, type: string) {
  const old = version === 1;
  return fc.record({
    type: is(type as 'flow'),
    tableId: u8,
    outPort: portNo(version),
    outGroup: old ? is(none) : u32,
    cookie: old ? is(0n) : u64,
    cookieMask: old ? is(0n) : u64,
    match: matchOf(version),
  });
}

const feature = (version: number) =>
  version < 6
    ? tableFeatures
    : merge(
        tableFeatures.map((table) => ({ ...table, properties: [] })),
        fc.record({
          command: u8,
          features: u32,
          properties: few(
            fc.oneof(
              fc.record({ type: is('table_sync_from'), ids: few(u8) }),
              fc.record({
                type: fc.constantFrom('write_copyfield' as const, 'apply_copyfield_miss' as const),
                ids: few(oxmIdOf(6)),
              }),
              fc.record({
                type: is('packet_types'),
                oxms: few(fc.record({ field: is('packet_type'), value: bytes(4) })),
              }),
            ),
          ),
        }),
      );
const monitor = (version: number) =>
  fc.record({
    ...{ monitorId: u32, outPort: u32, flags: u16, tableId: u8, match: matchOf(version) },
    ...(version === 4 ? { outGroup: is(none), command: is(0) } : { outGroup: u32, command: u8 }),
  });
const bundleFeatures = few(
  fc.oneof(
    fc.record({
      type: is('time_capability'),
      schedAccuracy: time,
      schedMaxFuture: time,
      schedMaxPast: time,
      timestamp: time,
    }),
    vendorProperty,
  ),
);
const experimenterBody = fc.record({
  type: is('experimenter'),
  experimenter: u32,
  expType: u32.filter((type) => type !== 1870),
  data: data(),
});

export function requestsOf(version: number): Arbitraries<MultipartRequestBody> {
  const all: Record<string, fc.Arbitrary<MultipartRequestBody>> = {
    desc: empty('desc'),
    flow: flowRequest(version, 'flow'),
    aggregate: flowRequest(version, 'aggregate'),
    table: empty('table'),
    port_stats: fc.record({ type: is('port_stats'), portNo: portNo(version) }),
    queue: fc.record({ type: is('queue'), portNo: portNo(version), queueId: u32 }),
    experimenter: experimenterBody,
  };
  if (version >= 2) all.group = fc.record({ type: is('group'), groupId: u32 });
  if (version >= 2)
    all.group_desc = version < 6 ? empty('group_desc') : fc.record({ type: is('group_desc'), groupId: u32 });
  if (version >= 3) all.group_features = empty('group_features');
  if (version >= 4) {
    all.meter = fc.record({ type: is('meter'), meterId: u32 });
    all.meter_config = fc.record({ type: is('meter_config'), meterId: u32 });
    all.meter_features = empty('meter_features');
    all.table_features = fc.record({ type: is('table_features'), entries: few(feature(version)) });
    all.port_desc = version < 6 ? empty('port_desc') : fc.record({ type: is('port_desc'), portNo: u32 });
    all.flow_monitor = fc.record({ type: is('flow_monitor'), entries: few(monitor(version)) });
  }
  if (version >= 5) {
    all.table_desc = empty('table_desc');
    all.queue_desc = fc.record({ type: is('queue_desc'), portNo: u32, queueId: u32 });
  }
  if (version >= 6) {
    all.flow_stats = flowRequest(6, 'flow_stats');
    all.controller_status = empty('controller_status');
    all.bundle_features = fc.record({
      type: is('bundle_features'),
      featureRequestFlags: u32,
      properties: bundleFeatures,
    });
  }
  return all;
}

function flowStats(version: number) {
  const base = fc.record({
    tableId: u8,
    priority: u16,
    idleTimeout: u16,
    hardTimeout: u16,
    flags: version < 4 ? is(0) : u16,
    cookie: u64,
    match: matchOf(version),
    instructions: instructionsOf(version),
    ...(version >= 5 ? { importance: u16 } : {}),
  });
  return merge(base, flowCounts(version));
}

function tableStats(version: number) {
  const base = { tableId: u8, activeCount: u32, lookupCount: u64, matchedCount: u64 };
  const bits32 = fc.bigInt({ min: 0n, max: 0xffffffffn });
  if (version >= 4) return fc.record(base);
  const named = { ...base, name: name(31), maxEntries: u32 };
  if (version === 1) return fc.record({ ...named, wildcards: bits32 });
  const masks = { instructions: u32, writeActions: u32, applyActions: u32, config: u32 };
  if (version === 2) return fc.record({ ...named, ...masks, wildcards: bits32, match: bits32 });
  const fields = { writeSetfields: u64, applySetfields: u64, metadataMatch: u64, metadataWrite: u64 };
  return fc.record({ ...named, ...masks, ...fields, wildcards: u64, match: u64 });
}

const opticalStats = fc.record({
  type: is('optical'),
  ...{ flags: u32, txFreqLmda: u32, txOffset: u32, txGridSpan: u32, rxFreqLmda: u32, rxOffset: u32, rxGridSpan: u32 },
  ...{ txPwr: u16, rxPwr: u16, biasCurrent: u16, temperature: u16 },
});

function portStats(version: number) {
  const base = fc.record({
    portNo: portNo(version),
    ...{ rxPackets: u64, txPackets: u64, rxBytes: u64, txBytes: u64, rxDropped: u64, txDropped: u64 },
    ...{ rxErrors: u64, txErrors: u64, rxFrameErr: u64, rxOverErr: u64, rxCrcErr: u64, collisions: u64 },
    ...duration13(version),
  });
  return version < 5 ? base : merge(base, optionalList(fc.oneof(opticalStats, vendorProperty)));
}

function update(version: number) {
  const full =
    version === 4
      ? (['added', 'removed', 'modified'] as const)
      : (['initial', 'added', 'removed', 'modified'] as const);
  return fc.oneof(
    fc.record({
      event: fc.constantFrom(...full),
      ...{ tableId: u8, reason: u8, idleTimeout: u16, hardTimeout: u16, priority: u16, cookie: u64 },
      ...{ match: matchOf(version), instructions: instructionsOf(version) },
    }),
    fc.record({ event: is('abbrev'), xid: u32 }),
    ...(version === 4 ? [] : [fc.record({ event: fc.constantFrom('paused' as const, 'resumed' as const) })]),
  );
}

export function repliesOf(version: number): Arbitraries<MultipartReplyBody> {
  const list = <const T extends string, E>(type: T, entry: fc.Arbitrary<E>) =>
    fc.record({ type: is(type), entries: few(entry) });
  const aggregate = fc.record({
    type: is('aggregate'),
    packetCount: knownCount,
    byteCount: knownCount,
    flowCount: known,
  });
  const queue = fc.record({
    ...{ portNo: portNo(version), queueId: u32, txBytes: u64, txPackets: u64, txErrors: u64 },
    ...duration13(version),
  });
  const text = { mfrDesc: name(255), hwDesc: name(20), swDesc: name(20), serialNum: name(31), dpDesc: name(20) };
  const all: Record<string, fc.Arbitrary<MultipartReplyBody>> = {
    desc: fc.record({ type: is('desc'), ...text }),
    flow: list('flow', flowStats(version)),
    aggregate:
      version < 6
        ? aggregate
        : merge(
            aggregate,
            few(stats.filter((tlv) => tlv.field !== 'flow_count')).map((l) => (l.length ? { stats: l } : {})),
          ),
    table: list('table', tableStats(version)),
    port_stats: list('port_stats', portStats(version)),
    queue: list('queue', version < 5 ? queue : merge(queue, optionalList(vendorProperty))),
    experimenter: experimenterBody,
  };
  const buckets = few(bucketOf(version));
  const desc = fc.record({ groupType: u8, groupId: u32, buckets });
  if (version >= 2) {
    const group = { groupId: u32, refCount: u32, ...counts, ...duration13(version), buckets: few(fc.record(counts)) };
    all.group = list('group', fc.record(group));
    all.group_desc = list('group_desc', version < 6 ? desc : merge(desc, optionalList(groupProperty)));
  }
  if (version >= 3) {
    all.group_features = fc.record({
      type: is('group_features'),
      types: u32,
      capabilities: u32,
      maxGroups: four,
      actions: four,
    });
  }
  if (version >= 4) {
    const meter = {
      meterId: u32,
      flowCount: u32,
      packetInCount: u64,
      byteInCount: u64,
      durationSec: u32,
      durationNsec: u32,
    };
    all.meter = list('meter', fc.record({ ...meter, bands: few(fc.record(counts)) }));
    all.meter_config = list('meter_config', fc.record({ flags: u16, meterId: u32, bands }));
    const features = { maxMeter: u32, bandTypes: u32, capabilities: u32, maxBands: u8, maxColor: u8 };
    all.meter_features = fc.record({
      type: is('meter_features'),
      ...features,
      ...(version < 6 ? {} : { features: u32 }),
    });
    all.table_features = list('table_features', feature(version));
    all.port_desc = list('port_desc', portOf(version));
    all.flow_monitor = list('flow_monitor', update(version));
  }
  if (version >= 5) {
    all.table_desc = list('table_desc', tableDesc);
    all.queue_desc = list('queue_desc', queueOf(version));
  }
  if (version >= 6) {
    const flow = fc.record({ tableId: u8, reason: u8, priority: u16, match: matchOf(6) });
    all.flow_stats = list('flow_stats', merge(flow, flowCounts(6)));
    all.controller_status = list('controller_status', controllerStatus);
    all.bundle_features = fc.record({ type: is('bundle_features'), capabilities: u16, properties: bundleFeatures });
  }
  return all;
}

const optionalMask = fc.tuple(fc.option(u32, { nil: undefined }), fc.option(u32, { nil: undefined }));
function asyncMasks(version: number, type: 'set_async' | 'get_async_reply') {
  const names = ['packetInMask', 'portStatusMask', 'flowRemovedMask', 'roleStatusMask', 'tableStatusMask'];
  names.push('requestforwardMask', 'flowStatsMask', 'controllerStatusMask');
  const count = version === 4 ? 3 : version === 5 ? 6 : 8;
  const mask = version > 4 && type === 'set_async' ? optionalMask : pair;
  const masks = fc.record(Object.fromEntries(names.slice(0, count).map((each) => [each, mask])));
  // A mask of which nothing is said is not there.
  const said = masks.map((all) =>
    Object.fromEntries(Object.entries(all).filter(([, m]) => m.some((half) => half !== undefined))),
  );
  const vendor = fc.record({
    type: fc.constantFrom('experimenter_slave' as const, 'experimenter_master' as const),
    ...{ experimenter: u32, expType: u32, data: data(10) },
  });
  return version === 4 ? said : merge(said, optionalList(vendor));
}

export function messagesOf(version: number): Arbitraries<Message> {
  const head = { version: is(version), xid: u32 };
  const plain = (type: 'barrier_request') => fc.record({ type: is(type), ...head });
  const typed = <B>(type: string, body: fc.Arbitrary<B>) =>
    merge(fc.record({ type: is(type), ...head }), body) as unknown as fc.Arbitrary<Message>;
  const match = matchOf(version);
  const old = version === 1;
  const inPort = portNo(version).map((port) => ({
    field: 'in_port' as const,
    value: new Uint8Array([port >>> 24, port >>> 16, port >>> 8, port]),
  }));
  const cookie = version < 4 ? is(0xffff_ffff_ffff_ffffn) : u64;
  const features = {
    ...{ datapathId: u64, nBuffers: u32, nTables: u8, capabilities: u32 },
    auxiliaryId: version < 4 ? is(0) : u8,
    reserved: old ? is(0) : u32,
    ...(old ? { actions: u32 } : {}),
    ...(version < 4 ? { ports: few(portOf(version)) } : {}),
  };
  const flags10 = fc.tuple(fc.nat(3), fc.boolean()).map(([flags, emergency]) => flags | (emergency ? 0x10000 : 0));
  const command = fc.integer({ min: 0, max: 4 });
  const flowMod = {
    ...{ cookie: u64, idleTimeout: u16, hardTimeout: u16, priority: u16, bufferId: u32, outPort: portNo(version) },
    ...{ match, instructions: instructionsOf(version), command },
    cookieMask: old ? is(0n) : u64,
    tableId: old ? is(0) : u8,
    outGroup: old ? is(none) : u32,
    flags: old ? flags10 : version === 2 ? fc.nat(3) : version === 3 ? fc.nat(7) : fc.nat(31),
    ...(version >= 5 ? { importance: u16 } : {}),
  };
  const packetIn = {
    ...{ bufferId: u32, totalLen: u16, data: data(100), cookie },
    reason: version < 3 ? fc.nat(1) : version < 5 ? fc.nat(2) : u8,
    tableId: old ? is(0) : u8,
    match: version < 3 ? inPort.map((port) => [port]) : match,
  };
  const reasons = version === 1 ? fc.nat(2) : version < 5 ? fc.nat(3) : u8;
  const removed = fc.record({
    ...{ cookie: u64, priority: u16, reason: reasons, idleTimeout: u16, match },
    tableId: old ? is(0) : u8,
    hardTimeout: version < 3 ? is(0) : u16,
  });
  const portMod = fc.record({
    portNo: portNo(version),
    hwAddr: bytes(6),
    config: u32,
    mask: u32,
    advertise: old ? u32.map((v) => (v & 0xf87f) >>> 0) : u32,
  });
  const opticalMod = fc.record({
    type: is('optical'),
    configure: u32,
    freqLmda: u32,
    flOffset: fc.integer(),
    gridSpan: u32,
    txPwr: u32,
  });
  const actions = actionsOf(version);
  const out = fc.record({ bufferId: u32, inPort: portNo(version), actions, data: data(100) });
  const outMatch = match
    .map((list) => list.filter((tlv) => tlv.field !== 'in_port'))
    .map((list) => (list.length === 0 ? {} : { match: list }));
  const all: Record<string, fc.Arbitrary<Message>> = {
    hello: typed('hello', fc.record({ elements: few(helloElement), rest: data(3) })),
    error: typed('error', fc.record({ errorType: fc.nat(0xfffe), errorCode: u16, data: data() })),
    echo_request: typed('echo_request', fc.record({ data: data() })),
    echo_reply: typed('echo_reply', fc.record({ data: data() })),
    experimenter: typed(
      'experimenter',
      fc.record({ experimenter: u32.filter((id) => id !== 0x4f4e4600), expType: u32, data: data() }),
    ),
    features_request: plain('features_request' as 'barrier_request'),
    features_reply: typed('features_reply', fc.record(features)),
    get_config_request: plain('get_config_request' as 'barrier_request'),
    get_config_reply: typed('get_config_reply', fc.record({ flags: u16, missSendLen: u16 })),
    set_config: typed('set_config', fc.record({ flags: u16, missSendLen: u16 })),
    packet_in: typed('packet_in', fc.record(packetIn)),
    flow_removed: typed('flow_removed', merge(removed, flowCounts(version))),
    port_status: typed('port_status', fc.record({ reason: u8, port: portOf(version) })),
    packet_out: typed('packet_out', version < 6 ? out : merge(out, outMatch)),
    flow_mod: fc
      .record({ type: is('flow_mod'), ...head, ...flowMod })
      .map((flow) => ({ ...flow, tableId: old && flow.command >= 3 ? 0xff : flow.tableId })),
    port_mod: typed(
      'port_mod',
      version < 5 ? portMod : merge(portMod, optionalOnce(fc.oneof(opticalMod, vendorProperty))),
    ),
    barrier_request: plain('barrier_request'),
    barrier_reply: plain('barrier_reply' as 'barrier_request'),
    multipart_request: typed(
      'multipart_request',
      fc.record({ flags: u16, body: fc.oneof(...Object.values(requestsOf(version))) }),
    ),
    multipart_reply: typed(
      'multipart_reply',
      fc.record({ flags: u16, body: fc.oneof(...Object.values(repliesOf(version))) }),
    ),
  };
  if (version < 5) {
    all.queue_get_config_request = typed('queue_get_config_request', fc.record({ port: portNo(version) }));
    const reply = portNo(version).chain((port) =>
      fc.record({ port: is(port), queues: few(queueOf(version, version <= 2 ? is(port) : u32)) }),
    );
    all.queue_get_config_reply = typed('queue_get_config_reply', reply);
  }
  if (version >= 2) {
    const group = fc.record({ command: u16, groupType: u8, groupId: u32, buckets: few(bucketOf(version)) });
    const more = merge(fc.record({ commandBucketId: u32 }), optionalList(groupProperty));
    all.group_mod = typed('group_mod', version < 6 ? group : merge(group, more));
    const table = fc.record({ tableId: u8, config: u32 });
    all.table_mod = typed('table_mod', version < 5 ? table : merge(table, optionalList(tableProperty)));
  }
  if (version >= 3) {
    const role = fc.record({ role: u32, generationId: u64, ...(version < 6 ? {} : { shortId: u16 }) });
    all.role_request = typed('role_request', role);
    all.role_reply = typed('role_reply', role);
  }
  if (version >= 4) {
    all.meter_mod = typed('meter_mod', fc.record({ command: u16, flags: u16, meterId: u32, bands }));
    all.get_async_request = plain('get_async_request' as 'barrier_request');
    all.get_async_reply = typed('get_async_reply', asyncMasks(version, 'get_async_reply'));
    all.set_async = typed('set_async', asyncMasks(version, 'set_async'));
    const bundleProperty =
      version < 6 ? vendorProperty : fc.oneof(vendorProperty, fc.record({ type: is('time'), scheduledTime: time }));
    const bundle = fc.record({ bundleId: u32, flags: u16 });
    all.bundle_control = typed(
      'bundle_control',
      fc.tuple(bundle, u16, optionalOnce(bundleProperty)).map(([b, controlType, p]) => ({ ...b, controlType, ...p })),
    );
    all.bundle_add_message = typed(
      'bundle_add_message',
      fc.tuple(bundle, innerMessage, optionalOnce(bundleProperty)).map(([b, message, p]) => ({ ...b, message, ...p })),
    );
    all.requestforward = typed('requestforward', fc.record({ request: innerMessage }));
    const role = fc.record({ role: u32, reason: u8, generationId: u64 });
    all.role_status = typed('role_status', merge(role, optionalList(vendorProperty)));
  }
  if (version === 4) {
    all.flow_monitor_paused = plain('flow_monitor_paused' as 'barrier_request');
    all.flow_monitor_resumed = plain('flow_monitor_resumed' as 'barrier_request');
    all.flow_monitor_cancel = typed('flow_monitor_cancel', fc.record({ monitorId: u32 }));
  }
  if (version >= 5) all.table_status = typed('table_status', fc.record({ reason: u8, table: tableDesc }));
  if (version >= 6) all.controller_status = typed('controller_status', fc.record({ status: controllerStatus }));
  return all;
}
