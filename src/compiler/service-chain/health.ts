/** Health of a hop's instances as it is written, with its defaults, and what does not go together said. */
import { isIPv4 } from 'node:net';
import { type At, say } from '../at.js';
import type { Builder } from '../builder.js';
import { HEALTH_PROBES_PER_SECOND_MAX } from '../limits.js';

/** A station that probes come from or go to. */
export interface Station {
  /** Like 02:58:56:00:00:01. */
  readonly mac: string;
  /** IPv4; 0.0.0.0 of a source: it has none, as in an ARP probe (RFC 5227 §1.1). */
  readonly address: string;
}

/** How instances of a hop are asked. Times are milliseconds. */
export interface Health {
  readonly type: 'arp' | 'icmp' | 'tcp' | 'counters';
  /** Of TCP; 0 with the other types. */
  readonly port: number;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** Answers in a row after which it is up, and missing ones after which it is down. */
  readonly up: number;
  readonly down: number;
  /** With counters: packets that it may keep, and how long it is left alone once it is down. */
  readonly packets: number;
  readonly retryMs: number;
  readonly source: Station;
  /** Whom probes that pass through an instance are for. */
  readonly target: Station;
}

export interface HealthWords {
  readonly type: Health['type'] | 'port-state';
  readonly port?: number;
  readonly interval?: number;
  readonly timeout?: number;
  readonly up?: number;
  readonly down?: number;
  readonly packets?: number;
  readonly retry?: number;
  readonly source?: Partial<Station>;
  readonly target?: Partial<Station>;
}

/** Locally administered, and link-local (RFC 3927): nobody else's, and routed nowhere. */
const PROBER: Station = { mac: '02:58:56:00:00:01', address: '169.254.88.1' };
const TARGET: Station = { mac: '02:58:56:00:00:02', address: '169.254.88.2' };
const NO_ADDRESS = '0.0.0.0';
const MS = 1000;

const typesOf: Readonly<Record<'port' | 'packets' | 'retry' | 'timeout' | 'source' | 'target', readonly string[]>> = {
  port: ['tcp'],
  packets: ['counters'],
  retry: ['counters'],
  timeout: ['arp', 'icmp', 'tcp'],
  source: ['arp', 'icmp', 'tcp'],
  target: ['arp', 'icmp', 'tcp'],
};

/** Undefined: the state of the port is all there is to it. */
export function readHealth(
  hop: At,
  { health, mode }: { readonly health?: HealthWords; readonly mode?: string },
  { diagnostics }: Pick<Builder, 'diagnostics'>,
): Health | undefined {
  if (health === undefined) return undefined;
  const at = hop.key('health');
  const {
    type,
    port,
    interval = 5,
    timeout = Math.min(3, interval),
    up = 1,
    down = 1,
    packets = 10,
    retry = 30,
  } = health;
  if (type === 'tcp' && port === undefined)
    say(diagnostics, at, 'missing', 'port is missing: health by tcp opens a connection to it');
  for (const [key, types] of Object.entries(typesOf)) {
    const message = `${key} goes with health by ${types.join(', ')}, and type is ${type}`;
    if (at.key(key).value !== undefined && !types.includes(type)) say(diagnostics, at.key(key), 'value', message);
  }
  if (timeout > interval && typesOf.timeout.includes(type))
    say(diagnostics, at.key('timeout'), 'value', `timeout ${timeout} is longer than interval ${interval}`);
  if (type === 'counters' && mode === 'tap')
    say(diagnostics, at.key('type'), 'value', 'nothing comes back from a tap: there is nothing to count');
  if (type === 'port-state') return undefined;
  const { source, target } = health;
  return {
    type,
    port: port ?? 0,
    intervalMs: interval * MS,
    timeoutMs: timeout * MS,
    up,
    down,
    packets,
    retryMs: retry * MS,
    source: { mac: source?.mac?.toLowerCase() ?? PROBER.mac, address: source?.address ?? NO_ADDRESS },
    target: { mac: target?.mac?.toLowerCase() ?? TARGET.mac, address: target?.address ?? TARGET.address },
  };
}

/** The instance's own part in it. */
export interface Asked {
  readonly at: At;
  readonly name: string;
  readonly address: string | undefined;
  readonly twoLegs: boolean;
  /** What marks packets of the chain at it carries ARP too. */
  readonly carriesArp: boolean;
}

/** Where probes of an instance come from: those that pass through it need an address whatever the type. */
export const sourceOf = ({ source }: Health, address: string | undefined): Station =>
  address === undefined && source.address === NO_ADDRESS ? { ...source, address: PROBER.address } : source;

/** Says what keeps an instance from being asked. */
export function checkAsked(asked: Asked, health: Health, { diagnostics }: Pick<Builder, 'diagnostics'>): void {
  const { at, name, address, twoLegs, carriesArp } = asked;
  if (health.type === 'counters') return;
  const { type } = health;
  if (address === undefined) {
    const message = `address is missing: health by ${type} asks it, or passes through an instance with two legs`;
    if (!twoLegs) say(diagnostics, at, 'missing', message);
    if (type === 'arp' && !carriesArp)
      say(diagnostics, at, 'value', `MPLS carries no ARP through ${name}: health by icmp or tcp`);
  } else if (!isIPv4(address)) {
    say(diagnostics, at.key('address'), 'value', `health by ${type} asks IPv4 addresses only`);
  } else if (type !== 'arp' && health.source.address === NO_ADDRESS) {
    const message = `source.address is missing in health of the hop: ${name} answers ${type} to an address that it can reach`;
    say(diagnostics, at.key('address'), 'missing', message);
  }
}

/** Probes are made by the one control thread of a daemon. */
export function countProbes(at: At, health: Health, instances: number, builder: Builder): void {
  builder.probesPerSecond += (instances * MS) / health.intervalMs;
  if (builder.probesPerSecond <= HEALTH_PROBES_PER_SECOND_MAX) return;
  const message = `health of all chains makes ${Math.ceil(builder.probesPerSecond)} probes a second; at most ${HEALTH_PROBES_PER_SECOND_MAX}`;
  say(builder.diagnostics, at.key('health'), 'limit', message);
}
