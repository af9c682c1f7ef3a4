/** Health of a chain's instances, asked of emulated guests' own stacks: what `xvif chain show` says of them. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ChainInstance } from '../../src/api/messages.js';
import { type Running, run, start } from './programs.js';

const folder = mkdtempSync(join(tmpdir(), 'xvif-health-'));
const runDir = join(folder, 'run');
const file = join(folder, 'chain.yaml');
let daemon: Running;

const xvif = (line: string) => run('xvif', '--run-dir', runDir, ...line.split(' '));

async function states(): Promise<string[]> {
  const { code, output } = await xvif('--json chain show');
  if (code !== 0) throw new Error(output);
  const lines = JSON.parse(output) as ChainInstance[];
  return lines.map(({ hop, instance, state, reason }) => `${hop}/${instance} ${state} ${reason}`.trim());
}

/** Waits for states that come by themselves; what failed before an instance was up may follow. */
async function becomes(expected: readonly string[]): Promise<void> {
  for (;;) {
    const found = await states();
    if (expected.every((line) => found.some((state) => state.startsWith(line)))) return;
  }
}

const hop = (name: string, health: string, address: string) => `    - name: ${name}
      mode: tap
      health: {interval: 0.5, source: {address: 10.0.0.250}, ${health}}
      instances: [{name: i, ingress: ${name}/0, address: ${address}}]
`;

beforeAll(async () => {
  writeFileSync(
    file,
    `apiVersion: xvif.dev/v1alpha1
kind: ServiceChain
metadata: {name: taps}
spec:
  classifiers: [{name: web, match: {tcp_dst: 80}}]
  hops:
${hop('a', 'type: arp', '10.0.0.11')}${hop('b', 'type: icmp', '10.0.0.12')}${hop('c', 'type: icmp', '10.0.0.99')}`,
  );
  daemon = start('xvifd', '--run-dir', runDir, '--state-dir', join(folder, 'state'), '--local', 'null');
  await daemon.says(/"msg":"ready"/);
  for (const [index, name] of ['a', 'b', 'c'].entries()) {
    const added = await xvif(`guest add ${name} --bridge br0 --ip 10.0.0.${11 + index}/24`);
    expect(added).toMatchObject({ code: 0 });
  }
}, 300_000);
afterAll(async () => {
  daemon.child.kill('SIGTERM');
  await daemon.ended;
  rmSync(folder, { recursive: true, force: true });
});

describe('chain show', { timeout: 300_000 }, () => {
  it('says who works and who does not, and why', async () => {
    const applied = await xvif(`apply ${file}`);
    expect(applied).toMatchObject({ code: 0 });
    await becomes(['a/i up', 'b/i up', 'c/i down no answer to ARP']);
    const { output } = await xvif(`chain show ${file}`);
    expect(output).toMatch(/br0 +taps +b +forward +tap +i +0 +- +- +up +\d{4}-\d\d-\d\dT[\d:]+Z/);
    expect(daemon.output()).toMatch(
      /"chain":"taps","hop":"c","instance":"i","state":"down","reason":"no answer to ARP"/,
    );
  });

  it('follows an instance that is plugged again', async () => {
    expect(await xvif('guest rm b')).toMatchObject({ code: 0 });
    expect(await xvif('guest add b --bridge br0 --ip 10.0.0.12/24')).toMatchObject({ code: 0 });
    await becomes(['a/i up', 'b/i up']);
  });
});
