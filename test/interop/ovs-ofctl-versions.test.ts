/** Debian's ovs-ofctl against the management socket, in every version of OpenFlow. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sh } from '../lab/process.js';
import { TestSwitch } from '../lab/switch.js';

let xvif: TestSwitch;
const folder = mkdtempSync(join(tmpdir(), 'xvif-versions-'));

beforeAll(async () => {
  xvif = await TestSwitch.start({ args: ['--local', 'null', '--port', 'one=null', '--port', 'two=null'] });
}, 60_000);

afterAll(async () => {
  rmSync(folder, { recursive: true });
  await xvif?.stop();
});

/** ovs-ofctl as users of one version run it. */
function tool(version: string) {
  const options = version === '' ? [] : ['-O', `OpenFlow${version}`];
  const ofctl = (command: string, ...args: string[]) => sh('ovs-ofctl', ...options, command, xvif.target, ...args);
  const actionsOf = async () => [...(await ofctl('dump-flows')).matchAll(/(tcp\S*) actions=(\S+)/g)].map((m) => m[0]);
  return { ofctl, actionsOf };
}

describe.each(['', '10', '11', '12', '13', '14', '15'])('ovs-ofctl, OpenFlow "%s"', (version) => {
  const { ofctl, actionsOf } = tool(version);

  it('show, add-flow, mod-flows, dump-flows, dump-tables, dump-ports, del-flows', async () => {
    const shown = `${await ofctl('show')}`;
    expect(shown).toMatch(/n_tables:254/);
    expect(shown).toMatch(/\d+\(one\): addr:/);
    await ofctl('add-flow', 'priority=5,tcp,tp_dst=80,actions=output:1');
    await ofctl('mod-flows', 'tcp,tp_dst=80,actions=output:2');
    expect((await actionsOf()).join()).toMatch(/^tcp,tp_dst=80 actions=output:("?two"?|2)$/);
    expect(await ofctl('dump-tables')).toMatch(/active=1/);
    expect(await ofctl('dump-ports')).toMatch(/3 ports/);
    await ofctl('del-flows');
    expect(await actionsOf()).toEqual([]);
  });
});

describe('ports with ovs-ofctl, OpenFlow 1.0', () => {
  it('mod-port: no-flood and no-receive-stp are words of 1.0 alone', async () => {
    const [old, later] = [tool('10'), tool('13')];
    const config = async ({ ofctl }: typeof old) => /\(one\).*?config: +(.*?)$/ms.exec(await ofctl('show'))?.[1];
    await old.ofctl('mod-port', 'one', 'no-flood');
    await old.ofctl('mod-port', 'one', 'no-receive-stp');
    expect(await config(old)).toBe('NO_RECV_STP NO_FLOOD');
    expect(await config(later)).toBe('0');
    await later.ofctl('mod-port', 'one', 'flood');
    expect(await config(old)).toBe('NO_RECV_STP NO_FLOOD');
    await old.ofctl('mod-port', 'one', 'flood');
    await old.ofctl('mod-port', 'one', 'receive-stp');
    await later.ofctl('mod-port', 'one', 'no-receive');
    expect(await config(old)).toBe('NO_RECV NO_RECV_STP');
    await later.ofctl('mod-port', 'one', 'receive');
    expect(await config(old)).toBe('0');
  });
});

describe.each(['11', '12', '13', '14', '15'])('groups with ovs-ofctl, OpenFlow "%s"', (version) => {
  const { ofctl } = tool(version);

  it('add-group, dump-groups, del-groups', async () => {
    await ofctl('add-group', 'group_id=3,type=select,bucket=output:1,bucket=output:2');
    expect(await ofctl('dump-groups')).toContain('group_id=3,type=select');
    await ofctl('del-groups');
    expect(await ofctl('dump-groups')).not.toContain('group_id=3');
  });
});

