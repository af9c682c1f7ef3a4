/** Nicira's actions of every kind: our dumps beside those of Open vSwitch's own switch, and what packets learn in both. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { arp, ethernet, tcp, tcpFrame, udp } from '../differential/frames.js';
import { OpenVswitch } from '../lab/open-vswitch.js';
import { eventually, sh } from '../lab/process.js';
import { TestSwitch } from '../lab/switch.js';

let xvif: TestSwitch;
let ovs: OpenVswitch;
const folder = mkdtempSync(join(tmpdir(), 'xvif-nicira-'));

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

const learns = [
  'learn(table=2,idle_timeout=10,NXM_OF_VLAN_TCI[0..11],NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],output:NXM_OF_IN_PORT[])',
  'learn(table=2,priority=10,send_flow_rem,delete_learned,fin_idle_timeout=3,fin_hard_timeout=4,cookie=0x55,limit=7,result_dst=NXM_NX_REG3[4],eth_type=0x800,load:5->NXM_NX_REG0[0..7],load:NXM_NX_REG1[]->NXM_NX_REG2[],reg3[3..5]=3)',
  'learn(table=3,hard_timeout=5,in_port=5,reg0=5,eth_dst=01:02:03:04:05:06)',
  'learn(eth_type=0x86dd,ipv6_dst=fe80::1,load:0x12345->NXM_NX_XXREG0[3..70])',
  'learn(table=5,NXM_OF_VLAN_TCI[],NXM_NX_REG0[3..9]=NXM_NX_REG1[0..6])',
  'learn(table=6,NXM_OF_VLAN_TCI[]=0x1005,dl_type=0x800,nw_proto=17,nw_src=10.0.0.1,udp_dst=53)',
  'learn(table=7,metadata=5,load:NXM_OF_IN_PORT[]->NXM_NX_REG0[0..15],output:NXM_NX_REG0[0..15])',
  'learn()',
];

/** Those that come back in the same words from both, in every version. */
const anywhere = [
  'resubmit:5',
  'resubmit(,3)',
  'resubmit(4,3)',
  'resubmit(LOCAL,9),resubmit:LOCAL',
  'set_queue:3,pop_queue',
  'move:NXM_NX_REG0[0..15]->NXM_NX_REG1[16..31]',
  'move:NXM_OF_ETH_SRC[]->NXM_OF_ETH_DST[]',
  'load:0x5->NXM_NX_REG2[3..9]',
  'load:0xff->xxreg0[60..75]',
  'note:00.11.22.33.00.00',
  'note:00.11.22.33.44.55.66.77.88.99.00.00.00.00',
  'multipath(symmetric_l4,1024,modulo_n,16,0,NXM_NX_REG0[0..12])',
  'multipath(nw_src,5,iter_hash,3,4,reg1[0..3])',
  'bundle(eth_src,0,hrw,ofport,members:1,2,LOCAL)',
  'bundle(symmetric_l3,0,active_backup,ofport,slaves:1)',
  'bundle_load(symmetric_l3l4+udp,7,active_backup,ofport,NXM_NX_REG0[0..15],members:1,2)',
  'output:NXM_NX_REG1[5..10]',
  'output(port=3,max_len=100),output(port=in_port,max_len=14)',
  ...learns,
  'exit',
  'controller(reason=invalid_ttl,max_len=120,id=5)',
  'controller(userdata=00.11.22,meter_id=3)',
  'controller(reason=no_match,meter_id=9)',
  'push:NXM_NX_REG2[1..5],pop:NXM_NX_REG3[]',
  'push:xxreg0',
  'clone(load:0x5->NXM_NX_REG0[0..7],output:3,clone(exit))',
  'sample(probability=5,collector_set_id=1,obs_domain_id=2,obs_point_id=3)',
  'sample(probability=65535,sampling_port=5)',
  'sample(probability=5,collector_set_id=1,obs_domain_id=2,obs_point_id=3,sampling_port=5,egress)',
  'sample(probability=5,ingress)',
  'check_pkt_larger(1500)->NXM_NX_REG0[3]',
  'conjunction(5,1/3),note:11.22.00.00.00.00',
  'conjunction(16,2/2),conjunction(7,3/4)',
];
const forTcp = [
  'dec_ttl',
  'dec_ttl(1,2,3)',
  'fin_timeout(idle_timeout=5,hard_timeout=6)',
  'fin_timeout(hard_timeout=6)',
  'learn(table=1,eth_type=0x800,nw_proto=6,NXM_OF_IP_DST[]=NXM_OF_IP_SRC[],NXM_OF_TCP_DST[]=NXM_OF_TCP_SRC[])',
];
const forMpls = ['dec_mpls_ttl,set_mpls_ttl(7),output:1', 'pop_mpls:0x0800', 'push_mpls:0x8848'];

