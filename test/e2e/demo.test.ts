/** `npm start`, as a user runs it. */
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { processesWith, run, start } from './programs.js';

const folder = mkdtempSync(join(tmpdir(), 'xvif-e2e-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('npm start', () => {
  it('--once: guests reach each other, flows count it, demo: ok comes last', { timeout: 60_000 }, async () => {
    const { code, output } = await run('demo', '--once');
    expect(output.trimEnd().split('\n').at(-1)).toBe('demo: ok');
    expect(code).toBe(0);
    for (const [from, to] of [
      ['alice', 'bob'],
      ['carol', 'alice'],
    ]) {
      expect(output).toMatch(new RegExp(`${from} .* → ${to} .*: 4 of 4 answered`));
    }
    expect(output).toMatch(/priority=10,.*dl_dst=.* actions=output:/);
  });

  it('--once says what failed and exits 1', { timeout: 60_000 }, async () => {
    // A controller that takes the connection and never says a word.
    const server = createServer(() => {}).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const address = server.address() as { port: number };
    const demo = start('demo', '--once', '--controller', `tcp:127.0.0.1:${address.port}`);
    expect(await demo.ended).toBe(1);
    server.close();
    expect(demo.output()).toMatch(/the controller at tcp:127\.0\.0\.1:\d+ did not connect/);
    expect(demo.output()).not.toContain('demo: ok');
  });

  it('wrong use exits 2', async () => {
    expect((await run('demo', '--nonsense')).code).toBe(2);
  });

  it('stays up until Ctrl-C, and other programs see it meanwhile', { timeout: 60_000 }, async () => {
    const runDir = join(folder, 'stays');
    const demo = start('demo', '--run-dir', runDir);
    await demo.says(/live rates/);
    await demo.says(/ pps {2,}[1-9][0-9.k]* pps/);
    const show = await run('xvif', '--run-dir', runDir, 'show');
    expect(show).toMatchObject({ code: 0 });
    expect(show.output).toMatch(/bridge br0[\s\S]*secure[\s\S]*connected, OpenFlow 1\.3/);
    demo.child.kill('SIGINT');
    expect(await demo.ended).toBe(0);
    expect(readdirSync(runDir)).toEqual([]);
  });

  it.each([0, 50, 100, 150, 200, 250, 300, 350, 400, 500, 700, 1000])(
    'SIGINT after %d ms: exit code 0, nothing left',
    { timeout: 8_000 },
    async (delayMs) => {
      const runDir = join(folder, `sigint-${delayMs}`);
      const demo = start('demo', '--run-dir', runDir);
      // Before Node runs our first line a signal ends the process; there is nothing to undo then.
      await new Promise((resolve) => setTimeout(resolve, delayMs));
      demo.child.kill('SIGINT');
      expect(await demo.ended).toSatisfy((code) => code === 0 || (code === 'SIGINT' && demo.output() === ''));
      expect(existsSync(runDir) ? readdirSync(runDir) : []).toEqual([]);
      expect(processesWith(folder)).toEqual([]);
    },
  );
});
