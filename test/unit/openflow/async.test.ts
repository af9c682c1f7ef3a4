/** What 1.4 and 1.5 tell that earlier versions do not, and what each may ask for. */
import type { Action, AsyncChanges, Message, Outgoing } from 'node-openflow';
import { encodeMessage } from 'node-openflow';
import { describe, expect, it } from 'vitest';
import { tcpFrame } from '../../differential/frames.js';
import { apply, flowMod, output, packetOut } from '../ofproto/bed.js';
import { CONTROLLER_PORT, MASTER, SLAVE, start } from './bed.js';
import { Client, errorOf } from './client.js';

const all = { versions: [1, 2, 3, 4, 5, 6] } as const;
const up: Action = output(CONTROLLER_PORT, 0xffff);
const setConfig = { type: 'set_config', flags: 0, missSendLen: 0xffff } as const;

describe('reasons of packet-ins (1.4.1 §7.4.1)', () => {
  const bucket = { weight: 0, watchPort: 0xffffffff, watchGroup: 0xffffffff, actions: [up] };
  const write = { type: 'write_actions', actions: [up] } as const;
  const ways: readonly [string, number, readonly Outgoing[], readonly Action[] | undefined][] = [
    ['a flow applies actions', 1, [flowMod({ priority: 1, instructions: [apply(up)] })], undefined],
    ['a table-miss flow', 0, [flowMod({ instructions: [apply(up)] })], undefined],
    ['the action set', 3, [flowMod({ priority: 1, instructions: [write] })], undefined],
    [
      'a bucket',
      4,
      [
        { type: 'group_mod', command: 0, groupType: 0, groupId: 1, buckets: [bucket] },
        flowMod({ priority: 1, instructions: [apply({ type: 'group', groupId: 1 })] }),
      ],
      undefined,
    ],
    ['a packet-out', 5, [], [up]],
    ['a packet-out through the tables', 1, [flowMod({ priority: 1, instructions: [apply(up)] })], [output(0xfffffff9)]],
  ];
  it.each(ways)('%s: %i, before 1.4 one kind of action', async (_, reason, flows, actions) => {
    const bed = await start(all);
    const told = await Promise.all([1, 3, 4, 5, 6].map((version) => Client.connect(bed, version)));
    const [ten, twelve, thirteen] = told;
    for (const each of told) {
      each.send(setConfig);
      await each.settle();
    }
    for (const flow of flows) await thirteen!.say(flow);
    if (actions === undefined) bed.inject(tcpFrame());
    else await thirteen!.say(packetOut({ actions, data: tcpFrame() }));
    const reasons: (number | undefined)[] = [];
    for (const each of told) {
      const [packet] = await each.settle();
      reasons.push(packet?.type === 'packet_in' ? packet.reason : undefined);
    }
    const action = reason > 2 ? 1 : reason;
    // 1.0 to 1.2 have no table-miss flows.
    expect(reasons).toEqual([reason === 0 ? 1 : action, reason === 0 ? 1 : action, action, reason, reason]);
    expect([ten!.version, twelve!.version]).toEqual([1, 3]);
  });

  it('each can be asked for alone', async () => {
    const bed = await start(all);
    const controller = await Client.connect(bed, 5);
    await controller.say({ type: 'set_async', packetInMask: [1 << 5, 0] });
    await controller.say(flowMod({ priority: 1, instructions: [apply(up)] }));
    bed.inject(tcpFrame());
    await controller.say(packetOut({ actions: [up], data: tcpFrame() }));
    expect(await controller.settle()).toMatchObject([{ type: 'packet_in', reason: 5 }]);
  });
});

describe.each([2, 3])('OFPC_INVALID_TTL_TO_CONTROLLER of wire version %i', (version) => {
  it('asks for packets whose time has run out, on this connection, and is told back', async () => {
    const bed = await start(all);
    const [asking, other] = [await Client.connect(bed, version), await Client.connect(bed, version)];
    asking.send({ type: 'set_config', flags: 4, missSendLen: 30 });
    other.send({ type: 'set_config', flags: 0, missSendLen: 20 });
    const config = async (client: Client) => (await client.say({ type: 'get_config_request' }))[0];
    expect(await config(asking)).toMatchObject({ flags: 4, missSendLen: 30 });
    expect(await config(other)).toMatchObject({ flags: 0, missSendLen: 20 });
    await asking.say(
      flowMod({ match: { eth_type: 0x0800 }, priority: 1, instructions: [apply({ type: 'dec_nw_ttl' })] }),
    );
    const frame = tcpFrame();
    frame[14 + 8] = 1;
    bed.inject(frame);
    const [packet, ...rest] = await asking.settle();
    expect(rest).toEqual([]);
    // 1.1 has no reason of its own for it.
    expect(packet).toMatchObject({ type: 'packet_in', reason: version === 2 ? 1 : 2 });
    expect((packet as { data: Uint8Array }).data).toHaveLength(30);
    expect(await other.settle()).toEqual([]);
    expect(await other.error({ type: 'set_config', flags: 8, missSendLen: 20 })).toBe('OFPSCFC_BAD_FLAGS');
  });
});

