/** What a router's agent does, as kernels in network namespaces see it: ICMP errors, resets, neighbours. Needs root. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, sh } from '../lab/process.js';
import { TestSwitch } from '../lab/switch.js';
import { ping } from '../lab/traffic.js';

const document = `
apiVersion: xvif.dev/v1alpha1
kind: Router
metadata: {name: router}
spec:
  mac: 02:00:00:00:ff:01
  subnets:
    - {name: red, gateway: [10.0.1.1/24, "fd00:1::1/64"], ports: [g1/0]}
    - {name: blue, gateway: [10.0.2.1/24, "fd00:2::1/64"], ports: [g2/0], mtu: 1280}
  routes:
    - {to: 198.51.100.0/24, reject: true}
    - {to: "2001:db8:1::/48", reject: true}
`;

describe('a router with its agent', () => {
  let bed: TestSwitch;
  const netns: Record<'red' | 'blue', string> = { red: '', blue: '' };
  const exec = (guest: 'red' | 'blue', ...command: string[]) => sh('ip', 'netns', 'exec', netns[guest], ...command);
  /** What the command says, whether it succeeds or not. */
  const said = (guest: 'red' | 'blue', ...command: string[]) => exec(guest, ...command).catch(String);
  const ip = (guest: 'red' | 'blue', ...args: string[]) => sh('ip', '-n', netns[guest], ...args);

  async function settle(guest: 'red' | 'blue', n: number): Promise<void> {
    netns[guest] = (await bed.tapGuest(n)).netns;
    await ip(guest, 'addr', 'flush', 'dev', 'eth0');
    await ip(guest, 'addr', 'add', `10.0.${n}.11/24`, 'dev', 'eth0');
    await ip(guest, '-6', 'addr', 'add', `fd00:${n}::11/64`, 'dev', 'eth0', 'nodad');
    await ip(guest, 'route', 'add', 'default', 'via', `10.0.${n}.1`);
    await ip(guest, '-6', 'route', 'add', 'default', 'via', `fd00:${n}::1`);
  }

  beforeAll(async () => {
    bed = await TestSwitch.start({ bridge: `xa${process.pid}` });
    await settle('red', 1);
    await settle('blue', 2);
    const file = join(bed.runDir, 'router.yaml');
    writeFileSync(file, document);
    await bed.xvif('apply', file);
  }, 300_000);
  afterAll(() => bed?.stop(), 60_000);

  it('asks for hosts that have never been heard', async () => {
    expect(await ip('blue', 'neigh', 'show', '10.0.2.1')).not.toContain('lladdr');
    // Of those that come while it is asked for the last few wait.
    for (const address of ['10.0.2.11', 'fd00:2::11']) {
      expect(await ping(netns.red, address, 5)).toBeGreaterThanOrEqual(1);
      expect(await ping(netns.red, address, 5)).toBe(5);
    }
  }, 300_000);

  it('says that the time to live is exceeded', async () => {
    expect(await said('red', 'ping', '-c', '1', '-W', '5', '-t', '1', '10.0.2.11')).toMatch(
      /From 10\.0\.1\.1 .*Time to live exceeded/,
    );
    expect(await said('red', 'ping', '-c', '1', '-W', '5', '-t', '1', 'fd00:2::11')).toMatch(
      /From fd00:1::1 .*Time exceeded: Hop limit/,
    );
  }, 300_000);

  it('says that there is no way', async () => {
    const cases: readonly (readonly [address: string, words: RegExp])[] = [
      ['203.0.113.1', /From 10\.0\.1\.1 .*Destination Net Unreachable/],
      ['2001:db8::1', /From fd00:1::1 .*No route/],
      ['198.51.100.1', /From 10\.0\.1\.1 .*Packet filtered/],
      ['2001:db8:1::1', /From fd00:1::1 .*Administratively prohibited/],
      ['10.0.2.77', /From 10\.0\.1\.1 .*Destination Host Unreachable/],
      ['fd00:2::77', /From fd00:1::1 .*Address unreachable/],
    ];
    for (const [address, words] of cases)
      expect(await said('red', 'ping', '-c', '1', '-W', '10', address), address).toMatch(words);
  }, 300_000);

  it('says how long packets may be', async () => {
    const long = ['ping', '-c', '1', '-W', '5', '-M', 'do', '-s', '1300'];
    expect(await said('red', ...long, '10.0.2.11')).toMatch(/From 10\.0\.1\.1 .*Frag needed and DF set \(mtu = 1280\)/);
    expect(await said('red', ...long, 'fd00:2::11')).toMatch(/From fd00:1::1 .*Packet too big: mtu=1280/);
    // Who lets routers fragment gets through.
    expect(await said('red', 'ping', '-c', '1', '-W', '5', '-M', 'dont', '-s', '1300', '10.0.2.11')).toContain(
      ' 0% packet loss',
    );
    expect(await ip('red', 'route', 'get', '10.0.2.11')).toContain('mtu 1280');
    expect(await ip('red', '-6', 'route', 'get', 'fd00:2::11')).toContain('mtu 1280');
  }, 300_000);

  it('has no services at its own addresses, and says so', async () => {
    const connect = (family: string, kind: string, address: string) =>
      said(
        'red',
        'python3',
        '-c',
        `import socket
s = socket.socket(socket.${family}, socket.${kind})
s.settimeout(10)
s.connect(("${address}", 81))
s.send(b"x")
s.recv(1)`,
      );
    for (const kind of ['SOCK_STREAM', 'SOCK_DGRAM'])
      for (const [family, address] of [
        ['AF_INET', '10.0.1.1'],
        ['AF_INET', '10.0.2.1'],
        ['AF_INET6', 'fd00:1::1'],
        ['AF_INET6', 'fd00:2::1'],
      ] as const)
        expect(await connect(family, kind, address), `${kind} ${address}`).toContain('ConnectionRefusedError');
  }, 300_000);

  it('goes on while a guest floods it', async () => {
    const flood = exec(
      'red',
      'python3',
      '-c',
      `import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, 1)
for n in range(40000):
    try: s.sendto(b"x", ("10.0.2.11", 40000))
    except OSError: pass`,
    );
    const others = await Promise.all([ping(netns.blue, '10.0.2.1', 20), ping(netns.blue, '10.0.1.11', 20)]);
    await flood;
    expect(Math.min(...others)).toBeGreaterThanOrEqual(18);
    await eventually('xvifd answers', async () => (await bed.xvif('show')).includes(bed.bridge), 60_000);
    // Few of them got as far as the agent, and the others are counted.
    await eventually('drops are told', async () => /upcall/.test(await bed.xvif('stats')), 60_000);
    expect(await ping(netns.red, '10.0.2.11', 5)).toBe(5);
  }, 300_000);

  it('notices a neighbour that is gone', async () => {
    expect(await ping(netns.red, '10.0.2.11', 3)).toBe(3);
    const [, table] = /table=(\d+),[^\n]*reg0=0xa00020b/.exec(await bed.ofctl('dump-flows'))!;
    await ip('blue', 'addr', 'del', '10.0.2.11/24', 'dev', 'eth0');
    await eventually(
      'its address is forgotten',
      async () => {
        await said('red', 'ping', '-c', '1', '-W', '1', '10.0.2.11');
        return !(await bed.ofctl('dump-flows', `table=${table}`)).includes('reg0=0xa00020b');
      },
      180_000,
    );
    expect(await said('red', 'ping', '-c', '1', '-W', '10', '10.0.2.11')).toContain('Destination Host Unreachable');
    await ip('blue', 'addr', 'add', '10.0.2.11/24', 'dev', 'eth0');
    await ip('blue', 'route', 'replace', 'default', 'via', '10.0.2.1');
    await eventually('it is found again', async () => (await ping(netns.red, '10.0.2.11', 1)) === 1, 60_000);
  }, 300_000);
});
