/** From what a switch has and what a file says to what must change: pure. */
import { type FlowStats, of13 } from 'node-openflow';
import { describe, expect, it } from 'vitest';
import { atOnce } from '../../../src/base/slices.js';
import { PortList, type Program } from '../../../src/compiler/index.js';
import { exportFlowSet, lostBy, makePlan, putBackSteps, type SwitchState } from '../../../src/reconcile/index.js';
import { compiled, said } from '../compiler/cases.js';

const file = (rules: string, rest = '') => `apiVersion: xvif.dev/v1alpha1
kind: FlowSet
metadata: {name: shop}
spec:
  tables:
  - name: in
    rules:
${rules}${rest}`;

function programOf(text: string): Program {
  const { program, diagnostics } = compiled(text, new PortList([]));
  expect(said(diagnostics)).toBe('');
  return program;
}

const stats = (mod: Program['flows'][number]['mod']): FlowStats => ({
  ...mod,
  durationSec: 1,
  durationNsec: 0,
  packetCount: 7n,
  byteCount: 700n,
});

/** A switch that has a program. */
const having = ({ flows, groups, meters }: Program, others: readonly FlowStats[] = []): SwitchState => ({
  flows: [...flows.map(({ mod }) => stats(mod)), ...others],
  groups: groups.map(({ mod }) => mod),
  meters: meters.map(({ mod }) => mod),
});
const empty: SwitchState = { flows: [], groups: [], meters: [] };
const keep = { prune: false };

const web = '    - {name: web, priority: 9, match: {protocol: tcp4, dst_port: 80}, do: normal}\n';
const arp = '    - {name: arp, priority: 8, match: {protocol: arp}, do: normal}\n';
const more = `  groups: [{name: g, type: all, buckets: [{do: [{output: 1}]}]}]
  meters: [{name: m, kbps: 100}]
`;

const metered = (id: number, cookie: bigint): FlowStats => ({
  ...stats(programOf(file(arp)).flows[0]!.mod),
  priority: id,
  instructions: [{ type: 'meter', meterId: id }],
  cookie,
});
const meter = (meterId: number) => ({ meterId, flags: 1, bands: [{ type: 'drop' as const, rate: 1, burstSize: 0 }] });

describe('groups and meters with numbers chosen by hand, on a switch that does not say whose they are', () => {
  const chosen = (rate: number, port: number) =>
    programOf(
      file(
        '    - {name: web, priority: 9, do: [{meter: m}, {group: g}]}\n',
        `  groups: [{name: g, id: 5, type: all, buckets: [{do: [{output: ${port}}]}]}]
  meters: [{name: m, id: 6, kbps: ${rate}}]
`,
      ),
    );
  const [before, after] = [chosen(100, 1), chosen(200, 2)];
  const [own] = before.flows;
  const foreign: FlowStats = { ...stats(own!.mod), priority: 1, cookie: 1n };

  it('are ours where no flow of others leads to them', () => {
    const { changes, conflicts } = makePlan(after, having(before), keep);
    expect(changes.map(({ kind, what }) => `${kind} ${what}`)).toEqual(['change meter', 'change group']);
    expect(conflicts).toEqual([]);
  });

  it("are neither changed nor deleted where one does, but for a group with the owner's number", () => {
    const state = having(before, [foreign]);
    const { changes, conflicts } = makePlan(after, state, keep);
    expect(changes).toEqual([]);
    expect(conflicts.map(({ what }) => what)).toEqual(['meter', 'group']);
    const removal = makePlan(after, state, { prune: false, remove: true });
    expect(removal.changes.map(({ kind, what }) => `${kind} ${what}`)).toEqual(['delete flow']);
    const named = programOf(file('    - {name: web, priority: 9, do: [{group: g}]}\n', more));
    const used: FlowStats = { ...stats(named.flows[0]!.mod), priority: 1, cookie: 1n };
    const gone = makePlan(named, having(named, [used]), { prune: false, remove: true });
    expect(gone.changes.map(({ what }) => what)).toContain('group');
  });
});

