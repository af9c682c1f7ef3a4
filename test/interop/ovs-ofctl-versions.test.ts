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
