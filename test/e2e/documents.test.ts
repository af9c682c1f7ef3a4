/** Flow files that xvifd keeps: over restarts, replugs and kill -9, for owners who do not know of each other. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Running, run, start } from './programs.js';

const folder = mkdtempSync(join(tmpdir(), 'xvif-documents-'));
const runDir = join(folder, 'run');
let daemon: Running;

const xvif = (line: string) => run('xvif', '--run-dir', runDir, ...line.split(' '));
const file = (name: string) => join(folder, name);

async function startDaemon(): Promise<void> {
  // Nobody listens there: a controller never comes.
  daemon = start('xvifd', '--run-dir', runDir, '--local', 'null', '--controller', `unix:${file('nobody')}`);
  await daemon.says(/"msg":"ready"/);
}

async function addGuests(...names: readonly string[]): Promise<void> {
  for (const name of names) {
    const n = name.charCodeAt(0) - 96;
    // The same address again, as the others remember it.
    const added = await xvif(`guest add ${name} --bridge br0 --ip 10.0.0.${n}/24 --mac 00:16:3e:00:00:0${n}`);
    expect(added).toMatchObject({ code: 0 });
  }
}

async function ping(from: string, to: string): Promise<boolean> {
  const { code } = await xvif(`ping ${from} 10.0.0.${to.charCodeAt(0) - 96} -c 3 -i 0.2 -W 0.5`);
  return code === 0;
}

/** What apply --confirm says for xvif confirm. */
const tokenIn = (output: string): string => /xvif confirm ([0-9a-f]{8}) keeps it/.exec(output)?.[1] ?? 'none';

/** Waits for a state that comes by itself. */
async function eventually(line: string, pattern: RegExp): Promise<string> {
  for (;;) {
    const { code, output } = await xvif(line);
    if (code !== 0) throw new Error(`xvif ${line}: ${output}`);
    if (pattern.test(output)) return output;
  }
}

const between = (name: string, owner: string, table: string, a: string, b: string) =>
  writeFileSync(
    file(`${name}.yaml`),
    `apiVersion: xvif.dev/v1alpha1
kind: FlowSet
metadata: {name: ${name}, owner: ${owner}}
spec:
  tables:
    - ${table}
      rules:
        - {name: there, priority: 100, match: {in_port: ${a}/0}, do: [{output: ${b}/0}]}
        - {name: back, priority: 100, match: {in_port: ${b}/0}, do: [{output: ${a}/0}]}
`,
  );

beforeAll(async () => {
  between('pair', 'ops', 'name: pairs', 'a', 'b');
  between('other', 'web', 'name: others', 'c', 'd');
  await startDaemon();
}, 60_000);
afterAll(async () => {
  daemon.child.kill('SIGTERM');
  await daemon.ended;
  rmSync(folder, { recursive: true, force: true });
});

