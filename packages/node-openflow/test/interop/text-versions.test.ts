/**
 * Flows of every version, and groups and meters, in ovs-ofctl's syntax against ovs-ofctl 3.1: the same bytes from the
 * same text, the same text for the same bytes, and the same bytes from our text. Flows of 1.3 are in text.test.ts.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  encodeMessage,
  type FlowMod,
  formatInstructions,
  formatMatch,
  type GroupMod,
  type MeterMod,
} from '../../src/index.js';
import {
  formatFlow,
  formatGroup,
  formatMeter,
  type GroupCommand,
  parseFlow,
  parseGroup,
  parseMeter,
} from '../../src/text/index.js';
import { actionFlows, matchFlows, settingFlows } from '../support/flow-corpus.js';
import { OfctlSink, protocolOf } from '../support/ofctl-sink.js';
import { ofpPrint, ovsFlows } from '../support/ovs.js';
import { decoded, toHex } from '../support/wire.js';

function taken<Value>(
  result: { readonly ok: true; readonly value: Value } | { readonly ok: false; readonly error: unknown },
): Value {
  if (!result.ok) throw new Error(JSON.stringify(result.error));
  return result.value;
}

const flows = [...actionFlows, ...matchFlows.map((match) => `${match} actions=drop`), ...settingFlows];

/** Undefined: the version cannot say it. */
function ours(flow: string, version: number): Uint8Array | undefined {
  const parsed = taken(parseFlow(flow, { version }));
  try {
    return encodeMessage({ version, xid: 1, ...parsed });
  } catch {
    return undefined;
  }
}

/** Of a field with a mask that 1.0 and 1.1 set as a whole ovs-ofctl forgets the mask. */
const forgotten = [
  'actions=set_field:02:00:00:00:00:00/ff:ff:00:00:00:00->eth_src',
  'tcp actions=set_field:10.0.0.0/8->ip_dst',
];
/** ovs-ofctl sends the port that it then says it ignores. */
const ignored = 'ip,tp_src=80 actions=drop';
/** For these ovs-ofctl takes Nicira's flow_mod in 1.0, and has nothing in 1.1. */
const beyond = [
  'actions=set_field:5/0xf->reg3',
  'actions=set_field:0x11/0xf1->reg3',
  'tcp actions=ct(commit,nat(src=10.0.0.1:80),exec(set_field:1/1->ct_mark))',
  'vlan_tci=0x1005/0x1fff actions=drop',
  'vlan_vid=0x1000/0x1000,vlan_pcp=4 actions=drop',
  'reg0=5,reg0=* actions=drop',
  'vlan_tci=0x1000/0xf000 actions=drop',
];

/** Flows that both say, otherwise; or that ovs-ofctl does not say. */
const otherwise: Readonly<Record<number, readonly string[]>> = {
  1: [
    ...forgotten,
    ignored,
    ...beyond,
    'actions=set_field:7/0xff->metadata',
    // Of IPv6 a match of 1.0 says no more to Open vSwitch than that it is IPv6.
    'tcp6 actions=ct(commit,nat(src=[fe80::1]-[fe80::9]:5-9))',
    ...['icmp6', 'tcp6', 'udp6', 'sctp6', 'sctp6,sctp_src=9'].map((match) => `${match} actions=drop`),
    'dl_type=0x86dd,nw_proto=58,icmp_type=129 actions=drop',
    // Whether the priority of no tag is any or 0.
    'dl_vlan=0xffff actions=drop',
    'vlan_tci=0 actions=drop',
  ],
  2: [...forgotten, ignored, ...beyond, 'vlan_tci=0x1000/0x1000 actions=drop'],
  3: [],
  5: [],
  6: [
    // Registers that ovs-ofctl takes two at a time.
    ...flows.filter((flow) => /^(eth,)?x{0,2}reg\d/.test(flow)),
    // Of tun_flags, which has one bit, ovs-ofctl writes a mask of none.
    'actions=load:1->NXM_NX_PKT_MARK[0],load:0->tun_flags[0]',
  ],
};

/** 1.0 and 1.1 have actions by field, which both print in words of their own, and ovs-ofctl reads not all of ours in them. */
const hasFields = (version: number): boolean => version > 2;

