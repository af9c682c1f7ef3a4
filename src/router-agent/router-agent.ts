/**
 * The slow path of one router: what its flows cannot do (src/compiler/router/slow-path.ts). Makes ICMP errors and resets, and
 * asks for next hops. What it sends goes through the router's own tables.
 */
import { type Action, of13 } from 'node-openflow';
import { parseActions } from 'node-openflow/text';
import type { Clock } from '../base/clock.js';
import type { LocalPacketIn, LocalPackets } from '../bridge/local-packets.js';
import {
  ABOUT_REGISTER,
  type Address,
  about,
  enter,
  type Family,
  isLinkLocal,
  leaveBy,
  type ProgramRouter,
  type RouterSubnet,
  routerTable,
  SlowPath,
  setHop,
} from '../compiler/index.js';
import { macText } from './bytes.js';
import { composeFrame, ipEthertype } from './compose.js';
import { fragments, mayBeFragmented } from './fragment.js';
import { type IcmpError, icmpError } from './icmp-error.js';
import { ETHERNET_BYTES, hasRightChecksum, type IpPacket, PROTOCOL, readIpPacket } from './ip-packet.js';
import { isGroup, mayAnswer } from './may-answer.js';
import { question, readTold } from './neighbour-messages.js';
import type { AgentRates } from './rates.js';
import { type Parked, type Place, Resolver } from './resolver.js';
import { type Hop, ownAddress, RouteTable } from './route-table.js';
import { segmentCount, segments } from './segment.js';
import { tcpReset } from './tcp-reset.js';

const { OFPP } = of13;
const NOBODY = '00:00:00:00:00:00';
const SUBNET_REGISTER = 4;
/** What is answered with an error, whatever else there is to it. */
const errors: Partial<Record<SlowPath, IcmpError>> = {
  [SlowPath.timeExceeded]: 'timeExceeded',
  [SlowPath.noRoute]: 'noRoute',
  [SlowPath.rejected]: 'prohibited',
};

type Heard = Pick<LocalPacketIn, 'frame' | 'frameTotal' | 'port'>;

export interface RouterAgentOptions {
  readonly router: ProgramRouter;
  readonly packets: Pick<LocalPackets, 'send'>;
  readonly clock: Clock;
  readonly rates: AgentRates;
  /** Somebody answered that an address of a subnet is there. */
  readonly onTold?: (hop: Hop) => void;
}

export class RouterAgent {
  readonly #options: RouterAgentOptions;
  readonly #routes: RouteTable;
  readonly #resolver: Resolver;
  /** Identification of the next IPv4 packet. */
  #id = 0;

