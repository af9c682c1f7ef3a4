/**
 * The slow path of one router: what its flows cannot do (src/compiler/router/slow-path.ts). Makes ICMP errors and resets, and
 * asks for next hops. What it sends goes through the router's own tables.
 */
import type { Action } from 'node-openflow';
import { parseActions } from 'node-openflow/text';
import type { Clock } from '../base/clock.js';
import type { LocalPacketIn, LocalPackets } from '../bridge/local-packets.js';
import {
  type Address,
  type Family,
  isLinkLocal,
  type ProgramRouter,
  routerTable,
  SlowPath,
} from '../compiler/index.js';
import { macText } from './bytes.js';
import { composeFrame, ipEthertype } from './compose.js';
import { fragments, mayBeFragmented } from './fragment.js';
import { type IcmpError, icmpError } from './icmp-error.js';
import { hasRightChecksum, type IpPacket, PROTOCOL, readIpPacket } from './ip-packet.js';
import { isGroup, mayAnswer } from './may-answer.js';
import { question, readTold } from './neighbour-messages.js';
import { ReceiverLimits } from './receiver-limits.js';
import { Resolver } from './resolver.js';
import { type Hop, ownAddress, RouteTable } from './route-table.js';
import { tcpReset } from './tcp-reset.js';

const NOBODY = '00:00:00:00:00:00';
const SUBNET_REGISTER = 4;
/** What is answered with an error, whatever else there is to it. */
const errors: Partial<Record<SlowPath, IcmpError>> = {
  [SlowPath.timeExceeded]: 'timeExceeded',
  [SlowPath.noRoute]: 'noRoute',
  [SlowPath.rejected]: 'prohibited',
};

export interface RouterAgentOptions {
  readonly router: ProgramRouter;
  readonly packets: LocalPackets;
  readonly clock: Clock;
  /** Somebody told where an address of a subnet is. */
  readonly onTold?: (hop: Hop) => void;
}

export class RouterAgent {
  readonly #options: RouterAgentOptions;
  readonly #routes: RouteTable;
  readonly #resolver: Resolver;
  readonly #limits = new ReceiverLimits();
  /** Identification of the next IPv4 packet. */
  #id = 0;

