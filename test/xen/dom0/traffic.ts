/** Traffic between guests, and figures about it. */
import type { Party } from './party.js';
import { eventually } from './shell.js';

/** Echo requests; gives how many were answered. `size` is that of the payload. */
export async function ping(from: Party, to: string, count: number, options = ''): Promise<number> {
  // Half a second between two: a guest here may not be scheduled for longer than ping's usual patience.
  const { output } = await from.ask(`ping -c ${count} -i 0.3 -W 5 ${options} ${to}`, count * 5 + 240);
  const match = /(\d+) received/.exec(output);
  if (match === null) throw new Error(`ping: ${output}`);
  return Number(match[1]);
}

/** Waits until `to` answers: the first packets may be lost to address resolution and learning. */
export function reachable(from: Party, to: string, seconds = 240): Promise<boolean> {
  return eventually(`${from.name} reaches ${to}`, async () => (await ping(from, to, 1)) === 1, seconds);
}

export interface RoundTrips {
  readonly received: number;
  /** Milliseconds. */
  readonly times: readonly number[];
}

export async function roundTrips(from: Party, to: string, count: number): Promise<RoundTrips> {
  const { output } = await from.ask(`ping -c ${count} -i 0.1 -W 5 ${to}`, count * 5 + 240);
  const times = [...output.matchAll(/time=([\d.]+) ms/g)].map(([, time]) => Number(time));
  return { received: times.length, times };
}

export interface Stream {
  /** At the receiver. */
  readonly bitsPerSecond: number;
  readonly bytes: number;
  readonly seconds: number;
  /** UDP: datagrams that came, and those that did not, in percent. */
  readonly packets: number;
  readonly lostPercent: number;
}

/** Starts an iperf3 server that serves any number of streams, one after the other. */
export async function serveIperf(guest: Party): Promise<void> {
  await guest.run('iperf3 -s -D >/dev/null 2>&1; sleep 0.5');
}

const SINK_PORT = 9;

/** Starts a server that sends back what it gets, to any number of clients, however they end. iperf3's takes one. */
export async function serveEcho(guest: Party): Promise<void> {
  await guest.run(`nc -ll -p ${SINK_PORT} -e /bin/cat >/dev/null 2>&1 & sleep 0.5`);
}

/** Shell words: TCP both ways at full speed, in the background, to an address where serveEcho() was called. */
export function load(to: string): string {
  return `{ cat /dev/zero | nc ${to} ${SINK_PORT}; } >/dev/null 2>&1 &`;
}

/** Shell words: ends what load() began. */
export const unload = 'killall nc cat 2>/dev/null; sleep 1';

export function parseIperf(output: string): Stream {
  const at = output.indexOf('{');
  let result: { readonly error?: string; readonly end?: Readonly<Record<string, Readonly<Record<string, number>>>> };
  try {
    result = JSON.parse(output.slice(at));
  } catch {
    throw new Error(`iperf3: ${output.slice(-400)}`);
  }
  const received = result.end?.sum_received ?? result.end?.sum;
  if (result.error !== undefined || received === undefined) throw new Error(`iperf3: ${result.error ?? 'no result'}`);
  const { bits_per_second = 0, bytes = 0, seconds = 0, packets = 0, lost_packets = 0 } = received;
  return {
    bitsPerSecond: bits_per_second,
    bytes,
    seconds,
    packets: packets - lost_packets,
    lostPercent: packets === 0 ? 0 : (100 * lost_packets) / packets,
  };
}

/** How much: TCP bytes, or UDP datagrams of 1200 bytes. An amount and not a time: nobody knows how fast a lab is. */
export type Amount = { readonly megabytes: number } | { readonly datagrams: number } | { readonly seconds: number };

/** iperf3 from a guest to an address where a server runs. */
export async function iperf(from: Party, to: string, amount: Amount, options = ''): Promise<Stream> {
  const what =
    'megabytes' in amount
      ? `-n ${amount.megabytes}M`
      : 'datagrams' in amount
        ? `-u -b 1M -l 1200 -k ${amount.datagrams}`
        : `-t ${amount.seconds}`;
  const { output } = await from.ask(`iperf3 -c ${to} -J ${what} ${options}`, 600);
  return parseIperf(output);
}

/** Packets and bytes that went through a guest's device, as its kernel counts them. */
export async function deviceCounters(guest: Party, device = 'eth0'): Promise<{ rx: number; tx: number }> {
  const text = await guest.run(`cd /sys/class/net/${device}/statistics && cat rx_packets tx_packets`);
  const [rx = 0, tx = 0] = text.split('\n').map(Number);
  return { rx, tx };
}

/**
 * The kernel's packet generator in a guest: UDP frames of `bytes` (without FCS) to one destination, for `seconds` or
 * `count` frames. `flags` are pktgen's, MACSRC_RND say. Gives frames sent.
 */
export async function generate(
  from: Party,
  to: { readonly mac: string; readonly ip: string },
  options: { seconds?: number; count?: number; bytes: number; flags?: string; device?: string; lines?: string[] },
): Promise<number> {
  const { seconds, count = 0, bytes, flags, device = 'eth0', lines = [] } = options;
  const settings = [
    `count ${count}`,
    `pkt_size ${bytes}`,
    `dst ${to.ip}`,
    `dst_mac ${to.mac}`,
    'udp_dst_min 9',
    'udp_dst_max 9',
    'delay 0',
    ...(flags === undefined ? [] : [`flag ${flags}`]),
    ...lines,
  ];
  const own = `/proc/net/pktgen/${device}`;
  await from.run(
    `modprobe pktgen; cd /proc/net/pktgen; echo "rem_device_all" >kpktgend_0; echo "add_device ${device}" >kpktgend_0; ` +
      settings.map((line) => `echo "${line}" >${own}`).join('; '),
  );
  // Writing "start" blocks until the generator is done; "stop" ends it.
  const stop = seconds === undefined ? '' : `( sleep ${seconds}; echo stop >/proc/net/pktgen/pgctrl ) & `;
  const result = await from.run(
    `${stop}echo start >/proc/net/pktgen/pgctrl; grep -o "pkts-sofar: [0-9]*" ${own}`,
    (seconds ?? 120) + 300,
  );
  return Number(/pkts-sofar: (\d+)/.exec(result)?.[1] ?? 0);
}

/** The middle value; of two middles, their mean. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length === 0 ? Number.NaN : (sorted[half]! + sorted[(sorted.length - 1) >> 1]!) / 2;
}
