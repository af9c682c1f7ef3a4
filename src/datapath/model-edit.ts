/** Actions of the model that change a packet (OpenFlow 1.3.5 §5.12; native/actions/modify.h says what is left open). */
import { isIpv4, updateIpv4, updateL4 } from './model-checksum.js';
import { changeType, type EncapVerdict } from './model-encap.js';
import { ethertype, fieldId, isMpls, isVlan, u16At } from './model-packet.js';
import { type ModelPacket, placeOf } from './model-place.js';
import type { ActionRecord } from './records-action.js';
import { fieldOnes, readBig, writeBig } from './records-match.js';
import { Frag, fields, firstRegister } from './schema.gen.js';

/** Smaller numbers are lengths of 802.3 frames. */
const SMALLEST_ETHERTYPE = 0x600;

export type EditVerdict = EncapVerdict;

/** Set-field (§5.12): a field that the packet does not have is left alone. */
export function setField(packet: ModelPacket, field: number, value: bigint): void {
  const { name } = fields[field]!;
  if (name === 'metadata') packet.metadata = value;
  else if (name === 'tunnel_id') packet.tunnelId = value;
  else if (name === 'in_port') packet.seenPort = Number(value);
  else if (field >= firstRegister) packet.setRegister(field, value);
  else {
    const place = placeOf(packet, field);
    if (place === undefined || (name === 'eth_type' && value < SMALLEST_ETHERTYPE)) return;
    const bits = place.bits ?? fieldOnes(field);
    const shift = BigInt(place.shift);
    const frame = packet.frame.slice();
    const old = readBig(frame, place.at, place.bytes);
    writeBig(frame, place.at, place.bytes, (old & ~(bits << shift)) | ((value & bits) << shift));
    finish(packet, frame);
  }
}

/** Set-field of some bits: the others stay. */
export function setMasked(packet: ModelPacket, field: number, value: bigint, mask: bigint): void {
  setField(packet, field, (packet.field(field) & ~mask) | value);
}

/** Takes over a frame of the same length in which something changed: its checksums follow. */
function finish(packet: ModelPacket, frame: Uint8Array): void {
  const { layout, frag } = packet.parsed;
  if (layout.protoAt !== 0) {
    if (isIpv4(packet.frame, layout.l3)) updateIpv4(packet.frame, frame, layout.l3);
    updateL4(packet.frame, frame, layout, frag !== Frag.none);
  }
  packet.replace(frame);
}

/** A frame with `header` put in at `at`. */
function withInserted(frame: Uint8Array, at: number, header: readonly number[]): Uint8Array {
  const longer = new Uint8Array(frame.length + header.length);
  longer.set(frame.subarray(0, at));
  longer.set(header, at);
  longer.set(frame.subarray(at), at + header.length);
  return longer;
}

/** The shortest Ethernet frame, without its checksum. */
const FRAME_BYTES_MIN = 60;

/** Without `count` bytes at `at`; a frame that has the shortest length keeps it, padded. */
function withRemoved(frame: Uint8Array, at: number, count: number): Uint8Array {
  const least = frame.length < FRAME_BYTES_MIN ? 0 : FRAME_BYTES_MIN;
  const shorter = new Uint8Array(Math.max(frame.length - count, least));
  shorter.set(frame.subarray(0, at));
  shorter.set(frame.subarray(at + count), at);
  return shorter;
}

/** Before all other tags; VLAN id and priority are those of the outermost tag there was (§5.12.1). */
function pushVlan(packet: ModelPacket, type: number): EditVerdict {
  const { frame } = packet;
  if (frame.length < 14) return 'ok';
  if (packet.headroom < 4) return 'no_room';
  packet.headroom -= 4;
  // Without the drop-eligible bit.
  const outer = isVlan(u16At(frame, 12)) && frame.length >= 18 ? u16At(frame, 14) & 0xefff : 0;
  packet.replace(withInserted(frame, 12, [type >> 8, type & 0xff, outer >> 8, outer & 0xff]));
  return 'ok';
}

function popVlan(packet: ModelPacket): void {
  const { frame } = packet;
  if (frame.length < 18 || !isVlan(u16At(frame, 12))) return;
  packet.headroom += 4;
  packet.replace(withRemoved(frame, 12, 4));
}

