/** What a running daemon says of its tables by the names of guests: `xvif export` and `xvif chain trace`, without --switch. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Running, run, start } from './programs.js';

const folder = mkdtempSync(join(tmpdir(), 'xvif-export-'));
const runDir = join(folder, 'run');
let daemon: Running;

const xvif = (...words: string[]) => run('xvif', '--run-dir', runDir, ...words);
const said = async (...words: string[]): Promise<string> => {
  const { code, output } = await xvif(...words);
  expect(code, output).toBe(0);
  return output;
};
function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}
const mac = (n: number) => `00:16:3e:00:00:0${n}`;

const pair = file(
  'pair.yaml',
  `apiVersion: xvif.dev/v1alpha1
kind: FlowSet
metadata: {name: pair, owner: ops}
spec:
  groups:
    - {name: there, type: ff, buckets: [{watch_port: server/0, do: [{output: server/0}]}, {watch_port: fwin/0, do: [{output: fwin/0}]}]}
  meters: [{name: slow, kbps: 1000}]
  tables:
    - name: in
      rules:
        - {name: there, priority: 9, match: {in_port: client/0, protocol: tcp}, do: [{meter: slow}, {group: there}]}
        - {name: back, priority: 9, match: {in_port: server/0}, do: [{output: client/0}, {output: LOCAL}]}
`,
);
const chain = file(
  'chain.yaml',
  `apiVersion: xvif.dev/v1alpha1
kind: ServiceChain
metadata: {name: web}
spec:
  classifiers: [{name: http, match: {tcp_dst: 80}}]
  hops:
    - {name: fw, fallback: closed, instances: [{name: fw, ingress: fwin/0, egress: fwout/0}]}
    - {name: ids, mode: tap, instances: [{name: ids, ingress: ids/0}]}
  return: symmetric
  exit: normal
`,
);

beforeAll(async () => {
  daemon = start('xvifd', '--run-dir', runDir, '--local', 'null', '--controller', `unix:${join(folder, 'nobody')}`);
  await daemon.says(/"msg":"ready"/);
  for (const [i, name] of ['client', 'server', 'fwin', 'fwout', 'ids'].entries()) {
    await said('guest', 'add', name, '--bridge', 'br0', '--ip', `10.0.0.${i + 1}/24`, '--mac', mac(i + 1));
  }
}, 300_000);
afterAll(async () => {
  daemon.child.kill('SIGTERM');
  await daemon.ended;
  rmSync(folder, { recursive: true, force: true });
});

describe('xvif export of a running daemon', { timeout: 300_000 }, () => {
  it('has ports by the names of guests, and makes the same again', async () => {
    await said('apply', pair);
    const text = await said('export', '--name', 'copy');
    expect(text).toContain('name: copy');
    expect(text).toMatch(/tcp,in_port="client\/0" actions=meter:\d+,group:\d+/);
    expect(text).toContain('output:"client/0",LOCAL');
    expect(text).toContain('watch_port: server/0');
    expect(text).toContain('kbps: 1000');
    await said('delete', pair);
    expect(await said('export')).not.toContain('client/0');
    await said('apply', file('copy.yaml', text));
    expect(await said('export', '--name', 'copy', '--bridge', 'br0')).toBe(text);
    await said('delete', join(folder, 'copy.yaml'));
  });

  it('refuses what is not there', async () => {
    expect(await xvif('export', '--bridge', 'br9')).toMatchObject({ code: 2, output: expect.stringContaining('br9') });
    const both = await xvif('export', '--bridge', 'br0', '--switch', 'tcp:127.0.0.1:1');
    expect(both).toMatchObject({ code: 2, output: expect.stringContaining('--bridge') });
  });
});

describe('xvif chain trace of a running daemon', { timeout: 300_000 }, () => {
  const packet = (to: string) => `tcp,in_port=client/0,dl_src=${mac(1)},dl_dst=${to},tp_dst=80`;

  it('follows a packet through the hops in the tables as they are', async () => {
    await said('apply', chain);
    expect(await said('chain', 'trace', packet(mac(2)))).toMatch(/goes nowhere/);
    // From now on the switch knows where they are.
    await said('ping', 'client', '10.0.0.2', '-c', '2', '-i', '0.2s');
    expect(await said('chain', 'trace', packet(mac(2)))).toBe(
      '1. web/fw: fw, in by fwin/0, out by fwout/0\n2. web/ids: ids, a copy to ids/0\nleaves by server/0\n',
    );
    const back = `tcp,in_port=server/0,dl_src=${mac(2)},dl_dst=${mac(1)},tp_src=80`;
    expect(JSON.parse(await said('--json', 'chain', 'trace', '--bridge', 'br0', back))).toMatchObject({
      steps: [
        { hop: 'ids', direction: 'reverse', mode: 'tap', into: 'ids/0' },
        { hop: 'fw', direction: 'reverse', mode: 'inline', into: 'fwout/0', outOf: 'fwin/0' },
      ],
      outputs: ['client/0'],
      controller: false,
    });
  });

  it('says so where an instance is gone', async () => {
    await said('guest', 'rm', 'fwin');
    const { steps, outputs } = JSON.parse(await said('--json', 'chain', 'trace', packet(mac(2))));
    expect({ steps, outputs }).toEqual({ steps: [], outputs: [] });
  });

  it('says what is wrong with the packet', async () => {
    const wrong = await xvif('chain', 'trace', 'tcp,tp_dst=80');
    expect(wrong).toMatchObject({ code: 2, output: expect.stringContaining('in_port is missing') });
  });
});
