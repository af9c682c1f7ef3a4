/** The commands' bundles, of a folder with commands of a line each. */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';

const run = promisify(execFile);
const script = new URL('../../../scripts/bundle.mjs', import.meta.url).href;

describe('bundles', () => {
  const folder = mkdtempSync(join(tmpdir(), 'xvif-bundle-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  };
  /** As if tsc had made it. */
  const source = (text: string): void => {
    write('dist/src/cli/xvif.js', text);
    write('dist/tsconfig.tsbuildinfo', text);
  };
  const bundle = () =>
    run(process.execPath, ['--input-type=module', '-e', `await (await import('${script}')).bundle()`], { cwd: folder });
  const says = async (): Promise<string> => (await run(process.execPath, [join(folder, 'dist/bin/xvif.js')])).stdout;

  write('package.json', '{"type": "module"}');
  write('dist/src/xvifd/xvifd.js', '');
  for (const path of ['packages/node-openflow/dist/tsconfig.tsbuildinfo', 'package-lock.json', 'scripts/bundle.mjs'])
    write(path, '');

  it('take the place of those before when they are whole, and only then', async () => {
    source('console.log(1)');
    await bundle();
    expect(await says()).toBe('1\n');
    source('console.log(');
    await expect(bundle()).rejects.toThrow('xvif.js');
    expect(await says()).toBe('1\n');
    // What was left is no part of the next.
    write('dist/bin.new/left', '');
    write('dist/bin.old/left', '');
    source('console.log(2)');
    await bundle();
    expect(await says()).toBe('2\n');
    for (const left of ['bin/left', 'bin.new', 'bin.old'])
      expect(existsSync(join(folder, 'dist', left)), left).toBe(false);
  });

  it('are left alone when nothing changed', async () => {
    const path = 'dist/bin/xvif.js';
    write(path, 'mine');
    await bundle();
    expect(readFileSync(join(folder, path), 'utf8')).toBe('mine');
  });
});
