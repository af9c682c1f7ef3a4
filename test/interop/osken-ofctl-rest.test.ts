/**
 * os-ken's ofctl libraries over REST, in each version: flows, groups, meters and ports are set up and read back by
 * programs that speak JSON, and real stacks notice.
 */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Osken } from '../lab/osken.js';
import { eventually } from '../lab/process.js';
import { TestSwitch } from '../lab/switch.js';
import { ping } from '../lab/traffic.js';

type Json = Record<string, unknown>;
const NO_FWD = 0x20;

// Long enough for a machine that does other things at the same time.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

describe.each(['1.0', '1.2', '1.3', '1.4', '1.5'])('OpenFlow %s over REST', (version) => {
  let controller: Osken;
  let xvif: TestSwitch;
  let a: Awaited<ReturnType<TestSwitch['tapGuest']>>;
  let b: typeof a;
  const atLeast = (other: string) => version >= other;

  beforeAll(async () => {
    controller = await Osken.start('ofctl_rest', { OFP_VERSION: version });
    xvif = await TestSwitch.start({ args: ['--controller', controller.target, '--datapath-id', '1'] });
    [a, b] = [await xvif.tapGuest(1), await xvif.tapGuest(2)];
    await eventually(
      'the switch is connected',
      async () => (await controller.rest('GET', '/stats/switches')).body[0] === 1,
      60_000,
    );
  });

  afterAll(async () => {
    await xvif?.stop();
    await controller?.stop();
  });

  /** Answers come late on a busy machine, and the library waits for one second only. */
  async function read(what: string): Promise<Json[]> {
    return eventually(what, async () => {
      const { status, body } = await controller.rest('GET', `/stats/${what}/1`);
      expect(status, JSON.stringify(body)).toBe(200);
      return [body].flat().length > 0 && Object.keys([body].flat()[0]).length > 0 && [body].flat();
    });
  }

  async function write(thing: string, command: string, body: Json): Promise<void> {
    const answer = await controller.rest('POST', `/stats/${thing}/${command}`, { dpid: 1, ...body });
    expect(answer.status, JSON.stringify(answer.body)).toBe(200);
  }

  /** A flow, as the library of each version wants it. */
  function flow(match: Json, actions: Json[], rest: Json = {}): Json {
    const does = atLeast('1.4') ? { instructions: [{ type: 'APPLY_ACTIONS', actions }] } : { actions };
    return { priority: 10, match, ...does, ...rest };
  }

  const output = (port: number) => ({ type: 'OUTPUT', port });
  const reaches = () => eventually('a ping', async () => (await ping(a.netns, b.ipv4, 1)) === 1, 30_000);
  const isCut = () => eventually('no ping', async () => (await ping(a.netns, b.ipv4, 1)) === 0, 60_000);

  async function connectGuests(): Promise<void> {
    await write('flowentry', 'add', flow({ in_port: 1 }, [output(2)]));
    await write('flowentry', 'add', flow({ in_port: 2 }, [output(1)]));
    await reaches();
  }

  it('says what it is', async () => {
    const [desc] = await read('desc');
    expect(Object.keys(desc!)).toEqual(
      expect.arrayContaining(['mfr_desc', 'hw_desc', 'sw_desc', 'serial_num', 'dp_desc']),
    );
    expect(desc!.mfr_desc).not.toBe('');
    const ports = await read('portdesc');
    expect(ports.map(({ name }) => name)).toEqual(expect.arrayContaining(['xvif1i0', 'xvif2i0']));
    const tables = await read('table');
    expect(tables[0]).toMatchObject({ table_id: 0, active_count: 0 });
  });

  it('carries what flows let through, and counts it', async () => {
    await connectGuests();
    expect(await ping(a.netns, b.ipv4, 20)).toBe(20);
    const flows = await read('flow');
    expect(flows).toHaveLength(2);
    for (const one of flows) expect(one).toMatchObject({ priority: 10, table_id: 0 });
    const [sums] = await read('aggregateflow');
    expect(JSON.stringify(sums)).toMatch(/"flow_count":\s*2/);
    const port = (await read('port')).find(({ port_no }) => port_no === 1);
    expect(port!.rx_packets).toBeGreaterThan(20);
    expect(port!.tx_packets).toBeGreaterThan(20);
    const [table] = await read('table');
    expect(table).toMatchObject({ active_count: 2 });
    expect(table!.matched_count).toBeGreaterThan(40);
  });

  it('obeys a flow of higher priority until it is deleted', async () => {
    const drop = flow({ dl_type: 0x0800, nw_dst: `${b.ipv4}/32`, nw_proto: 1 }, [], { priority: 20 });
    await write('flowentry', 'add', drop);
    await isCut();
    await write('flowentry', 'delete_strict', drop);
    await reaches();
  });

  it('modifies a flow', async () => {
    await write('flowentry', 'modify_strict', flow({ in_port: 1 }, []));
    await isCut();
    await write('flowentry', 'modify_strict', flow({ in_port: 1 }, [output(2)]));
    await reaches();
  });

  it('stops forwarding to a port that is told to', async () => {
    const config = { port_no: 2, mask: NO_FWD };
    await write('portdesc', 'modify', { ...config, config: NO_FWD });
    await isCut();
    await write('portdesc', 'modify', { ...config, config: 0 });
    await reaches();
  });

  if (atLeast('1.2'))
    it('sends through a group', async () => {
      const bucket = { weight: 0, actions: [output(2)] };
      await write('groupentry', 'add', { type: 'INDIRECT', group_id: 7, buckets: [bucket] });
      await write('flowentry', 'add', flow({ in_port: 1 }, [{ type: 'GROUP', group_id: 7 }]));
      await reaches();
      expect((await read('groupdesc'))[0]).toMatchObject({ type: 'INDIRECT', group_id: 7 });
      const [stats] = await read('group');
      expect(stats).toMatchObject({ group_id: 7, ref_count: 1 });
      expect(stats!.packet_count).toBeGreaterThan(0);
      await write('groupentry', 'delete', { type: 'INDIRECT', group_id: 7 });
      // Flows go with the group that they send to.
      await isCut();
      await connectGuests();
    });

  if (atLeast('1.3'))
    it('holds traffic to a meter', async () => {
      const bands = [{ type: 'DROP', rate: 1, burst_size: 1 }];
      await write('meterentry', 'add', { meter_id: 3, flags: ['PKTPS', 'BURST', 'STATS'], bands });
      const meter = { type: 'METER', meter_id: 3 };
      const metered = atLeast('1.5') ? [meter, output(2)] : [output(2)];
      const body = flow({ in_port: 1 }, metered);
      if (version === '1.3') (body.actions as Json[]).unshift(meter);
      if (version === '1.4') (body.instructions as Json[]).unshift(meter);
      await write('flowentry', 'add', body);
      await eventually('pings are lost', async () => (await ping(a.netns, b.ipv4, 20)) < 15, 60_000);
      const [stats] = await read('meter');
      expect(stats).toMatchObject({ meter_id: 3 });
      expect(JSON.stringify(stats)).toMatch(/"packet_band_count":\s*[1-9]/);
      const [config] = await read(atLeast('1.5') ? 'meterdesc' : 'meterconfig');
      expect(config).toMatchObject({ meter_id: 3, bands: [{ type: 'DROP', rate: 1, burst_size: 1 }] });
      await write('meterentry', 'delete', { meter_id: 3 });
      await connectGuests();
    });

  it('forgets all flows', async () => {
    await write('flowentry', 'delete', { match: {}, priority: 0 });
    await isCut();
    const [sums] = await read('aggregateflow');
    expect(JSON.stringify(sums)).toMatch(/"flow_count":\s*0/);
  });

  it('sends no error', () => {
    expect(controller.output).not.toMatch(/Traceback|EventOFPErrorMsg|Unknown/);
  });
});
