/** ovs-ofctl's syntax without ovs-ofctl: errors with place and nearest word, names, files, groups, meters, fuzzing. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeMessage, of13 } from '../src/index.js';
import {
  type FlowText,
  formatActions,
  formatFlow,
  formatGroup,
  formatMeter,
  parseActions,
  parseFlow,
  parseFlows,
  parseGroup,
  parseGroups,
  parseMatch,
  parseMeter,
  type TextResult,
} from '../src/text/index.js';
import { actionFlows, matchFlows, refusedFlows, settingFlows } from './support/flow-corpus.js';

function taken<Value>(result: TextResult<Value>): Value {
  if (!result.ok) throw new Error(JSON.stringify(result.error));
  return result.value;
}
const error = (result: TextResult<unknown>) => (result.ok ? undefined : result.error);

const flows = [...actionFlows, ...matchFlows.map((match) => `${match} actions=drop`), ...settingFlows];
const bytesOf = (text: string, version = 4): string =>
  Buffer.from(encodeMessage({ version, xid: 1, ...taken(parseFlow(text, { version })) })).toString('hex');

describe('flows', () => {
  it.each(flows)('%s: its text is read as the same flow', (flow) => {
    const text = formatFlow(taken(parseFlow(flow)));
    expect(formatFlow(taken(parseFlow(text)))).toBe(text);
    if (!/enqueue|tun_metadata63|^eth\b/.test(flow)) expect(bytesOf(text)).toBe(bytesOf(flow));
  });
  it.each(refusedFlows)('%s: refused', (flow) => expect(parseFlow(flow).ok).toBe(false));
  it.each([
    ['nw_scr=10.0.0.1 actions=drop', 1, 'nw_src'],
    ['ip,nw_src=10.0.0.0/33 actions=drop', 20, undefined],
    ['tcp actions=load:5->NXM_NX_REG99[]', 21, 'NXM_NX_REG9'],
    ['ip actions=ct(comit)', 15, 'commit'],
    ['actions=learn(tabel=3)', 15, 'table'],
    ['dl_vlan=1 actions=set_field:5->vlan_vid', 29, '4101'],
  ])('%s: wrong at column %i, perhaps %s', (flow, column, suggestion) => {
    expect(error(parseFlow(flow))).toMatchObject({ column, ...(suggestion === undefined ? {} : { suggestion }) });
  });
  it('names of ports and tables', () => {
    const names = { port: (name: string) => ({ eth0: 7 })[name], table: (name: string) => ({ acl: 3 })[name] };
    const flow = taken(parseFlow('table=acl,in_port="eth0" actions=output:eth0,resubmit(eth0,acl)', names));
    expect(formatFlow(flow)).toBe('table=3,priority=32768,in_port=7 actions=output:7,resubmit(7,3)');
    const of = { port: (port: number) => (port === 7 ? 'eth0' : undefined), table: () => undefined };
    expect(formatFlow(flow, of)).toBe('table=3,priority=32768,in_port=eth0 actions=output:eth0,resubmit(eth0,3)');
  });
  it('a file: commands, comments, the line of an error', () => {
    const made = taken(
      parseFlows('# all\nadd ip actions=1\n\ndelete arp # no ARP\nmodify_strict priority=3 actions=2\n'),
    );
    expect(made.map(({ command }) => command)).toEqual([of13.OFPFC.ADD, of13.OFPFC.DELETE, of13.OFPFC.MODIFY_STRICT]);
    expect(error(parseFlows('actions=1\n\nfoo=1 actions=1'))).toMatchObject({ line: 3, column: 1 });
  });
  it('a field that does not apply is left out, with a warning', () => {
    const result = parseMatch('arp,tp_src=80');
    expect(result).toMatchObject({ ok: true });
    expect(formatFlow({ priority: 1, match: taken(result), instructions: [] })).toBe('priority=1,arp actions=drop');
  });
  it('actions alone', () => {
    expect(formatActions(taken(parseActions('set_field:5->reg0,2')))).toBe('set_field:0x5->reg0,output:2');
  });
});

describe('versions', () => {
  it('importance goes on the wire from 1.4 on, and is left out before, with a warning', () => {
    const text = 'importance=7,ip actions=output:1';
    for (const version of [5, 6]) {
      const { value, warnings } = parseFlow(text, { version }) as { value: FlowText; warnings: readonly string[] };
      expect([value.importance, warnings]).toEqual([7, []]);
      expect(bytesOf(text, version).slice(92, 96)).toBe('0007');
    }
    for (const version of [2, 3, 4]) expect(bytesOf(text, version)).toBe(bytesOf('ip actions=output:1', version));
    expect(parseFlow(text)).toMatchObject({ ok: true, warnings: [expect.stringMatching(/1\.4/)] });
  });
  it.each([
    ['load:0x5->NXM_NX_REG2[3..9]', 'set_field:0x28/0x3f8->reg2'],
    ['set_field:5/0xf->reg3', 'set_field:0x5/0xf->reg3'],
    ['move:NXM_NX_REG0[0..15]->NXM_NX_REG1[16..31]', 'move:NXM_NX_REG0[0..15]->NXM_NX_REG1[16..31]'],
    ['clone(load:1->NXM_NX_REG0[])', 'clone(set_field:0x1->reg0)'],
  ])('what 1.5 has words of its own for: %s', (text, printed) => {
    const actions = taken(parseActions(text, { version: 6 }));
    expect(formatActions(actions)).toBe(printed);
    const flow = `actions=${text}`;
    expect(bytesOf(flow, 6).slice(0, 4)).toBe('060e');
    expect(taken(parseActions(printed, { version: 6 }))).toEqual(actions);
  });
});

describe('groups', () => {
  it.each([
    'group_id=1,type=all,bucket=actions=output:1,bucket=actions=output:2,set_field:0x5->reg0',
    'group_id=5,type=select,bucket=weight:3,actions=output:1,bucket=actions=resubmit(,3)',
    'group_id=7,type=ff,bucket=watch_port:1,actions=output:1,bucket=watch_group:3,actions=drop',
    'group_id=9,type=indirect,bucket=actions=output:4',
  ])('%s', (text) => expect(formatGroup(taken(parseGroup(text)))).toBe(text));
  it.each([
    'group_id=1,type=select,selection_method=dp_hash,bucket=bucket_id:7,actions=output:1',
    'group_id=1,type=select,selection_method=hash,selection_method_param=7,fields=ip_src,bucket=actions=output:1',
    'group_id=1,type=select,selection_method=hash,fields(eth_dst=ff:ff:ff:00:00:00,vlan_vid,tcp_dst),bucket=actions=output:1',
  ])('of OpenFlow 1.5: %s', (text) => {
    expect(formatGroup(taken(parseGroup(text, { version: 6 })))).toBe(text);
    expect(parseGroup(text)).toMatchObject({ ok: false });
  });
  it.each([
    ['group_id=1,type=select,fields(ip_src),bucket=output:1', /needs selection_method=/],
    ['group_id=1,type=select,selection_method=a_method_that_is_long,bucket=output:1', /at most 15 letters/],
    ['group_id=1,type=select,selection_method=hash,fields(nw_tos),bucket=output:1', /no field to select by/],
    ['group_id=1,type=select,selection_method=hash,fields(ip_source),bucket=output:1', /ip_source/],
  ])('of OpenFlow 1.5, refused: %s', (text, why) => {
    const result = parseGroup(text, { version: 6 });
    expect(result.ok ? '' : result.error.message).toMatch(why);
  });
  it('actions without the word', () => {
    const group = taken(parseGroup('group_id=1,type=all,bucket=output:1,mod_dl_src:02:00:00:00:00:01'));
    expect(formatGroup(group)).toBe('group_id=1,type=all,bucket=actions=output:1,set_field:02:00:00:00:00:01->eth_src');
  });
  it('deletion, and a file', () => {
    expect(taken(parseGroup('', { command: 'delete' })).groupId).toBe(of13.OFPG.ALL);
    expect(taken(parseGroup('group_id=3', { command: 'delete' })).groupId).toBe(3);
    expect(taken(parseGroups('add group_id=1,type=all\ndelete group_id=1')).map(({ command }) => command)).toEqual([
      0, 2,
    ]);
  });
  it.each([
    ['group_id=1,type=some', 17, undefined],
    ['group_id=1,tpye=all', 12, 'type'],
    ['group_id=1,type=ff,bucket=output:1', 27, undefined],
    ['group_id=1,type=all,bucket=weight:3,output:1', 28, undefined],
    ['group_id=1,type=select,selection_method=hash', 24, undefined],
    ['type=all', 1, undefined],
  ])('%s: wrong at column %i', (text, column, suggestion) => {
    expect(error(parseGroup(text))).toMatchObject({ column, ...(suggestion === undefined ? {} : { suggestion }) });
  });
});

describe('meters', () => {
  it.each([
    ['meter=1 kbps bands=type=drop rate=1000', 'meter=1 kbps bands= type=drop rate=1000'],
    [
      'meter=2,pktps,burst,stats,bands=type=drop,rate=5,burst_size=6,type=dscp_remark,rate=7,burst_size=8,prec_level=1',
      'meter=2 pktps burst stats bands= type=drop rate=5 burst_size=6 type=dscp_remark rate=7 burst_size=8 prec_level=1',
    ],
    ['meter=controller pktps band=type=drop rate=1', 'meter=controller pktps bands= type=drop rate=1'],
  ])('%s', (text, printed) => {
    expect(formatMeter(taken(parseMeter(text)))).toBe(printed);
    expect(formatMeter(taken(parseMeter(printed)))).toBe(printed);
  });
  it.each([
    'meter=1',
    'meter=0 kbps bands=type=drop rate=1',
    'meter=1 bands=type=drop rate=1',
    'meter=1 kbps bands=rate=1',
  ])('%s: refused', (text) => expect(parseMeter(text).ok).toBe(false));
});

it('no text makes a parser throw', () => {
  const piece = fc.constantFrom(
    ...flows,
    ...refusedFlows,
    'group_id=1,type=all,bucket=output:1',
    'meter=1 kbps bands=type=drop',
  );
  const edit = fc.tuple(
    fc.nat(),
    fc.nat(3),
    fc.oneof(fc.string({ maxLength: 3 }), fc.constantFrom('(', ')', '->', ',', '[', '0x')),
  );
  const property = fc.property(piece, fc.array(edit, { minLength: 1, maxLength: 4 }), (text, edits) => {
    let changed = text;
    for (const [at, drop, put] of edits) {
      const where = at % (changed.length + 1);
      changed = changed.slice(0, where) + put + changed.slice(where + drop);
    }
    for (const parse of [parseFlow, parseFlows, parseMatch, parseActions, parseGroup, parseMeter]) {
      const result = parse(changed);
      if (!result.ok) expect(result.error.column).toBeGreaterThan(0);
    }
    for (const version of [4, 5]) {
      const flow = parseFlow(changed, { version });
      if (flow.ok) encodeMessage({ version, xid: 1, ...flow.value });
    }
  });
  fc.assert(property, { numRuns: 800 });
});
