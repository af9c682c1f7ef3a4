import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadAddon } from '../../../src/datapath/native-addon.js';
import { becomeSuccessor, findSuccessor } from '../../../src/host/run-as.js';

const addon = loadAddon();
const runAs = (user: string, group?: string) => ({ user, group, keep: [] });

describe('somebody to become', () => {
  it('is known by name or number', () => {
    expect(findSuccessor(addon, runAs('54321', 'root'), 0)).toMatchObject({ uid: 54321, gid: 0 });
    expect(findSuccessor(addon, runAs('nobody', '7'), 0)).toMatchObject({ user: 'nobody', gid: 7 });
  });

  it.each([
    [runAs('no-such-user'), 0, '--user: there is no user no-such-user'],
    [runAs('nobody', 'no-such-group'), 0, '--user: there is no group no-such-group'],
    [runAs('54321'), 0, '--user: user 54321 has no group: name one'],
    [runAs('root'), 0, '--user: root is not a user to drop privileges to'],
    [runAs('nobody'), 1000, '--user: only root can become another user'],
  ])('%j as user %i: %s', (who, uid, sentence) => {
    expect(() => findSuccessor(addon, who, uid)).toThrow(sentence);
  });

  it('is handed the run directory, and the capabilities it asked for', () => {
    const calls: object[] = [];
    const fake = { dropPrivileges: (options: object) => void calls.push(options) };
    const folder = mkdtempSync(join(tmpdir(), 'xvif-run-as-'));
    const [uid, gid] = [process.getuid!(), process.getgid!()];
    becomeSuccessor(fake, { user: 'x', group: undefined, keep: ['net_raw'], uid, gid }, folder);
    expect(calls).toEqual([{ user: 'x', uid, gid, keepNetAdmin: false, keepNetRaw: true }]);
    rmSync(folder, { recursive: true });
  });
});
