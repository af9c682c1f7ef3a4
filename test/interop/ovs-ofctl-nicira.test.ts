/** Debian's ovs-ofctl with Nicira's extensions: flow formats, packet-in formats, the table of tunnel options. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Child, eventually, sh } from '../lab/process.js';
import { TestSwitch } from '../lab/switch.js';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let xvif: TestSwitch;
beforeAll(async () => {
  xvif = await TestSwitch.start({ args: ['--local', 'null', '--port', 'one=null', '--port', 'two=null'] });
});
afterAll(() => xvif?.stop());

const ten = (format: string, command: string, ...args: string[]) =>
  sh('ovs-ofctl', '-O', 'OpenFlow10', '-F', format, command, xvif.target, ...args);
/** Dumps name tables in any case, so that there is no format of theirs with that. */
const dumped = (format: string, command: string, ...args: string[]) =>
  ten(format.replace('+table_id', ''), command, ...args);
const flowsOf = (dump: string): string[] => [...dump.matchAll(/^ cookie=.*$/gm)].map(([line]) => line);

describe.each(['OpenFlow10', 'OpenFlow10+table_id', 'NXM', 'NXM+table_id'])('1.0 with flow format %s', (format) => {
  const tables = format.endsWith('table_id');

  it('flows are added, changed, dumped, counted and deleted', async () => {
    const where = tables ? 'table=3,' : '';
    await ten(format, 'add-flow', `${where}cookie=0x5,tcp,tp_dst=80,actions=output:1`);
    await ten(format, 'mod-flows', `${where}cookie=0x5,tcp,tp_dst=80,actions=output:2,mod_dl_src:02:00:00:00:00:09`);
    const [flow, ...rest] = flowsOf(await dumped(format, 'dump-flows'));
    expect(rest).toEqual([]);
    expect(flow).toMatch(/cookie=0x5.*tcp,tp_dst=80 actions=output:("?two"?|2),mod_dl_src:02:00:00:00:00:09/);
    if (tables) expect(flow).toContain('table=3');
    expect(await dumped(format, 'dump-aggregate')).toContain('flow_count=1');
    await ten(format, 'del-flows');
    expect(flowsOf(await dumped(format, 'dump-flows'))).toEqual([]);
  });
});

describe.each(['NXM', 'NXM+table_id'])('flow format %s', (format) => {
  it('registers, IPv6 and resubmits have words', async () => {
    await ten(format, 'add-flow', 'reg3=7,tcp6,ipv6_dst=fd00::1,actions=load:5->NXM_NX_REG1[],dec_ttl,resubmit(,2)');
    const [flow] = flowsOf(await dumped(format, 'dump-flows'));
    expect(flow).toMatch(
      /tcp6,reg3=0x7,ipv6_dst=fd00::1 actions=(load:0x5->NXM_NX_REG1\[\]|set_field:0x5->reg1),dec_ttl,resubmit\(,2\)/,
    );
    await ten(format, 'add-flow', 'cookie=0x77,udp,actions=drop');
    expect(flowsOf(await dumped(format, 'dump-flows', 'cookie=0x77/-1'))).toHaveLength(1);
    await ten(format, 'del-flows', 'cookie=0x77/-1');
    expect(flowsOf(await dumped(format, 'dump-flows'))).toHaveLength(1);
    await ten(format, 'del-flows');
  });
});

describe.each(['OpenFlow10', 'OpenFlow13', 'OpenFlow15'])('monitor, %s', (version) => {
  it.each(['standard', 'nxt_packet_in', 'nxt_packet_in2'])('packet-ins as %s', async (format) => {
    const env = { OVS_RUNDIR: xvif.runDir };
    const monitor = new Child('ovs-ofctl', ['-O', version, '-P', format, 'monitor', xvif.target, '65534'], env);
    try {
      // Two of its kind can be told apart by the packet.
      await eventually('the packet is told of', async () => {
        const actions = 'controller(userdata=01.02.03,reason=action)';
        const packet =
          '020000000002020000000001080045000014000000004011000001020304050607080000000000000000000000000000';
        await xvif.ofctl('packet-out', `in_port=LOCAL,packet=${packet},actions=${actions}`);
        return /PACKET_IN.*\n?.*(total_len=48|reason)|via action/s.test(monitor.output);
      });
      if (format === 'nxt_packet_in2') expect(monitor.output).toContain('userdata=01.02.03');
    } finally {
      await monitor.stop();
    }
  });
});

