/** Nicira's messages, as ovs-ofctl and OVN use them (nicira-ext.h of Open vSwitch). */
import { type Action, type Match, type Message, type MessageOf, nicira, type Outgoing, oxm } from 'node-openflow';
import { describe, expect, it } from 'vitest';
import { tcpFrame } from '../../differential/frames.js';
import { apply, flowMod, output, packetOut } from '../ofproto/bed.js';
import { type Bed, CONTROLLER_PORT, MASTER, start } from './bed.js';
import { Client, errorOf } from './client.js';

const { NXFF, NXPIF, NXTTMC } = nicira;
const KEEP = 0xffffffffffffffffn;
const [ADD, MODIFY, DELETE] = [0, 1, 3];
const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(/\s/g, ''), 'hex'));
const isType =
  <T extends Message['type']>(type: T) =>
  (message: Message): message is MessageOf<T> =>
    message.type === type;

interface Spec {
  readonly command?: number;
  readonly cookie?: bigint;
  readonly match?: Match;
  readonly actions?: readonly Action[];
  readonly flags?: number;
}
const nxFlowMod = ({ command = ADD!, cookie = 0n, match = [], actions = [], flags = 0 }: Spec = {}): Outgoing => ({
  type: 'nx_flow_mod',
  ...{ cookie, command, idleTimeout: 0, hardTimeout: 0, priority: 1, bufferId: 0xffffffff, outPort: 0xffff, flags },
  ...{ match, actions },
});
const toPort = (port: number, maxLen = 0): Action => ({ type: 'output', port, maxLen });

async function client(version = 1, bed?: Bed): Promise<Client> {
  return Client.connect(bed ?? (await start({ versions: [1, 2, 3, 4, 5, 6] })), version);
}
async function nxFlows(controller: Client, match: Match = [], tableId = 0xff) {
  const body = await controller.stats({ type: 'nx_flow', outPort: 0xffff, tableId, match });
  if (body.type !== 'nx_flow' || !('entries' in body)) throw new Error(body.type);
  return body.entries;
}