describe('groups and meters that others use too', () => {
  const chosen = (port: number) =>
    programOf(
      file(
        '    - {name: web, priority: 9, do: [{meter: m}, {group: g}]}\n',
        `  groups: [{name: g, id: 5, type: all, buckets: [{do: [{output: ${port}}]}]}]
  meters: [{name: m, id: 6, kbps: ${port}}]
`,
      ),
    );
  const [before, after] = [chosen(1), chosen(2)];
  const bucket = before.groups[0]!.mod.buckets[0]!;
  const chained = (groupId: number, more: Partial<typeof bucket>) => ({
    groupId,
    groupType: 0,
    buckets: [{ ...bucket, actions: [], ...more }],
  });

  it.each([
    ['lead to', { actions: [{ type: 'group', groupId: 5 }] }, ['group']],
    ['watch', { watchGroup: 5 }, ['group']],
    ['measure with', { actions: [{ type: 'meter', meterId: 6 }] }, ['meter']],
  ] as const)('are not changed where groups of others %s them', (_, more, what) => {
    const had = having(before);
    const state = { ...had, groups: [...had.groups, chained(77, more)] };
    const plan = makePlan(after, state, keep);
    expect(plan.conflicts.map((one) => one.what)).toEqual(what);
    const gone = makePlan(after, state, { prune: false, remove: true }).changes.map((one) => one.what);
    expect(gone.filter((one) => one === what[0])).toEqual([]);
  });

  it("are in nobody's way where nothing would change", () => {
    const foreign: FlowStats = { ...stats(before.flows[0]!.mod), priority: 1, cookie: 1n };
    const { changes, conflicts, unchanged } = makePlan(before, having(before, [foreign]), keep);
    expect([changes, conflicts, unchanged]).toEqual([[], [], 3]);
  });
});

describe('with prune a plan', () => {
  const program = programOf(file(web));
  const own = program.flows[0]!.mod.cookie;

  it('leaves meters that no program declared, as their numbers do not say whose they are', () => {
    const state = { ...having(program, [metered(7, own), metered(8, 1n)]), meters: [7, 8, 9].map(meter) };
    const { changes } = makePlan(program, state, { prune: true });
    expect(changes.map(({ kind, what, text }) => `${kind} ${what} ${text.split(/[, ]/)[0]}`)).toEqual([
      `delete flow cookie=0x${own.toString(16)}`,
    ]);
  });

  it('takes away the meters of the program before', () => {
    const previous = programOf(file(web, more));
    const { changes } = makePlan(program, having(previous), { prune: true, previous });
    expect(changes.map(({ kind, what }) => `${kind} ${what}`)).toEqual(['delete meter', 'delete group']);
  });

  it('that is undone is put back where nothing is in its place', () => {
    const group = { groupId: Math.floor(Number((own >> 32n) & 0xffffn)) * 0x1_0000, groupType: 0, buckets: [] };
    const state = { flows: [metered(7, own), metered(6, own)], groups: [group], meters: [meter(7)] };
    const lost = lostBy(makePlan(program, state, { prune: true }));
    expect(lost.map(({ kind, what }) => `${kind} ${what}`)).toEqual(['add group', 'add flow', 'add flow']);
    const putBack = (now: SwitchState) => atOnce(putBackSteps(lost, now)).changes;
    expect(putBack(having(program))).toEqual(lost);
    expect(putBack({ ...having(program, [metered(7, 1n)]), groups: [group] })).toEqual([
      lost.find(({ message }) => message.type === 'flow_mod' && message.priority === 6),
    ]);
  });

  it('that is undone is put back where a rule had taken its place, but not what a program had', () => {
    const old = stats(programOf(file(web.replace('normal', 'drop'))).flows[0]!.mod);
    const state = { ...empty, flows: [old] };
    const plan = makePlan(program, state, { prune: false, previous: programOf(file(arp)) });
    expect(plan.changes.map(({ kind }) => kind)).toEqual(['change']);
    expect(lostBy(plan).map(({ kind, message }) => [kind, message])).toMatchObject([
      ['add', { command: of13.OFPFC.ADD, cookie: old.cookie, instructions: old.instructions }],
    ]);
    const previous = programOf(file(web.replace('normal', 'drop')));
    expect(lostBy(makePlan(program, state, { prune: false, previous }))).toEqual([]);
  });
});

