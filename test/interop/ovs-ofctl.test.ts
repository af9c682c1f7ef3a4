/** Debian's ovs-ofctl against the bridge's management socket, OpenFlow 1.3. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Child, eventually, sh } from '../lab/process.js';
import { TestSwitch } from '../lab/switch.js';

let xvif: TestSwitch;

beforeAll(async () => {
  xvif = await TestSwitch.start({ args: ['--fail-mode', 'secure'] });
  for (const [index, ip] of ['10.0.0.1', '10.0.0.2', '10.0.0.3'].entries()) {
    await xvif.xvif('guest', 'add', `g${index + 1}`, '--bridge', 'br0', '--ip', `${ip}/24`);
  }
  await eventually('three guests are ports', async () => {
    const { ports } = { ports: await portNumbers() };
    return ports.size >= 3;
  });
}, 60_000);

afterAll(() => xvif?.stop());

afterEach(async () => {
  await xvif.ofctl('del-flows');
  await xvif.ofctl('del-groups').catch(() => undefined);
  await xvif.ofctl('del-meters').catch(() => undefined);
});

/** Port numbers by name, as `ovs-ofctl show` prints them, LOCAL left out. */
async function portNumbers(): Promise<Map<string, number>> {
  const shown = await xvif.ofctl('show');
  return new Map([...shown.matchAll(/^ (\d+)\(([^)]+)\): addr/gm)].map(([, number, name]) => [name!, Number(number)]));
}

/** The flows without what changes by itself. */
async function flows(): Promise<string[]> {
  const dump = await xvif.ofctl('dump-flows', '--no-stats');
  return dump
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line.includes('actions='))
    .sort();
}

