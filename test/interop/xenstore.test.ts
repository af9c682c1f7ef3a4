/**
 * Debian's xenstore tools (package xenstore-utils, libxenstore) against the emulated xenstored. Missing tools fail
 * the test: the run is asked for by XVIF_INTEROP=1.
 */
import { execFile, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { VifBackend } from '../../src/vif/index.js';
import { XenstoreClient } from '../../src/xenstore/client.js';
import { EmulatedXenstore } from '../../src/xenstore/emulated/daemon.js';

const run = promisify(execFile);

let folder: string;
let socket: string;
let store: EmulatedXenstore;
let client: XenstoreClient;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'xvif-xenstore-'));
  socket = join(folder, 'socket');
  store = new EmulatedXenstore();
  await store.listen(socket);
  client = await XenstoreClient.open(socket);
});

afterAll(async () => {
  client.close();
  await store.close();
  await rm(folder, { recursive: true });
});

/** What the tool printed; rejects with its exit code and standard error. */
async function tool(name: string, ...args: string[]): Promise<string> {
  const { stdout } = await run(name, args, { env: { ...process.env, XENSTORED_PATH: socket } });
  return stdout;
}

describe("Debian's xenstore tools", () => {
  it('xenstore-write and xenstore-read: several nodes, parents made', async () => {
    await tool('xenstore-write', '/tool/a/b', 'one', '/tool/c', 'two words');
    expect(await tool('xenstore-read', '/tool/a/b')).toBe('one\n');
    expect(await client.read('/tool/c')).toBe('two words');
  });

  it('xenstore-read fails for a missing node', async () => {
    await expect(tool('xenstore-read', '/tool/none')).rejects.toThrow(/couldn't read path/);
  });

  it('relative paths mean the home of domain 0', async () => {
    await tool('xenstore-write', '/local/domain/0/name', 'Domain-0');
    expect(await tool('xenstore-read', 'name')).toBe('Domain-0\n');
  });

  it('xenstore-ls: the tree, with permissions, in full paths', async () => {
    await client.write('/ls/x/y', '1');
    await client.setPerms('/ls/x', [
      { domid: 3, access: 'n' },
      { domid: 0, access: 'r' },
    ]);
    expect(await tool('xenstore-ls', '/ls')).toBe('x = ""\n y = "1"\n');
    expect(await tool('xenstore-ls', '-f', '/ls')).toBe('/ls/x = ""\n/ls/x/y = "1"\n');
    expect(await tool('xenstore-ls', '-f', '-p', '/ls')).toMatch(
      /^\/ls\/x = ""\s+\(n3,r0\)\n\/ls\/x\/y = "1"\s+\(n0\)\n$/,
    );
  });

  it('xenstore-ls and xenstore-list: a directory too long for one reply', async () => {
    const names = Array.from({ length: 600 }, (_, index) => `a-rather-long-name-${index}`);
    await client.transaction(async (nodes) => {
      for (const name of names) await nodes.mkdir(`/long/${name}`);
    });
    expect((await tool('xenstore-list', '/long')).trim().split('\n')).toEqual(names);
    expect((await tool('xenstore-ls', '/long')).trim().split('\n')).toHaveLength(names.length);
  });

  it('xenstore-exists by exit code', async () => {
    await client.write('/exists/yes', '');
    await tool('xenstore-exists', '/exists/yes');
    await expect(tool('xenstore-exists', '/exists/no')).rejects.toMatchObject({ code: 1 });
  });

  it('xenstore-rm, and -t takes empty parents along', async () => {
    await client.write('/rm/a/b/c', '');
    await tool('xenstore-rm', '/rm/a/b/c');
    expect(await client.directory('/rm/a/b')).toEqual([]);
    await client.write('/rm/a/b/c', '');
    await tool('xenstore-rm', '-t', '/rm/a/b/c');
    expect(await client.directoryOrEmpty('/rm')).toEqual([]);
  });

  it('xenstore-chmod', async () => {
    await client.write('/chmod/a/b', '');
    await tool('xenstore-chmod', '-r', '/chmod/a', 'n5', 'r6');
    expect(await client.getPerms('/chmod/a/b')).toEqual([
      { domid: 5, access: 'n' },
      { domid: 6, access: 'r' },
    ]);
  });

  it('xenstore-watch prints the event of registration and those after', async () => {
    await client.write('/watch/a', '0');
    const child = spawn('xenstore-watch', ['-n', '3', '/watch/a'], { env: { ...process.env, XENSTORED_PATH: socket } });
    let output = '';
    child.stdout.on('data', (chunk) => {
      output += chunk;
    });
    const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
    await expect.poll(() => output).toBe('/watch/a\n');
    await client.write('/watch/a', '1');
    await expect.poll(() => output).toBe('/watch/a\n/watch/a\n');
    await client.write('/watch/a/below', '');
    expect(await exited).toBe(0);
    expect(output).toBe('/watch/a\n/watch/a\n/watch/a/below\n');
  });

  it('a vif plugged in by xenstore-write alone gets a backend', async () => {
    const [be, fe] = ['/local/domain/0/backend/vif/5/0', '/local/domain/5/device/vif/0'];
    const store0 = await XenstoreClient.open(socket);
    const backend = new VifBackend({
      store: store0,
      hooks: { attach() {}, configure() {}, detach() {}, failed() {} },
    });
    await backend.start();
    const ends = { frontend: fe, 'frontend-id': '5', online: '1', mac: '00:16:3e:00:00:05', bridge: 'br0', state: '1' };
    const keys = Object.entries(ends).flatMap(([key, value]) => [`${be}/${key}`, value]);
    await tool('xenstore-write', ...keys, `${fe}/backend`, be, `${fe}/state`, '1');
    await expect.poll(() => tool('xenstore-read', `${be}/state`)).toBe('2\n');
    expect(await tool('xenstore-ls', be)).toContain('feature-rx-copy = "1"');
    await tool('xenstore-write', `${fe}/request-rx-copy`, '1', `${fe}/tx-ring-ref`, '8', `${fe}/rx-ring-ref`, '9');
    await tool('xenstore-write', `${fe}/event-channel`, '3', `${fe}/state`, '4');
    await expect.poll(() => tool('xenstore-read', `${be}/state`)).toBe('4\n');
    await tool('xenstore-write', `${be}/online`, '0', `${be}/state`, '5');
    await tool('xenstore-write', `${fe}/state`, '6');
    await expect.poll(() => tool('xenstore-read', `${be}/state`)).toBe('6\n');
    await tool('xenstore-rm', be);
    await expect.poll(() => backend.vifs()).toEqual([]);
    await backend.stop();
    store0.close();
  });

  it('leaves nothing behind', async () => {
    await expect.poll(() => store.usage()).toMatchObject({ connections: 1, watches: 0, transactions: 0 });
  });
});
