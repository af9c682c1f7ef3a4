/** Packet types and service headers (RFC 8300) as controllers say them, on the reference datapath. */
import { type Action, type Match, type MessageOf, match, nicira, of13 } from 'node-openflow';
import { parseFlow } from 'node-openflow/text';
import { beforeEach, describe, expect, it } from 'vitest';
import { tcpFrame } from '../../differential/frames.js';
import { apply, Bed, flowMod } from './bed.js';

const { OFPBAC, OFPBMC, OFPET } = of13;
const { PT } = nicira;
const EXPERIMENTER = 0xffff;

let bed: Bed;
beforeEach(() => {
  bed = new Bed();
});

const bytes = (...values: number[]) => Uint8Array.from(values);
const hex = (frame: Uint8Array) => Buffer.from(frame).toString('hex');
const encap = (packetType: number, properties: (Action & { type: 'nx_encap' })['properties'] = []): Action => ({
  type: 'nx_encap',
  headerSize: 0,
  packetType,
  properties,
});
const decap: Action = { type: 'nx_decap', packetType: PT.USE_NEXT_PROTO };
const setField = (field: 'eth_dst' | 'nsh_spi' | 'nsh_mdtype' | 'ipv4_dst', ...value: number[]): Action => ({
  type: 'set_field',
  oxm: { field, value: bytes(...value) },
});
const typed = (type: number, more: Match = []): Match => [
  { field: 'packet_type', value: bytes(type >>> 24, (type >> 16) & 255, (type >> 8) & 255, type & 255) },
  ...more,
];

/** Flows as ovs-ofctl writes them. */
async function add(text: string): Promise<void> {
  const parsed = parseFlow(text, { command: 'add' });
  if (!parsed.ok) throw new Error(parsed.error.message);
  expect(await bed.error({ ...flowMod(), ...parsed.value } as MessageOf<'flow_mod'>), text).toBeUndefined();
}

async function readBack() {
  const all = { tableId: 255, outPort: 0xffffffff, outGroup: 0xffffffff, cookie: 0n, cookieMask: 0n, match: [] };
  const [reply] = await bed.stats({ type: 'flow', ...all });
  return reply!.entries[0]!;
}
async function actionsBack(...actions: Action[]): Promise<readonly Action[]> {
  expect(await bed.error(flowMod({ instructions: [apply(...actions)] }))).toBeUndefined();
  const [instruction] = (await readBack()).instructions;
  return instruction?.type === 'apply_actions' ? instruction.actions : [];
}

describe.each([4, 6])('version byte %i', (version) => {
  beforeEach(() => {
    bed = new Bed(version);
  });

  it('actions come back as they were sent', async () => {
    const tlv = { type: 'nsh_tlv', tlvClass: 0x1234, tlvType: 10, data: bytes(1, 2, 3, 4, 5) } as const;
    const actions = [
      encap(PT.NSH),
      encap(PT.NSH, [{ type: 'nsh_md_type', mdType: 1 }]),
      encap(PT.NSH, [{ type: 'nsh_md_type', mdType: 2 }, tlv, { ...tlv, tlvType: 0x81, data: bytes() }]),
      { type: 'nx_dec_nsh_ttl' } as const,
      encap(PT.MPLS),
      encap(PT.MPLS_MC),
      encap(PT.ETHERNET),
      decap,
      { ...decap, packetType: 0x10800 },
    ];
    expect(await actionsBack(...actions)).toEqual(actions);
  });

  it.each([
    typed(PT.NSH),
    typed(PT.NSH, match({ nsh_spi: 5, nsh_si: 254, nsh_c1: 0x11223344 })),
    typed(0x10800, match({ ipv4_dst: '10.0.0.1' })),
    typed(PT.ETHERNET),
    match({ eth_type: 0x894f, nsh_flags: 1, nsh_ttl: 3, nsh_mdtype: 1, nsh_np: 3 }),
  ])('match %# comes back as it was sent, what others depend on first', async (...tlvs) => {
    const sent = tlvs as Match;
    expect(await bed.error({ ...flowMod(), match: sent })).toBeUndefined();
    const back = (await readBack()).match;
    expect(back[0]!.field).toBe(sent[0]!.field);
    expect(back.map(({ field }) => field).sort()).toEqual(sent.map(({ field }) => field).sort());
  });

  it('that a packet is Ethernet goes without saying where a header is matched', async () => {
    expect(await bed.error({ ...flowMod(), match: typed(PT.ETHERNET, match({ eth_type: 0x800 })) })).toBeUndefined();
    expect((await readBack()).match).toEqual(match({ eth_type: 0x800 }));
  });
});

