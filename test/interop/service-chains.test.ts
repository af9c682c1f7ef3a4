/** The shipped service chain with traffic, on Open vSwitch's userspace datapath and on xvifd. Needs root. */
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../e2e/programs.js';
import { OpenVswitch } from '../lab/open-vswitch.js';
import { Child, eventually, sh } from '../lab/process.js';
import { TestSwitch } from '../lab/switch.js';
import { ping } from '../lab/traffic.js';

const shipped = fileURLToPath(new URL('../../flows/web-inspect-chain.yaml', import.meta.url));
const program = fileURLToPath(new URL('hops.py', import.meta.url));
const evade = fileURLToPath(new URL('evade.py', import.meta.url));
const PORT = 443;
const SERVER = '10.0.0.2';
const sizes = [100, 101, 102, 103, 104];
/** Datagrams of three fragments. */
const large = [3000, 3001];
/** Stations of a share, and more than that. */
const STATIONS_MAX = 4096;
const INVENTED = 4500;
const NEWCOMER = '02:00:00:00:00:77';
/** A port that the chain is not about. */
const OTHER_PORT = 444;

/** A switch, and how a device in a network namespace becomes a port of it and dies. */
interface Peer {
  readonly target: string;
  plug(netns: string, device: string): Promise<void>;
  unplug(netns: string, device: string): Promise<void>;
  stop(): Promise<void>;
}

/** Everything that is in the chain, each in a namespace of its own, by the names that the file has for its ports. */
const machines = {
  client: ['client/0'],
  server: ['server/0'],
  'fw-a': ['fw-a/0', 'fw-a/1'],
  'fw-b': ['fw-b/0', 'fw-b/1'],
  ids: ['ids/0'],
} as const;
type Machine = keyof typeof machines;

class Bed {
  readonly #tag = Math.random().toString(36).slice(2, 6);
  readonly #numbers = new Map<string, number>();
  readonly #children: Child[] = [];

  constructor(readonly peer: Peer) {}

  netns(machine: Machine): string {
    return `sc${this.#tag}${machine.replace('-', '')}`;
  }
  inside(machine: Machine, ...command: string[]): Promise<string> {
    return sh('ip', 'netns', 'exec', this.netns(machine), ...command);
  }
  child(machine: Machine, ...command: string[]): Child {
    return new Child('ip', ['netns', 'exec', this.netns(machine), ...command]);
  }

  async #ports(): Promise<number[]> {
    const shown = await sh('ovs-ofctl', '-O', 'OpenFlow13', 'show', this.peer.target);
    return [...shown.matchAll(/^ (\d+)\(/gm)].map(([, number]) => Number(number));
  }