describe.each([
  [1, 115],
  [2, 150],
  [3, 220],
  [5, 249],
  [6, 230],
] as const)('flows of wire version %i', (version, least) => {
  const said = flows.flatMap((flow) => {
    // With a table in one of them, ovs-ofctl puts tables into all flows of 1.0.
    const isOther = otherwise[version]!.includes(flow) || (version === 1 && /\btable=/.test(flow));
    const bytes = isOther ? undefined : ours(flow, version);
    return bytes === undefined ? [] : [{ flow, bytes }];
  });

  it('the same bytes, and what is printed about them', () => {
    expect(said.length).toBeGreaterThanOrEqual(least);
    const theirs = ovsFlows(
      said.map(({ flow }) => flow),
      protocolOf(version),
    );
    expect(theirs).toHaveLength(said.length);
    for (const [i, { flow, bytes }] of said.entries()) {
      const { bytes: wanted, text } = theirs[i]!;
      expect(toHex(bytes).slice(16), flow).toBe(toHex(wanted).slice(16));
      if (!hasFields(version) || /debug_/.test(flow)) continue;
      const message = decoded(wanted) as FlowMod;
      const [, before, actions] = /ADD (?:table:\d+ )?(.*?)actions=(.*)$/s.exec(text)!;
      const settings = /\b(cookie|idle|hard|importance|send_flow_rem|check_overlap|reset_counts|no_\w+_counts)\S* /g;
      const shown = [message.priority === 32768 ? '' : `priority=${message.priority}`, formatMatch(message.match)];
      expect(before!.replace(settings, '').trim(), flow).toBe(shown.filter((part) => part !== '').join(','));
      expect(formatInstructions(message.instructions), flow).toBe(actions);
    }
  });

  /** What ovs-ofctl's own text does not carry, so that reading it again makes another message. */
  const lossy = /enqueue|tun_metadata63=0x1234.0xffff|^eth(,reg|,? actions)|^eth$|NXM_OF_IP_TOS/;

  it('our text makes the same bytes again', () => {
    const again = said
      .filter(({ flow }) => !lossy.test(flow))
      .map(({ bytes }) => ({ bytes, text: formatFlow(decoded(bytes) as FlowMod) }));
    for (const { text, bytes } of again) expect(toHex(ours(text, version)!), text).toBe(toHex(bytes));
    if (!hasFields(version)) return;
    const theirs = ovsFlows(
      again.map(({ text }) => text),
      protocolOf(version),
    );
    for (const [i, { text, bytes }] of again.entries()) {
      expect(toHex(theirs[i]!.bytes).slice(16), text).toBe(toHex(bytes).slice(16));
    }
  });
});

const groups = [
  'group_id=1,type=all,bucket=actions=output:1,bucket=actions=output:2,set_field:02:00:00:00:00:02->eth_dst',
  'group_id=5,type=select,bucket=weight:3,actions=output:1,bucket=weight:7,actions=resubmit(,3)',
  'group_id=6,type=select,bucket=output:1,bucket=output:2',
  'group_id=7,type=ff,bucket=watch_port:1,actions=output:1,bucket=watch_group:3,actions=drop',
  'group_id=8,type=fast_failover,bucket=watch_port:1,watch_group:4,actions=output:1',
  'group_id=9,type=indirect,bucket=actions=output:4',
  'group_id=0xfffffeff,type=all',
  'group_id=10,type=indirect,bucket=actions=load:5->NXM_NX_REG0[3..9],move:NXM_NX_REG0[]->NXM_NX_REG1[],output:LOCAL',
  'group_id=11,type=all,bucket=actions=group:1,bucket=actions=CONTROLLER:128',
  'group_id=12,type=all,bucket=mod_dl_dst:02:00:00:00:00:01,output:1',
];
/** Of 1.5, and of Nicira's groups of 1.0. */
const laterGroups = [
  'group_id=1,type=all,bucket=bucket_id:5,actions=output:1,bucket=bucket_id:9,actions=output:2',
  'group_id=2,type=select,selection_method=dp_hash,bucket=bucket_id:0,weight:1,actions=output:1',
  'group_id=3,type=select,selection_method=hash,selection_method_param=7,fields(ip_src,tcp_dst),bucket=bucket_id:0,weight:1,actions=output:1',
  'group_id=4,type=select,selection_method=hash,fields=eth_dst,bucket=bucket_id:0,weight:1,actions=output:1',
];
const meters = [
  'meter=1 kbps bands=type=drop rate=1000',
  'meter=2,pktps,burst,stats,bands=type=drop,rate=5,burst_size=6,type=dscp_remark,rate=7,burst_size=8,prec_level=1',
  'meter=controller pktps band=type=drop rate=1',
  'meter=slowpath kbps burst bands=type=drop rate=1 burst_size=1',
  'meter=0xffff0000,kbps,stats,band=type=dscp_remark,rate=4294967295,prec_level=255',
];