describe('documents of xvifd', { timeout: 300_000 }, () => {
  it('wait for guests that are not there, and are in force once they are', async () => {
    const applied = await xvif(`apply ${file('pair.yaml')}`);
    expect(applied).toMatchObject({ code: 0 });
    expect(applied.output).toContain('waiting for ports: a/0, b/0');
    expect((await xvif('documents')).output).toMatch(
      /br0 +ops +pair +FlowSet +0 .*pair\.yaml +2 waiting for a\/0, b\/0/,
    );
    await addGuests('a', 'b');
    await eventually('documents', /pair +FlowSet +2 .* in force/);
    expect(await ping('a', 'b')).toBe(true);
    expect((await xvif('flows')).output).toMatch(/actions=output:\d+ {2}# ops: \S+pair\.yaml:8 pair\/pairs\/there/);
  });

  it('follow a guest to its new port', async () => {
    const before = await xvif('--json flows');
    expect(await xvif('guest rm b')).toMatchObject({ code: 0 });
    await eventually('documents', /2 waiting for b\/0/);
    await addGuests('b');
    await eventually('documents', /pair +FlowSet +2 .* in force/);
    expect(await ping('a', 'b')).toBe(true);
    const outputs = (text: string) =>
      (JSON.parse(text) as { text: string }[]).map(({ text: flow }) => /actions=.*/.exec(flow)![0]);
    expect(outputs((await xvif('--json flows')).output)).not.toEqual(outputs(before.output));
  });

  it('are there after a restart, before any controller', async () => {
    daemon.child.kill('SIGTERM');
    expect(await daemon.ended).toBe(0);
    await startDaemon();
    await addGuests('a', 'b');
    await eventually('documents', /pair +FlowSet +2 .* in force/);
    expect(await ping('a', 'b')).toBe(true);
  });

  it('two owners do not touch each other', async () => {
    await addGuests('c', 'd');
    expect(await xvif(`apply --prune ${file('other.yaml')}`)).toMatchObject({ code: 0 });
    expect(await ping('a', 'b')).toBe(true);
    expect(await ping('c', 'd')).toBe(true);
    expect((await xvif(`diff ${file('pair.yaml')}`)).code).toBe(0);
    between('other', 'ops', 'name: others', 'c', 'd');
    expect(await xvif(`apply ${file('other.yaml')}`)).toMatchObject({
      code: 2,
      output: expect.stringContaining('document "other" belongs to "web", not to "ops"'),
    });
    between('other', 'web', 'name: others', 'c', 'd');
    expect(await xvif(`delete ${file('other.yaml')}`)).toMatchObject({ code: 0 });
    expect(await ping('a', 'b')).toBe(true);
    expect(await ping('c', 'd')).toBe(false);
  });

  it('diff ends with 0 where nothing differs, 1 where something does, and more where it cannot tell', async () => {
    const code = async (line: string) => (await xvif(line)).code;
    between('pair', 'ops', 'name: pairs', 'a', 'b');
    expect(await code(`diff ${file('pair.yaml')}`)).toBe(0);
    between('pair', 'ops', 'name: pairs', 'a', 'c');
    expect(await xvif(`diff ${file('pair.yaml')}`)).toMatchObject({
      code: 1,
      output: expect.stringContaining('the switch differs in'),
    });
    writeFileSync(file('wrong.yaml'), 'kind: FlowSet\n');
    expect(await code(`diff ${file('wrong.yaml')}`)).toBe(2);
    expect(await code(`diff ${file('missing.yaml')}`)).toBe(2);
    expect(await code(`diff --no-such-option ${file('pair.yaml')}`)).toBe(2);
    expect(await code(`diff --bridge br9 ${file('pair.yaml')}`)).toBe(2);
    expect(await code(`diff --switch unix:${file('nobody')} ${file('pair.yaml')}`)).toBe(2);
    expect((await run('xvif', '--run-dir', file('nowhere'), 'diff', file('pair.yaml'))).code).toBe(2);
  });

  it('--confirm: undone by the daemon itself, or kept', async () => {
    between('pair', 'ops', 'name: pairs', 'a', 'd');
    const tentative = await xvif(`apply --confirm 2 ${file('pair.yaml')}`);
    const late = tokenIn(tentative.output);
    await daemon.says(/not confirmed in time/);
    expect(await ping('a', 'b')).toBe(true);
    expect(await xvif(`confirm ${late}`)).toMatchObject({ code: 2, output: expect.stringContaining('is undone') });
    const { code, output } = await xvif(`apply --confirm 1m ${file('pair.yaml')}`);
    expect(code).toBe(0);
    expect(await xvif(`confirm ${late}`)).toMatchObject({ code: 2, output: expect.stringContaining('is undone') });
    expect((await xvif('documents')).output).toContain('to be confirmed');
    expect(await xvif(`confirm ${tokenIn(output)}`)).toMatchObject({ code: 0 });
    expect(await ping('a', 'd')).toBe(true);
    expect((await xvif('documents')).output).toMatch(/pair .* in force/);
  });

  it('a kill in the midst of applies leaves a whole journal, with what was answered', async () => {
    let answered = 0;
    const endless = (async () => {
      for (let n = 1; ; n++) {
        between('pair', 'ops', `name: round${n}`, 'a', 'b');
        if ((await xvif(`apply ${file('pair.yaml')}`)).code !== 0) return;
        answered = n;
        if (n === 2) setTimeout(() => daemon.child.kill('SIGKILL'), 150);
      }
    })();
    await daemon.ended;
    await endless;
    await startDaemon();
    const { output } = await xvif('--json documents');
    expect(JSON.parse(output)).toMatchObject([{ name: 'pair', owner: 'ops', problem: '' }]);
    await addGuests('a', 'b');
    const flows = await eventually('flows', /pair\/round\d+\/back/);
    const round = Number(/pair\/round(\d+)\//.exec(flows)![1]);
    expect([answered, answered + 1]).toContain(round);
    expect(daemon.output()).not.toContain('journal of documents');
    expect(readdirSync(join(runDir, 'state'))).toContain('br0.documents');
  });
});
