/** Nicira's fields and actions from node-openflow's values to the data plane and back. */
import { type Action, type LearnSpec, type MatchSpec, match, type OxmKnown, type SubfieldStart } from 'node-openflow';
import { beforeEach, describe, expect, it } from 'vitest';
import { tcpFrame } from '../../differential/frames.js';
import { apply, Bed, flowMod, output } from './bed.js';

let bed: Bed;
beforeEach(() => {
  bed = new Bed();
});

const bytes = (...values: number[]) => Uint8Array.from(values);
const IN_PORT = 0xfff8;
const reg = (n: number, offset = 0, bits = 32) => ({ field: `reg${n}` as 'reg0', offset, bits });

async function flows() {
  const replies = await bed.stats({
    type: 'flow',
    tableId: 255,
    outPort: 0xffffffff,
    outGroup: 0xffffffff,
    cookie: 0n,
    cookieMask: 0n,
    match: [],
  });
  return replies.flatMap((reply) => reply.entries);
}

/** What comes back of a flow with these actions. */
async function readBack(actions: readonly Action[], on: MatchSpec = {}): Promise<readonly Action[]> {
  expect(await bed.error(flowMod({ match: on, instructions: [apply(...actions)] }))).toBeUndefined();
  const [entry] = await flows();
  const [instruction] = entry!.instructions;
  return instruction?.type === 'apply_actions' ? instruction.actions : [];
}

const learnHead = {
  idleTimeout: 1,
  hardTimeout: 2,
  priority: 3,
  cookie: 4n,
  flags: 0,
  tableId: 5,
  finIdleTimeout: 6,
  finHardTimeout: 7,
};
function spec(
  type: 'match' | 'load',
  bits: number,
  source: SubfieldStart | Uint8Array,
  destination: SubfieldStart,
): LearnSpec {
  return { type, bits, source, destination };
}

describe('actions that come back as they were sent', () => {
  const cases: Action[] = [
    { type: 'nx_resubmit', inPort: IN_PORT },
    { type: 'nx_resubmit_table', inPort: 3, tableId: 7 },
    { type: 'nx_reg_load', destination: reg(0, 4, 9), value: 0x1ffn },
    {
      type: 'nx_reg_move',
      bits: 16,
      source: { field: 'eth_src', offset: 32 },
      destination: { field: 'xxreg1', offset: 100 },
    },
    { type: 'nx_output_reg', source: reg(3, 0, 16), maxLen: 99 },
    { type: 'nx_stack_push', subfield: reg(1) },
    { type: 'nx_stack_pop', subfield: { field: 'eth_dst', offset: 0, bits: 32 } },
    { type: 'nx_clone', actions: [output(1), { type: 'nx_exit' }] },
    { type: 'nx_exit' },
    { type: 'nx_note', note: bytes(1, 2, 3, 4, 5, 6) },
    { type: 'nx_controller', maxLen: 100, controllerId: 3, reason: 1 },
    { type: 'nx_controller2', maxLen: 100, controllerId: 3, reason: 1, userdata: bytes(1, 2) },
    { type: 'nx_controller2', maxLen: 100, controllerId: 3, reason: 1, userdata: bytes(1, 2), pause: true },
    { type: 'nx_check_pkt_larger', packetLength: 1500, destination: { field: 'reg0', offset: 3 } },
    {
      type: 'nx_multipath',
      fields: 1,
      basis: 50,
      algorithm: 2,
      maxLink: 3,
      argument: 0,
      destination: reg(2, 0, 2),
    },
    { type: 'nx_bundle', fields: 0, basis: 0, algorithm: 1, members: [1, 2, 0xfffe] },
    { type: 'nx_bundle_load', fields: 0, basis: 0, algorithm: 0, members: [1], destination: reg(0, 0, 16) },
    { type: 'nx_conjunction', id: 1234, clause: 1, clauses: 3 },
    { type: 'nx_controller2', maxLen: 100, controllerId: 3, reason: 1, meterId: 7 },
    { type: 'nx_output_trunc', port: 1, maxLen: 60 },
    { type: 'nx_output_trunc', port: IN_PORT, maxLen: 0x12345 },
    { type: 'nx_pop_queue' },
    { type: 'nx_sample', probability: 1, collectorSetId: 2, obsDomainId: 3, obsPointId: 4 },
    { type: 'nx_sample2', probability: 65535, collectorSetId: 2, obsDomainId: 3, obsPointId: 4, samplingPort: 5 },
    {
      type: 'nx_sample3',
      probability: 5,
      collectorSetId: 2,
      obsDomainId: 3,
      obsPointId: 4,
      samplingPort: 0xfff8,
      direction: 2,
    },
    {
      type: 'nx_learn',
      ...learnHead,
      flags: 3,
      specs: [
        spec('match', 12, { field: 'vlan_tci', offset: 0 }, { field: 'vlan_tci', offset: 0 }),
        spec('match', 48, { field: 'eth_src', offset: 0 }, { field: 'eth_dst', offset: 0 }),
        { type: 'output', bits: 16, source: { field: 'nxm_of_in_port', offset: 0 } },
      ],
    },
    {
      type: 'nx_learn2',
      ...learnHead,
      flags: 4,
      limit: 7,
      result: { field: 'reg3', offset: 4 },
      specs: [
        spec('match', 16, bytes(0x86, 0xdd), { field: 'eth_type', offset: 0 }),
        spec('match', 128, new Uint8Array(16).fill(0xfd), { field: 'ipv6_dst', offset: 0 }),
        spec('match', 16, bytes(0x50, 0x05), { field: 'vlan_tci', offset: 0 }),
        spec('load', 5, bytes(0x1f), { field: 'reg0', offset: 27 }),
        spec('load', 32, { field: 'reg1', offset: 0 }, { field: 'xreg1', offset: 16 }),
      ],
    },
    {
      type: 'nx_learn',
      ...learnHead,
      specs: [spec('match', 16, { field: 'vlan_tci', offset: 0 }, { field: 'vlan_tci', offset: 0 })],
    },
  ];
  it.each(cases)('$type', async (action) => expect(await readBack([action])).toEqual([action]));
  it('dec_ttl(1,2)', async () => {
    const action: Action = { type: 'nx_dec_ttl_cnt_ids', controllers: [1, 2] };
    expect(await readBack([action], { eth_type: 0x800 })).toEqual([action]);
  });
});

