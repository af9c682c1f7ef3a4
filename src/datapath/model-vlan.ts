/** VLANs of ports in NORMAL: access and trunk ports (native/pipeline/port_vlan.h; ovs-vswitchd.conf.db(5), Port). */
import type { PortSettings } from './datapath.js';
import { edit, setField } from './model-edit.js';
import { ethertype, fieldId, isVlan, u16At } from './model-packet.js';
import type { ModelPacket } from './model-place.js';

export type PortVlan = NonNullable<PortSettings['vlan']>;

/** Which VLAN a packet is in, and what it shows of that. */
export interface PacketVlan {
  /** 0: none. */
  readonly vlan: number;
  /** A whole tag leads the frame. */
  readonly tagged: boolean;
  /** Another tag behind it, or one that is cut off. */
  readonly odd: boolean;
  /** The VLAN is that of an access port. */
  readonly implied: boolean;
}

const trunkOfAll: PortVlan = { tag: undefined, trunks: [] };

function carries({ trunks }: PortVlan, vlan: number): boolean {
  return trunks.length === 0 || trunks.includes(vlan);
}

export function sameVlans(a: PortVlan | undefined, b: PortVlan | undefined): boolean {
  const text = (vlan: PortVlan | undefined) =>
    vlan && `${vlan.tag} ${[...new Set(vlan.trunks)].sort((x, y) => x - y).join(',')}`;
  return text(a) === text(b);
}

/** Undefined: the port does not take it. A trunk of all takes everything; where VLANs count, cut tags are refused. */
export function vlanIn(port: PortVlan | undefined, packet: ModelPacket): PacketVlan | undefined {
  const container = Number(packet.field(fieldId.vlan_vid));
  const [vlan, tagged] = [container & 0xfff, container !== 0];
  const next = tagged ? 16 : 12;
  const odd = packet.frame.length >= next + 2 && isVlan(u16At(packet.frame, next));
  if (port === undefined) return { vlan, tagged, odd, implied: false };
  if (port.tag !== undefined) {
    return vlan === 0 && !odd ? { vlan: port.tag, tagged, odd, implied: true } : undefined;
  }
  return (tagged || !odd) && carries(port, vlan) ? { vlan, tagged, odd, implied: false } : undefined;
}

/** The packet as it leaves the port: itself or a changed copy. */
export function vlanOut(
  port: PortVlan | undefined,
  packet: ModelPacket,
  { vlan, tagged, odd, implied }: PacketVlan,
): ModelPacket | 'not_carried' | 'no_room' {
  const { tag } = port ?? trunkOfAll;
  const copy = packet.clone();
  if (tag !== undefined) {
    if (vlan !== tag || odd) return 'not_carried';
    if (tagged) edit(copy, { kind: 'pop_vlan' });
    return copy;
  }
  if (port !== undefined && ((!tagged && odd) || !carries(port, vlan))) return 'not_carried';
  if (!implied) return packet;
  if (!tagged && edit(copy, { kind: 'push_vlan', ethertype: ethertype.vlan }) === 'no_room') return 'no_room';
  setField(copy, fieldId.vlan_vid, BigInt(vlan));
  return copy;
}
