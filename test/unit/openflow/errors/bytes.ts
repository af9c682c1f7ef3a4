/** Messages of every version of OpenFlow by hand, from the structures of the specifications: nothing of the codec. */
export type Bytes = readonly number[];

/** Of the message that provokes the error. Those before it have other ones. */
export const XID = 0x01020304;
const SETUP_XID = 0x55;

export const ANY = 0xffffffff;
export const CONTROLLER = 0xfffffffd;
export const TABLE = 0xfffffff9;
export const NO_BUFFER = 0xffffffff;
export const NICIRA = 0x2320;
export const ONF = 0x4f4e4600;

export const u16 = (n: number): Bytes => [(n >>> 8) & 0xff, n & 0xff];
export const u32 = (n: number): Bytes => [...u16(n >>> 16), ...u16(n)];
export const zeros = (count: number): Bytes => new Array<number>(count).fill(0);
export const ones = (count: number): Bytes => new Array<number>(count).fill(0xff);
const padded = (bytes: Bytes): Bytes => [...bytes, ...zeros((8 - (bytes.length % 8)) % 8)];
/** A port, which 1.0 says in 16 bits. */
export const port = (v: number, n: number): Bytes => (v === 1 ? u16(n) : u32(n));

/** ofp_header and a body. */
export function message(v: number, type: number, body: Bytes = [], xid = XID): Uint8Array {
  return Uint8Array.of(v, type, ...u16(8 + body.length), ...u32(xid), ...body);
}

/** The same message as one that is to be taken. */
export function setup(bytes: Uint8Array): Uint8Array {
  const copy = bytes.slice();
  copy.set(u32(SETUP_XID), 4);
  return copy;
}

// ---- matches

/** An OXM of class 0x8000. */
export const oxm = (field: number, value: Bytes, mask: Bytes = []): Bytes => [
  ...[0x80, 0, (field << 1) | (mask.length > 0 ? 1 : 0), value.length + mask.length],
  ...[...value, ...mask],
];
export const oxmMatch = (...tlvs: readonly Bytes[]): Bytes => {
  const body = tlvs.flat();
  return padded([...u16(1), ...u16(4 + body.length), ...body]);
};

type Patches = Readonly<Record<number, Bytes>>;
function patched(bytes: Bytes, patches: Patches): Bytes {
  const copy = [...bytes];
  for (const [at, patch] of Object.entries(patches)) copy.splice(Number(at), patch.length, ...patch);
  return copy;
}
/** ofp_match of 1.0, everything wildcarded but for what is put over it. */
export const match10 = (patches: Patches = {}): Bytes => patched([...u32(0x3fffff), ...zeros(36)], patches);
/** ofp_match of 1.1; a mask's ones are bits that do not count. */
export const match11 = (patches: Patches = {}): Bytes =>
  patched(
    [
      ...[...u16(0), ...u16(88), ...zeros(4), ...u32(0x3ff)],
      ...[...zeros(6), ...ones(6), ...zeros(6), ...ones(6), ...zeros(8)],
      ...[...zeros(4), ...ones(4), ...zeros(4), ...ones(4), ...zeros(12)],
      ...[...zeros(8), ...ones(8)],
    ],
    patches,
  );
export const noMatch = (v: number): Bytes => (v === 1 ? match10() : v === 2 ? match11() : oxmMatch());

// ---- actions and instructions

export const action = (type: number, rest: Bytes): Bytes => [...u16(type), ...u16(4 + rest.length), ...rest];
export const output = (v: number, to: number, maxLen = 0): Bytes =>
  v === 1 ? action(0, [...u16(to), ...u16(maxLen)]) : action(0, [...u32(to), ...u16(maxLen), ...zeros(6)]);
export const toGroup = (id: number): Bytes => action(22, u32(id));
export const setField = (tlv: Bytes): Bytes => {
  const whole = padded([...zeros(4), ...tlv]);
  return action(25, whole.slice(4));
};
export const vendorAction = (rest: Bytes): Bytes => action(0xffff, rest);

export const instruction = (type: number, rest: Bytes): Bytes => [...u16(type), ...u16(4 + rest.length), ...rest];
export const gotoTable = (table: number): Bytes => instruction(1, [table, 0, 0, 0]);
export const apply = (...actions: readonly Bytes[]): Bytes => instruction(4, [...zeros(4), ...actions.flat()]);

// ---- messages

export interface FlowModParts {
  readonly table?: number;
  readonly command?: number;
  readonly idle?: number;
  readonly priority?: number;
  readonly buffer?: number;
  readonly flags?: number;
  readonly match?: Bytes;
  /** Applied; in 1.0 all there is. */
  readonly actions?: Bytes;
  /** Since 1.1, instead of the actions. */
  readonly instructions?: Bytes;
}

