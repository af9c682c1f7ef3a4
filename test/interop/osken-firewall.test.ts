/** A REST firewall: its rules decide what real stacks can send each other. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Listener, sendDatagrams } from '../lab/datagrams.js';
import { Osken } from '../lab/osken.js';
import { eventually } from '../lab/process.js';
import { TestSwitch } from '../lab/switch.js';
import { ping } from '../lab/traffic.js';

const dpid = '0000000000000001';

// Long enough for a machine that does other things at the same time.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

describe('a REST firewall', () => {
  let controller: Osken;
  let xvif: TestSwitch;
  let a: Awaited<ReturnType<TestSwitch['tapGuest']>>;
  let b: typeof a;
  let c: typeof a;

  beforeAll(async () => {
    controller = await Osken.start('firewall');
    xvif = await TestSwitch.start({ args: ['--controller', controller.target, '--datapath-id', '1'] });
    [a, b, c] = [await xvif.tapGuest(1), await xvif.tapGuest(2), await xvif.tapGuest(3)];
    await eventually(
      'it has its flows',
      async () => (await xvif.ofctl('dump-flows')).includes('priority=65534,arp'),
      60_000,
    );
  });

  afterAll(async () => {
    await xvif?.stop();
    await controller?.stop();
  });

  async function rule(body: Record<string, unknown>): Promise<number> {
    const answer = await controller.rest('POST', `/firewall/rules/${dpid}`, body);
    expect(answer.status, JSON.stringify(answer.body)).toBe(200);
    return answer.body.rule_id;
  }

  const reaches = (from: typeof a, to: typeof a) =>
    eventually(`${from.name} to ${to.name}`, async () => (await ping(from.netns, to.ipv4, 1)) === 1, 30_000);

  it('lets nothing through before it is enabled, and then nothing without a rule', async () => {
    await rule({ nw_src: `${a.ipv4}/32`, nw_dst: `${b.ipv4}/32`, nw_proto: 'ICMP' });
    await rule({ nw_src: `${b.ipv4}/32`, nw_dst: `${a.ipv4}/32`, nw_proto: 'ICMP' });
    expect(await ping(a.netns, b.ipv4, 2)).toBe(0);
    expect((await controller.rest('PUT', `/firewall/module/enable/${dpid}`)).status).toBe(200);
    await reaches(a, b);
    expect(await ping(b.netns, a.ipv4, 5)).toBe(5);
    expect(await ping(a.netns, c.ipv4, 2)).toBe(0);
    expect(await ping(c.netns, b.ipv4, 2)).toBe(0);
  });

  it('shows what it blocked', async () => {
    await eventually('the packet is told', async () =>
      controller.output.includes(`blocked: ${a.ipv4} to ${c.ipv4}, protocol 1`),
    );
    expect(controller.output).not.toContain(`blocked: ${a.ipv4} to ${b.ipv4}, protocol 1`);
  });

  it('tells protocols and ports apart', async () => {
    const [open, shut] = [await Listener.udp(b.netns, 5001), await Listener.udp(b.netns, 5002)];
    try {
      await rule({ nw_dst: `${b.ipv4}/32`, nw_proto: 'UDP' });
      await rule({ nw_dst: `${b.ipv4}/32`, nw_proto: 'UDP', tp_dst: 5002, actions: 'DENY', priority: 10 });
      await eventually('a datagram passes', async () => {
        await sendDatagrams(a.netns, a.ipv4, b.ipv4, 5001, 1);
        return open.heard.length > 0;
      });
      const before = open.heard.length;
      await sendDatagrams(a.netns, a.ipv4, b.ipv4, 5002, 5);
      await sendDatagrams(a.netns, a.ipv4, b.ipv4, 5001, 5);
      await eventually('the datagrams that may pass', async () => open.heard.length === before + 5);
      expect(shut.heard).toEqual([]);
    } finally {
      await open.stop();
      await shut.stop();
    }
  });

  it('lists its rules with what passed by them', async () => {
    const rules = await eventually('the rules', async () => {
      const { body } = await controller.rest('GET', `/firewall/rules/${dpid}`);
      return body.length === 4 && body[0].packets !== null && body;
    });
    expect(rules[0]).toMatchObject({ rule_id: 1, nw_src: `${a.ipv4}/32`, nw_proto: 'ICMP' });
    expect(rules[0].packets).toBeGreaterThanOrEqual(6);
    expect(rules[3]).toMatchObject({ rule_id: 4, actions: 'DENY', packets: 5 });
  });

  it('forgets a rule, and is shut again when it is disabled', async () => {
    expect((await controller.rest('DELETE', `/firewall/rules/${dpid}`, { rule_id: 1 })).status).toBe(200);
    await eventually('no ping', async () => (await ping(a.netns, b.ipv4, 1)) === 0, 30_000);
    const again = await controller.rest('DELETE', `/firewall/rules/${dpid}`, { rule_id: 1 });
    expect(again).toEqual({ status: 400, body: { refused: 'there is no rule 1' } });
    await rule({ nw_proto: 'ICMP' });
    await reaches(a, c);
    expect((await controller.rest('PUT', `/firewall/module/disable/${dpid}`)).status).toBe(200);
    await eventually('no ping', async () => (await ping(a.netns, c.ipv4, 1)) === 0, 30_000);
  });

  it('makes no mistake on the way', () => {
    expect(controller.output).not.toMatch(/Traceback|EventOFPErrorMsg|Unknown/);
  });
});