describe.each([5, 6])('OFPT_SET_ASYNC of wire version %i (1.4.1 §7.3.10)', (version) => {
  const set = (change: AsyncChanges): Outgoing => ({ type: 'set_async', ...change });

  it('changes what it names, and is told back', async () => {
    const controller = await Client.connect(await start(all), version);
    controller.send(setConfig);
    const masks = async () => (await controller.say({ type: 'get_async_request' }))[0];
    expect(await masks()).toMatchObject({ packetInMask: [0b111011, 0], flowRemovedMask: [0b111111, 0] });
    await controller.say(set({ portStatusMask: [undefined, 1], requestforwardMask: [3, undefined] }));
    expect(await masks()).toMatchObject({
      packetInMask: [0b111011, 0],
      portStatusMask: [7, 1],
      requestforwardMask: [3, 0],
    });
  });

  const wrong: readonly AsyncChanges[] = [
    { packetInMask: [1 << 6, undefined] },
    { portStatusMask: [undefined, 8] },
    { flowRemovedMask: [1 << 6, 0] },
    { roleStatusMask: [8, 0] },
    { tableStatusMask: [1, 0] },
    { requestforwardMask: [4, 0] },
  ];
  it.each(wrong.map((change) => [Object.keys(change)[0], change] as const))(
    '%s: no reason that there is',
    async (_, change) => {
      const controller = await Client.connect(await start(all), version);
      const before = await controller.say({ type: 'get_async_request' });
      expect(await controller.error(set({ ...change, portStatusMask: change.portStatusMask ?? [0, 0] }))).toBe(
        'OFPACFC_INVALID',
      );
      expect((await controller.say({ type: 'get_async_request' }))[0]).toEqual({
        ...before[0],
        xid: expect.any(Number),
      });
    },
  );

  it('properties that nobody knows are refused, and so are an experimenter’s and bad lengths', async () => {
    const controller = await Client.connect(await start(all), version);
    const bytes = (...property: number[]) =>
      Uint8Array.from([version, 28, 0, 8 + property.length, 0, 0, 0, 9, ...property]);
    const [unknown] = await controller.bytes(bytes(0, 77, 0, 8, 0, 0, 0, 1));
    expect(errorOf(unknown!)).toBe('OFPACFC_UNSUPPORTED');
    const [short] = await controller.bytes(bytes(0, 1, 0, 16, 0, 0, 0, 1));
    expect(errorOf(short!)).toBe('OFPBPC_BAD_LEN');
    const vendor = { type: 'experimenter_master', experimenter: 1, expType: 1, data: new Uint8Array(0) } as const;
    expect(await controller.error(set({ properties: [vendor] }))).toBe('OFPBPC_BAD_EXPERIMENTER');
  });
});

it.each([4])('1.3 does not look at bits that are no reasons', async (version) => {
  const controller = await Client.connect(await start(all), version);
  const masks = { packetInMask: [0xff, 0], portStatusMask: [0xff, 0], flowRemovedMask: [0xff, 0] } as const;
  expect(await controller.error({ type: 'set_async', ...masks })).toBeUndefined();
});

describe('forwarded requests (1.4.1 §7.4.6)', () => {
  const group: Outgoing = { type: 'group_mod', command: 0, groupType: 0, groupId: 6, buckets: [] };
  const meter: Outgoing = { type: 'meter_mod', command: 0, flags: 2, meterId: 3, bands: [] };

  it.each([5, 6])('wire version %i: others are told of groups and meters that are changed', async (version) => {
    const bed = await start(all);
    const [listener, silent] = [await Client.connect(bed, version), await Client.connect(bed, version)];
    const author = await Client.connect(bed, 4);
    for (const each of [listener, author]) await each.say({ type: 'role_request', role: 1, generationId: 0n });
    await listener.say({ type: 'set_async', requestforwardMask: [1, 0] });
    await author.say(group);
    await author.say(group);
    await author.say(meter);
    const [told, ...rest] = await listener.settle();
    expect(rest).toEqual([]);
    if (told?.type !== 'requestforward') throw new Error(told?.type);
    // In the listener's own version, with the author's xid.
    const inner = encodeMessage({ ...group, version, xid: told.request[7]! + told.request[6]! * 256 } as Message);
    expect(Buffer.compare(told.request, inner)).toBe(0);
    expect(await silent.settle()).toEqual([]);
    await listener.say({ type: 'set_async', requestforwardMask: [2, 0] });
    await author.say({ ...meter, command: 2 } as Outgoing);
    await listener.say({ ...group, groupId: 8 } as Outgoing);
    expect((await listener.settle()).map(({ type }) => type)).toEqual(['requestforward']);
  });
});

