/** Real traffic between network namespaces. */
import { Child, eventually, sh } from './process.js';

/** Pings inside a namespace; returns how many of `count` came back. */
export async function ping(netns: string, address: string, count = 10): Promise<number> {
  const out = await sh('ip', 'netns', 'exec', netns, 'ping', '-c', `${count}`, '-i', '0.05', '-W', '2', address).catch(
    (error: Error) => error.message,
  );
  return Number(/(\d+) (?:packets )?received/.exec(out)?.[1] ?? 0);
}

export interface Iperf {
  readonly bitsPerSecond: number;
  readonly lostPercent: number;
}

/** iperf3 from one namespace to another. */
export async function iperf3(client: string, server: string, address: string, ...options: string[]): Promise<Iperf> {
  const listener = new Child('ip', ['netns', 'exec', server, 'iperf3', '-s', '-1']);
  try {
    await eventually('iperf3 listens', async () =>
      (await sh('ip', 'netns', 'exec', server, 'ss', '-ltn')).includes(':5201'),
    );
    const out = await sh('ip', 'netns', 'exec', client, 'iperf3', '-J', '-c', address, ...options);
    const { end } = JSON.parse(out) as {
      end: { sum_received?: { bits_per_second: number }; sum?: { bits_per_second: number; lost_percent?: number } };
    };
    return {
      bitsPerSecond: end.sum_received?.bits_per_second ?? end.sum?.bits_per_second ?? 0,
      lostPercent: end.sum?.lost_percent ?? 0,
    };
  } finally {
    await listener.stop('SIGKILL');
  }
}
