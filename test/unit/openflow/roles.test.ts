import type { Outgoing } from 'node-openflow';
import { describe, expect, it } from 'vitest';
import { type RoleHolder, Roles } from '../../../src/openflow/roles.js';
import { flowMod, packetOut } from '../ofproto/bed.js';
import { ANY, EQUAL, flowStats, MASTER, NOCHANGE, nameOf, role, SLAVE, start } from './bed.js';

const NO_GENERATION = 0xffff_ffff_ffff_ffffn;

describe('generation ids (§6.3.6)', () => {
  const holder: RoleHolder = { role: 'equal', shortId: 0, demoted: () => {} };
  it.each([
    // first, then, accepted
    [5n, 5n, true],
    [5n, 6n, true],
    [5n, 4n, false],
    [0n, NO_GENERATION, false],
    // They wrap around: a distance of less than half the circle is forward.
    [NO_GENERATION, 0n, true],
    [NO_GENERATION - 1n, 3n, true],
    [1n, 1n + (1n << 63n) - 1n, true],
    [1n, 1n + (1n << 63n), false],
  ])('%s, then %s: %s', (first, then, accepted) => {
    const roles = new Roles();
    expect(roles.request(holder, MASTER!, first).ok).toBe(true);
    expect(roles.request(holder, SLAVE!, then).ok).toBe(accepted);
    expect(roles.generation).toBe(accepted ? then : first);
    expect(holder.role).toBe(accepted ? 'slave' : 'master');
  });

  it('are not looked at for EQUAL and NOCHANGE', () => {
    const roles = new Roles();
    expect(roles.generation).toBe(NO_GENERATION);
    roles.request(holder, MASTER!, 9n);
    expect(roles.request(holder, NOCHANGE!, 1n)).toEqual({ ok: true });
    expect(roles.request(holder, EQUAL!, 1n)).toEqual({ ok: true });
    expect(roles.generation).toBe(9n);
  });

  it('outlive the connection that brought them', async () => {
    const bed = await start();
    const first = await bed.controller();
    await first.ask(role(MASTER!, 7n));
    first.socket.destroy();
    const second = await bed.controller();
    expect(nameOf(await second.ask(role(MASTER!, 6n)))).toBe('OFPRRFC_STALE');
    expect(await second.ask(role(NOCHANGE!))).toMatchObject({ role: EQUAL, generationId: 7n });
  });
});

describe('roles of connections', () => {
  it('a master makes the one before it a slave, and leaves equals alone', async () => {
    const bed = await start();
    const [a, b, c] = [await bed.controller(), await bed.controller(), await bed.controller()];
    expect(await a.ask(role(NOCHANGE!))).toMatchObject({ role: EQUAL, generationId: NO_GENERATION });
    expect(await a.ask(role(MASTER!, 5n))).toMatchObject({ type: 'role_reply', role: MASTER, generationId: 5n });
    expect(await b.ask(role(MASTER!, 6n))).toMatchObject({ role: MASTER });
    expect(await a.ask(role(NOCHANGE!))).toMatchObject({ role: SLAVE, generationId: 6n });
    expect(await c.ask(role(NOCHANGE!))).toMatchObject({ role: EQUAL });
    expect(bed.channels.connections.map((connection) => connection.role)).toEqual(['slave', 'master', 'equal']);
    expect(nameOf(await a.ask(role(MASTER!, 4n)))).toBe('OFPRRFC_STALE');
    expect(nameOf(await a.ask(role(9, 7n)))).toBe('OFPRRFC_BAD_ROLE');
    expect(await a.ask(role(EQUAL!))).toMatchObject({ role: EQUAL });
    a.send(flowMod());
    await a.barrier();
    expect(a.messages).toEqual([]);
  });

  const hwAddr = new Uint8Array(6);
  const feature = { tableId: 0, name: 't', metadataMatch: 0n, metadataWrite: 0n, config: 0, maxEntries: 1 };
  const changes: readonly Outgoing[] = [
    flowMod(),
    packetOut(),
    { type: 'group_mod', command: 2, groupType: 0, groupId: 1, buckets: [] },
    { type: 'meter_mod', command: 2, flags: 1, meterId: 1, bands: [] },
    { type: 'port_mod', portNo: 1, hwAddr, config: 0, mask: 0, advertise: 0 },
    { type: 'table_mod', tableId: 0, config: 0 },
    {
      type: 'multipart_request',
      flags: 0,
      body: { type: 'table_features', entries: [{ ...feature, properties: [] }] },
    },
  ];
  it.each(changes.map((change) => [change.type, change] as const))('a slave may not: %s', async (_, change) => {
    const bed = await start();
    const slave = await bed.controller();
    await slave.ask(role(SLAVE!, 1n));
    expect(nameOf(await slave.ask(change))).toBe('OFPBRC_IS_SLAVE');
    await slave.barrier();
    expect(await slave.cookies()).toEqual([]);
  });

  const reads: readonly Outgoing[] = [
    flowStats,
    { type: 'features_request' },
    { type: 'get_config_request' },
    { type: 'get_async_request' },
    { type: 'queue_get_config_request', port: ANY },
    { type: 'multipart_request', flags: 0, body: { type: 'table_features', entries: [] } },
    { type: 'multipart_request', flags: 0, body: { type: 'port_desc' } },
  ];
  it.each(reads.map((read) => [read.type, read] as const))('a slave may: %s', async (type, read) => {
    const bed = await start();
    const slave = await bed.controller();
    await slave.ask(role(SLAVE!, 1n));
    expect(nameOf(await slave.ask(read))).toBe(type.replace('request', 'reply'));
  });

  it('a slave may say how much of a packet it wants, not what becomes of fragments; neither is refused', async () => {
    const bed = await start();
    const slave = await bed.controller();
    await slave.ask(role(SLAVE!, 1n));
    slave.send({ type: 'set_config', flags: 1, missSendLen: 7 });
    expect(await slave.ask({ type: 'get_config_request' })).toMatchObject({ flags: 0, missSendLen: 7 });
    expect(slave.messages).toEqual([]);
  });
});
