import { chmodSync, existsSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { claimRunDir } from '../../../src/api/claim-run-dir.js';

describe('claiming the run directory', () => {
  const base = mkdtempSync(join(tmpdir(), 'xvif-run-'));
  const uid = process.getuid!();
  afterAll(() => rmSync(base, { recursive: true }));

  it('makes a private one, with its parents', async () => {
    const path = join(base, 'a', 'b');
    await claimRunDir(path, uid);
    expect(statSync(path).mode & 0o777).toBe(0o700);
    await claimRunDir(path, uid);
  });

  it('refuses what others write to or own, files and links', async () => {
    const open = mkdtempSync(join(base, 'open-'));
    chmodSync(open, 0o777);
    await expect(claimRunDir(open, uid)).rejects.toThrow('others may write to it');
    chmodSync(open, 0o700);
    await expect(claimRunDir(open, uid + 1)).rejects.toThrow(`belongs to user ${uid}`);
    await expect(claimRunDir(open, uid + 1, uid + 2)).rejects.toThrow(`belongs to user ${uid}`);
    symlinkSync(open, join(base, 'link'));
    await expect(claimRunDir(join(base, 'link'), uid)).rejects.toThrow('not a directory');
    writeFileSync(join(base, 'file'), '');
    await expect(claimRunDir(join(base, 'file'), uid)).rejects.toThrow(`run directory ${join(base, 'file')}`);
    await expect(claimRunDir(join(base, 'x'.repeat(100)), uid)).rejects.toThrow('too long');
  });

  it('a dead socket is removed, a live one means that a daemon runs', async () => {
    const path = mkdtempSync(join(base, 'live-'));
    const socket = join(path, 'xvifd.sock');
    writeFileSync(socket, '');
    await claimRunDir(path, uid);
    expect(existsSync(socket)).toBe(false);
    const server = createServer().listen(socket);
    await new Promise((resolve) => server.once('listening', resolve));
    await expect(claimRunDir(path, uid)).rejects.toThrow(`another xvifd runs in ${path}`);
    server.close();
  });
});
