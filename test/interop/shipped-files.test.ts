/** Files of flows/ applied to xvifd as documents, with guests and their traffic: what is allowed passes, what is denied does not. Needs root. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Listener, sendDatagrams } from '../lab/datagrams.js';
import { type Child, eventually, root, sh } from '../lab/process.js';
import { Shipped, type Station } from '../lab/shipped.js';
import { iperf3, ping } from '../lab/traffic.js';

const MINUTES = { timeout: 600_000 };
const vlans = join(root, 'test/interop/vlans.py');
const connections = join(root, 'test/interop/connections.py');

interface Suite {
  readonly stations: Readonly<Record<string, Station>>;
  readonly args?: readonly string[];
}

const vm = (name: string, mac: string, n: number): Station => ({ port: `${name}/0`, mac, n });
const world: Station = { port: '9', mac: '02:00:00:00:09:09', n: 99 };

function suite(file: string, { stations, args }: Suite, more: (bed: () => Shipped) => void): void {
  describe(file, MINUTES, () => {
    let bed: Shipped;
    beforeAll(async () => {
      bed = await Shipped.start(file, stations, args);
    }, 600_000);
    afterAll(() => bed?.stop(), 60_000);

    it('lets the packets of its tests pass, or not', async () => {
      await bed.apply();
      expect(await bed.peer.xvif('documents')).toContain('in force');
      const tests = bed.ownTests();
      const hearers = await bed.hearersOf(tests);
      const heard = tests.map(({ name }) => [
        name,
        hearers
          .get(name)!
          .map((line) => line.split(' ')[0])
          .sort(),
      ]);
      expect(Object.fromEntries(heard)).toEqual(
        Object.fromEntries(tests.map(({ name, to }) => [name, [...to].sort()])),
      );
    });

    more(() => bed);
  });
}

const connect = (bed: Shipped, from: string, address: string, port: number, seconds: number) =>
  bed.inside(from, 'python3', '-B', connections, 'connect', address, `${port}`, `${seconds}`);

suite('acl-default-deny.yaml', {
  stations: {
    web01: vm('web01', '02:00:00:00:01:01', 11),
    web02: vm('web02', '02:00:00:00:01:02', 12),
    db01: vm('db01', '02:00:00:00:02:01', 21),
    world,
  },
}, (bed) => {
  it('lets the connections be made that its rules are about, and no others', async () => {
    const servers: Child[] = [
      bed().child('web01', 'python3', '-B', connections, 'listen', '443', '22'),
      bed().child('db01', 'python3', '-B', connections, 'listen', '5432', '22'),
      bed().child('world', 'python3', '-B', connections, 'listen', '443'),
    ];
    try {
      for (const server of servers) await eventually('it listens', async () => server.output.includes('ready'), 60_000);
      for (const [from, address, port] of [
        ['world', '10.0.0.11', 443],
        ['world', 'fd00::11', 443],
        ['web01', '10.0.0.21', 5432],
        ['web01', 'fd00::21', 5432],
      ] as const)
        expect(await connect(bed(), from, address, port, 30), `${from} ${address} ${port}`).toBe('open\n');
      for (const [from, address, port] of [
        ['world', '10.0.0.11', 22],
        ['world', 'fd00::11', 22],
        ['world', '10.0.0.21', 5432],
        ['web01', '10.0.0.21', 22],
        ['web01', '10.0.0.99', 443],
      ] as const)
        expect(await connect(bed(), from, address, port, 2), `${from} ${address} ${port}`).toContain('timed out');
    } finally {
      for (const server of servers) await server.stop('SIGKILL');
    }
  });
  it('lets guests be pinged, and not ping', async () => {
    expect(await ping(bed().namespaces.world!, '10.0.0.11', 3)).toBe(3);
    expect(await ping(bed().namespaces.web01!, '10.0.0.99', 3)).toBe(0);
  });
});

suite('anti-spoof.yaml', {
  stations: { web01: vm('web01', '02:00:00:00:00:01', 11), world: { ...world, port: '2' } },
}, (bed) => {
  it('lets a guest speak with its own addresses only', async () => {
    const from = (address: string) =>
      bed().inside('web01', 'ping', '-c', '2', '-i', '0.2', '-W', '2', '-I', address, '10.0.0.99').catch(String);
    expect(await from('10.0.0.11')).toMatch(/ 2 (packets )?received/);
    await bed().inside('web01', 'ip', 'addr', 'add', '10.0.0.12/24', 'dev', 'eth0');
    expect(await from('10.0.0.12')).toMatch(/ 0 (packets )?received/);
    expect(await ping(bed().namespaces.web01!, 'fd00::99', 2)).toBe(2);
    await bed().inside('web01', 'ip', 'link', 'set', 'eth0', 'address', '02:00:00:00:00:07');
    expect(await from('10.0.0.11')).toMatch(/ 0 (packets )?received/);
    await bed().inside('web01', 'ip', 'link', 'set', 'eth0', 'address', '02:00:00:00:00:01');
    expect(await from('10.0.0.11')).toMatch(/ 2 (packets )?received/);
  });
});

const uplinkNetns = `xu${process.pid}`;
suite('tenant-isolation.yaml', {
  stations: {
    red01: vm('red01', '02:00:00:00:01:01', 11),
    red02: vm('red02', '02:00:00:00:01:02', 12),
    // The same addresses again.
    blue01: vm('blue01', '02:00:00:00:01:01', 11),
    blue02: vm('blue02', '02:00:00:00:01:02', 22),
    uplink: { port: 'uplink', mac: '02:00:00:00:09:09', n: 99, vlan: 101, netns: uplinkNetns },
  },
  args: ['--port', `uplink=tap:eth0,netns=${uplinkNetns}`],
}, (bed) => {
  it('keeps tenants apart who have the same addresses', async () => {
    const { red01, blue01 } = bed().namespaces;
    expect(await ping(red01!, '10.0.0.12', 3)).toBe(3);
    expect(await ping(red01!, '10.0.0.22', 2)).toBe(0);
    expect(await ping(blue01!, '10.0.0.22', 3)).toBe(3);
    expect(await ping(blue01!, '10.0.0.12', 2)).toBe(0);
    expect(await ping(blue01!, 'fd00::22', 3)).toBe(3);
    expect(await ping(blue01!, 'fd00::12', 2)).toBe(0);
  });
  it('leads each tenant to the world by a VLAN of its own', async () => {
    const devices = bed().child('uplink', 'python3', '-B', vlans, 'eth0', '101', '102');
    try {
      await eventually('the VLANs have devices', async () => devices.output.includes('ready'), 60_000);
      for (const [vlan, own, other] of [
        [101, '10.0.0.12', '10.0.0.22'],
        [102, '10.0.0.22', '10.0.0.12'],
      ] as const) {
        const device = `eth0.${vlan}`;
        await bed().inside('uplink', 'ip', 'link', 'set', device, 'up');
        await bed().inside('uplink', 'ip', 'addr', 'add', '10.0.0.99/24', 'dev', device);
        expect(await ping(uplinkNetns, own, 3)).toBe(3);
        expect(await ping(uplinkNetns, other, 2)).toBe(0);
        await bed().inside('uplink', 'ip', 'addr', 'flush', 'dev', device);
      }
    } finally {
      await devices.stop('SIGKILL');
    }
  });
});

suite('learning-switch.yaml', {
  stations: {
    a: { port: '1', mac: '02:00:00:00:00:01', n: 1 },
    b: { port: '2', mac: '02:00:00:00:00:02', n: 2 },
    c: { port: '3', mac: '02:00:00:00:00:03', n: 3 },
  },
}, (bed) => {
  it('sends what is for one station to that one', async () => {
    const to = (n: number) => `ip,dl_dst=02:00:00:00:00:0${n}`;
    const hearers = await bed().hearersOf([
      { from: 'a', name: 'to b', packet: to(2) },
      { from: 'a', name: 'to nobody', packet: to(9) },
      { from: 'c', name: 'to a', packet: to(1) },
    ]);
    expect(Object.fromEntries(hearers)).toEqual({ 'to b': ['b'], 'to nobody': ['b', 'c'], 'to a': ['a'] });
  });
  it('carries the traffic of its guests', async () => {
    const { a, c } = bed().namespaces;
    expect(await ping(a!, '10.0.0.3', 3)).toBe(3);
    expect(await ping(c!, 'fd00::1', 3)).toBe(3);
    expect((await iperf3(a!, c!, '10.0.0.3', '-n', '1M')).bitsPerSecond).toBeGreaterThan(0);
  });
});

/** Of flows/rate-limits.yaml. */
const LIMIT_BITS = 20e6;
suite('rate-limits.yaml', {
  stations: {
    web01: vm('web01', '02:00:00:00:01:01', 11),
    web02: vm('web02', '02:00:00:00:01:02', 12),
    world,
  },
}, (bed) => {
  it('holds the limit of a guest, over UDP and TCP', async () => {
    const { web02, world: to } = bed().namespaces;
    const dropped = async () =>
      [...(await bed().peer.ofctl('meter-stats')).matchAll(/\d+: packet_count:(\d+)/g)].reduce(
        (sum, [, count]) => sum + Number(count),
        0,
      );
    const before = await dropped();
    const udp = await iperf3(web02!, to!, '10.0.0.99', '-u', '-b', '60M', '-l', '1200', '-t', '5');
    expect(await dropped()).toBeGreaterThan(before);
    const tcp = await iperf3(web02!, to!, '10.0.0.99', '-t', '5');
    const received = udp.bitsPerSecond * (1 - udp.lostPercent / 100);
    for (const rate of [received, tcp.bitsPerSecond]) {
      expect(rate).toBeGreaterThan(0);
      expect(rate).toBeLessThan(1.5 * LIMIT_BITS);
    }
  });
  it('marks voice, and takes the marks of everything else away', async () => {
    const { web01, world: to } = bed().namespaces;
    for (const [port, sent, marked] of [
      [20_000, 0, 46],
      [5000, 46, 0],
    ] as const) {
      const listener = await Listener.udp(to!, port);
      try {
        await sendDatagrams(web01!, '10.0.0.11', '10.0.0.99', port, 3, sent);
        await eventually('they come', async () => listener.heard.length === 3);
        expect(listener.heard).toEqual([0, 1, 2].map((n) => `datagram ${n} dscp=${marked}`));
      } finally {
        await listener.stop();
      }
    }
  });
});

beforeAll(() => sh('ip', 'netns', 'add', uplinkNetns));
afterAll(() => sh('ip', 'netns', 'del', uplinkNetns));