  constructor(options: RouterAgentOptions) {
    this.#options = options;
    this.#routes = new RouteTable(options.router);
    this.#resolver = new Resolver(options.clock, {
      ask: (hop) => this.ask(hop),
      found: ({ subnet }, place, parked) => this.#sendTo(subnet, place, this.#cut(parked)),
      lost: ({ frame, port }) => this.#error({ frame, frameTotal: frame.length, port }, 'noHost'),
    });
  }

  get routes(): RouteTable {
    return this.#routes;
  }

  handle(packet: LocalPacketIn): void {
    const what = packet.userdata[1] as SlowPath;
    const error = errors[what];
    if (error !== undefined) this.#error(packet, error);
    else if (what === SlowPath.tooBig) this.#tooBig(packet);
    else if (what === SlowPath.own) this.#own(packet);
    else if (what === SlowPath.noNeighbour) this.#noNeighbour(packet);
    else if (what === SlowPath.told) this.#told(packet);
  }

  /** Everybody in the subnet; with a MAC address only who has that. */
  ask({ subnet, address }: Hop, mac?: string): void {
    const own = ownAddress(subnet, address);
    if (own === undefined) return;
    const frame = question({ target: address, own, ownMac: subnet.mac, mac });
    this.#send([frame], [enter(subnet)], mac === undefined ? [] : ['stations']);
  }

  close(): void {
    this.#resolver.close();
  }

  // ---- what comes up

  #tooBig({ frame, frameTotal, registers, segmentBytes, port }: LocalPacketIn): void {
    const mtu = this.#subnet(registers)?.mtu;
    const packet = readIpPacket(frame, frameTotal);
    if (mtu === undefined || packet === undefined) return;
    if (packet.family === 6 || !mayBeFragmented(packet.bytes)) {
      this.#errorAbout(packet, 'tooBig', port, mtu);
      return;
    }
    const hop = this.#hop(registers, 4);
    if (hop === undefined || packet.missing > 0) return;
    const whole =
      segmentBytes === undefined
        ? [packet.bytes]
        : this.#cut({ frame, segmentBytes, port }).map((one) => one.subarray(ETHERNET_BYTES));
    const made = whole.flatMap((one) => fragments(one, mtu));
    if (!this.#options.rates.fragments.pass(port, this.#nowMs(), made.length)) return;
    this.#sendBy(hop, made, port);
  }

  /** As a host that has no service at all (RFC 1122 §3.2.2.1, RFC 4443 §3.1, §3.4). */
  #own({ frame, frameTotal, registers, port }: LocalPacketIn): void {
    const packet = readIpPacket(frame, frameTotal);
    // A later fragment does not say for whom it is.
    if (packet === undefined || packet.fragmentOffset !== 0) return;
    const { family, protocol, src, dst } = packet;
    // Of ICMP there is ping, which flows answer.
    if (protocol === PROTOCOL.icmp || protocol === PROTOCOL.icmp6) return;
    if (!this.#mayAnswer(packet, port)) return;
    if (protocol === PROTOCOL.udp && !hasUdpChecksum(packet)) return;
    let answer: Uint8Array | undefined;
    if (protocol === PROTOCOL.tcp) answer = tcpReset(packet);
    else if (protocol === PROTOCOL.udp) answer = icmpError(packet, 'portUnreachable', dst, 0, this.#nextId());
    else answer = icmpError(packet, 'noProtocol', dst, family === 4 ? 0 : packet.protocolAt, this.#nextId());
    if (answer === undefined) return;
    const to: Address = { family, value: src };
    // A link-local sender is in no route: the answer goes back where it came from.
    const subnet = family === 6 && isLinkLocal(to) ? this.#subnet(registers) : undefined;
    const hop = this.#routes.hop(to);
    if (subnet !== undefined) {
      const mac = macText(frame.subarray(6, 12));
      this.#sendTo(subnet, { mac, port }, [composeFrame(mac, subnet.mac, ipEthertype(family), answer)]);
    } else if (hop !== undefined) this.#sendBy(hop, [answer], port);
  }

  #noNeighbour({ frame, frameTotal, registers, segmentBytes, port: by }: LocalPacketIn): void {
    const packet = readIpPacket(frame, frameTotal);
    if (packet === undefined) return;
    const hop = this.#hop(registers, packet.family);
    if (hop === undefined) return;
    // Who brought our own packet about is who asks.
    const port = by === OFPP.CONTROLLER ? (registers.get(ABOUT_REGISTER) ?? by) : by;
    const parked = packet.missing === 0 ? { frame, segmentBytes, port } : undefined;
    if (this.#options.router.asks) this.#resolver.want(hop, port, parked);
    else this.#errorAbout(packet, 'noHost', port);
  }

  #told({ frame, registers, port }: LocalPacketIn): void {
    const told = readTold(frame);
    if (told === undefined) return;
    const { family, value, mac, confirms } = told;
    const hop = this.#routes.inSubnet(registers.get(SUBNET_REGISTER) ?? 0, { family, value });
    if (hop === undefined) return;
    if (mac !== undefined && mac !== hop.subnet.mac) this.#resolver.told(hop, { mac, port });
    if (confirms) this.#options.onTold?.(hop);
  }

  /** The next hop that the flows have chosen. */
  #hop(registers: ReadonlyMap<number, number>, family: Family): Hop | undefined {
    const address: Address = { family, value: hopIn(registers, family) };
    if (isGroup(address, this.#options.router.subnets)) return undefined;
    return this.#routes.inSubnet(registers.get(SUBNET_REGISTER) ?? 0, address);
  }

  #subnet(registers: ReadonlyMap<number, number>): RouterSubnet | undefined {
    return this.#routes.subnet(registers.get(SUBNET_REGISTER) ?? 0);
  }

  // ---- what goes out

  #error({ frame, frameTotal, port }: Heard, error: IcmpError): void {
    const packet = readIpPacket(frame, frameTotal);
    if (packet !== undefined) this.#errorAbout(packet, error, port);
  }

  #errorAbout(packet: IpPacket, error: IcmpError, port: number, info = 0): void {
    if (!this.#mayAnswer(packet, port, error)) return;
    const hop = this.#routes.hop({ family: packet.family, value: packet.src });
    const source = hop && ownAddress(hop.subnet, hop.address);
    if (hop === undefined || source === undefined) return;
    this.#sendBy(hop, [icmpError(packet, error, source.value, info, this.#nextId())], port);
  }

  /** Asked before anything that costs more. */
  #mayAnswer(packet: IpPacket, port: number, error?: IcmpError): boolean {
    const { router, rates } = this.#options;
    const rate = error === 'tooBig' ? rates.tooBig : rates.errors;
    return mayAnswer(packet, router.subnets) && rate.pass(port, packet.src, this.#nowMs());
  }

  #nowMs(): number {
    return this.#options.clock.nowMs();
  }

  #nextId(): number {
    this.#id = (this.#id + 1) & 0xffff;
    return this.#id;
  }

  /** What is yet to be cut into segments is. */
  #cut({ frame, segmentBytes, port }: Parked): readonly Uint8Array[] {
    if (segmentBytes === undefined) return [frame];
    const count = segmentCount(frame, segmentBytes);
    return this.#options.rates.segments.pass(port, this.#nowMs(), count) ? segments(frame, segmentBytes) : [];
  }

  /** IP packets, on account of what came in by a port. */
  #sendBy({ subnet, address }: Hop, packets: readonly Uint8Array[], port: number): void {
    const frames = packets.map((ip) => composeFrame(NOBODY, subnet.mac, ipEthertype(address.family), ip));
    this.#send(frames, [enter(subnet), setHop(address), about(port)], ['neighbours', 'stations']);
  }

  /** To a station, by the port that it was heard at. */
  #sendTo(subnet: RouterSubnet, { mac, port }: Place, frames: readonly Uint8Array[]): void {
    this.#send(frames, [enter(subnet), leaveBy(port), `set_field:${mac}->eth_dst`], []);
  }

  #send(
    frames: readonly Uint8Array[],
    registers: readonly string[],
    tables: readonly ('neighbours' | 'stations')[],
  ): void {
    const { router, packets } = this.#options;
    const visits = [...tables, 'egress' as const].map((table) => `resubmit(,${routerTable(router, table)})`);
    const actions = actionsOf([...registers, ...visits].join(','));
    for (const frame of frames) packets.send(frame, actions);
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
