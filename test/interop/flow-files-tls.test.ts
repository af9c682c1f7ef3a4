/** `--switch ssl:…`: certificates of one authority on both sides, made by openssl, and xvifd's own listener. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Running, run, start } from '../e2e/programs.js';
import { Authority, type Identity, tlsOptions } from '../lab/pki.js';

const folder = mkdtempSync(join(tmpdir(), 'xvif-flow-files-tls-'));
const runDir = join(folder, 'run');
let daemon: Running;
let authority: Authority;
let stranger: Authority;
let target: string;
let client: Identity;
let other: Identity;

beforeAll(async () => {
  authority = await Authority.make(folder, 'ca');
  stranger = await Authority.make(folder, 'stranger');
  const own = await authority.issue('switch');
  client = await authority.issue('client');
  other = await stranger.issue('other');
  daemon = start(
    'xvifd',
    '--run-dir',
    runDir,
    '--local',
    'null',
    '--listen',
    'pssl:0:127.0.0.1',
    ...tlsOptions(own, authority),
  );
  const [, port] = await daemon.says(/pssl:(\d+):127\.0\.0\.1/);
  await daemon.says(/"msg":"ready"/);
  target = `ssl:127.0.0.1:${port}`;
}, 60_000);
afterAll(async () => {
  daemon.child.kill('SIGTERM');
  await daemon.ended;
  rmSync(folder, { recursive: true, force: true });
});

describe('a switch over TLS', { timeout: 60_000 }, () => {
  const exported = (...options: readonly string[]) => run('xvif', 'export', '--switch', target, ...options);

  it('is reached with a certificate of its authority', async () => {
    const { code, output } = await exported(...tlsOptions(client, authority));
    expect(output).toContain('kind: FlowSet');
    expect(code).toBe(0);
  });

  it('is not trusted where its authority is another', async () => {
    const { code, output } = await exported(...tlsOptions(client, stranger));
    expect(output).toMatch(/no switch at ssl:\S+: TLS: /);
    expect(code).toBe(2);
  });

  it('does not trust those of another authority', async () => {
    expect((await exported(...tlsOptions(other, authority))).code).toBe(2);
  });
});