/** A message as ovs-ofctl prints it, without its head, in one line. */
const printed = (bytes: Uint8Array): string =>
  ofpPrint(bytes)
    .replace(/^\S+.*?\(xid=0x1\):\s*/s, '')
    .replace(/\s*\n\s*/g, ' ')
    .trim();

describe.each([1, 2, 3, 4, 5, 6])('groups of wire version %i', (version) => {
  let sink: OfctlSink;
  beforeAll(async () => {
    sink = await OfctlSink.open(version);
  });
  afterAll(() => sink.close());
  const isLater = version === 1 || version === 6;
  // ovs-ofctl has a group action for 1.0, which we do not.
  const all = [...groups, ...(isLater ? laterGroups : [])].filter((text) => version > 1 || !text.includes('=group:'));
  const encoded = (text: string, command: GroupCommand = 'add') =>
    encodeMessage({ version, xid: 1, ...taken(parseGroup(text, { version, command })) });
  // 1.5's form says a weight of 1 or leaves it out, and 1.0 has two numbers for a field: there the texts are compared.
  const said = (bytes: Uint8Array) => (isLater ? formatGroup(decoded(bytes) as GroupMod) : toHex(bytes));

  it.each(all)('%s', async (text) => {
    const wanted = (await sink.sent('add-group', text)).at(-1)!;
    expect(said(encoded(text))).toBe(said(wanted));
    const shown = printed(wanted).replace(/^ADD /, '');
    if (hasFields(version)) expect(formatGroup(decoded(wanted) as GroupMod)).toBe(shown);
    expect(said(encoded(shown))).toBe(said(wanted));
    const again = (await sink.sent('add-group', formatGroup(decoded(wanted) as GroupMod))).at(-1)!;
    expect(said(again)).toBe(said(wanted));
  });

  it.each([
    ['mod-group', 'modify', groups[0]!],
    ['del-groups', 'delete', 'group_id=3'],
    ['del-groups', 'delete', ''],
  ] as const)('%s: %s %s', async (tool, command, text) => {
    const wanted = (await sink.sent(tool, ...(text === '' ? [] : [text]))).at(-1)!;
    expect(said(encoded(text, command))).toBe(said(wanted));
  });
});

describe.each([4, 5, 6])('meters of wire version %i', (version) => {
  let sink: OfctlSink;
  beforeAll(async () => {
    sink = await OfctlSink.open(version);
  });
  afterAll(() => sink.close());

  it.each(meters)('%s', async (text) => {
    const [wanted] = await sink.sent('add-meter', text);
    const bytes = encodeMessage({ version, xid: 1, ...taken(parseMeter(text)) });
    expect(toHex(bytes)).toBe(toHex(wanted!));
    const message = decoded(wanted!) as MeterMod;
    expect(printed(wanted!)).toBe(`ADD ${formatMeter(message)}`);
    const [again] = await sink.sent('add-meter', formatMeter(message));
    expect(toHex(again!)).toBe(toHex(wanted!));
  });

  it.each([
    ['mod-meter', 'modify', meters[0]!],
    ['del-meters', 'delete', 'meter=3'],
  ] as const)('%s: %s %s', async (tool, command, text) => {
    const [wanted] = await sink.sent(tool, text);
    expect(toHex(encodeMessage({ version, xid: 1, ...taken(parseMeter(text, { command })) }))).toBe(toHex(wanted!));
  });
});