export function flowMod(v: number, parts: FlowModParts = {}): Uint8Array {
  const { table = 0, command = 0, idle = 0, priority = 0, buffer = NO_BUFFER, flags = 0, actions = [] } = parts;
  const match = parts.match ?? noMatch(v);
  const times = [...u16(idle), ...u16(0), ...u16(priority), ...u32(buffer)];
  if (v === 1) {
    const head = [...match, ...zeros(8), ...u16(command), ...times, ...u16(0xffff), ...u16(flags)];
    return message(v, 14, [...head, ...actions]);
  }
  const head = [...zeros(16), table, command, ...times, ...u32(ANY), ...u32(ANY), ...u16(flags), ...zeros(2)];
  const instructions = parts.instructions ?? (actions.length === 0 ? [] : apply(actions));
  return message(v, 14, [...head, ...match, ...instructions]);
}

export interface PacketOutParts {
  readonly buffer?: number;
  readonly inPort?: number;
  readonly actions?: Bytes;
  readonly match?: Bytes;
  readonly data?: Bytes;
}

const FRAME: Bytes = [2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x12, 0x34, ...zeros(46)];

export function packetOut(v: number, parts: PacketOutParts = {}): Uint8Array {
  const { buffer = NO_BUFFER, inPort = CONTROLLER, actions = [] } = parts;
  const data = parts.data ?? (buffer === NO_BUFFER ? FRAME : []);
  if (v === 6) {
    const match = parts.match ?? oxmMatch(oxm(0, u32(inPort)));
    return message(v, 13, [...u32(buffer), ...u16(actions.length), ...zeros(2), ...match, ...actions, ...data]);
  }
  const pad = v === 1 ? [] : zeros(6);
  return message(v, 13, [...u32(buffer), ...port(v, inPort), ...u16(actions.length), ...pad, ...actions, ...data]);
}

export interface BucketParts {
  readonly id?: number;
  readonly watchPort?: number;
  readonly actions?: Bytes;
}

export function bucket(v: number, { id = 0, watchPort = ANY, actions = [] }: BucketParts = {}): Bytes {
  if (v === 6) {
    const watch = watchPort === ANY ? [] : [...u16(1), ...u16(8), ...u32(watchPort)];
    const length = 8 + actions.length + watch.length;
    return [...u16(length), ...u16(actions.length), ...u32(id), ...actions, ...watch];
  }
  const head = [...u16(0), ...u32(watchPort), ...u32(ANY), ...zeros(4)];
  return [...u16(2 + head.length + actions.length), ...head, ...actions];
}

export interface GroupModParts {
  readonly command?: number;
  readonly type?: number;
  readonly id?: number;
  readonly buckets?: readonly Bytes[];
  /** Of 1.5: command_bucket_id, and properties. */
  readonly place?: number;
  readonly properties?: Bytes;
}

export function groupMod(v: number, parts: GroupModParts = {}): Uint8Array {
  const { command = 0, type = 0, id = 1, place = 0xffffffff, properties = [] } = parts;
  const buckets = (parts.buckets ?? []).flat();
  const head = [...u16(command), type, 0, ...u32(id)];
  const array = v === 6 ? [...u16(buckets.length), ...zeros(2), ...u32(place)] : [];
  return message(v, 15, [...head, ...array, ...buckets, ...properties]);
}

/** ofp_meter_band_drop, or one of another type. */
export const band = (rate: number, burst = 0, type = 1, rest: Bytes = zeros(4)): Bytes => [
  ...[...u16(type), ...u16(12 + rest.length), ...u32(rate), ...u32(burst), ...rest],
];
export function meterMod(v: number, parts: { command?: number; flags?: number; id?: number; bands?: Bytes } = {}) {
  const { command = 0, flags = 1, id = 1, bands = band(10) } = parts;
  return message(v, 29, [...u16(command), ...u16(flags), ...u32(id), ...bands]);
}

export const property = (type: number, rest: Bytes): Bytes => padded([...u16(type), ...u16(4 + rest.length), ...rest]);
/** OFP*PT_EXPERIMENTER, of nobody. */
export const vendorProperty: Bytes = property(0xffff, [...u32(0xabcdef), ...u32(1)]);

export interface PortModParts {
  readonly number?: number;
  readonly hardware?: Bytes;
  readonly config?: number;
  readonly advertise?: number;
}

export function portMod(v: number, parts: PortModParts = {}): Uint8Array {
  const { number = 1, hardware = [2, 0, 0, 0, 0, 1], config = 0, advertise = 0 } = parts;
  const bits = [...u32(config), ...u32(config)];
  if (v === 1) return message(v, 15, [...u16(number), ...hardware, ...bits, ...u32(advertise), ...zeros(4)]);
  const head = [...u32(number), ...zeros(4), ...hardware, ...zeros(2), ...bits];
  return message(v, 16, [...head, ...(v >= 5 ? property(0, u32(advertise)) : [...u32(advertise), ...zeros(4)])]);
}

