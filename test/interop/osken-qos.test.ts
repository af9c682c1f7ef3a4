/** Quality of service over REST: marks are on the packets that arrive, meters hold what is too much. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Listener, sendDatagrams } from '../lab/datagrams.js';
import { Osken } from '../lab/osken.js';
import { eventually } from '../lab/process.js';
import { TestSwitch } from '../lab/switch.js';
import { iperf3, ping } from '../lab/traffic.js';

const dpid = '0000000000000001';
const PORT = 5001;

// Long enough for a machine that does other things at the same time.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

describe('REST QoS', () => {
  let controller: Osken;
  let xvif: TestSwitch;
  let a: Awaited<ReturnType<TestSwitch['tapGuest']>>;
  let b: typeof a;

  beforeAll(async () => {
    controller = await Osken.start('qos');
    xvif = await TestSwitch.start({ args: ['--controller', controller.target, '--datapath-id', '1'] });
    [a, b] = [await xvif.tapGuest(1), await xvif.tapGuest(2)];
    await eventually('a ping', async () => (await ping(a.netns, b.ipv4, 1)) === 1, 60_000);
  });

  afterAll(async () => {
    await xvif?.stop();
    await controller?.stop();
  });

  async function post(what: string, body: unknown): Promise<Record<string, number>> {
    const answer = await controller.rest('POST', `/qos/${what}/${dpid}`, body);
    expect(answer.status, JSON.stringify(answer.body)).toBe(200);
    return answer.body;
  }

  const udp = (port: number) => ({ nw_dst: b.ipv4, nw_proto: 'UDP', tp_dst: port });

  /** The marks with which `count` datagrams sent with `dscp` arrive; all of them have to. */
  async function marks(count: number, dscp = 0): Promise<number[]> {
    const listener = await Listener.udp(b.netns, PORT);
    try {
      await sendDatagrams(a.netns, a.ipv4, b.ipv4, PORT, count, dscp);
      await eventually('the datagrams', async () => listener.heard.length >= count);
      return listener.heard.map((line) => Number(/dscp=(\d+)/.exec(line)?.[1]));
    } finally {
      await listener.stop();
    }
  }

  it('marks', async () => {
    expect(await marks(3)).toEqual([0, 0, 0]);
    const { qos_id } = await post('rules', { match: udp(PORT), actions: { mark: '26' } });
    await eventually('the first mark', async () => (await marks(1))[0] === 26);
    expect(await marks(3)).toEqual([26, 26, 26]);
    const { body } = await controller.rest('GET', `/qos/rules/${dpid}`);
    expect(body).toEqual([{ qos_id, match: udp(PORT), actions: { mark: '26' } }]);
    expect((await controller.rest('DELETE', `/qos/rules/${dpid}`, { qos_id })).status).toBe(200);
    await eventually('no mark', async () => (await marks(1))[0] === 0);
  });

  it('marks down what goes over a rate', async () => {
    const bands = [{ type: 'DSCP_REMARK', rate: 1, burst_size: 1, prec_level: 1 }];
    await post('meter', { meter_id: 1, flags: ['PKTPS', 'BURST'], bands });
    await post('rules', { match: udp(PORT), actions: { meter: '1' } });
    // One level of drop precedence more than AF31 is AF32 (RFC 2597).
    await eventually('a mark of AF32', async () => (await marks(20, 26)).includes(28), 30_000);
    expect([...new Set(await marks(20, 26))].filter((mark) => mark !== 26 && mark !== 28)).toEqual([]);
  });

  it('holds a stream to a rate, and only that one', async () => {
    await post('meter', { meter_id: 2, flags: ['KBPS'], bands: [{ type: 'DROP', rate: 1000 }] });
    await post('rules', { match: udp(5201), actions: { meter: '2' } });
    await eventually('the meter is there', async () => {
      const { body } = await controller.rest('GET', `/qos/meter/${dpid}`);
      return body.length === 2;
    });
    const held = await iperf3(a.netns, b.netns, b.ipv4, '-u', '-b', '10M', '-l', '1200', '-t', '3');
    expect(held.lostPercent).toBeGreaterThan(60);
    expect(held.lostPercent).toBeLessThan(100);
    expect(await ping(a.netns, b.ipv4, 5)).toBe(5);
  });

  it('makes no mistake on the way', () => {
    expect(controller.output).not.toMatch(/Traceback|EventOFPErrorMsg|Unknown/);
  });
});