describe('a plan', () => {
  it('of an empty switch adds everything, meters and groups before what uses them', () => {
    const plan = makePlan(programOf(file(web + arp, more)), empty, keep);
    expect(plan.changes.map(({ kind, what }) => `${kind} ${what}`)).toEqual([
      'add meter',
      'add group',
      'add flow',
      'add flow',
    ]);
  });

  it('of a switch that has it changes nothing', () => {
    const program = programOf(file(web + arp, more));
    const { changes, unchanged, stale } = makePlan(program, having(program), keep);
    expect({ changes, unchanged, stale }).toEqual({ changes: [], unchanged: 4, stale: [] });
  });

  it('modifies what does something else, which keeps its counters', () => {
    const before = programOf(file(web));
    const plan = makePlan(programOf(file(web.replace('normal', 'drop'))), having(before), keep);
    expect(plan.changes).toHaveLength(1);
    const [change] = plan.changes;
    expect(change).toMatchObject({ kind: 'change', message: { command: of13.OFPFC.MODIFY_STRICT } });
    expect(change!.undo).toMatchObject({
      command: of13.OFPFC.MODIFY_STRICT,
      instructions: before.flows[0]!.mod.instructions,
    });
  });

  it('adds anew what has other timeouts', () => {
    const program = programOf(file(web.replace('do:', 'idle_timeout: 5, do:')));
    const { changes } = makePlan(program, having(programOf(file(web))), keep);
    expect(changes).toMatchObject([{ kind: 'change', message: { command: of13.OFPFC.ADD, idleTimeout: 5 } }]);
  });

  it('leaves what no file has any more, and deletes it with prune', () => {
    const state = having(programOf(file(web + arp)));
    const program = programOf(file(web));
    expect(makePlan(program, state, keep)).toMatchObject({ changes: [], stale: [expect.stringContaining('arp')] });
    const { changes } = makePlan(program, state, { prune: true });
    expect(changes).toMatchObject([{ kind: 'delete', message: { command: of13.OFPFC.DELETE_STRICT, priority: 8 } }]);
  });

  it('never touches flows of others', () => {
    const program = programOf(file(web));
    const foreign = { ...stats(programOf(file(arp)).flows[0]!.mod), cookie: 5n };
    const { changes, stale, conflicts } = makePlan(program, having(program, [foreign]), { prune: true });
    expect({ changes, stale, conflicts }).toEqual({ changes: [], stale: [], conflicts: [] });
  });

  it('says where it would take the place of a flow of others', () => {
    const program = programOf(file(web));
    const foreign = { ...stats(program.flows[0]!.mod), cookie: 5n };
    const { changes, conflicts } = makePlan(program, { ...empty, flows: [foreign] }, keep);
    expect(changes).toEqual([]);
    expect(conflicts).toMatchObject([{ other: expect.stringContaining('cookie=0x5') }]);
  });

  it('sees the same in other words: load of a whole field, masks of all ones', () => {
    const loads = programOf(
      file('    - {name: web, priority: 9, match: {protocol: tcp4}, do: ["load:5->NXM_NX_REG0[]", normal]}\n'),
    );
    const sets = programOf(
      file('    - {name: web, priority: 9, match: {protocol: tcp4}, do: ["set_field:5->reg0", normal]}\n'),
    );
    expect(makePlan(loads, having(sets), keep).changes).toEqual([]);
  });

  it('sees the same in other words: the port of 16 bits and that of 32', () => {
    const rule = (...actions: string[]) =>
      programOf(file(`    - {name: web, priority: 9, match: {protocol: tcp4}, do: ${JSON.stringify(actions)}}\n`));
    const narrow = rule('move:NXM_OF_IN_PORT[]->NXM_NX_REG5[0..15]', 'load:0xfffe->NXM_OF_IN_PORT[]', 'normal');
    const wide = rule('move:OXM_OF_IN_PORT[0..15]->NXM_NX_REG5[0..15]', 'load:0xfffffffe->OXM_OF_IN_PORT[]', 'normal');
    expect(makePlan(narrow, having(wide), keep).changes).toEqual([]);
    const other = rule('move:OXM_OF_IN_PORT[0..15]->NXM_NX_REG5[0..15]', 'load:0xfffe->OXM_OF_IN_PORT[]', 'normal');
    expect(makePlan(narrow, having(other), keep).changes).toHaveLength(1);
  });

  it('of a removal deletes what the files have', () => {
    const program = programOf(file(web + arp, more));
    const { changes } = makePlan(program, having(program), { prune: false, remove: true });
    expect(changes.map(({ kind }) => kind)).toEqual(['delete', 'delete', 'delete', 'delete']);
  });
});

describe('an export', () => {
  it('makes the same flows, groups and meters again', () => {
    const program = programOf(file(web + arp, more));
    const again = programOf(exportFlowSet(having(program), { name: 'again' }));
    const bare = ({ flows, groups, meters }: Program) => ({
      flows: flows.map(({ mod }) => ({ ...mod, cookie: 0n })),
      groups: groups.map(({ mod }) => mod),
      meters: meters.map(({ mod }) => ({ ...mod, flags: mod.flags & ~of13.OFPMF.STATS })),
    });
    expect(bare(again)).toEqual(bare(program));
  });
});
