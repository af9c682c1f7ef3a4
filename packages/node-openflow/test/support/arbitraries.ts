/** Random values of everything that has a wire form, for property tests. */
import fc from 'fast-check';
import type {
  Action,
  ActionId,
  Bucket,
  HelloElement,
  Instruction,
  InstructionId,
  Match,
  MeterBand,
  OxmId,
  OxmKnown,
  OxmTlv,
  PacketQueue,
  PortDesc,
  QueueProperty,
  TableFeatureProperty,
  TableFeatures,
} from '../../src/index.js';
import { of13 } from '../../src/index.js';

export const u8 = fc.integer({ min: 0, max: 0xff });
export const u16 = fc.integer({ min: 0, max: 0xffff });
export const u32 = fc.oneof(
  fc.integer({ min: 0, max: 0xffffffff }),
  fc.constantFrom(0, 1, 0xffffff00, 0xfffffffd, 0xffffffff),
);
export const u64 = fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn });

export function bytes(length: number): fc.Arbitrary<Uint8Array> {
  return fc.uint8Array({ minLength: length, maxLength: length });
}
export function data(maxLength = 40): fc.Arbitrary<Uint8Array> {
  return fc.uint8Array({ maxLength });
}
/** Such that `head` bytes before it make a multiple of 8. */
export function alignedData(head: number): fc.Arbitrary<Uint8Array> {
  return fc.integer({ min: 0, max: 3 }).chain((n) => bytes(8 * n + (-head & 7)));
}
/** UTF-8 of at most `bytes` bytes without NUL. */
export function name(maxBytes: number): fc.Arbitrary<string> {
  return fc
    .string({ unit: 'grapheme', maxLength: maxBytes })
    .filter(
      (text) => !text.includes('\0') && Buffer.byteLength(text) <= maxBytes && Buffer.from(text).toString() === text,
    );
}

type Facts = (typeof of13.oxmFields)[number];

function valueIn(facts: Facts): fc.Arbitrary<Uint8Array> {
  return fc.bigInt({ min: 0n, max: (1n << BigInt(facts.bits)) - 1n }).map((value) => {
    const digits = value.toString(16).padStart(2 * facts.bytes, '0');
    return new Uint8Array(Buffer.from(digits, 'hex'));
  });
}

export function knownOxm(facts: Facts, maskable = facts.maskable): fc.Arbitrary<OxmKnown> {
  const plain = valueIn(facts).map((value): OxmKnown => ({ field: facts.name, value }));
  if (!maskable) return plain;
  const masked = fc
    .tuple(valueIn(facts), bytes(facts.bytes))
    .map(([value, mask]): OxmKnown => ({ field: facts.name, value: value.map((byte, i) => byte & mask[i]!), mask }));
  return fc.oneof(plain, masked);
}

const experimenterOxm: fc.Arbitrary<OxmTlv> = fc.record({
  field: fc.constant('experimenter' as const),
  experimenter: u32,
  oxmField: fc.integer({ min: 0, max: 127 }),
  hasMask: fc.boolean(),
  data: data(20),
});

const rawOxm: fc.Arbitrary<OxmTlv> = fc.record({
  field: fc.constant('raw' as const),
  oxmClass: fc.constantFrom(2, 3, 0x7fff, 0x8002),
  oxmField: fc.integer({ min: 0, max: 127 }),
  hasMask: fc.boolean(),
  data: data(20),
});

const identity = (tlv: OxmTlv): string =>
  tlv.field === 'raw'
    ? `${tlv.oxmClass}/${tlv.oxmField}`
    : tlv.field === 'experimenter'
      ? `exp${tlv.experimenter}/${tlv.oxmField}`
      : tlv.field;

export const match: fc.Arbitrary<Match> = fc.uniqueArray(
  fc.oneof(
    { weight: 10, arbitrary: fc.constantFrom(...of13.oxmFields).chain((facts) => knownOxm(facts)) },
    { weight: 1, arbitrary: experimenterOxm },
    { weight: 1, arbitrary: rawOxm },
  ),
  { selector: identity, maxLength: 8 },
);

const settable = of13.oxmFields.filter((facts) => facts.settable);

export const action: fc.Arbitrary<Action> = fc.oneof(
  fc.record({ type: fc.constant('output' as const), port: u32, maxLen: u16 }),
  fc.record({ type: fc.constant('group' as const), groupId: u32 }),
  fc.record({ type: fc.constant('set_queue' as const), queueId: u32 }),
  fc.record({ type: fc.constantFrom('set_mpls_ttl' as const, 'set_nw_ttl' as const), ttl: u8 }),
  fc.record({
    type: fc.constantFrom(
      'copy_ttl_out' as const,
      'copy_ttl_in' as const,
      'dec_mpls_ttl' as const,
      'dec_nw_ttl' as const,
      'pop_vlan' as const,
      'pop_pbb' as const,
    ),
  }),
  fc.record({
    type: fc.constantFrom('push_vlan' as const, 'push_mpls' as const, 'push_pbb' as const, 'pop_mpls' as const),
    ethertype: u16,
  }),
  fc.record({
    type: fc.constant('set_field' as const),
    oxm: fc.oneof(
      { weight: 8, arbitrary: fc.constantFrom(...settable).chain((facts) => knownOxm(facts, false)) },
      { weight: 1, arbitrary: experimenterOxm },
      { weight: 1, arbitrary: rawOxm },
    ),
  }),
  fc.record({ type: fc.constant('experimenter' as const), experimenter: u32, data: alignedData(8) }),
);
export const actions = fc.array(action, { maxLength: 5 });