  async start(): Promise<void> {
    for (const machine of Object.keys(machines) as Machine[]) {
      const netns = this.netns(machine);
      await sh('ip', 'netns', 'add', netns);
      await sh('ip', 'netns', 'exec', netns, 'sysctl', '-qw', 'net.ipv6.conf.default.disable_ipv6=1');
      for (const [index, port] of machines[machine].entries()) {
        const before = await this.#ports();
        await this.peer.plug(netns, `eth${index}`);
        const number = await eventually(`${port} is a port`, async () =>
          (await this.#ports()).find((one) => !before.includes(one)),
        );
        this.#numbers.set(port, number);
        await sh('ip', '-n', netns, 'link', 'set', `eth${index}`, 'up', 'promisc', 'on');
      }
    }
    await sh('ip', '-n', this.netns('client'), 'addr', 'add', '10.0.0.1/24', 'dev', 'eth0');
    await sh('ip', '-n', this.netns('server'), 'addr', 'add', `${SERVER}/24`, 'dev', 'eth0');
    for (const firewall of ['fw-a', 'fw-b'] as const) {
      const forwarder = this.child(firewall, 'python3', program, 'forward', 'eth0', 'eth1');
      this.#children.push(forwarder);
      await eventually(`${firewall} forwards`, async () => forwarder.output.includes('ready'));
    }
  }

  get portOptions(): string[] {
    return [...this.#numbers].flatMap(([port, number]) => ['--port', `${port}=${number}`]);
  }

  /** Captures a device: the datagrams of the client or the server, as time and payload. */
  capture(machine: Machine, device: string): Child {
    const options = ['-i', device, '-tt', '-n', '-l', '--immediate-mode', '-Q', 'inout'];
    return this.child(machine, 'tcpdump', ...options, 'udp', 'port', String(PORT));
  }

  /** They stay plugged, and pass nothing on. */
  async stopFirewalls(): Promise<void> {
    for (const child of this.#children) await child.stop();
  }

  async stop(): Promise<void> {
    await this.stopFirewalls();
    await this.peer.stop();
    for (const machine of Object.keys(machines) as Machine[])
      await sh('ip', 'netns', 'del', this.netns(machine)).catch(() => undefined);
  }
}

interface Seen {
  readonly time: number;
  readonly size: number;
  readonly answer: boolean;
}
const seenBy = ({ output }: Child): Seen[] =>
  [...output.matchAll(/^(\d+\.\d+) .*?\d+\.(\d+) > [\d.]+: UDP, length (\d+)/gm)].map(([, time, port, size]) => ({
    time: Number(time),
    size: Number(size),
    answer: Number(port) === PORT,
  }));

function suite(name: string, start: () => Promise<Peer>): void {
  describe(name, () => {
    let bed: Bed;
    const xvif = (...args: string[]) => run('xvif', ...args, shipped, '--switch', bed.peer.target, ...bed.portOptions);

    beforeAll(async () => {
      bed = new Bed(await start());
      await bed.start();
    }, 300_000);
    afterAll(() => bed?.stop());

    it('takes the chain, after which nothing differs', async () => {
      const applied = await xvif('apply');
      expect(applied.code, applied.output).toBe(0);
      const after = await xvif('diff');
      expect(after.output).toContain('0 to add, 0 to change, 0 to delete');
      expect(await ping(bed.netns('client'), SERVER, 5)).toBe(5);
    }, 300_000);

    it('leads each packet through the hops in order, and its answer back', async () => {
      const way: readonly (readonly [Machine, string])[] = [
        ['client', 'eth0'],
        ['fw-a', 'eth0'],
        ['fw-a', 'eth1'],
        ['ids', 'eth0'],
        ['server', 'eth0'],
      ];
      const captures = way.map(([machine, device]) => bed.capture(machine, device));
      const other = bed.capture('fw-b', 'eth0');
      const server = bed.child('server', 'python3', program, 'serve', String(PORT));
      try {
        for (const one of [...captures, other])
          await eventually('tcpdump listens', async () => one.output.includes('listening on'));
        await eventually('the server is ready', async () => server.output.includes('ready'));
        const asked = await bed.inside('client', 'python3', program, 'ask', SERVER, String(PORT), ...sizes.map(String));
        expect(asked).toContain(`${sizes.length} answers`);
        // Each is seen once on each side of a hop, in each direction, the copies of the IDS among them.
        for (const capture of captures) {
          await eventually('all is captured', async () => seenBy(capture).length >= 2 * sizes.length);
          for (const answer of [false, true])
            expect(
              seenBy(capture)
                .filter((one) => one.answer === answer)
                .map(({ size }) => size),
            ).toEqual(sizes);
        }
        const timesOf = (capture: Child, answer: boolean) =>
          seenBy(capture).flatMap((one) => (one.answer === answer ? [one.time] : []));
        const [client, into, outOf, , last] = captures as [Child, Child, Child, Child, Child];
        for (const [earlier, later] of [
          [client, into],
          [into, outOf],
          [outOf, last],
        ] as const) {
          for (const [index, time] of timesOf(earlier, false).entries())
            expect(time).toBeLessThanOrEqual(timesOf(later, false)[index]!);
          for (const [index, time] of timesOf(later, true).entries())
            expect(time).toBeLessThanOrEqual(timesOf(earlier, true)[index]!);
        }
        expect(seenBy(other)).toEqual([]);
        const count = sizes.length;
        await eventually('the counters say so', async () => {
          const { output } = await xvif('chain', 'show');
          const lines = output.split('\n').map((line) => line.split(/\s+/).slice(1, 8).join(' '));
          return ['forward', 'reverse'].every(
            (way) =>
              lines.includes(`fw ${way} inline fw-a ${count} ${count} 0`) &&
              lines.includes(`fw ${way} inline fw-b 0 0 0`) &&
              lines.includes(`ids ${way} tap 1 ${count} - -`),
          );
        });
      } finally {
        for (const child of [...captures, other, server]) await child.stop();
      }
    }, 300_000);

    it('leads all fragments of a datagram through the hops', async () => {
      const legs = (['eth0', 'eth1'] as const).map((device) =>
        bed.child(
          'fw-a',
          'tcpdump',
          '-i',
          device,
          '-n',
          '-l',
          '--immediate-mode',
          '-Q',
          'inout',
          'ip[6:2] & 0x3fff != 0',
        ),
      );
      const server = bed.child('server', 'python3', program, 'serve', String(PORT));
      try {
        for (const one of legs) await eventually('tcpdump listens', async () => one.output.includes('listening on'));
        await eventually('the server is ready', async () => server.output.includes('ready'));
        const asked = await bed.inside('client', 'python3', program, 'ask', SERVER, String(PORT), ...large.map(String));
        expect(asked).toContain(`${large.length} answers`);
        const fragments = 3 * 2 * large.length;
        for (const leg of legs)
          await eventually('all fragments are seen', async () => leg.output.match(/ > /g)?.length === fragments);
      } finally {
        for (const child of [...legs, server]) await child.stop();
      }
    }, 300_000);

    it('finds a newcomer, however many addresses a guest makes up', async () => {
      await bed.inside('client', 'python3', evade, 'invent', 'eth0', String(INVENTED));
      await bed.inside('server', 'ip', 'link', 'set', 'eth0', 'address', NEWCOMER);
      await bed.inside('client', 'ip', 'neigh', 'flush', 'all');
      const server = bed.child('server', 'python3', program, 'serve', String(PORT));
      try {
        await eventually('the server is ready', async () => server.output.includes('ready'));
        const asked = await bed.inside('client', 'python3', program, 'ask', SERVER, String(PORT), ...sizes.map(String));
        expect(asked).toContain(`${sizes.length} answers`);
        const places = await sh('ovs-ofctl', '-O', 'OpenFlow13', 'dump-flows', bed.peer.target, 'table=1');
        expect(places).toContain(`dl_dst=${NEWCOMER}`);
        const invented = places.match(/dl_dst=02:66:/g)?.length ?? 0;
        expect(invented).toBeGreaterThan(0);
        expect(invented).toBeLessThanOrEqual(STATIONS_MAX);
      } finally {
        await server.stop();
      }
    }, 300_000);

    it('goes on through the other firewall when the first one dies under load', async () => {
      const listener = bed.child('server', 'iperf3', '-s', '-1', '-p', String(PORT));
      const other = bed.capture('fw-b', 'eth0');
      try {
        await eventually('tcpdump listens', async () => other.output.includes('listening on'));
        await eventually('iperf3 listens', async () => (await bed.inside('server', 'ss', '-ltn')).includes(`:${PORT}`));
        const options = ['-J', '-u', '-b', '4M', '-l', '1000', '-t', '30', '-p', String(PORT), '-c', SERVER];
        const load = bed.child('client', 'iperf3', ...options);
        const received = async () =>
          Number(await bed.inside('fw-a', 'cat', '/sys/class/net/eth0/statistics/rx_packets'));
        const before = await received();
        await eventually('the first firewall has traffic', async () => (await received()) > before + 100);
        await bed.peer.unplug(bed.netns('fw-a'), 'eth0');
        expect(await load.ended(), load.output).toBe(0);
        const { end } = JSON.parse(load.output) as { end: { sum: { packets: number; lost_packets: number } } };
        const { packets, lost_packets: lost } = end.sum;
        console.log(`${name}: ${lost} of ${packets} packets lost (${lost * 2} ms of traffic at 500 packets a second)`);
        expect(packets).toBeGreaterThan(1000);
        expect(lost).toBeLessThan(packets);
        expect(seenBy(other).length).toBeGreaterThan(0);
      } finally {
        await listener.stop('SIGKILL');
        await other.stop();
      }
    }, 300_000);

    it('lets nothing past firewalls that let nothing through', async () => {
      await bed.stopFirewalls();
      for (const [machine, number] of [
        ['client', 1],
        ['server', 2],
      ] as const) {
        await bed.inside(machine, 'sysctl', '-qw', 'net.ipv6.conf.eth0.disable_ipv6=0');
        await bed.inside(machine, 'ip', 'addr', 'add', `fd00::${number}/64`, 'dev', 'eth0', 'nodad');
      }
      const mac = (await bed.inside('server', 'cat', '/sys/class/net/eth0/address')).trim();
      const server = bed.child('server', 'python3', evade, 'hear', String(PORT), String(OTHER_PORT));
      const send = (port: number) =>
        bed.inside(
          'client',
          'python3',
          evade,
          'send',
          'eth0',
          mac,
          '10.0.0.1',
          'fd00::1',
          SERVER,
          'fd00::2',
          String(port),
        );
      try {
        await eventually('the server is ready', async () => server.output.includes('ready'));
        await send(PORT);
        await send(OTHER_PORT);
        // All of them would do if the chain were about this port: the server hears them all, one after the other.
        for (const trick of ['plain', 'broadcast', 'group', 'tag', 'plain 6', 'group 6'])
          await eventually(`${trick} is heard`, async () => server.output.includes(`${OTHER_PORT} ${trick}\n`));
        expect(server.output.split('\n').filter((line) => line.startsWith(`${PORT} `))).toEqual([]);
      } finally {
        await server.stop();
      }
    }, 300_000);

    it('is taken away again', async () => {
      expect((await xvif('delete')).code).toBe(0);
      const flows = await sh('ovs-ofctl', '-O', 'OpenFlow13', 'dump-flows', bed.peer.target);
      expect(flows).not.toContain('0x5856');
      const groups = await sh('ovs-ofctl', '-O', 'OpenFlow13', 'dump-groups', bed.peer.target);
      expect(groups).not.toContain('bucket');
    }, 300_000);
  });
}

suite('Open vSwitch', async () => {
  const ovs = await OpenVswitch.start();
  await sh('ovs-ofctl', 'del-flows', ovs.target);
  const bridge = (await ovs.vsctl('list-br')).trim();
  let count = 0;
  return {
    target: ovs.target,
    // Open vSwitch does not see the state of its own devices in other namespaces, but that of a wire that ends there.
    async plug(netns, device) {
      const name = `${bridge}c${count++}`;
      await sh('ip', 'link', 'add', name, 'type', 'veth', 'peer', 'name', device, 'netns', netns);
      await sh('sysctl', '-qw', `net.ipv6.conf.${name}.disable_ipv6=1`);
      await sh('ip', 'link', 'set', name, 'up');
      await sh('ip', 'netns', 'exec', netns, 'ethtool', '-K', device, 'tx', 'off');
      await ovs.vsctl('add-port', bridge, name);
    },
    unplug: async (netns, device) => void (await sh('ip', '-n', netns, 'link', 'set', device, 'down')),
    stop: () => ovs.stop(),
  };
});

suite('xvifd', async () => {
  const peer = await TestSwitch.start({ bridge: `xc${process.pid}` });
  return {
    target: peer.target,
    async plug(netns, device) {
      const options = ['--bridge', peer.bridge, '--tap', device, '--netns', netns];
      await peer.xvif('guest', 'add', `${netns}${device}`, ...options);
      await eventually(
        `${device} is there`,
        async () => (await sh('ip', '-n', netns, 'link', 'show', device)).length > 0,
      );
    },
    unplug: async (netns, device) => void (await peer.xvif('guest', 'rm', `${netns}${device}`)),
    stop: () => peer.stop(),
  };
});
