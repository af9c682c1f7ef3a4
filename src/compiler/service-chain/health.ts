/** Health of a hop's instances as it is written, with its defaults, and what does not go together said. */
import { isIPv4 } from 'node:net';
import { type At, say } from '../at.js';
import type { Builder } from '../builder.js';
import { HEALTH_PROBES_PER_SECOND_MAX } from '../limits.js';

/** A station that probes come from or go to. */
export interface Station {
  /** Like 02:58:56:00:00:01. */
  readonly mac: string;
  /** IPv4, of a single station. */
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
/** Networks that no station is in: this one, loopback, multicast and reserved (RFC 6890, RFC 1112). */
const isStation = (address: string): boolean => {
  const first = Number(address.split('.')[0]);
  return first !== 0 && first !== 127 && first < 224;
};
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
  { health, mode, fallback }: { readonly health?: HealthWords; readonly mode?: string; readonly fallback?: string },
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
  // What a firewall refuses does not come out either, and must not open the way.
  if (type === 'counters' && fallback === 'open')
    say(
      diagnostics,
      at.key('type'),
      'value',
      'counters cannot tell what an instance refuses from what it loses: no fallback open',
    );
  for (const station of ['source', 'target'] as const) {
    const address = health[station]?.address;
    if (address !== undefined && !isStation(address))
      say(diagnostics, at.key(station).key('address'), 'value', `${address} is no address of a station`);
  }
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
    source: { mac: source?.mac?.toLowerCase() ?? PROBER.mac, address: source?.address ?? PROBER.address },
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
  /** It takes service headers, and nothing else. */
  readonly aware: boolean;
  /** Where the hop says the address that probes come from. */
  readonly sourceAt: At;
}

/** Says what keeps an instance from being asked. */
export function checkAsked(asked: Asked, health: Health, { diagnostics }: Pick<Builder, 'diagnostics'>): void {
  const { at, name, address, twoLegs, carriesArp, aware, sourceAt } = asked;
  if (health.type === 'counters') return;
  const { type } = health;
  if (address === undefined) {
    const message = `address is missing: health by ${type} asks it, or passes through an instance with two legs`;
    if (!twoLegs) say(diagnostics, at, 'missing', message);
    if (aware)
      say(
        diagnostics,
        at,
        'value',
        `probes have no service headers, which ${name} wants: give it an address, or health by counters`,
      );
    else if (type === 'arp' && !carriesArp)
      say(diagnostics, at, 'value', `MPLS carries no ARP through ${name}: health by icmp or tcp`);
  } else if (!isIPv4(address)) {
    say(diagnostics, at.key('address'), 'value', `health by ${type} asks IPv4 addresses only`);
  } else if (sourceAt.value === undefined) {
    const message = `source.address is missing in health of the hop: ${name} answers ${type} to an address that it can reach`;
    say(diagnostics, at.key('address'), 'missing', message);
  } else if (sourceAt.value === address) {
    say(diagnostics, at.key('address'), 'value', `${address} is whom probes come from`);
  }
}

/** Probes are made by the one control thread of a daemon. */
export function countProbes(at: At, health: Health, instances: number, builder: Builder): void {
  const { asked } = builder;
  asked.probesPerSecond += (instances * MS) / health.intervalMs;
  if (asked.probesPerSecond <= HEALTH_PROBES_PER_SECOND_MAX) return;
  const message = `health of all chains makes ${Math.ceil(asked.probesPerSecond)} probes a second; at most ${HEALTH_PROBES_PER_SECOND_MAX}`;
  say(builder.diagnostics, at.key('health'), 'limit', message);
}
