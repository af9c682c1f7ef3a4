/** A REST router: guests in different networks reach each other through the switch, hop counts included. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Osken } from '../lab/osken.js';
import { eventually, sh } from '../lab/process.js';
import { TestSwitch } from '../lab/switch.js';
import { iperf3 } from '../lab/traffic.js';

const router = '/router/0000000000000001';
const beyond = '192.168.30.1';

// Long enough for a machine that does other things at the same time.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

describe('a REST router', () => {
  let controller: Osken;
  let xvif: TestSwitch;
  let guests: Awaited<ReturnType<TestSwitch['tapGuest']>>[];

  beforeAll(async () => {
    controller = await Osken.start('router');
    xvif = await TestSwitch.start({ args: ['--controller', controller.target, '--datapath-id', '1'] });
    guests = [await xvif.tapGuest(1), await xvif.tapGuest(2), await xvif.tapGuest(3)];
    // Guest N is 172.16.N.10 and knows the router, 172.16.N.1, only.
    for (const [i, { netns }] of guests.entries()) {
      const inside = (...args: string[]) => sh('ip', '-n', netns, ...args);
      await inside('addr', 'flush', 'dev', 'eth0');
      await inside('addr', 'add', `172.16.${i + 1}.10/24`, 'dev', 'eth0');
      await inside('route', 'add', 'default', 'via', `172.16.${i + 1}.1`);
    }
    await sh('ip', '-n', guests[2]!.netns, 'addr', 'add', `${beyond}/32`, 'dev', 'lo');
    await eventually('it has its flows', async () => (await xvif.ofctl('dump-flows')).includes('arp'), 60_000);
  });

  afterAll(async () => {
    await xvif?.stop();
    await controller?.stop();
  });

  /** What one ping says. */
  const once = (from: number, to: string) =>
    sh('ip', 'netns', 'exec', guests[from - 1]!.netns, 'ping', '-c', '1', '-W', '2', to).catch(
      (error: Error) => error.message,
    );

  const answers = (from: number, to: string, ttl: number) =>
    eventually(`${from} to ${to}`, async () => (await once(from, to)).includes(`ttl=${ttl} `), 30_000);

  it('answers for its addresses', async () => {
    for (const n of [1, 2, 3]) {
      const { status, body } = await controller.rest('POST', router, { address: `172.16.${n}.1/24` });
      expect([status, body]).toEqual([200, { address_id: n }]);
    }
    for (const n of [1, 2, 3]) await answers(n, `172.16.${n}.1`, 64);
    await answers(1, '172.16.3.1', 64);
  });

  it('routes between its networks, and takes one off the TTL', async () => {
    await answers(1, '172.16.2.10', 63);
    await answers(2, '172.16.3.10', 63);
    await answers(3, '172.16.1.10', 63);
    const { bitsPerSecond } = await iperf3(guests[0]!.netns, guests[1]!.netns, '172.16.2.10', '-n', '5M');
    expect(bitsPerSecond).toBeGreaterThan(0);
    const flow = /n_bytes=(\d+).*nw_dst=172\.16\.2\.10 actions=(.*)/.exec(await xvif.ofctl('dump-flows'));
    expect(Number(flow?.[1])).toBeGreaterThan(2e6);
    expect(flow?.[2]).toMatch(/^dec_ttl,set_field:02:00:5e:00:00:01->eth_src,set_field:.*->eth_dst,output:2/);
  });

  it('drops what has no hops left', async () => {
    const run = sh('ip', 'netns', 'exec', guests[0]!.netns, 'ping', '-c', '2', '-W', '1', '-t', '1', '172.16.2.10');
    await expect(run).rejects.toThrow(/100% packet loss/);
  });

  it('says that a network is unreachable, until there is a route', async () => {
    await eventually('the router says so', async () => (await once(1, beyond)).includes('Host Unreachable'), 30_000);
    const refused = await controller.rest('POST', router, { destination: '192.168.30.0/24', gateway: '10.9.9.9' });
    expect(refused.status).toBe(400);
    const route = { destination: '192.168.30.0/24', gateway: '172.16.3.10' };
    expect((await controller.rest('POST', router, route)).body).toEqual({ route_id: 1 });
    await answers(1, beyond, 63);
    expect((await controller.rest('GET', router)).body).toEqual({
      address: [1, 2, 3].map((n) => ({ address_id: n, address: `172.16.${n}.1/24` })),
      route: [{ route_id: 1, ...route }],
    });
  });

  it('forgets a route', async () => {
    expect((await controller.rest('DELETE', router, { route_id: 1 })).status).toBe(200);
    await eventually('it is unreachable', async () => (await once(1, beyond)).includes('Host Unreachable'), 30_000);
    await answers(1, '172.16.2.10', 63);
  });

  it('makes no mistake on the way', () => {
    expect(controller.output).not.toMatch(/Traceback|EventOFPErrorMsg/);
  });
});