const flows = [
  ...anywhere.map((actions) => ['', actions] as const),
  ...forTcp.map((actions) => ['tcp,', actions] as const),
  ...forMpls.map((actions) => ['mpls,', actions] as const),
].map(([match, actions], i) => `priority=${1000 + i},${match}actions=${actions}`);

async function dumpOf(target: string, options: readonly string[], file: string): Promise<string[]> {
  await sh('ovs-ofctl', ...options, 'del-flows', target);
  await sh('ovs-ofctl', ...options, 'add-flows', target, file);
  const dump = await sh('ovs-ofctl', ...options, '--no-stats', '--no-names', 'dump-flows', target);
  const lines = dump.split('\n').map((line) => line.trim());
  return lines.filter((line) => line.includes('actions=')).sort();
}

describe.each(['13', '14'])('ovs-ofctl, OpenFlow %s', (version) => {
  const options = ['-O', `OpenFlow${version}`];

  it('flows are dumped in the words of Open vSwitch', async () => {
    const file = join(folder, `flows${version}`);
    writeFileSync(file, `${flows.join('\n')}\n`);
    const [theirs, ours] = [await dumpOf(ovs.target, options, file), await dumpOf(xvif.target, options, file)];
    expect(theirs).toHaveLength(flows.length);
    expect(ours).toEqual(theirs);
  }, 60_000);

  const refused = [
    ['tcp,actions=ct(commit)', 'TYPE'],
    ['tcp,actions=ct(commit,nat(src=10.0.0.1))', 'TYPE'],
    ['actions=ct_clear', 'TYPE'],
    ['actions=delete_field:tun_metadata3', 'OFPBAC_BAD_(SET_TYPE|ARGUMENT)'],
    ['actions=load:1->NXM_NX_TUN_METADATA1[0]', 'OFPBAC_BAD_(SET_TYPE|ARGUMENT)'],
  ] as const;
  it.each(refused)('%s is refused', async (flow, error) => {
    await expect(sh('ovs-ofctl', ...options, 'add-flow', xvif.target, flow)).rejects.toThrow(new RegExp(error));
  });
});

const from = (n: number) => ({ src: `02:00:00:00:00:0${n}`, dst: '02:00:00:00:00:09' });

/** As long as Ethernet's shortest. */
function padded(frame: Uint8Array): Uint8Array {
  const whole = new Uint8Array(Math.max(60, frame.length));
  whole.set(frame);
  return whole;
}

function withFin(frame: Uint8Array): Uint8Array {
  return frame.map((byte, i) => (i === 47 ? byte | 1 : byte));
}