describe.each(['OpenFlow10', 'OpenFlow13', 'OpenFlow15'])('paused packets, %s', (version) => {
  it('are resumed by a monitor that is told to', async () => {
    const env = { OVS_RUNDIR: xvif.runDir };
    await xvif.ofctl('del-flows');
    await xvif.ofctl('add-flow', 'actions=load:7->NXM_NX_REG0[],controller(pause,userdata=0a.0b),resubmit(,1)');
    await xvif.ofctl('add-flow', 'table=1,reg0=7,actions=output:1');
    const monitor = new Child(
      'ovs-ofctl',
      ['-O', version, '-P', 'nxt_packet_in2', 'monitor', xvif.target, '65534', 'resume'],
      env,
    );
    try {
      await eventually('the packet gets to table 1', async () => {
        await xvif.ofctl('packet-out', `in_port=LOCAL,packet=${'02'.repeat(60)},actions=table`);
        return /table=1,[^\n]* n_packets=[1-9]/.test(await xvif.ofctl('dump-flows'));
      });
      expect(monitor.output).toContain('userdata=0a.0b');
    } finally {
      await monitor.stop();
      await xvif.ofctl('del-flows');
    }
  });
});

describe('groups of 1.0', () => {
  const groups = (command: string, ...args: string[]) =>
    sh('ovs-ofctl', '-O', 'OpenFlow10', command, xvif.target, ...args);

  it('are added with how they choose, dumped, changed bucket by bucket and deleted', async () => {
    await groups(
      'add-group',
      'group_id=1,type=select,selection_method=hash,fields(ip_src),bucket=output:1,bucket=output:2',
    );
    const dump = await groups('dump-groups');
    expect(dump).toMatch(/group_id=1,type=select,selection_method=hash,fields[=(]ip_src\)?,bucket=bucket_id:0/);
    await groups('remove-buckets', 'group_id=1,command_bucket_id=0');
    expect(await groups('dump-groups')).not.toContain('bucket_id:0');
    expect(await groups('dump-group-stats')).toContain('group_id=1');
    expect(await groups('dump-group-features')).toMatch(
      /select group:\s*max_groups=0x10000\s*actions: output .*mod_nw_src/,
    );
    await expect(groups('add-group', 'group_id=1,type=all,bucket=output:1')).rejects.toThrow(/OFPGMFC_GROUP_EXISTS/);
    await groups('del-groups');
    expect(await groups('dump-groups')).not.toContain('group_id');
  });
});

describe('the table of tunnel options', () => {
  it('is added to, dumped and emptied', async () => {
    await xvif.ofctl('add-tlv-map', '{class=0xffff,type=1,len=4}->tun_metadata0');
    expect(await xvif.ofctl('dump-tlv-map')).toMatch(/0xffff\s+0x1\s+4\s+tun_metadata0/);
    await expect(xvif.ofctl('add-tlv-map', '{class=0xffff,type=1,len=4}->tun_metadata1')).rejects.toThrow(
      /NXTTMFC_DUP_ENTRY/,
    );
    await xvif.ofctl('del-tlv-map');
    expect(await xvif.ofctl('dump-tlv-map')).not.toContain('tun_metadata0');
  });

  it('connections to be forgotten are refused: there is no tracking', async () => {
    await expect(sh('ovs-ofctl', 'ct-flush-zone', xvif.target, '5')).rejects.toThrow(/BAD_EXP_TYPE|BAD_SUBTYPE/);
  });
});
