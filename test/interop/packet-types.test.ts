/** Packet types and service headers in the words of ovs-ofctl: our switch beside Open vSwitch's own, which both get the same. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tcpFrame } from '../differential/frames.js';
import { OpenVswitch } from '../lab/open-vswitch.js';
import { eventually, sh } from '../lab/process.js';
import { TestSwitch } from '../lab/switch.js';

let xvif: TestSwitch;
let ovs: OpenVswitch;
const folder = mkdtempSync(join(tmpdir(), 'xvif-packet-types-'));
const ports = ['one', 'two', 'three'].flatMap((name) => ['--port', `${name}=null`]);

beforeAll(async () => {
  ovs = await OpenVswitch.start('dummy', [1, 2, 3]);
  await eventually('the other switch answers', async () => (await sh('ovs-ofctl', 'show', ovs.target)).length > 0);
  xvif = await TestSwitch.start({ args: ['--fail-mode', 'secure', '--local', 'null', ...ports] });
}, 90_000);

afterAll(async () => {
  rmSync(folder, { recursive: true });
  await xvif?.stop();
  await ovs?.stop();
});

const flows = [
  'in_port=1,actions=encap(nsh),encap(ethernet),output:2',
  'in_port=2,actions=encap(nsh(md_type=1)),set_field:0x7->nsh_spi,set_field:3->nsh_si,set_field:0x11->nsh_c1,encap(ethernet),output:2',
  'in_port=3,actions=encap(nsh(md_type=2,tlv(0x1000,10,0x12345678),tlv(0x2000,20,0xfedcba9876))),set_field:2->nsh_flags,set_field:9->nsh_ttl,encap(ethernet),output:2',
  'table=1,dl_type=0x894f,nsh_mdtype=1,nsh_np=3,nsh_spi=0x7,nsh_si=3,nsh_c1=0x11/0xff,nsh_ttl=63,nsh_flags=0,actions=dec_nsh_ttl,move:nsh_c1[]->NXM_NX_REG0[],output:3',
  'table=1,priority=5,dl_type=0x894f,actions=decap(),decap(),resubmit(,2)',
  'table=2,tcp,actions=output:3',
  'table=3,packet_type=(1,0x894f),nsh_spi=0x7,actions=decap(),resubmit(,2)',
  'table=3,packet_type=(1,0x800),nw_dst=10.0.0.2,actions=encap(ethernet),set_field:02:00:00:00:00:09->eth_dst,output:3',
  'table=4,actions=encap(mpls),encap(ethernet),output:3',
  'table=5,mpls,actions=decap(),decap(packet_type(ns=0,type=0)),output:3',
  'table=6,packet_type=(0,0),in_port=1,actions=drop',
];

/** Without what is each switch's own: times, names of ports, cookies. */
const words = (dump: string): string[] =>
  [...dump.matchAll(/^.*?(table=\d+, )?n_packets=\d+, n_bytes=\d+, (?:idle_age=\d+, )?(.*)$/gm)]
    .map(([, table, rest]) => `${table ?? 'table=0, '}${rest}`.replace(/"?(one|two|three)"?/g, (name) => name).trim())
    .map((line) => line.replace(/output:"?one"?/g, 'output:1').replace(/output:"?two"?/g, 'output:2'))
    .map((line) => line.replace(/output:"?three"?/g, 'output:3').replace(/in_port="?one"?/g, 'in_port=1'))
    .map((line) => line.replace(/in_port="?two"?/g, 'in_port=2').replace(/in_port="?three"?/g, 'in_port=3'))
    .sort();

describe.each(['OpenFlow13', 'OpenFlow14', 'OpenFlow15'])('%s', (version) => {
  const say = (target: string, command: string, ...args: string[]) =>
    sh('ovs-ofctl', '-O', version, '--no-names', command, target, ...args);

  it('dumps of both switches are alike', async () => {
    const file = join(folder, 'flows');
    writeFileSync(file, flows.join('\n'));
    const dumps = [];
    for (const target of [xvif.target, ovs.target]) {
      await say(target, 'del-flows');
      await say(target, 'add-flows', file);
      dumps.push(words(await say(target, 'dump-flows')));
    }
    expect(dumps[0]!.length).toBe(flows.length);
    expect(dumps[0]).toEqual(dumps[1]);
  });
});

describe('what cannot be is refused by both', () => {
  it.each([
    'actions=dec_nsh_ttl',
    'actions=set_field:5->nsh_spi',
    'actions=encap(nsh),set_field:02:00:00:00:00:01->eth_dst',
    'actions=decap(),set_field:02:00:00:00:00:01->eth_dst',
    'actions=encap(nsh),decap(),set_field:5->nsh_spi',
  ])('%s', async (flow) => {
    const refusal = async (target: string) =>
      sh('ovs-ofctl', '-O', 'OpenFlow13', 'add-flow', target, `table=9,${flow}`).catch((error: Error) => error.message);
    // Open vSwitch's own tool does not send most of them.
    for (const target of [xvif.target, ovs.target])
      expect(await refusal(target)).toMatch(/inconsistent|INCONSISTENT|none of the usable flow formats/);
  });
});

/** Output of a frame by a port, as ofproto/trace tells it, and as our switch traces it. */
describe('the same packets take the same ways', () => {
  const frame = Buffer.from(tcpFrame()).toString('hex');
  const say = (target: string, command: string, ...args: string[]) =>
    sh('ovs-ofctl', '-O', 'OpenFlow13', '--no-names', command, target, ...args);
  const counted = async (target: string): Promise<string[]> =>
    [...(await say(target, 'dump-flows')).matchAll(/(table=\d+), n_packets=(\d+)/g)].map(
      ([, table, packets]) => `${table} ${packets}`,
    );

  it.each([
    [
      'a service header on and off',
      'table=0,in_port=1,actions=encap(nsh),set_field:7->nsh_spi,encap(ethernet),resubmit(,1)',
      'table=1,dl_type=0x894f,nsh_spi=7,nsh_si=255,nsh_ttl=63,actions=decap(),resubmit(,2)',
      'table=2,packet_type=(1,0x894f),nsh_np=3,actions=decap(),resubmit(,3)',
      'table=3,tcp,nw_dst=10.0.0.2,actions=output:3',
    ],
    [
      'IP without Ethernet',
      'table=0,in_port=1,actions=decap(),resubmit(,1)',
      'table=1,priority=9,ip,actions=drop',
      'table=1,priority=8,packet_type=(1,0x800),nw_proto=6,actions=encap(ethernet),resubmit(,2)',
      'table=2,tcp,dl_dst=00:00:00:00:00:00,actions=output:3',
    ],
    [
      'a flow on no header',
      'table=0,in_port=1,actions=encap(nsh),resubmit(,1)',
      'table=1,priority=9,dl_dst=00:00:00:00:00:00/01:00:00:00:00:00,actions=drop',
      'table=1,priority=8,in_port=1,actions=output:2',
    ],
  ])('%s', async (_, ...list) => {
    const file = join(folder, 'ways');
    writeFileSync(file, list.join('\n'));
    const counts = [];
    for (const target of [xvif.target, ovs.target]) {
      await say(target, 'del-flows');
      await say(target, 'add-flows', file);
      await say(target, 'packet-out', `in_port=1,packet=${frame},actions=resubmit(,0)`);
      await eventually('the packet is counted', async () =>
        (await counted(target)).some((line) => line.endsWith(' 1')),
      );
      counts.push((await counted(target)).sort());
    }
    expect(counts[0]).toEqual(counts[1]);
    expect(counts[0]).toContain('table=0 1');
  });
});
