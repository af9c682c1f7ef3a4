/** A process ends whatever its read of /dev/xen/xenbus does. A FIFO stands in for the device: its reads block as well. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';

const dist = fileURLToPath(new URL('../../dist/src', import.meta.url));

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'xenbus-'));
  expect(spawnSync('mkfifo', [join(folder, 'device')]).status).toBe(0);
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A program with a read under way, whose body goes on with `then`. */
async function run(then: string): Promise<{ readonly end: number | string; readonly said: string }> {
  const program = `
    import { runUntilSignal } from '${dist}/cli/until-signal.js';
    import { DeviceTransport } from '${dist}/xenstore/device.js';
    process.exitCode = await runUntilSignal('program', async (signal) => {
      const device = DeviceTransport.open('${folder}/device');
      device.start({ data() {}, drained() {}, closed() {} });
      await new Promise((resolve) => setTimeout(resolve, 100));
      ${then}
    }, 200);
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  const end = await new Promise<number | string>((resolve) => {
    child.on('close', (code, signal) => resolve(code ?? signal!));
  });
  return { end, said };
}

it.each([
  ["setImmediate(() => { throw new Error('thrown'); }); await new Promise(() => {});", /uncaught Error: thrown\n +at/],
  ["void Promise.reject(new Error('rejected')); await new Promise(() => {});", /uncaught Error: rejected\n +at/],
  ["process.kill(process.pid, 'SIGTERM'); await new Promise(() => {});", /did not end in 0\.2 s, cut short/],
  ["throw new Error('failed');", /program: failed\nprogram: did not end in 0\.2 s, cut short/],
])('%s', async (then, said) => {
  const result = await run(then);
  expect(result.end).toBe('SIGKILL');
  expect(result.said).toMatch(said);
});

it('a transport that is closed leaves nothing behind', async () => {
  expect(await run('device.close();')).toEqual({ end: 0, said: '' });
});
