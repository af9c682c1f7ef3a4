/** NORMAL: what a learning switch does with a packet, per VLAN, with the reserved addresses of 802.1D kept out. */
import type { Origin } from './model-journey.js';
import { fieldId } from './model-packet.js';
import type { ModelPacket } from './model-place.js';
import type { ModelPort } from './model-ports.js';
import type { ModelState } from './model-state.js';
import { type PacketVlan, vlanIn, vlanOut } from './model-vlan.js';
import { Drop, PortConfig } from './schema.gen.js';

const RESERVED_MACS = 0x0180c2000000n;
const MULTICAST_BIT = 1n << 40n;

/** The pipeline's side. */
export interface Outlet {
  /** Where a packet of unknown destination goes, were it not for VLANs. */
  floodPorts(): readonly ModelPort[];
  send(packet: ModelPacket, port: number): void;
  drop(reason: number): void;
}

/**
 * Where a packet that came in by `inPort` goes when it goes everywhere, were it not for VLANs. `without`: not to ports
 * with one of these PortConfig bits.
 */
export function floodPorts(state: ModelState, inPort: number, without: number, { leavingBy }: Origin): ModelPort[] {
  return state.ports.all().filter(({ number, stopped, config }) => {
    const forwards = !stopped && (config & (PortConfig.noFwd | without)) === 0;
    return number !== inPort && forwards && !leavingBy.includes(number);
  });
}

export function normal(state: ModelState, packet: ModelPacket, outlet: Outlet): void {
  const { macs, ports, nowNs } = state;
  const [source, destination] = [packet.field(fieldId.eth_src), packet.field(fieldId.eth_dst)];
  if (packet.bare) {
    outlet.drop(Drop.packetType);
    return;
  }
  const inPort = ports.get(packet.inPort);
  if ((destination & ~0xfn) === RESERVED_MACS) {
    outlet.drop(Drop.reservedMac);
    return;
  }
  const frame = vlanIn(inPort?.settings.vlan, packet);
  if (frame === undefined) {
    outlet.drop(Drop.vlan);
    return;
  }
  const vlan = BigInt(frame.vlan);
  if ((source & MULTICAST_BIT) === 0n && inPort !== undefined) macs.learn(vlan, source, packet.inPort, nowNs());
  const unicast = (destination & MULTICAST_BIT) === 0n;
  const known = unicast ? macs.lookup(vlan, destination, nowNs()) : undefined;
  state.trace?.({ kind: 'normal', vlan: frame.vlan, to: known });
  if (known === packet.inPort) outlet.drop(Drop.loop);
  else if (known !== undefined) send(state, packet, known, frame, outlet);
  else {
    for (const { number, settings } of outlet.floodPorts()) {
      if (vlanOut(settings.vlan, packet, frame) !== 'not_carried') send(state, packet, number, frame, outlet);
    }
  }
}

function send(state: ModelState, packet: ModelPacket, port: number, vlan: PacketVlan, outlet: Outlet): void {
  const changed = vlanOut(state.ports.get(port)?.settings.vlan, packet, vlan);
  if (changed === 'not_carried') outlet.drop(Drop.vlan);
  else if (changed === 'no_room') outlet.drop(Drop.noRoom);
  else outlet.send(changed, port);
}
