/** Debian's ovs-ofctl: flow monitors, and what tables can be set to. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Child, eventually, sh } from '../lab/process.js';
import { TestSwitch } from '../lab/switch.js';

let xvif: TestSwitch;
let monitor: Child | undefined;

beforeAll(async () => {
  xvif = await TestSwitch.start({ args: ['--local', 'null', '--port', 'one=null', '--port', 'two=null'] });
}, 60_000);
afterAll(() => xvif?.stop());
afterEach(async () => {
  await monitor?.stop();
  await sh('ovs-ofctl', 'del-flows', xvif.target);
});

const ofctl = (version: string, command: string, ...args: string[]) =>
  sh('ovs-ofctl', '-O', `OpenFlow${version}`, command, xvif.target, ...args);

describe.each(['10', '11', '12', '13', '14', '15'])('ovs-ofctl -O OpenFlow%s monitor', (version) => {
  it('prints what is there and what changes', async () => {
    await ofctl('13', 'add-flow', 'priority=7,in_port=1,actions=output:2');
    // Open vSwitch takes the bit that says "only my own" for "my own in full".
    const watch = version >= '14' ? 'watch:!own' : 'watch:';
    monitor = new Child('ovs-ofctl', ['-O', `OpenFlow${version}`, 'monitor', xvif.target, watch], {
      OVS_RUNDIR: xvif.runDir,
    });
    const printed = async (line: RegExp) => eventually(`${line}`, async () => line.test(monitor!.output));
    const actions = (port: string) => `actions=output:("?${port}"?|${port === 'one' ? 1 : 2})`;
    await printed(new RegExp(`event=(INITIAL|ADDED) table=0 cookie=0 in_port=("?one"?|1) ${actions('two')}`));
    await ofctl('13', 'mod-flows', 'in_port=1,actions=output:1');
    await printed(new RegExp(`event=MODIFIED table=0 cookie=0 in_port=("?one"?|1) ${actions('one')}`));
    await ofctl('13', 'add-flow', 'table=3,priority=8,tcp,tp_dst=80,idle_timeout=9,actions=drop');
    await printed(/event=ADDED table=3.*tcp,tp_dst=80/);
    await ofctl('13', 'del-flows', 'in_port=1');
    await printed(/event=(DELETED|REMOVED) reason=delete table=0 cookie=0 in_port=/);
  });
});

describe('tables with ovs-ofctl', () => {
  it.each(['11', '12'])('mod-table: misses in OpenFlow %s', async (version) => {
    const miss = async () =>
      /table 5 \("table5"\):\n(?: {4}.*\n){1,2}? {4}config=(\w+)/.exec(await ofctl(version, 'dump-tables'))?.[1];
    await ofctl(version, 'mod-table', '5', 'drop');
    expect(await miss()).toBe('drop');
    await ofctl(version, 'mod-table', '5', 'continue');
    expect(await miss()).toBe('continue');
    // As all others are, which is why it is not said.
    await ofctl(version, 'mod-table', '5', 'controller');
    expect(await miss()).toBeUndefined();
  });
  it.each(['14', '15'])('mod-table: eviction and vacancy events in OpenFlow %s', async (version) => {
    await ofctl(version, 'mod-table', '5', 'evict');
    expect(await ofctl(version, 'dump-table-desc')).toMatch(
      /table 5:\n\s+eviction=on eviction_flags=OTHER\|IMPORTANCE\|LIFETIME/,
    );
    await ofctl(version, 'mod-table', '5', 'vacancy:20,80');
    expect(await ofctl(version, 'dump-table-desc')).toMatch(
      /table 5:[\s\S]*?vacancy=on vacancy_down=20% vacancy_up=80% vacancy=100%/,
    );
    await ofctl(version, 'mod-table', '5', 'novacancy');
    await ofctl(version, 'mod-table', '5', 'noevict');
    expect(await ofctl(version, 'dump-table-desc')).toMatch(/table 5:\n\s+eviction=off/);
  });
  it.each(['13', '14', '15'])('dump-table-features in OpenFlow %s', async (version) => {
    const dumped = await ofctl(version, 'dump-table-features');
    expect(dumped).toMatch(/table 0 \("table0"\):/);
    expect(dumped).toMatch(/max_entries=4000000/);
  });
});