describe.each(['13', '14', '15'])('bundles with ovs-ofctl, OpenFlow "%s"', (version) => {
  const { ofctl, actionsOf } = tool(version);

  it('--bundle add-flows: all or none', async () => {
    const [good, bad] = [join(folder, `good${version}`), join(folder, `bad${version}`)];
    writeFileSync(good, 'add priority=1,tcp,actions=output:1\nadd priority=2,tcp,tp_dst=1,actions=output:2\n');
    writeFileSync(bad, 'add priority=3,tcp,tp_dst=2,actions=output:1\nadd priority=4,tcp,actions=group:77\n');
    await ofctl('add-flows', '--bundle', good);
    expect(await actionsOf()).toHaveLength(2);
    await expect(ofctl('add-flows', '--bundle', bad)).rejects.toThrow();
    expect(await actionsOf()).toHaveLength(2);
    await ofctl('del-flows');
  });
});

describe('OpenFlow 1.5 with ovs-ofctl', () => {
  const { ofctl, actionsOf } = tool('15');
  const buckets = async () => [...(await ofctl('dump-groups')).matchAll(/bucket_id:(\d+)/g)].map((m) => Number(m[1]));

  it('insert-buckets, remove-buckets', async () => {
    const bucket = (id: number) => `bucket=bucket_id=${id},weight=1,actions=output:1`;
    await ofctl('add-group', `group_id=9,type=select,${bucket(5)},${bucket(7)}`);
    const edit = (command: string, place: string, ...rest: string[]) =>
      ofctl(command, [`group_id=9,command_bucket_id=${place}`, ...rest].join());
    await edit('insert-buckets', 'last', bucket(9));
    await edit('insert-buckets', 'first', bucket(1));
    await edit('insert-buckets', '5', bucket(6));
    expect(await buckets()).toEqual([1, 5, 6, 7, 9]);
    await edit('remove-buckets', '5');
    await edit('remove-buckets', 'last');
    expect(await buckets()).toEqual([1, 6, 7]);
    await expect(edit('remove-buckets', '5')).rejects.toThrow(/UNKNOWN_BUCKET/);
    await expect(edit('insert-buckets', 'last', bucket(7))).rejects.toThrow(/BUCKET_EXISTS/);
    await edit('remove-buckets', 'all');
    expect(await buckets()).toEqual([]);
    await ofctl('del-groups');
  });

  it('selection methods of groups', async () => {
    for (const selection of [
      'selection_method=hash,fields=ip_src',
      'selection_method=hash,selection_method_param=7,fields(eth_dst=ff:ff:ff:00:00:00,vlan_vid,tcp_dst)',
      'selection_method=dp_hash,selection_method_param=4294967296',
    ]) {
      await ofctl('add-group', `group_id=9,type=select,${selection},bucket=bucket_id=1,weight:1,actions=output:1`);
      expect(await ofctl('dump-groups')).toContain(`type=select,${selection},bucket=`);
      await ofctl('del-groups');
    }
    const bad = 'group_id=9,type=select,selection_method=dice,bucket=output:1';
    await expect(ofctl('add-group', bad)).rejects.toThrow();
  });

  it("meters as actions, move, set_field of some bits, and Nicira's fragments", async () => {
    await ofctl('add-meter', 'meter=1,kbps,band=type=drop,rate=1000');
    const actions = [
      'meter:1',
      'output:1',
      'move:NXM_OF_IP_SRC[0..15]->NXM_OF_IP_DST[16..31]',
      'set_field:0.9.0.7/0.255.0.255->ip_src',
      'output:2',
    ].join();
    await ofctl('add-flow', `tcp,tp_dst=81,actions=${actions}`);
    expect((await actionsOf()).join()).toMatch(
      /meter:1,.*move:NXM_OF_IP_SRC.*,set_field:0\.9\.0\.7\/0\.255\.0\.255->ip_src,/,
    );
    const older = tool('13');
    expect((await older.actionsOf()).join()).toMatch(/set_field:0\.9\.0\.7\/0\.255\.0\.255->ip_src/);
    await ofctl('del-meters');
    await ofctl('del-flows');
    await ofctl('set-frags', 'nx-match');
    expect(await ofctl('get-frags')).toMatch(/nx-match/);
    await ofctl('set-frags', 'normal');
  }, 120_000);
});