export const instruction: fc.Arbitrary<Instruction> = fc.oneof(
  fc.record({ type: fc.constant('goto_table' as const), tableId: u8 }),
  fc.record({ type: fc.constant('write_metadata' as const), metadata: u64, metadataMask: u64 }),
  fc.record({ type: fc.constantFrom('write_actions' as const, 'apply_actions' as const), actions }),
  fc.record({ type: fc.constant('clear_actions' as const) }),
  fc.record({ type: fc.constant('meter' as const), meterId: u32 }),
  fc.record({ type: fc.constant('experimenter' as const), experimenter: u32, data: alignedData(8) }),
);
export const instructions = fc.array(instruction, { maxLength: 4 });

export const bucket: fc.Arbitrary<Bucket> = fc.record({ weight: u16, watchPort: u32, watchGroup: u32, actions });
export const buckets = fc.array(bucket, { maxLength: 4 });

const rates = { rate: u32, burstSize: u32 };
export const band: fc.Arbitrary<MeterBand> = fc.oneof(
  fc.record({ type: fc.constant('drop' as const), ...rates }),
  fc.record({ type: fc.constant('dscp_remark' as const), ...rates, precLevel: u8 }),
  fc.record({ type: fc.constant('experimenter' as const), ...rates, experimenter: u32, data: alignedData(16) }),
);
export const bands = fc.array(band, { maxLength: 4 });

const queueProperty: fc.Arbitrary<QueueProperty> = fc.oneof(
  fc.record({ type: fc.constantFrom('min_rate' as const, 'max_rate' as const), rate: u16 }),
  fc.record({ type: fc.constant('experimenter' as const), experimenter: u32, data: alignedData(16) }),
);
export const packetQueue: fc.Arbitrary<PacketQueue> = fc.record({
  queueId: u32,
  port: u32,
  properties: fc.array(queueProperty, { maxLength: 3 }),
});

export const port: fc.Arbitrary<PortDesc> = fc.record({
  portNo: u32,
  hwAddr: bytes(6),
  name: name(15),
  config: u32,
  state: u32,
  curr: u32,
  advertised: u32,
  supported: u32,
  peer: u32,
  currSpeed: u32,
  maxSpeed: u32,
});

export const helloElement: fc.Arbitrary<HelloElement> = fc.oneof(
  fc.record({ type: fc.constant('versionbitmap' as const), bitmaps: fc.array(u32, { maxLength: 3 }) }),
  fc.record({ type: fc.constant('unknown' as const), code: fc.integer({ min: 2, max: 0xffff }), data: data(20) }),
);

const experimenterId = fc.record({ type: fc.constant('experimenter' as const), experimenter: u32, data: data(8) });
const unknownId = fc.record({
  type: fc.constant('unknown' as const),
  code: fc.integer({ min: 100, max: 200 }),
  data: data(8),
});
const actionId: fc.Arbitrary<ActionId> = fc.oneof(
  action
    .map((value) => value.type)
    .filter((type) => type !== 'experimenter' && type !== 'unknown')
    .map((type) => ({ type }) as ActionId),
  experimenterId,
  unknownId,
);
const instructionId: fc.Arbitrary<InstructionId> = fc.oneof(
  instruction
    .map((value) => value.type)
    .filter((type) => type !== 'experimenter' && type !== 'unknown')
    .map((type) => ({ type })),
  experimenterId,
  unknownId,
);
const header = { oxmField: fc.integer({ min: 0, max: 127 }), hasMask: fc.boolean(), length: u8 };
const oxmId: fc.Arbitrary<OxmId> = fc.oneof(
  fc.record({ field: fc.constantFrom(...of13.oxmFields.map((facts) => facts.name)), hasMask: fc.boolean() }),
  fc.record({ field: fc.constant('experimenter' as const), experimenter: u32, ...header }),
  fc.record({ field: fc.constant('raw' as const), oxmClass: fc.constantFrom(2, 3), ...header }),
);

function list<T>(item: fc.Arbitrary<T>): fc.Arbitrary<T[]> {
  return fc.array(item, { maxLength: 4 });
}

export const tableFeatureProperty: fc.Arbitrary<TableFeatureProperty> = fc.oneof(
  fc.record({
    type: fc.constantFrom('instructions' as const, 'instructions_miss' as const),
    ids: list(instructionId),
  }),
  fc.record({ type: fc.constantFrom('next_tables' as const, 'next_tables_miss' as const), ids: list(u8) }),
  fc.record({
    type: fc.constantFrom(
      'write_actions' as const,
      'write_actions_miss' as const,
      'apply_actions' as const,
      'apply_actions_miss' as const,
    ),
    ids: list(actionId),
  }),
  fc.record({
    type: fc.constantFrom(
      'match' as const,
      'wildcards' as const,
      'write_setfield' as const,
      'write_setfield_miss' as const,
      'apply_setfield' as const,
      'apply_setfield_miss' as const,
    ),
    ids: list(oxmId),
  }),
  fc.record({
    type: fc.constantFrom('experimenter' as const, 'experimenter_miss' as const),
    experimenter: u32,
    expType: u32,
    data: data(20),
  }),
);

export const tableFeatures: fc.Arbitrary<TableFeatures> = fc.record({
  tableId: u8,
  name: name(31),
  metadataMatch: u64,
  metadataWrite: u64,
  config: u32,
  maxEntries: u32,
  properties: fc.array(tableFeatureProperty, { maxLength: 4 }),
});