  constructor(options: RouterAgentOptions) {
    this.#options = options;
    this.#routes = new RouteTable(options.router);
    this.#resolver = new Resolver(options.clock, {
      ask: (hop) => this.ask(hop),
      found: (hop, mac, frame) => this.#sendTo(hop, mac, frame),
      lost: (_, frame) => this.#error(frame, 'noHost'),
    });
  }

  get routes(): RouteTable {
    return this.#routes;
  }

  handle({ userdata, registers, port, frame }: LocalPacketIn): void {
    const what = userdata[1] as SlowPath;
    const error = errors[what];
    if (error !== undefined) this.#error(frame, error);
    else if (what === SlowPath.tooBig) this.#tooBig(frame, registers);
    else if (what === SlowPath.own) this.#own(frame, registers);
    else if (what === SlowPath.noNeighbour) this.#noNeighbour(frame, registers, port);
    else if (what === SlowPath.told) this.#told(frame, registers);
  }

  /** Everybody in the subnet; with a MAC address only who has that. */
  ask({ subnet, address }: Hop, mac?: string): void {
    const own = ownAddress(subnet, address);
    if (own === undefined) return;
    const frame = question({ target: address, own, ownMac: subnet.mac, mac });
    this.#send(frame, `load:${subnet.number}->NXM_NX_REG4[]`, mac === undefined ? [] : ['stations']);
  }

  close(): void {
    this.#resolver.close();
  }

  // ---- what comes up

  #tooBig(frame: Uint8Array, registers: ReadonlyMap<number, number>): void {
    const mtu = this.#subnet(registers)?.mtu;
    const packet = readIpPacket(frame);
    if (mtu === undefined || packet === undefined) return;
    if (packet.family === 6 || !mayBeFragmented(packet.bytes)) {
      this.#errorAbout(packet, 'tooBig', mtu);
      return;
    }
    const hop = this.#hop(registers, 4);
    if (hop !== undefined) for (const one of fragments(packet.bytes, mtu)) this.#sendBy(hop, one);
  }

  /** As a host that has no service at all (RFC 1122 §3.2.2.1, RFC 4443 §3.1, §3.4). */
  #own(frame: Uint8Array, registers: ReadonlyMap<number, number>): void {
    const packet = readIpPacket(frame);
    // A later fragment does not say for whom it is.
    if (packet === undefined || packet.fragmentOffset !== 0) return;
    const { family, protocol, src, dst } = packet;
    const subnet = this.#subnet(registers);
    // A link-local sender is in no route: the answer goes back where it came from.
    const back = family === 6 && isLinkLocal({ family, value: src }) ? macText(frame.subarray(6, 12)) : undefined;
    const reply = (ip: Uint8Array | undefined): void => {
      if (ip === undefined) return;
      const to: Address = { family, value: src };
      if (back === undefined || subnet === undefined) this.#sendIp(to, ip);
      else this.#sendTo({ subnet, address: to }, back, composeFrame(back, subnet.mac, ipEthertype(family), ip));
    };
    const pass = () =>
      mayAnswer(packet, this.#options.router.subnets) && this.#limits.pass(`${src}`, this.#options.clock.nowMs());
    // Of ICMP there is ping, which flows answer.
    if (protocol === PROTOCOL.icmp || protocol === PROTOCOL.icmp6) return;
    if (protocol === PROTOCOL.udp && !hasUdpChecksum(packet)) return;
    if (!pass()) return;
    if (protocol === PROTOCOL.tcp) reply(tcpReset(packet));
    else if (protocol === PROTOCOL.udp) reply(icmpError(packet, 'portUnreachable', dst, 0, this.#nextId()));
    else reply(icmpError(packet, 'noProtocol', dst, family === 4 ? 0 : packet.protocolAt, this.#nextId()));
  }

  #noNeighbour(frame: Uint8Array, registers: ReadonlyMap<number, number>, port: number): void {
    const packet = readIpPacket(frame);
    if (packet === undefined) return;
    const hop = this.#hop(registers, packet.family);
    if (hop === undefined) return;
    if (this.#options.router.asks) this.#resolver.want(hop, port, frame);
    else this.#errorAbout(packet, 'noHost');
  }

  #told(frame: Uint8Array, registers: ReadonlyMap<number, number>): void {
    const told = readTold(frame);
    if (told === undefined) return;
    const { family, value, mac } = told;
    const hop = this.#routes.inSubnet(registers.get(SUBNET_REGISTER) ?? 0, { family, value });
    if (hop === undefined) return;
    this.#resolver.told(hop, mac);
    this.#options.onTold?.(hop);
  }

  /** The next hop that the flows have chosen. */
  #hop(registers: ReadonlyMap<number, number>, family: Family): Hop | undefined {
    const address: Address = { family, value: hopIn(registers, family) };
    if (isGroup(address, this.#options.router.subnets)) return undefined;
    return this.#routes.inSubnet(registers.get(SUBNET_REGISTER) ?? 0, address);
  }

  #subnet(registers: ReadonlyMap<number, number>) {
    return this.#routes.subnet(registers.get(SUBNET_REGISTER) ?? 0);
  }

  // ---- what goes out

  #error(frame: Uint8Array, error: IcmpError): void {
    const packet = readIpPacket(frame);
    if (packet !== undefined) this.#errorAbout(packet, error);
  }

  #errorAbout(packet: IpPacket, error: IcmpError, info = 0): void {
    const { router, clock } = this.#options;
    if (!mayAnswer(packet, router.subnets)) return;
    const hop = this.#routes.hop({ family: packet.family, value: packet.src });
    const source = hop && ownAddress(hop.subnet, hop.address);
    if (hop === undefined || source === undefined || !this.#limits.pass(`${packet.src}`, clock.nowMs())) return;
    this.#sendBy(hop, icmpError(packet, error, source.value, info, this.#nextId()));
  }

  #nextId(): number {
    this.#id = (this.#id + 1) & 0xffff;
    return this.#id;
  }

  #sendIp(to: Address, ip: Uint8Array): void {
    const hop = this.#routes.hop(to);
    if (hop !== undefined) this.#sendBy(hop, ip);
  }

  #sendBy({ subnet, address }: Hop, ip: Uint8Array): void {
    const { family, value } = address;
    const frame = composeFrame(NOBODY, subnet.mac, ipEthertype(family), ip);
    const hop = `set_field:0x${value.toString(16)}->${family === 4 ? 'reg0' : 'xxreg0'}`;
    this.#send(frame, `load:${subnet.number}->NXM_NX_REG4[],${hop}`, ['neighbours', 'stations']);
  }

  #sendTo({ subnet }: Hop, mac: string, frame: Uint8Array): void {
    this.#send(frame, `load:${subnet.number}->NXM_NX_REG4[],set_field:${mac}->eth_dst`, ['stations']);
  }

  #send(frame: Uint8Array, registers: string, tables: readonly ('neighbours' | 'stations')[]): void {
    const { router, packets } = this.#options;
    const visits = [...tables, 'egress' as const].map((table) => `resubmit(,${routerTable(router, table)})`);
    packets.send(frame, actionsOf([registers, ...visits].join(',')));
  }
}

/** A UDP datagram of IPv4 may come without (RFC 768); one of IPv6 not (RFC 8200 §8.1). */
function hasUdpChecksum(packet: IpPacket): boolean {
  const { family, payload } = packet;
  if (payload.length < 8) return false;
  const none = payload[6] === 0 && payload[7] === 0;
  return none ? family === 4 : hasRightChecksum(packet);
}

/** The next hop that the flows have put into registers: reg0, or the four from reg0 on. */
function hopIn(registers: ReadonlyMap<number, number>, family: Family): bigint {
  const count = family === 4 ? 1 : 4;
  return Array.from({ length: count }, (_, n) => BigInt(registers.get(n) ?? 0)).reduce(
    (value, word) => (value << 32n) | word,
    0n,
  );
}

function actionsOf(text: string): readonly Action[] {
  const parsed = parseActions(text);
  if (!parsed.ok) throw new Error(`bug: ${parsed.error.message} in ${text}`);
  return parsed.value;
}