it('a load of all of a field comes back as set_field, which does the same', async () => {
  const set: Action = { type: 'set_field', oxm: { field: 'reg5', value: bytes(0, 0, 1, 2) } };
  expect(await readBack([{ type: 'nx_reg_load', destination: reg(5), value: 0x102n }])).toEqual([set]);
  expect(await readBack([set])).toEqual([set]);
});

it('a load of bits here and there comes back as it was', async () => {
  const oxm = { field: 'reg1', value: bytes(0xf0, 0, 0, 5), mask: bytes(0xf0, 0, 0, 7) } as const;
  expect(await readBack([{ type: 'nx_reg_load2', oxm }])).toEqual([{ type: 'nx_reg_load2', oxm }]);
});

describe('what is not carried out is refused with OFPBAC_BAD_EXP_TYPE', () => {
  const BAD_ACTION = 2;
  const BAD_EXP_TYPE = 3;
  const cases: Action[] = [
    { type: 'nx_ct', flags: 0, zone: 0, recircTable: 255, alg: 0, actions: [] },
    { type: 'nx_ct_clear' },
    { type: 'nx_resubmit_table_ct', inPort: 1, tableId: 2 },
    { type: 'nx_nat', flags: 0 },
  ];
  it.each(cases)('$type', async (action) => {
    expect(await bed.error(flowMod({ instructions: [apply(action)] }))).toEqual([BAD_ACTION, BAD_EXP_TYPE]);
    expect(await bed.error(flowMod({ instructions: [apply({ type: 'nx_clone', actions: [action] })] }))).toEqual([
      BAD_ACTION,
      BAD_EXP_TYPE,
    ]);
    expect(await flows()).toEqual([]);
  });
});