describe('NXT_FLOW_MOD and NXST_FLOW', () => {
  it('byte for byte', async () => {
    const controller = await client();
    // An add, priority 9, cookie 0x11: NXM_NX_REG0 = 5, NXM_OF_ETH_TYPE = ARP; output to port 2.
    const add = hex(`01 04 0048 00000001 00002320 0000000d
      0000000000000011 0000 0000 0000 0009 ffffffff ffff 0000 000e 000000000000
      00010004 00000005 00000602 0806 0000
      0000 0008 0002 0000`);
    // NXST_FLOW of all tables, and of all ports.
    const dump = hex('01 10 0020 00000002 ffff 0000 00002320 00000000 00000000 ffff 0000 ff 000000');
    const [reply, ...rest] = await controller.bytes(add, dump);
    expect(rest).toEqual([]);
    expect(reply).toMatchObject({
      type: 'multipart_reply',
      body: {
        type: 'nx_flow',
        entries: [{ tableId: 0, priority: 9, cookie: 0x11n, idleAge: 1, hardAge: 1, actions: [toPort(2)] }],
      },
    });
    const [flow] = await nxFlows(controller);
    expect(flow!.match).toEqual([oxm('nxm_of_eth_type', 0x0806), oxm('reg0', 5)]);
  });

  it.each([2, 4, 6])('in wire version %i has a table and instructions', async (version) => {
    const controller = await client(version);
    const instructions = [
      { type: 'apply_actions', actions: [toPort(2)] },
      { type: 'goto_table', tableId: 9 },
    ] as const;
    const mod = { ...nxFlowMod({ command: (5 << 8) | ADD!, cookie: 7n }), instructions } as Outgoing;
    expect(await controller.error(mod)).toBeUndefined();
    const any = { tableId: 0xff, outPort: 0xffffffff, outGroup: 0xffffffff, cookie: 0n, cookieMask: 0n, match: [] };
    const body = await controller.stats({ type: 'flow', ...any });
    expect(body).toMatchObject({ entries: [{ tableId: 5, cookie: 7n, priority: 1, instructions }] });
  });

  it('fields and actions come back in words that 1.0 has', async () => {
    const controller = await client();
    const match = [
      oxm('nxm_of_in_port', 1),
      oxm('nxm_of_eth_type', 0x0800),
      oxm('vlan_tci', '0x1005/0x1fff'),
      oxm('ip_tos', 0x20),
    ];
    const actions: Action[] = [
      { type: 'nx_dec_ttl' },
      { type: 'nx_reg_load', destination: { field: 'reg1', offset: 0, bits: 32 }, value: 7n },
      { type: 'set_field', oxm: oxm('eth_src', '02:00:00:00:00:09') as never },
      { type: 'nx_resubmit_table', inPort: 0xfff8, tableId: 3 },
    ];
    expect(await controller.error(nxFlowMod({ match, actions }))).toBeUndefined();
    expect(await nxFlows(controller)).toMatchObject([{ match, actions }]);
  });

  it('a flow of 1.3 that has an instruction which is no action is left out, goto and metadata are actions', async () => {
    const bed = await start({ versions: [1, 4] });
    const [old, newer] = [await client(1, bed), await client(4, bed)];
    const metadata = { type: 'write_metadata', metadata: 5n, metadataMask: 0xffn } as const;
    await newer.say(flowMod({ priority: 1, instructions: [metadata, { type: 'goto_table', tableId: 4 }] }));
    await newer.say(flowMod({ priority: 2, instructions: [{ type: 'clear_actions' }] }));
    expect(await nxFlows(old)).toMatchObject([
      {
        actions: [
          { type: 'nx_write_metadata', metadata: 5n, metadataMask: 0xffn },
          { type: 'nx_resubmit_table', inPort: 0xfff8, tableId: 4 },
        ],
      },
    ]);
  });

  it('tables are named in the command once NXT_FLOW_MOD_TABLE_ID says so, in flow_mods of 1.0 too', async () => {
    const controller = await client();
    expect(await controller.error(nxFlowMod({ command: 0x300 }))).toBe('OFPFMFC_BAD_COMMAND');
    await controller.say({ type: 'nx_flow_mod_table_id', enabled: true });
    await controller.say(nxFlowMod({ command: 0x300, cookie: 1n }));
    await controller.say(flowMod({ command: 0x500, cookie: 2n, instructions: [apply(output(1))] }));
    await controller.say(nxFlowMod({ command: 0xff00, cookie: 3n }));
    const tables = async () => (await nxFlows(controller)).map(({ tableId, cookie }) => [tableId, cookie]);
    expect(await tables()).toEqual([
      [0, 3n],
      [3, 1n],
      [5, 2n],
    ]);
    expect(await nxFlows(controller, [], 3)).toHaveLength(1);
    await controller.say(nxFlowMod({ command: 0x300 + DELETE! }));
    expect(await tables()).toEqual([
      [0, 3n],
      [5, 2n],
    ]);
    await controller.say(nxFlowMod({ command: 0xff00 + DELETE! }));
    expect(await tables()).toEqual([]);
    await controller.say({ type: 'nx_flow_mod_table_id', enabled: false });
    await controller.say(nxFlowMod());
    expect(await tables()).toEqual([[0, 0n]]);
  });

  it('a modify without a table reaches every table, and one that finds nothing adds', async () => {
    const controller = await client();
    await controller.say({ type: 'nx_flow_mod_table_id', enabled: true });
    for (const table of [0, 3, 9]) await controller.say(nxFlowMod({ command: table << 8, cookie: BigInt(table) }));
    await controller.say({ type: 'nx_flow_mod_table_id', enabled: false });
    await controller.say(nxFlowMod({ command: MODIFY!, cookie: KEEP, actions: [toPort(2)] }));
    expect((await nxFlows(controller)).map(({ cookie, actions }) => [cookie, actions])).toEqual(
      [0n, 3n, 9n].map((cookie) => [cookie, [toPort(2)]]),
    );
    await controller.say(nxFlowMod({ command: DELETE! }));
    await controller.say(nxFlowMod({ command: MODIFY!, cookie: 4n, actions: [toPort(1)] }));
    expect(await nxFlows(controller)).toMatchObject([{ tableId: 0, cookie: 4n, actions: [toPort(1)] }]);
    const wrong = nxFlowMod({ command: MODIFY!, cookie: KEEP, actions: [{ type: 'nx_group', groupId: 5 }] });
    expect((await controller.say(wrong)).map(errorOf)).toEqual(['vendor 2/9']);
  });

  it('cookies: matched, given anew by a modify, and not to be matched by an add', async () => {
    const controller = await client();
    const cookies = async (match: Match = []) => (await nxFlows(controller, match)).map(({ cookie }) => cookie);
    await controller.say(nxFlowMod({ cookie: 0x15n, match: [oxm('reg0', 1)] }));
    await controller.say(nxFlowMod({ cookie: 0x26n, match: [oxm('reg0', 2)] }));
    expect(await cookies([nicira.cookieField(0x20n, 0xf0n)])).toEqual([0x26n]);
    await controller.say(nxFlowMod({ command: MODIFY!, cookie: 0x37n, match: [oxm('reg0', 1)] }));
    expect(await cookies()).toEqual([0x37n, 0x26n]);
    await controller.say(nxFlowMod({ command: DELETE!, match: [nicira.cookieField(0x37n)] }));
    expect(await cookies()).toEqual([0x26n]);
    expect(await controller.error(nxFlowMod({ match: [nicira.cookieField(1n)] }))).toBe('NXBRC_NXM_INVALID');
    const sums = await controller.stats({
      type: 'nx_aggregate',
      outPort: 0xffff,
      tableId: 0xff,
      match: [nicira.cookieField(0x26n)],
    });
    expect(sums).toMatchObject({ type: 'nx_aggregate', flowCount: 1 });
  });

  it('flags that 1.0 does not have are refused, and so is an emergency flow', async () => {
    const controller = await client();
    expect(await controller.error(nxFlowMod({ flags: 8 }))).toBe('vendor 3/258');
    expect(await controller.error(nxFlowMod({ flags: 4 }))).toBe('OFPFMFC_ALL_TABLES_FULL');
  });
});

