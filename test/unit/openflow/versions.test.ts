import { connect } from 'node:net';
import { Session } from 'node-openflow';
import { describe, expect, it } from 'vitest';
import { parseActive } from '../../../src/openflow/index.js';
import { start, until } from './bed.js';

const frame = new Uint8Array(60);

describe.each([1, 2, 3, 4, 5, 6])('wire version %i', (version) => {
  it('is agreed on, and hears of packets without a flow if it is older than 1.3', async () => {
    const bed = await start({ versions: [1, 2, 3, 4, 5, 6] });
    const target = parseActive(bed.address) as { host: string; port: number };
    const session = new Session(connect(target.port, target.host), { versions: [version] });
    expect(await session.ready).toBe(version);
    expect(await session.request({ type: 'features_request' })).toMatchObject({ datapathId: 1n, version });
    const config = { flags: 0, missSendLen: 40 };
    session.send({ type: 'set_config', ...config });
    expect(await session.request({ type: 'get_config_request' })).toMatchObject(config);
    await session.barrier();
    bed.inject(frame);
    const next = session[Symbol.asyncIterator]().next();
    if (version <= 3) {
      expect((await next).value).toMatchObject({
        type: 'packet_in',
        reason: 0,
        totalLen: 60,
        data: frame.subarray(0, 40),
      });
    } else {
      session.send({
        type: 'packet_out',
        bufferId: 0xffffffff,
        inPort: 0xfffffffd,
        actions: [],
        data: new Uint8Array(5),
      });
      expect((await next).value).toMatchObject({ type: 'error', errorType: 1 });
    }
    await session.close();
    await until(() => bed.channels.connections.length === 0);
  });

  it('whoever connects hears of nothing before it asks', async () => {
    const bed = await start({ versions: [version] });
    const target = parseActive(bed.address) as { host: string; port: number };
    const session = new Session(connect(target.port, target.host), { versions: [version] });
    await session.ready;
    await session.barrier();
    bed.inject(frame);
    bed.ofproto.portRemoved(2);
    session.send({
      type: 'packet_out',
      bufferId: 0xffffffff,
      inPort: 0xfffffffd,
      actions: [],
      data: new Uint8Array(5),
    });
    const { value } = await session[Symbol.asyncIterator]().next();
    expect(value).toMatchObject({ type: 'error' });
    await session.close();
  });
});

describe.each([4, 5, 6])('role status of wire version %i (§7.4.4)', (version) => {
  it('tells a master that another has become it', async () => {
    const bed = await start({ versions: [version] });
    const target = parseActive(bed.address) as { host: string; port: number };
    const [first, second] = [0, 1].map(() => new Session(connect(target.port, target.host), { versions: [version] }));
    await Promise.all([first!.ready, second!.ready]);
    const role = { type: 'role_request', role: 2, generationId: 7n } as const;
    await first!.request(role);
    await first!.request(role);
    await second!.request({ ...role, generationId: 8n });
    first!.send({ type: 'packet_out', bufferId: 0xffffffff, inPort: 1, actions: [], data: frame });
    const { value } = await first![Symbol.asyncIterator]().next();
    const told = { type: 'role_status', role: 3, reason: 0, generationId: 8n };
    expect(value).toMatchObject(version === 4 ? { type: 'error', errorType: 1, errorCode: 10 } : told);
    await Promise.all([first!.close(), second!.close()]);
  });
});
