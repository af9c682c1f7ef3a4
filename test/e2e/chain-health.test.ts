/** Health of a chain's instances, asked of emulated guests' own stacks: what `xvif chain show` says of them. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiClient } from '../../src/api/client.js';
import { apiSocketPath } from '../../src/api/run-dir.js';
import { eventually } from '../lab/process.js';
import { type Running, run, start } from './programs.js';

const folder = mkdtempSync(join(tmpdir(), 'xvif-health-'));
const runDir = join(folder, 'run');
const file = join(folder, 'chain.yaml');
let daemon: Running;
let api: ApiClient;
const WAIT_MS = 120_000;

const xvif = (line: string) => run('xvif', '--run-dir', runDir, ...line.split(' '));

async function states(): Promise<string[]> {
  const { instances } = await api.call('listChains', { bridge: '' }, WAIT_MS);
  return instances.map(({ hop, instance, state, reason }) => `${hop}/${instance} ${state} ${reason}`.trim());
}

/** Waits for states that come by themselves; what failed before an instance was up may follow. */
const becomes = (...expected: readonly string[]): Promise<true> =>
  eventually(
    expected.join(', '),
    async () => {
      const found = await states();
      return expected.every((line) => found.some((state) => state.startsWith(line))) || undefined;
    },
    WAIT_MS,
  );

const plug = (name: string, ip: string) => api.call('addGuest', { name, bridge: 'br0', ip, queues: 1 }, WAIT_MS);

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
  api = new ApiClient(apiSocketPath(runDir));
  for (const [index, name] of ['a', 'b', 'c'].entries()) await plug(name, `10.0.0.${11 + index}/24`);
}, 300_000);
afterAll(async () => {
  api?.close();
  daemon.child.kill('SIGTERM');
  await daemon.ended;
  rmSync(folder, { recursive: true, force: true });
}, 120_000);

describe('chain show', { timeout: 300_000 }, () => {
  it('says who works and who does not, and why', async () => {
    const applied = await xvif(`apply ${file}`);
    expect(applied).toMatchObject({ code: 0 });
    await becomes('a/i up', 'b/i up', 'c/i down no answer to ARP');
    const { output } = await xvif(`chain show ${file}`);
    expect(output).toMatch(/br0 +taps +b +forward +tap +i +0 +- +- +up +\d{4}-\d\d-\d\dT[\d:]+Z/);
    expect(daemon.output()).toMatch(
      /"chain":"taps","hop":"c","instance":"i","state":"down","reason":"no answer to ARP"/,
    );
  });

  it('follows an instance that is plugged again', async () => {
    await api.call('removeGuest', { name: 'b' }, WAIT_MS);
    await plug('b', '10.0.0.12/24');
    await becomes('a/i up', 'b/i up');
  });
});