describe('NXT_SET_FLOW_FORMAT', () => {
  it('decides in which message a removed flow is told of', async () => {
    const controller = await client();
    controller.send({ type: 'set_config', flags: 0, missSendLen: 128 });
    const remove = async () => {
      await controller.say(nxFlowMod({ cookie: 6n, match: [oxm('nxm_of_in_port', 1)], flags: 1 }));
      await controller.say(nxFlowMod({ command: DELETE! }));
      return controller.settle();
    };
    expect(await remove()).toMatchObject([{ type: 'flow_removed', cookie: 6n }]);
    expect(await controller.error({ type: 'nx_set_flow_format', format: NXFF.NXM })).toBeUndefined();
    expect(await remove()).toMatchObject([
      { type: 'nx_flow_removed', cookie: 6n, tableIdPlusOne: 1, reason: 2, match: [oxm('nxm_of_in_port', 1)] },
    ]);
    await controller.say({ type: 'nx_set_flow_format', format: NXFF.OPENFLOW10 });
    expect(await remove()).toMatchObject([{ type: 'flow_removed' }]);
    expect(await controller.error({ type: 'nx_set_flow_format', format: 1 })).toBe('OFPBRC_EPERM');
  });
});

describe.each([1, 2, 3, 4, 5, 6])('packet-ins of wire version %i', (version) => {
  const controllerAction = (over: object = {}): Action => ({ type: 'nx_controller2', ...over });
  const flowUp = (action: Action): Outgoing => {
    const instructions = [apply({ type: 'nx_reg_load2', oxm: oxm('reg3', 9) as never }, action)];
    return flowMod({ cookie: 0x77n, priority: 1, instructions });
  };

  it('have the format that was asked for', async () => {
    const bed = await start({ versions: [1, 2, 3, 4, 5, 6] });
    const [controller, other] = [await client(version, bed), await client(4, bed)];
    controller.send({ type: 'set_config', flags: 0, missSendLen: 128 });
    await other.say(flowUp(controllerAction({ userdata: Uint8Array.of(1, 2, 3), maxLen: 20 })));
    const up = async (format: number) => {
      expect(await controller.error({ type: 'nx_set_packet_in_format', format })).toBeUndefined();
      bed.inject(tcpFrame());
      const [message] = await controller.settle();
      return message!;
    };
    expect((await up(NXPIF.STANDARD)).type).toBe('packet_in');
    const nx = await up(NXPIF.NXT_PACKET_IN);
    expect(nx).toMatchObject({
      type: 'nx_packet_in',
      reason: 1,
      tableId: 0,
      cookie: 0x77n,
      totalLen: tcpFrame().length,
    });
    expect((nx as MessageOf<'nx_packet_in'>).data).toEqual(tcpFrame().subarray(0, 20));
    expect((nx as MessageOf<'nx_packet_in'>).match).toEqual([oxm('nxm_of_in_port', 1), oxm('reg3', 9)]);
    const nx2 = await up(NXPIF.NXT_PACKET_IN2);
    if (nx2.type !== 'nx_packet_in2') throw new Error(nx2.type);
    const inPort = version < 3 ? oxm('nxm_of_in_port', 1) : oxm('in_port', 1);
    expect(nx2.properties).toEqual([
      { type: 'packet', data: tcpFrame().subarray(0, 20) },
      { type: 'full_len', value: tcpFrame().length },
      { type: 'buffer_id', value: expect.any(Number) },
      { type: 'table_id', value: 0 },
      { type: 'cookie', cookie: 0x77n },
      { type: 'reason', value: 1 },
      { type: 'metadata', match: [inPort, oxm('reg3', 9)] },
      { type: 'userdata', data: Uint8Array.of(1, 2, 3) },
    ]);
    expect(await controller.error({ type: 'nx_set_packet_in_format', format: 3 })).toBe('OFPBRC_EPERM');
  });

  it('go to the controller whose id the action names', async () => {
    const bed = await start({ versions: [1, 2, 3, 4, 5, 6] });
    const [seventh, plain] = [await client(version, bed), await client(version, bed)];
    const installer = await client(4, bed);
    for (const each of [seventh, plain]) each.send({ type: 'set_config', flags: 0, missSendLen: 128 });
    await seventh.say({ type: 'nx_set_controller_id', controllerId: 7 });
    await plain.settle();
    await installer.say(flowUp(controllerAction({ controllerId: 7 })));
    bed.inject(tcpFrame());
    expect(await seventh.settle()).toHaveLength(1);
    expect(await plain.settle()).toEqual([]);
    await installer.say(flowUp(toPort(CONTROLLER_PORT, 0xffff)));
    bed.inject(tcpFrame());
    expect(await seventh.settle()).toEqual([]);
    expect(await plain.settle()).toHaveLength(1);
  });

  it('what was not paused is not resumed', async () => {
    const resume = { type: 'nx_resume', properties: [{ type: 'packet', data: tcpFrame() }] } as const;
    expect(await (await client(version)).error(resume)).toBe('NXR_STALE');
  });
});