describe('ovs-ofctl -O OpenFlow13', () => {
  it('show', async () => {
    const shown = await xvif.ofctl('show');
    expect(shown).toContain('OFPT_FEATURES_REPLY (OF1.3)');
    expect(shown).toContain('n_tables:254');
    expect(shown).toMatch(/OFPT_GET_CONFIG_REPLY \(OF1.3\).*frags=normal/);
    expect([...(await portNumbers()).keys()].filter((name) => /^xvif\d+i0$/.test(name))).toHaveLength(3);
  });

  it("Nicira's extensions: ovs-ofctl reads back what it wrote", async () => {
    const texts = [
      'priority=100,reg0=0x5,reg1=0x10/0xf0 actions=resubmit(,1),resubmit(3,2)',
      'priority=99 actions=load:0x7->NXM_NX_REG0[4..8],move:NXM_NX_REG0[0..15]->NXM_NX_REG3[16..31]',
      'priority=98 actions=push:NXM_NX_REG0[],pop:NXM_NX_REG1[],output:NXM_NX_REG1[0..15]',
      'priority=97,ip actions=clone(dec_ttl,output:2),dec_ttl(1,2),output:3',
      'priority=96 actions=controller(reason=no_match,max_len=100,id=7)',
      'priority=95,conj_id=7 actions=note:01.02.03.04.05.06,exit',
      'priority=94 actions=conjunction(7,1/2)',
      'priority=93 actions=multipath(symmetric_l4,50,modulo_n,4,0,NXM_NX_REG0[0..1])',
      'priority=92 actions=bundle(eth_src,0,hrw,ofport,members:2,3)',
      'priority=91 actions=check_pkt_larger(1500)->NXM_NX_REG0[3]',
    ];
    for (const text of texts) await xvif.ofctl('add-flow', text);
    const dumped = await flows();
    for (const text of texts) expect(dumped).toContain(text);
    await expect(xvif.ofctl('add-flow', 'ip actions=ct(commit)')).rejects.toThrow(
      /OFPBAC_BAD_VENDOR_TYPE|BAD_EXP_TYPE/,
    );
    await xvif.ofctl('del-flows');
  });

  it('add-flow, dump-flows, mod-flows, del-flows', async () => {
    const texts = [
      'priority=100,ip,nw_dst=10.0.0.0/24 actions=output:2',
      'table=3, priority=7,tcp6,ipv6_src=fd00::/64,tp_dst=80 actions=set_field:02:00:00:00:00:01->eth_dst,dec_ttl,output:1',
      'priority=9,dl_vlan=100,dl_vlan_pcp=3 actions=pop_vlan,goto_table:3',
      'priority=8,arp,arp_tpa=10.0.0.9 actions=push_vlan:0x8100,set_field:4196->vlan_vid,CONTROLLER:128',
      'priority=5,mpls,mpls_label=77,mpls_bos=1 actions=dec_mpls_ttl,pop_mpls:0x0800,output:3',
      'priority=4,icmp6,icmp_type=135,nd_target=fd00::1 actions=write_actions(output:1),goto_table:9',
      'priority=3,metadata=0x5/0xff actions=clear_actions,write_metadata:0x1/0x3,goto_table:4',
      'cookie=0x1234, idle_timeout=60,hard_timeout=600,send_flow_rem priority=2,udp,tp_src=53 actions=drop',
    ];
    for (const text of texts) await xvif.ofctl('add-flow', text);
    const dumped = await flows();
    expect(dumped).toHaveLength(texts.length);
    expect(dumped.join('\n')).toContain('priority=100,ip,nw_dst=10.0.0.0/24 actions=output:');
    expect(dumped.join('\n')).toContain('table=3, priority=7,tcp6,ipv6_src=fd00::/64,tp_dst=80');
    expect(dumped.join('\n')).toContain('cookie=0x1234');

    await xvif.ofctl('mod-flows', 'ip,nw_dst=10.0.0.0/24 actions=output:3');
    expect((await flows()).find((line) => line.includes('priority=100'))).toMatch(/actions=output:("?xvif\d+i0"?|3)$/);
    await sh(
      'ovs-ofctl',
      '-O',
      'OpenFlow13',
      '--strict',
      'del-flows',
      xvif.target,
      'priority=100,ip,nw_dst=10.0.0.0/24',
    );
    await xvif.ofctl('del-flows', 'cookie=0x1234/-1');
    expect(await flows()).toHaveLength(texts.length - 2);
    await xvif.ofctl('del-flows', 'table=3');
    expect(await flows()).toHaveLength(texts.length - 3);
  });

  it('refuses what the specification refuses, with its error', async () => {
    await expect(xvif.ofctl('add-flow', 'actions=group:99')).rejects.toThrow('OFPBAC_BAD_OUT_GROUP');
    await xvif.ofctl('add-flow', 'priority=5,ip actions=drop');
    await expect(xvif.ofctl('add-flow', 'check_overlap,priority=5,tcp actions=drop')).rejects.toThrow(
      'OFPFMFC_OVERLAP',
    );
  });

  it('dump-ports, dump-ports-desc, dump-tables', async () => {
    expect(await xvif.ofctl('dump-ports')).toMatch(/OFPST_PORT reply \(OF1.3\).*: \d+ ports/);
    expect(await xvif.ofctl('dump-ports-desc')).toMatch(/xvif1i0\): addr:/);
    expect(await xvif.ofctl('dump-tables')).toContain('OFPST_TABLE reply');
    expect(await xvif.ofctl('dump-aggregate')).toMatch(/packet_count=\d+ byte_count=\d+ flow_count=\d+/);
  });

  it('add-group, dump-groups, mod-group, del-groups, dump-group-stats, dump-group-features', async () => {
    await xvif.ofctl('add-group', 'group_id=1,type=select,bucket=weight:1,output:1,bucket=weight:3,output:2');
    await xvif.ofctl('add-group', 'group_id=2,type=ff,bucket=watch_port:1,output:1,bucket=watch_port:2,output:2');
    await xvif.ofctl('add-group', 'group_id=3,type=all,bucket=output:1,bucket=group:2');
    const groups = await xvif.ofctl('dump-groups');
    expect(groups).toContain('group_id=1,type=select');
    expect(groups).toContain('watch_port:');
    expect(groups).toContain('group_id=3,type=all');
    await xvif.ofctl('mod-group', 'group_id=1,type=indirect,bucket=output:3');
    expect(await xvif.ofctl('dump-groups')).toContain('group_id=1,type=indirect');
    expect(await xvif.ofctl('dump-group-stats')).toMatch(/group_id=2,duration=[\d.]+s,ref_count=1/);
    expect(await xvif.ofctl('dump-group-features')).toContain('OFPST_GROUP_FEATURES');
    await xvif.ofctl('add-flow', 'actions=group:2');
    await expect(xvif.ofctl('del-groups', 'group_id=2')).rejects.toThrow('OFPGMFC_CHAINED_GROUP');
    await xvif.ofctl('del-groups', 'group_id=3');
    await xvif.ofctl('del-groups', 'group_id=2');
    expect(await flows()).toEqual([]);
  });

  it('add-meter, dump-meters, meter-stats, mod-meter, meter-features, del-meters', async () => {
    await xvif.ofctl('add-meter', 'meter=1,kbps,burst,stats,band=type=drop,rate=1000,burst_size=500');
    await xvif.ofctl('add-meter', 'meter=2,pktps,band=type=drop,rate=10');
    expect(await xvif.ofctl('dump-meters')).toMatch(
      /meter=1 kbps burst stats bands=\s+type=drop rate=1000 burst_size=500/,
    );
    await xvif.ofctl('add-flow', 'priority=1 actions=meter:1,output:1');
    expect(await xvif.ofctl('meter-stats')).toMatch(/meter:1 flow_count:1 packet_in_count:0/);
    await xvif.ofctl('mod-meter', 'meter=2,pktps,band=type=drop,rate=20');
    expect(await xvif.ofctl('dump-meters')).toContain('rate=20');
    expect(await xvif.ofctl('meter-features')).toContain('max_meter:');
    await xvif.ofctl('del-meters');
    expect(await flows()).toEqual([]);
  });

  it('mod-port', async () => {
    const [name, number] = [...(await portNumbers())].find(([port]) => port.startsWith('xvif'))!;
    await xvif.ofctl('mod-port', name, 'no-forward');
    expect(await xvif.ofctl('dump-ports-desc', `${number}`)).toContain('NO_FWD');
    await xvif.ofctl('mod-port', name, 'forward');
    expect(await xvif.ofctl('dump-ports-desc', `${number}`)).not.toContain('NO_FWD');
    await xvif.ofctl('mod-port', name, 'down');
    expect(await xvif.ofctl('dump-ports-desc', `${number}`)).toContain('PORT_DOWN');
    await xvif.ofctl('mod-port', name, 'up');
  });

  it('packet-out and monitor', async () => {
    await xvif.ofctl('add-flow', 'priority=0 actions=CONTROLLER:65535');
    const monitor = new Child('ovs-ofctl', ['-O', 'OpenFlow13', 'monitor', xvif.target, '65535'], {
      OVS_RUNDIR: xvif.runDir,
    });
    try {
      await eventually('the monitor is connected', async () => {
        await xvif.ofctl(
          'packet-out',
          'in_port=1 packet=020000000002020000000001080045000014000000004001 actions=table',
        );
        return monitor.output.includes('PACKET_IN');
      });
      expect(monitor.output).toMatch(/NXT_PACKET_IN2 \(OF1.3\).*in_port=1 \(via no_match\)/);
    } finally {
      await monitor.stop();
    }
    const before = await xvif.ofctl('dump-ports', '2');
    await xvif.ofctl(
      'packet-out',
      'in_port=controller packet=0200000000020200000000010800450000140000000040010000 actions=output:2',
    );
    const sent = (text: string) => Number(/tx pkts=(\d+)/.exec(text)?.[1]);
    expect(sent(await xvif.ofctl('dump-ports', '2'))).toBe(sent(before) + 1);
  });

  it('a guest reaches another through NORMAL', async () => {
    await xvif.ofctl('add-flow', 'actions=NORMAL');
    expect(await xvif.xvif('ping', 'g1', '10.0.0.2', '-c', '3')).toMatch(/3 received/);
  });

  it('snoops nothing that is not asked for', async () => {
    expect(await sh('ovs-ofctl', '-O', 'OpenFlow13', 'probe', xvif.target)).toBe('');
  });
});