describe('what packets learn is what they learn from Open vSwitch', () => {
  const learning = [
    'priority=5,tcp,actions=learn(table=1,idle_timeout=6000,hard_timeout=9000,priority=7,cookie=0x9,fin_idle_timeout=2,eth_type=0x800,nw_proto=6,NXM_OF_IP_SRC[]=NXM_OF_IP_DST[],NXM_OF_IP_DST[]=NXM_OF_IP_SRC[],NXM_OF_TCP_SRC[]=NXM_OF_TCP_DST[],NXM_OF_TCP_DST[]=NXM_OF_TCP_SRC[],load:0x3->NXM_NX_REG1[3..6],load:NXM_OF_ETH_SRC[0..31]->NXM_OF_ETH_DST[0..31],output:NXM_OF_IN_PORT[]),output:2',
    'priority=6,tcp,tcp_flags=+fin,actions=fin_timeout(idle_timeout=500,hard_timeout=600),output:2',
    'priority=4,udp,actions=learn(table=2,limit=2,result_dst=NXM_NX_REG0[0],cookie=0x7,NXM_OF_VLAN_TCI[0..11],NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],output:NXM_OF_IN_PORT[]),resubmit(,3)',
    'priority=3,arp,actions=learn(table=4,cookie=0x8,eth_type=0x806,NXM_OF_ARP_TPA[]=NXM_OF_ARP_SPA[],NXM_OF_ETH_DST[]=NXM_NX_ARP_SHA[],reg3=7,NXM_OF_IN_PORT[])',
    'table=3,reg0=1,actions=output:2',
    'table=3,reg0=0,actions=output:3',
  ];
  const request = { op: 1, sha: '02:00:00:00:00:03', spa: '10.0.0.3', tha: '00:00:00:00:00:00', tpa: '10.0.0.1' };
  const frames: readonly (readonly [number, Uint8Array])[] = [
    [1, tcpFrame(from(1))],
    [1, withFin(tcpFrame(from(1)))],
    [2, tcpFrame(from(2), { src: '10.0.0.2', dst: '10.0.0.1', l4: tcp(80, 1000) })],
    [1, tcpFrame(from(1), { proto: 17, l4: udp(5, 6) })],
    [2, tcpFrame({ ...from(2), tags: [{ vid: 5, pcp: 1 }] }, { proto: 17, l4: udp(5, 6) })],
    [3, tcpFrame(from(3), { proto: 17, l4: udp(5, 6) })],
    [1, tcpFrame(from(1), { proto: 17, l4: udp(5, 6) })],
    [3, ethernet({ ...from(3), type: 0x0806, payload: arp(request) })],
  ];
  const options = ['-O', 'OpenFlow13'];
  const hex = (frame: Uint8Array) => Buffer.from(padded(frame)).toString('hex');

  async function flowsOf(target: string): Promise<string[]> {
    const dump = await sh('ovs-ofctl', ...options, '--no-names', 'dump-flows', target);
    const changing = /(duration|idle_age|hard_age)=[^,]*, */g;
    return dump
      .split('\n')
      .filter((line) => line.includes('actions='))
      .map((line) => line.trim().replace(changing, ''))
      .sort();
  }

  it('flows, counters, timeouts and cookies', async () => {
    const file = join(folder, 'learning');
    writeFileSync(file, `${learning.join('\n')}\n`);
    for (const { target } of [ovs, xvif]) {
      await sh('ovs-ofctl', ...options, 'del-flows', target);
      await sh('ovs-ofctl', ...options, 'add-flows', target, file);
    }
    for (const [i, [port, frame]] of frames.entries()) {
      await ovs.appctl('netdev-dummy/receive', `p${port}`, hex(frame));
      const seen = async () =>
        (await sh('ovs-ofctl', ...options, 'dump-aggregate', ovs.target, 'table=0')).includes(`packet_count=${i + 1} `);
      await eventually(`frame ${i} was handled`, seen);
      await xvif.ofctl('packet-out', `in_port=${port} packet=${hex(frame)} actions=table`);
    }
    const [theirs, ours] = [await flowsOf(ovs.target), await flowsOf(xvif.target)];
    expect(theirs.filter((line) => /^cookie=0x[789],/.test(line))).toHaveLength(5);
    expect(ours).toEqual(theirs);
  }, 60_000);
});