describe('roles in every version', () => {
  it.each([3, 4, 5, 6])('wire version %i: generations are kept across versions', async (version) => {
    const bed = await start(all);
    const [a, b] = [await Client.connect(bed, version), await Client.connect(bed, 4)];
    const ask = (client: Client, role: number, generationId: bigint) =>
      client.say({ type: 'role_request', role, generationId });
    expect((await ask(a, MASTER!, 5n))[0]).toMatchObject({ type: 'role_reply', role: MASTER, generationId: 5n });
    expect(errorOf((await ask(b, MASTER!, 4n))[0]!)).toBe('OFPRRFC_STALE');
    expect((await ask(b, MASTER!, 6n))[0]).toMatchObject({ role: MASTER });
    const told = await a.settle();
    expect(told).toMatchObject(version < 5 ? [] : [{ type: 'role_status', role: SLAVE, reason: 0, generationId: 6n }]);
    expect(told).toHaveLength(version < 5 ? 0 : 1);
    expect(errorOf((await ask(a, 7, 9n))[0]!)).toBe('OFPRRFC_BAD_ROLE');
    expect((await ask(a, 0, 0n))[0]).toMatchObject({ role: SLAVE, generationId: 6n });
  });

  it('1.5 numbers controllers, one number for one', async () => {
    const bed = await start(all);
    const [a, b] = [await Client.connect(bed, 6), await Client.connect(bed, 6)];
    const ask = async (client: Client, shortId: number) =>
      (await client.say({ type: 'role_request', role: 0, generationId: 0n, shortId }))[0]!;
    expect(await ask(a, 0)).toMatchObject({ shortId: 0 });
    expect(await ask(a, 11)).toMatchObject({ type: 'role_reply', shortId: 11 });
    expect(errorOf(await ask(b, 11))).toBe('OFPRRFC_ID_IN_USE');
    expect(await ask(a, 0)).toMatchObject({ shortId: 11 });
    await a.session.close();
    await expect.poll(async () => (await ask(b, 11)).type).toBe('role_reply');
  });
});

describe('controller status (1.5.1 §7.4.7)', () => {
  it('lists all controllers, and tells those who asked of what becomes of the others', async () => {
    const bed = await start(all);
    const [a, b] = [await Client.connect(bed, 6), await Client.connect(bed, 4)];
    await a.say({ type: 'role_request', role: 0, generationId: 0n, shortId: 9 });
    await a.say({ type: 'set_async', controllerStatusMask: [0x7f, 0x7f] });
    expect(await a.stats({ type: 'controller_status' })).toMatchObject({
      entries: [
        {
          shortId: 9,
          role: 1,
          reason: 0,
          channelStatus: 0,
          properties: [{ type: 'uri', uri: expect.stringMatching(/^ptcp:/) }],
        },
        { shortId: 0, role: 1, channelStatus: 0 },
      ],
    });
    await b.say({ type: 'role_request', role: MASTER!, generationId: 1n });
    const c = await Client.connect(bed, 5);
    await c.settle();
    await c.session.close();
    await expect
      .poll(async () => {
        a.events.push(...(await a.settle()));
        return a.events.length;
      })
      .toBe(3);
    const told = a.events.flatMap((event) => (event.type === 'controller_status' ? [event.status] : []));
    // Role, added, removed.
    expect(told.map(({ reason, role, channelStatus }) => [reason, role, channelStatus])).toEqual([
      [2, MASTER, 0],
      [3, 1, 0],
      [4, 1, 1],
    ]);
    await expect((await Client.connect(bed, 5)).stats({ type: 'controller_status' })).rejects.toThrow();
  });
});

describe('packet-outs of 1.5 (1.5.1 §7.3.6)', () => {
  it('bring pipeline fields along, through the tables too', async () => {
    const bed = await start(all);
    const controller = await Client.connect(bed, 6);
    controller.send(setConfig);
    const metadata = { field: 'metadata', value: Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 5) } as const;
    await controller.say(flowMod({ cookie: 5n, priority: 1, match: { metadata: 5n }, instructions: [apply(up)] }));
    const out = (match: readonly object[], actions: readonly Action[]) =>
      controller.say({ ...packetOut({ actions, data: tcpFrame() }), match } as unknown as Outgoing);
    await out([metadata], [output(0xfffffff9)]);
    await out([metadata], [up]);
    await out([], [output(0xfffffff9)]);
    expect(await controller.settle()).toMatchObject([
      { type: 'packet_in', cookie: 5n, match: [{ field: 'in_port' }, metadata] },
      { type: 'packet_in', cookie: 0xffffffffffffffffn, match: [{ field: 'in_port' }, metadata] },
    ]);
    const [refused] = await out([{ field: 'eth_type', value: Uint8Array.of(8, 0) }], [up]);
    expect(errorOf(refused!)).toBe('OFPBRC_PIPELINE_FIELDS_ONLY');
    const masked = { ...metadata, mask: new Uint8Array(8).fill(0xff) };
    expect(errorOf((await out([masked], [up]))[0]!)).toBe('OFPBMC_BAD_MASK');
  });
});