export const tableMod = (v: number, table: number, config: number, properties: Bytes = []): Uint8Array =>
  message(v, 17, [table, ...zeros(3), ...u32(config), ...properties]);

export function multipart(v: number, type: number, body: Bytes = [], flags = 0): Uint8Array {
  return message(v, v === 1 ? 16 : 18, [...u16(type), ...u16(flags), ...(v === 1 ? [] : zeros(4)), ...body]);
}
export const vendorMultipart = (v: number, vendor: number, type: number, body: Bytes = []): Uint8Array =>
  multipart(v, 0xffff, [...u32(vendor), ...u32(type), ...body]);
export const flowStats = (v: number, table: number, match = noMatch(v)): Uint8Array =>
  v === 1
    ? multipart(v, 1, [...match, table, 0, ...u16(0xffff)])
    : multipart(v, 1, [table, ...zeros(3), ...u32(ANY), ...u32(ANY), ...zeros(20), ...match]);

export interface TableParts {
  readonly table?: number;
  readonly command?: number;
  readonly features?: number;
  readonly config?: number;
  readonly maxEntries?: number;
  readonly properties?: Bytes;
  /** Instead of the true one. */
  readonly length?: number;
}

/** One ofp_table_features. */
export function tableFeatures(v: number, parts: TableParts = {}): Bytes {
  const { table = 0, command = 0, features = 0, config = 0, maxEntries = 1000, properties = [] } = parts;
  const length = parts.length ?? 64 + properties.length;
  const id = v === 6 ? [table, command, ...u32(features)] : [table, ...zeros(5)];
  return [...u16(length), ...id, ...zeros(32), ...zeros(16), ...u32(config), ...u32(maxEntries), ...properties];
}
export const setTables = (v: number, ...tables: readonly Bytes[]): Uint8Array => multipart(v, 12, tables.flat());

export const experimenter = (v: number, id: number, type: number, body: Bytes = []): Uint8Array =>
  message(v, 4, [...u32(id), ...u32(type), ...body]);
export const nicira = (v: number, type: number, body: Bytes = []): Uint8Array => experimenter(v, NICIRA, type, body);

export const roleRequest = (v: number, role: number, generation: number, shortId = 0): Uint8Array =>
  message(v, 24, [...u32(role), ...u16(shortId), ...zeros(2), ...zeros(4), ...u32(generation)]);
export const setConfig = (v: number, flags: number, missSendLen = 128): Uint8Array =>
  message(v, 9, [...u16(flags), ...u16(missSendLen)]);

/** In 1.3 those of ONF extension 230. */
export function bundleControl(
  v: number,
  type: number,
  parts: { id?: number; flags?: number; properties?: Bytes } = {},
) {
  const { id = 1, flags = 3, properties = [] } = parts;
  const body = [...u32(id), ...u16(type), ...u16(flags), ...properties];
  return v === 4 ? experimenter(v, ONF, 2300, body) : message(v, 33, body);
}
export function bundleAdd(v: number, inner: Uint8Array, parts: { id?: number; flags?: number } = {}): Uint8Array {
  const { id = 1, flags = 3 } = parts;
  const body = [...u32(id), ...zeros(2), ...u16(flags), ...inner];
  return v === 4 ? experimenter(v, ONF, 2301, body) : message(v, 34, body);
}

export interface MonitorParts {
  readonly id?: number;
  readonly command?: number;
  readonly flags?: number;
  readonly table?: number;
  readonly outPort?: number;
  readonly match?: Bytes;
}

/** One ofp_flow_monitor_request; in 1.3 that of ONF extension 187. */
export function monitor(v: number, parts: MonitorParts = {}): Uint8Array {
  const { id = 1, command = 0, flags = 2, table = 0xff, outPort = ANY, match = oxmMatch() } = parts;
  if (v >= 5) {
    return multipart(v, 16, [...u32(id), ...u32(outPort), ...u32(ANY), ...u16(flags), table, command, ...match]);
  }
  if (v === 4) {
    const head = [...u32(id), ...u16(flags), ...u16(match.length), ...u32(outPort), table, ...zeros(3)];
    return vendorMultipart(v, ONF, 1870, [...head, ...match]);
  }
  const head = [...u32(id), ...u16(flags), ...u16(0xffff), ...u16(0), table, ...zeros(5)];
  return v === 1
    ? multipart(v, 0xffff, [...u32(NICIRA), ...u32(2), ...zeros(4), ...head])
    : vendorMultipart(v, NICIRA, 2, head);
}