/** After VLAN tags, before the first label stack entry or the network header. */
function pushMpls(packet: ModelPacket, type: number): EditVerdict {
  const { frame } = packet;
  const { layout } = packet.parsed;
  if (layout.ethertypeAt === 0) return 'ok';
  if (packet.headroom < 4) return 'no_room';
  packet.headroom -= 4;
  const entry =
    layout.mpls !== 0
      ? [frame[layout.mpls]!, frame[layout.mpls + 1]!, frame[layout.mpls + 2]! & 0xfe, frame[layout.mpls + 3]!]
      : [0, 0, 1, networkTtl(packet) ?? 0];
  const longer = withInserted(frame, layout.ethertypeAt + 2, entry);
  writeBig(longer, layout.ethertypeAt, 2, BigInt(type));
  changeLength(longer, layout.lengthAt, 4);
  packet.replace(longer);
  return 'ok';
}

/** The length of an 802.3 frame counts what is pushed behind it. */
function changeLength(frame: Uint8Array, at: number, by: number): void {
  if (at !== 0) writeBig(frame, at, 2, BigInt((u16At(frame, at) + by) & 0xffff));
}

function popMpls(packet: ModelPacket, type: number): void {
  const { layout } = packet.parsed;
  if (layout.mpls === 0) return;
  packet.headroom += 4;
  const shorter = withRemoved(packet.frame, layout.mpls, 4);
  writeBig(shorter, layout.ethertypeAt, 2, BigInt(type));
  changeLength(shorter, layout.lengthAt, -4);
  packet.replace(shorter);
}

/** An Ethernet header with the same addresses, and the I-TAG, before the frame with its VLAN tags (§5.12.1). */
function pushPbb(packet: ModelPacket): EditVerdict {
  const { frame } = packet;
  const { pbb } = packet.parsed.layout;
  if (frame.length < 14) return 'ok';
  if (packet.headroom < 18) return 'no_room';
  packet.headroom -= 18;
  const isid = pbb === 0 ? [0, 0, 0] : [...frame.subarray(pbb + 1, pbb + 4)];
  const priority = Number(packet.field(fieldId.vlan_pcp)) << 5;
  packet.replace(withInserted(frame, 0, [...frame.subarray(0, 12), 0x88, 0xe7, priority, ...isid]));
  return 'ok';
}

/** The customer's addresses become those of the frame; VLAN tags before the I-TAG stay. */
function popPbb(packet: ModelPacket): void {
  const { frame } = packet;
  const { pbb, lengthAt } = packet.parsed.layout;
  if (pbb === 0) return;
  packet.headroom += 18;
  const shorter = withRemoved(frame, pbb - 2, 18);
  shorter.set(frame.subarray(pbb + 4, pbb + 16), 0);
  changeLength(shorter, lengthAt, -18);
  packet.replace(shorter);
}

/** Place of the TTL or hop limit of the IP header at `l3`. */
function ttlPlace(frame: Uint8Array, l3: number): number {
  return isIpv4(frame, l3) ? l3 + 8 : l3 + 7;
}

function networkTtl(packet: ModelPacket): number | undefined {
  const { layout } = packet.parsed;
  return layout.protoAt === 0 ? undefined : packet.frame[ttlPlace(packet.frame, layout.l3)];
}

function setTtl(packet: ModelPacket, at: number, ttl: number): void {
  const frame = packet.frame.slice();
  frame[at] = ttl;
  finish(packet, frame);
}

function decrementTtl(packet: ModelPacket, at: number | undefined): EditVerdict {
  if (at === undefined) return 'ok';
  const ttl = packet.frame[at]!;
  if (ttl <= 1) return 'invalid_ttl';
  setTtl(packet, at, ttl - 1);
  return 'ok';
}

function networkTtlPlace(packet: ModelPacket): number | undefined {
  const { layout } = packet.parsed;
  return layout.protoAt === 0 ? undefined : ttlPlace(packet.frame, layout.l3);
}

function mplsTtlPlace(packet: ModelPacket): number | undefined {
  const { mpls } = packet.parsed.layout;
  return mpls === 0 ? undefined : mpls + 3;
}