describe.each([1, 2, 3, 4])('asynchronous messages of wire version %i', (version) => {
  it('NXT_SET_ASYNC_CONFIG, and its second form', async () => {
    const bed = await start({ versions: [version] });
    const controller = await client(version, bed);
    const happen = async () => {
      bed.ofproto.portAdded({ number: 9, name: 'p9', mac: '02:00:00:00:00:09' });
      bed.ofproto.portRemoved(9);
      return (await controller.settle()).filter(isType('port_status')).map(({ reason }) => reason);
    };
    expect(await happen()).toEqual([]);
    const masks = { packetInMask: [0, 0], portStatusMask: [1 << 1, 1], flowRemovedMask: [0, 0] } as const;
    expect(await controller.error({ type: 'nx_set_async_config', ...masks })).toBeUndefined();
    expect(await happen()).toEqual([1]);
    const properties = [{ code: 3, mask: 1 << 0 }];
    expect(await controller.error({ type: 'nx_set_async_config2', properties })).toBeUndefined();
    expect(await happen()).toEqual([0]);
    await controller.say({ type: 'nx_role_request', role: nicira.NX_ROLE.SECONDARY });
    expect(await happen()).toEqual([0]);
    const wrong = await controller.error({ type: 'nx_set_async_config2', properties: [{ code: 12, mask: 1 }] });
    expect(wrong).toBe(version === 4 ? 'experimenter 2371' : 'NXBRC_UNENCODABLE_ERROR');
  });

  it('NXT_ROLE_REQUEST', async () => {
    const bed = await start({ versions: [1, 2, 3, 4] });
    const [a, b] = [await client(version, bed), await client(4, bed)];
    const ask = async (role: number) => (await a.say({ type: 'nx_role_request', role }))[0];
    const { OTHER, PRIMARY, SECONDARY } = nicira.NX_ROLE;
    for (const role of [OTHER, PRIMARY, SECONDARY, PRIMARY]) {
      expect(await ask(role)).toMatchObject({ type: 'nx_role_reply', role });
    }
    await b.say({ type: 'role_request', role: MASTER!, generationId: 3n });
    expect(bed.channels.connections.map(({ role }) => role)).toEqual(['slave', 'master']);
    expect(await a.error(packetOut())).toBe(version < 3 ? 'OFPBRC_EPERM' : 'OFPBRC_IS_SLAVE');
    expect(errorOf((await ask(9))!)).toBe(version < 3 ? 'vendor 1/513' : 'OFPRRFC_BAD_ROLE');
  });
});

