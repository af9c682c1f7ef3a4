/** `xvif trace` of a running daemon: its own tables answer, in the names of its documents, and nothing comes of it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TraceReport } from '../../src/simulator/trace-report.js';
import { type Running, run, start } from './programs.js';

const folder = mkdtempSync(join(tmpdir(), 'xvif-trace-'));
const runDir = join(folder, 'run');
let daemon: Running;

const xvif = (...words: string[]) => run('xvif', '--run-dir', runDir, ...words);
const said = async (...words: string[]): Promise<string> => {
  const { code, output } = await xvif(...words);
  expect(code, output).toBe(0);
  return output;
};
const traced = async (...words: string[]) => JSON.parse(await said('--json', 'trace', ...words)) as TraceReport;

const rules = `apiVersion: xvif.dev/v1alpha1
kind: FlowSet
metadata: {name: shop, owner: ops}
spec:
  tables:
    - name: in
      rules:
        - {name: web, priority: 10, match: {in_port: a/0, protocol: tcp, tcp_dst: 80}, do: [{set: {ip_dscp: 10}}, {goto: out}]}
        - {name: stations, priority: 5, match: {in_port: b/0}, do: ["learn(table=1,priority=7,NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],output:NXM_OF_IN_PORT[])"]}
    - name: out
      rules:
        - {name: all, priority: 1, do: normal}
`;

beforeAll(async () => {
  const path = join(folder, 'shop.yaml');
  writeFileSync(path, rules);
  daemon = start('xvifd', '--run-dir', runDir, '--local', 'null', '--controller', `unix:${join(folder, 'nobody')}`);
  await daemon.says(/"msg":"ready"/);
  for (const [i, name] of ['a', 'b'].entries()) {
    await said(
      'guest',
      'add',
      name,
      '--bridge',
      'br0',
      '--ip',
      `10.0.0.${i + 1}/24`,
      '--mac',
      `00:16:3e:00:00:0${i + 1}`,
    );
  }
  await said('apply', path);
}, 120_000);
afterAll(async () => {
  daemon.child.kill('SIGTERM');
  await daemon.ended;
  rmSync(folder, { recursive: true, force: true });
});

describe('xvif trace of a running daemon', () => {
  it('names rules, files and lines, and says what lacked', async () => {
    const web = await said('trace', 'tcp,in_port=a/0,dl_dst=00:16:3e:00:00:02,tp_dst=80');
    expect(web).toMatch(/table in \(0\): shop\/in\/web \(.*shop\.yaml:8, owner ops/);
    expect(web).toMatch(/ip_dscp: 0 -> 10/);
    expect(web).toMatch(/the destination is not known: to all ports/);
    expect(web).toMatch(/result: delivered to .*b\/0/);
    const other = await said('trace', 'tcp,in_port=a/0,tp_dst=81');
    expect(other).toMatch(/no rule matches\n {4}nearest: shop\/in\/web .*: tcp_dst is 81, it wants 80/);
    expect(other).toMatch(/result: dropped in table 0: no rule of the table matches/);
  });

  it('agrees with the reference datapath on the same tables', async () => {
    const words = 'dl_src=00:16:3e:00:00:01,dl_dst=00:16:3e:00:00:02,tcp,tp_dst=80';
    const live = await traced(`in_port=a/0,${words}`);
    const model = await traced('--model', `in_port=${live.packet.port},${words}`);
    expect([live.by, model.by]).toEqual(['switch', 'model']);
    const path = ({ steps }: TraceReport) => steps.map(({ step, depth }) => `${depth} ${step}`);
    expect(path(live)).toEqual(path(model));
    const delivered = ({ outcome }: TraceReport) => outcome.delivered.map(({ port, frame }) => `${port} ${frame}`);
    expect(delivered(live)).toEqual(delivered(model));
    expect(live.outcome.delivered.length).toBeGreaterThan(0);
  });

  it('says what would be learned, and learns nothing', async () => {
    for (let i = 0; i < 2; i++) {
      expect(await said('trace', 'udp,in_port=b/0,dl_src=00:16:3e:00:00:02')).toMatch(
        /would learn: table=out,.*priority=7,dl_dst=00:16:3e:00:00:02 actions=output:/,
      );
    }
    expect(await said('flows')).not.toMatch(/dl_dst=00:16:3e:00:00:02/);
    expect(await said('flows')).not.toMatch(/n_packets=[1-9][^\n]*tp_dst=80/);
  });

  it('says what is wrong with a packet', async () => {
    expect(await xvif('trace', 'tcp,tp_dst=80')).toMatchObject({ code: 2 });
    const none = await xvif('trace', 'tcp,in_port=77');
    expect(none.code).toBe(2);
    expect(none.output).toMatch(/the switch has no port 77/);
    const elsewhere = await xvif('trace', '--bridge', 'br9', 'tcp,in_port=1');
    expect(elsewhere.output).toMatch(/there is no bridge "br9"/);
  });
});
