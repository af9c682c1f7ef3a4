/** test/interop/datagrams.py in network namespaces. */
import { join } from 'node:path';
import { Child, eventually, root, sh } from './process.js';

const program = ['python3', '-B', join(root, 'test/interop/datagrams.py')];

/** A program that prints what it hears. */
export class Listener {
  private constructor(private readonly child: Child) {}

  private static async start(netns: string, ...args: string[]): Promise<Listener> {
    const child = new Child('ip', ['netns', 'exec', netns, ...program, ...args]);
    await eventually(`${args.join(' ')} listens`, async () => child.output.startsWith('ready'), 60_000);
    return new Listener(child);
  }

  /** UDP at `port`; of a multicast group as well, on the interface that has `address`. */
  static udp(netns: string, port: number, group: readonly [group: string, address: string] | [] = []) {
    return Listener.start(netns, 'listen', `${port}`, ...group);
  }

  /** Frames to `mac` that reach `device`. */
  static frames(netns: string, device: string, mac: string): Promise<Listener> {
    return Listener.start(netns, 'watch', device, mac);
  }

  /** A line for each datagram or frame so far. */
  get heard(): string[] {
    return this.child.output.split('\n').slice(1, -1);
  }

  async stop(): Promise<void> {
    await this.child.stop('SIGKILL');
  }
}

export async function sendDatagrams(
  netns: string,
  from: string,
  to: string,
  port: number,
  count: number,
  dscp = 0,
): Promise<void> {
  await sh('ip', 'netns', 'exec', netns, ...program, 'send', from, to, `${port}`, `${count}`, `${dscp}`);
}