describe.each([1, 4, 6])('the table of tunnel options, wire version %i', (version) => {
  const map = (index: number, optionType: number, optionLength = 4) => ({
    optionClass: 0xffff,
    optionType,
    optionLength,
    index,
  });
  const change = (command: number, ...mappings: ReturnType<typeof map>[]): Outgoing => ({
    type: 'nx_tlv_table_mod',
    command,
    mappings,
  });

  it('is kept, told, and refuses what cannot be', async () => {
    const controller = await client(version);
    const table = async () => (await controller.say({ type: 'nx_tlv_table_request' }))[0];
    expect(await table()).toMatchObject({ maxOptionSpace: 256, maxFields: 64, mappings: [] });
    expect(await controller.error(change(NXTTMC.ADD, map(5, 1), map(2, 2, 8)))).toBeUndefined();
    const both = { mappings: [map(2, 2, 8), map(5, 1)] };
    expect(await table()).toMatchObject(both);
    expect(await controller.error(change(NXTTMC.ADD, map(7, 7), map(5, 3)))).toBe('NXTTMFC_ALREADY_MAPPED');
    expect(await controller.error(change(NXTTMC.ADD, map(6, 1)))).toBe('NXTTMFC_DUP_ENTRY');
    expect(await controller.error(change(NXTTMC.ADD, map(64, 9)))).toBe('NXTTMFC_BAD_FIELD_IDX');
    for (const length of [0, 6, 128]) {
      expect(await controller.error(change(NXTTMC.ADD, map(9, 9, length)))).toBe('NXTTMFC_BAD_OPT_LEN');
    }
    expect(await controller.error(change(NXTTMC.ADD, map(9, 9, 124), map(10, 10, 124)))).toBe('NXTTMFC_TABLE_FULL');
    expect(await controller.error(change(3, map(9, 9)))).toBe('NXTTMFC_BAD_COMMAND');
    expect(await table()).toMatchObject(both);
    await controller.say(change(NXTTMC.DELETE, map(5, 0)));
    expect(await table()).toMatchObject({ mappings: [map(2, 2, 8)] });
    await controller.say(change(NXTTMC.CLEAR));
    expect(await table()).toMatchObject({ mappings: [] });
  });
});

describe('the rest', () => {
  it.each([1, 4, 6])('wire version %i: what is not there is refused as unknown of a known vendor', async (version) => {
    const controller = await client(version);
    for (const message of [
      { type: 'nx_ct_flush_zone', zoneId: 4 },
      { type: 'nx_ct_flush', ipProto: 6 },
      { type: 'multipart_request', flags: 0, body: { type: 'nx_ipfix_flow' } },
    ] as const) {
      expect(await controller.error(message)).toBe('OFPBRC_BAD_EXP_TYPE');
    }
    expect(await controller.error({ type: 'nx_flow_age' })).toBeUndefined();
  });

  it('a slave changes nothing by them', async () => {
    const controller = await client();
    await controller.say({ type: 'nx_role_request', role: nicira.NX_ROLE.SECONDARY });
    expect(await controller.error(nxFlowMod())).toBe('OFPBRC_EPERM');
    const map = { optionClass: 1, optionType: 1, optionLength: 4, index: 0 };
    expect(await controller.error({ type: 'nx_tlv_table_mod', command: 0, mappings: [map] })).toBe('OFPBRC_EPERM');
  });
});
