/** The hotplug script with a folder in xenstore's place. */
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';

const script = fileURLToPath(new URL('../../../scripts/host/vif-xvif', import.meta.url));
const VIF = 'backend/vif/7/0';
let folder: string;
const on = (path: string) => join(folder, 'store', path);
const read = (key: string) => (existsSync(on(`${VIF}/${key}`)) ? readFileSync(on(`${VIF}/${key}`), 'utf8') : undefined);

function tool(name: string, text: string): void {
  const path = join(folder, name);
  writeFileSync(path, `#!/bin/sh\ncd '${join(folder, 'store')}' || exit 1\n${text}\n`);
  chmodSync(path, 0o755);
}

const WRITE =
  'while [ "$#" -ge 2 ]; do mkdir -p "./$(dirname "$1")"; printf %s "$2" >"./$1"; echo "$1" >>../written; shift 2; done';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'xvif-script-'));
  tool('xenstore-read', 'cat "./$1"');
  tool('xenstore-write', WRITE);
  // -t: parents that become empty go too.
  tool('xenstore-rm', '[ "$1" = -t ] && shift; rm -r "./$1" && rmdir -p "$(dirname "$1")" 2>/dev/null; :');
  tool('logger', '');
  node('state', '2');
});
afterEach(() => rmSync(folder, { recursive: true }));

function node(key: string, value: string): void {
  const path = on(`${VIF}/${key}`);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, value);
}

function online(): { readonly code: number | null; readonly said: string } {
  const env = { PATH: `${folder}:${process.env.PATH}`, XENBUS_PATH: VIF };
  const { status, stderr } = spawnSync('sh', [script, 'online', 'type_if=vif'], { env, encoding: 'utf8' });
  return { code: status, said: stderr };
}

const written = () => (existsSync(join(folder, 'written')) ? readFileSync(join(folder, 'written'), 'utf8') : '');

it('a port is connected', () => {
  node('xvif', 'port xvif7i0');
  expect(online()).toEqual({ code: 0, said: '' });
  expect(read('hotplug-status')).toBe('connected');
});

it('a refusal is passed on to the letter', () => {
  node('xvif', 'refused there is no bridge "a\\nb"');
  expect(online()).toEqual({ code: 1, said: `vif-xvif: ${VIF}: there is no bridge "a\\nb"\n` });
  expect(read('hotplug-error')).toBe('there is no bridge "a\\nb"');
  expect(read('hotplug-status')).toBe('error');
});

it('nothing is written once the toolstack took the vif away', () => {
  node('xvif', 'port xvif7i0');
  // Gone as soon as the verdict was read.
  tool('xenstore-read', `cat "./$1" || exit 1; case $1 in */xvif) rm -r './${VIF}';; esac`);
  expect(online().code).toBe(1);
  expect(written()).toBe('');
  expect(existsSync(on(VIF))).toBe(false);
});

it('and what was written at that moment goes', () => {
  node('xvif', 'port xvif7i0');
  tool('xenstore-write', `rm -r './${VIF}'; ${WRITE}`);
  expect(online().code).toBe(1);
  expect(written()).toBe(`${VIF}/hotplug-status\n`);
  expect(existsSync(on(VIF))).toBe(false);
});