describe('what makes no sense is refused', () => {
  const code = async (action: Action, on: MatchSpec = {}) =>
    (await bed.error(flowMod({ match: on, instructions: [apply(action)] })))?.[1];
  it('headers that the match does not promise: OFPBAC_MATCH_INCONSISTENT', async () => {
    const load: Action = { type: 'nx_reg_load', destination: { field: 'tcp_dst', offset: 0, bits: 16 }, value: 1n };
    expect(await code(load)).toBe(10);
    expect(await code(load, { eth_type: 0x800, ip_proto: 6 })).toBeUndefined();
    expect(await code({ type: 'nx_dec_ttl_cnt_ids', controllers: [] })).toBe(10);
  });
  it('fields that are not there: OFPBAC_BAD_SET_TYPE', async () => {
    expect(await code({ type: 'nx_stack_push', subfield: { field: 'ct_mark', offset: 0, bits: 32 } })).toBe(13);
  });
  it('options of tunnels: OFPBAC_BAD_SET_TYPE', async () => {
    expect(await code({ type: 'nx_delete_field', field: 'tun_metadata0' })).toBe(13);
  });
  it('fields that cannot be deleted: OFPBAC_BAD_ARGUMENT', async () => {
    expect(await code({ type: 'nx_delete_field', field: 'eth_src' })).toBe(5);
  });
  it('ports that a truncated packet cannot go to: OFPBAC_BAD_OUT_PORT', async () => {
    expect(await code({ type: 'nx_output_trunc', port: 0xfffb, maxLen: 60 })).toBe(4);
    expect(await code({ type: 'nx_output_trunc', port: 1, maxLen: 13 })).toBe(5);
  });
  it('fin_timeout without TCP: OFPBAC_MATCH_INCONSISTENT', async () => {
    const action: Action = { type: 'nx_fin_timeout', idleTimeout: 1, hardTimeout: 0 };
    expect(await code(action, { eth_type: 0x800 })).toBe(10);
    expect(await code(action, { eth_type: 0x800, ip_proto: 6 })).toBeUndefined();
  });
  it('learn: what packet and flow cannot have', async () => {
    const learn = (...specs: LearnSpec[]): Action => ({ type: 'nx_learn', ...learnHead, specs });
    const port = { field: 'tcp_dst', offset: 0 } as const;
    const tcp = [
      spec('match', 16, bytes(8, 0), { field: 'eth_type', offset: 0 }),
      spec('match', 8, bytes(6), { field: 'ip_proto', offset: 0 }),
    ];
    expect(await code(learn(spec('match', 16, port, port)), { eth_type: 0x800, ip_proto: 6 })).toBe(10);
    expect(await code(learn(...tcp, spec('match', 16, port, port)))).toBe(10);
    expect(await code(learn(...tcp, spec('match', 16, port, port)), { eth_type: 0x800, ip_proto: 6 })).toBeUndefined();
    const mark = { field: 'ct_mark', offset: 0 } as const;
    expect(await code(learn(spec('match', 32, mark, mark)))).toBe(13);
    expect(await code({ ...learn(), tableId: 254 } as Action)).toBe(5);
  });
});

describe('matches', () => {
  const cases: [MatchSpec, MatchSpec][] = [
    [
      { reg0: 5, reg15: { value: 0x100, mask: 0xf00 } },
      { reg0: 5, reg15: { value: 0x100, mask: 0xf00 } },
    ],
    [{ xreg1: 0x100000002n }, { reg2: 1, reg3: 2 }],
    [{ xxreg0: { value: 7n, mask: 0xffn } }, { reg3: { value: 7, mask: 0xff } }],
    [
      { vlan_tci: { value: 0x1064, mask: 0xffff } },
      { vlan_vid: { value: 0x1064, mask: 0x1fff }, vlan_pcp: { value: 0, mask: 7 } },
    ],
    [{ nxm_of_in_port: 2 }, { in_port: 2 }],
    [{ conj_id: 9 }, { conj_id: 9 }],
    [
      { eth_type: 0x800, ip_frag: 1, ip_ttl: 64 },
      { eth_type: 0x800, ip_ttl: 64, ip_frag: 1 },
    ],
  ];
  it.each(cases)('%o', async (sent, found) => {
    expect(await bed.error(flowMod({ match: sent }))).toBeUndefined();
    const plain = (tlvs: readonly unknown[]) =>
      (tlvs as OxmKnown[])
        .map(({ field, value, mask }) => {
          const full = mask === undefined || mask.every((byte) => byte === 0xff);
          return { field, value: [...value], mask: full ? undefined : [...mask] };
        })
        .sort((a, b) => a.field.localeCompare(b.field));
    const [entry] = await flows();
    const got = plain(entry!.match).map(({ field, value }) => ({ field, value }));
    expect(got).toEqual(plain(match(found)).map(({ field, value }) => ({ field, value })));
  });
  it('one register under two names is refused: OFPBMC_DUP_FIELD', async () => {
    expect(await bed.error(flowMod({ match: { reg0: 1, xreg0: 1 } }))).toEqual([4, 10]);
  });
});

it('packets go by registers through tables and come to the controller with them', async () => {
  const go = (tableId: number): Action => ({ type: 'nx_resubmit_table', inPort: IN_PORT, tableId });
  await bed.say(
    flowMod({ instructions: [apply({ type: 'nx_reg_load', destination: reg(0), value: 3n }, go(1), output(2))] }),
  );
  await bed.say(
    flowMod({
      tableId: 1,
      match: { reg0: 3 },
      instructions: [apply({ type: 'nx_output_reg', source: reg(0), maxLen: 0 }, output(0xfffffffd, 0xffff))],
    }),
  );
  bed.inject(1, tcpFrame());
  expect(bed.ports()).toEqual([3, 2]);
  expect(bed.asyncMessages).toMatchObject([{ type: 'packet_in', match: [{ field: 'in_port' }, { field: 'reg0' }] }]);
});