/** The TTL behind the first label stack entry: that of the second entry, or of the IP header when there is no second. */
function innerTtl(packet: ModelPacket): { readonly at: number; readonly l3: number } | undefined {
  const { frame } = packet;
  const { mpls } = packet.parsed.layout;
  if (mpls === 0) return undefined;
  const next = mpls + 4;
  if ((frame[mpls + 2]! & 1) === 0) return frame.length >= next + 4 ? { at: next + 3, l3: 0 } : undefined;
  const version = frame.length > next ? frame[next]! >> 4 : 0;
  if (version === 4 && frame.length >= next + 20) return { at: next + 8, l3: next };
  return version === 6 && frame.length >= next + 40 ? { at: next + 7, l3: 0 } : undefined;
}

function copyTtl(packet: ModelPacket, direction: 'in' | 'out'): void {
  const inner = innerTtl(packet);
  const outer = mplsTtlPlace(packet);
  if (inner === undefined || outer === undefined) return;
  const before = packet.frame;
  const frame = before.slice();
  if (direction === 'out') frame[outer] = before[inner.at]!;
  else {
    frame[inner.at] = before[outer]!;
    if (inner.l3 !== 0) updateIpv4(before, frame, inner.l3);
  }
  packet.replace(frame);
}

const tagActions: readonly ActionRecord['kind'][] = [
  ...(['push_vlan', 'pop_vlan', 'push_mpls', 'pop_mpls', 'push_pbb', 'pop_pbb'] as const),
];

/** Carries out an action that changes the packet; output, group and set_queue are the pipeline's. */
export function edit(packet: ModelPacket, action: ActionRecord): EditVerdict {
  // What has no Ethernet header gets no tags.
  if (packet.bare && tagActions.includes(action.kind)) return 'ok';
  switch (action.kind) {
    case 'push_vlan':
      if (action.onlyUntagged && placeOf(packet, fieldId.vlan_vid) !== undefined) return 'ok';
      return pushVlan(packet, action.ethertype);
    case 'pop_vlan':
      popVlan(packet);
      return 'ok';
    case 'push_mpls':
      return pushMpls(packet, action.ethertype);
    case 'pop_mpls':
      popMpls(packet, action.ethertype);
      return 'ok';
    case 'push_pbb':
      return pushPbb(packet);
    case 'pop_pbb':
      popPbb(packet);
      return 'ok';
    case 'set_mpls_ttl': {
      const at = mplsTtlPlace(packet);
      if (at !== undefined) setTtl(packet, at, action.ttl);
      return 'ok';
    }
    case 'dec_mpls_ttl':
      return decrementTtl(packet, mplsTtlPlace(packet));
    case 'set_nw_ttl': {
      const at = networkTtlPlace(packet);
      if (at !== undefined) setTtl(packet, at, action.ttl);
      return 'ok';
    }
    case 'dec_nw_ttl':
      return decrementTtl(packet, networkTtlPlace(packet));
    case 'copy_ttl_out':
      copyTtl(packet, 'out');
      return 'ok';
    case 'copy_ttl_in':
      copyTtl(packet, 'in');
      return 'ok';
    case 'set_field':
      setField(packet, action.field, action.value);
      return 'ok';
    case 'encap':
    case 'decap':
    case 'dec_nsh_ttl':
      return changeType(packet, action);
    case 'set_masked':
      setMasked(packet, action.field, action.value, action.mask);
      return 'ok';
    default:
      return 'ok';
  }
}

/** Meter band dscp_remark: raises the drop precedence of an assured-forwarding packet (RFC 2597), at most to 3. */
export function remarkDscp(packet: ModelPacket, levels: number): void {
  if (packet.parsed.layout.protoAt === 0) return;
  const dscp = Number(packet.field(fieldId.ip_dscp));
  const [group, precedence] = [dscp >> 3, (dscp >> 1) & 3];
  if (group < 1 || group > 4 || precedence === 0 || (dscp & 1) !== 0) return;
  setField(packet, fieldId.ip_dscp, BigInt((group << 3) | (Math.min(3, precedence + levels) << 1)));
}

/** Ethertypes that a push or pop may give. */
export function isPushable(kind: ActionRecord['kind'], type: number): boolean {
  if (kind === 'push_vlan') return isVlan(type);
  if (kind === 'push_pbb') return type === ethertype.pbb;
  return kind === 'push_mpls' ? isMpls(type) : type >= SMALLEST_ETHERTYPE;
}