describe('what makes no sense is refused', () => {
  const code = async (...actions: Action[]) => bed.error(flowMod({ instructions: [apply(...actions)] }));
  const inconsistent = [OFPET.BAD_ACTION, OFPBAC.MATCH_INCONSISTENT];

  it('headers and properties of them, with the errors of Open vSwitch', async () => {
    expect(await code(encap(0x10800))).toEqual([EXPERIMENTER, nicira.NX_ERRORS.NXBAC_BAD_HEADER_TYPE.code]);
    const tlv = (length: number) => ({
      type: 'nsh_tlv' as const,
      tlvClass: 1,
      tlvType: 1,
      data: new Uint8Array(length),
    });
    const wrong = [EXPERIMENTER, nicira.NX_ERRORS.NXBAC_BAD_ED_PROP.code];
    expect(await code(encap(PT.NSH, [{ type: 'nsh_md_type', mdType: 3 }]))).toEqual(wrong);
    expect(await code(encap(PT.NSH, [tlv(37)]))).toEqual(wrong);
    expect(await code(encap(PT.NSH, [tlv(36)]))).toBeUndefined();
  });

  it('fields of headers that are not there', async () => {
    const mac = setField('eth_dst', 2, 0, 0, 0, 0, 9);
    expect(await code({ type: 'nx_dec_nsh_ttl' })).toEqual(inconsistent);
    expect(await code(setField('nsh_spi', 0, 0, 0, 5))).toEqual(inconsistent);
    expect(await code(encap(PT.NSH), setField('nsh_spi', 0, 0, 0, 5))).toBeUndefined();
    expect(await code(encap(PT.NSH), mac)).toEqual(inconsistent);
    expect(await code(encap(PT.NSH), encap(PT.ETHERNET), mac)).toBeUndefined();
    expect(await code(decap, mac)).toEqual(inconsistent);
    expect(await code(encap(PT.NSH), decap, { type: 'nx_dec_nsh_ttl' })).toEqual(inconsistent);
    expect(await code(encap(PT.NSH), setField('nsh_mdtype', 2))).toEqual([OFPET.BAD_ACTION, OFPBAC.BAD_SET_TYPE]);
  });

  it('matches', async () => {
    const wrong = async (tlvs: Match) => bed.error({ ...flowMod(), match: tlvs });
    const unmet = [OFPET.BAD_MATCH, OFPBMC.BAD_PREREQ];
    expect(await wrong(match({ nsh_spi: 5 }))).toEqual(unmet);
    expect(await wrong(typed(0x10800, match({ nsh_spi: 5 })))).toEqual(unmet);
    expect(await wrong(typed(PT.NSH, match({ eth_dst: '02:00:00:00:00:01' })))).toEqual(unmet);
    expect(await wrong(typed(PT.NSH, match({ eth_type: 0x894f })))).toEqual(unmet);
  });
});

describe('packets', () => {
  it('get a service header, which leads them, and lose it again', async () => {
    await add('in_port=1,ip actions=encap(nsh(md_type=1)),set_field:0x7->nsh_spi,set_field:3->nsh_si,resubmit(,1)');
    await add(
      'table=1,packet_type=(1,0x894f),nsh_spi=0x7 actions=encap(ethernet),set_field:02:00:00:00:00:09->eth_dst,2',
    );
    await add('in_port=2,dl_type=0x894f,nsh_spi=0x7,nsh_si=3 actions=decap(),decap(),resubmit(,2)');
    await add('table=2,tcp actions=output:3');
    bed.inject(1, tcpFrame());
    const [out] = bed.outputs.splice(0);
    expect(out!.port).toBe(2);
    expect(hex(out!.frame).slice(0, 76)).toBe(`020000000009000000000000894f0fc6010300000703${'0'.repeat(32)}`);
    bed.inject(2, out!.frame);
    expect(bed.outputs.map(({ port, frame }) => [port, hex(frame)])).toEqual([[3, hex(tcpFrame()).padEnd(120, '0')]]);
  });

  it('without an Ethernet header leave by no port, and a controller is told what they are', async () => {
    await add('actions=decap(),output:2,controller');
    const frame = tcpFrame();
    bed.inject(1, frame);
    expect(bed.outputs).toEqual([]);
    const [told] = bed.asyncMessages as MessageOf<'packet_in'>[];
    expect(told!.match[0]).toEqual({ field: 'packet_type', value: bytes(0, 1, 8, 0) });
    expect(told!.bufferId).toBe(0xffffffff);
    expect(hex(told!.data)).toBe(hex(frame.subarray(14)));
  });

  it('a flow on headers is about frames unless it names the type', async () => {
    await add('actions=decap(),resubmit(,1)');
    await add('table=1,priority=30,ip actions=encap(ethernet),output:2');
    await add('table=1,priority=20,dl_dst=00:00:00:00:00:00/01:00:00:00:00:00 actions=encap(ethernet),output:2');
    await add('table=1,priority=10,packet_type=(1,0x800),nw_proto=6 actions=encap(ethernet),output:3');
    bed.inject(1, tcpFrame());
    expect(bed.ports()).toEqual([3]);
  });
});
