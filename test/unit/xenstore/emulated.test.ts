/** The emulated xenstored by its wire protocol: what docs/misc/xenstore.txt and tools/xenstored promise. */
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { joinStrings, MessageType as T } from '../../../src/xenstore/wire.js';
import { Bed, quiet } from './bed.js';

let bed: Bed;

beforeEach(() => {
  bed = new Bed();
});

afterEach(() => bed.close());

describe('nodes', () => {
  it('write makes the parents; directory lists the oldest first', async () => {
    const raw = bed.raw();
    expect(await raw.ask(T.write, '/a/b/c\0value')).toBe('OK\0');
    expect(await raw.ask(T.mkdir, '/a/a\0')).toBe('OK\0');
    expect(await raw.ask(T.read, '/a/b/c\0')).toBe('value');
    expect(await raw.ask(T.read, '/a\0')).toBe('');
    expect(await raw.ask(T.directory, '/a\0')).toBe('b\0a\0');
  });

  it('mkdir leaves an existing node alone', async () => {
    const raw = bed.raw();
    await raw.ask(T.write, '/a\0x');
    expect(await raw.ask(T.mkdir, '/a\0')).toBe('OK\0');
    expect(await raw.ask(T.read, '/a\0')).toBe('x');
  });

  it('rm: whole trees; fine if only the node is missing, not if its parent is; not the root', async () => {
    const raw = bed.raw();
    await raw.ask(T.write, '/a/b/c\0');
    expect(await raw.ask(T.rm, '/a/b\0')).toBe('OK\0');
    expect(await raw.ask(T.directory, '/a\0')).toBe('');
    expect(await raw.ask(T.rm, '/a/b\0')).toBe('OK\0');
    expect(await raw.ask(T.rm, '/a/b/c\0')).toBe('ERROR ENOENT\0');
    expect(await raw.ask(T.rm, '/\0')).toBe('ERROR EINVAL\0');
  });

  it('values are any bytes, to the end of the payload', async () => {
    const raw = bed.raw();
    const value = Buffer.from([0, 1, 0xff, 0, 0]);
    await raw.ask(T.write, Buffer.concat([Buffer.from('/a\0'), value]));
    const client = bed.client();
    expect(await client.readBytes('/a')).toEqual(value);
  });

  it.each(['', 'a//b', '/a/', '//', '/a b', '/ä', '@foo', `/${'x'.repeat(3072)}`, `r${'x'.repeat(2048)}`])(
    'the name %j is refused',
    async (name) => {
      expect(await bed.raw().ask(T.write, `${name}\0v`)).toBe('ERROR EINVAL\0');
    },
  );

  it('relative names stand below the home of the connection', async () => {
    await bed.home(5);
    expect(await bed.raw(5).ask(T.write, 'data/x\0v')).toBe('OK\0');
    expect(await bed.raw().ask(T.read, '/local/domain/5/data/x\0')).toBe('v');
    expect(await bed.raw(5).ask(T.getDomainPath, '5\0')).toBe('/local/domain/5\0');
  });

  it('a long directory: E2BIG, then in parts with its generation', async () => {
    const client = bed.client();
    const names = Array.from({ length: 700 }, (_, index) => `name-${index}`);
    for (const name of names) await client.mkdir(`/long/${name}`);
    const raw = bed.raw();
    expect(await raw.ask(T.directory, '/long\0')).toBe('ERROR E2BIG\0');
    expect(await client.directory('/long')).toEqual(names);
    const [generation] = (await raw.ask(T.directoryPart, '/long\0' + '0\0')).split('\0');
    expect(await raw.ask(T.directoryPart, '/long\0' + '99999\0')).toBe(`${generation}\0\0`);
    await client.mkdir('/long/more');
    expect((await raw.ask(T.directoryPart, '/long\0' + '0\0')).split('\0')[0]).not.toBe(generation);
  });
});

describe('permissions', () => {
  it('what a guest makes is the guest’s; others get what the list says', async () => {
    await bed.home(5);
    const [owner, other] = [bed.raw(5), bed.raw(6)];
    await owner.ask(T.write, 'x\0v');
    expect(await owner.ask(T.getPerms, 'x\0')).toBe('n5\0');
    expect(await other.ask(T.read, '/local/domain/5/x\0')).toBe('ERROR EACCES\0');
    expect(await owner.ask(T.setPerms, 'x\0n5\0r6\0')).toBe('OK\0');
    expect(await other.ask(T.read, '/local/domain/5/x\0')).toBe('v');
    expect(await other.ask(T.write, '/local/domain/5/x\0w')).toBe('ERROR EACCES\0');
    await owner.ask(T.setPerms, 'x\0n5\0b6\0');
    expect(await other.ask(T.write, '/local/domain/5/x\0w')).toBe('OK\0');
  });

  it('the owner’s letter holds for everybody not listed', async () => {
    await bed.home(5);
    await bed.raw(5).ask(T.write, 'x\0v');
    await bed.raw(5).ask(T.setPerms, 'x\0r5\0n6\0');
    expect(await bed.raw(7).ask(T.read, '/local/domain/5/x\0')).toBe('v');
    expect(await bed.raw(6).ask(T.read, '/local/domain/5/x\0')).toBe('ERROR EACCES\0');
  });

  it('who may not read the directory is not told what is missing from it', async () => {
    await bed.home(5);
    expect(await bed.raw(6).ask(T.read, '/local/domain/5/none\0')).toBe('ERROR EACCES\0');
    expect(await bed.raw(5).ask(T.read, 'none\0')).toBe('ERROR ENOENT\0');
  });

  it('only the owner sets permissions, and cannot give the node away', async () => {
    await bed.home(5);
    await bed.raw(5).ask(T.write, 'x\0v');
    await bed.raw(5).ask(T.setPerms, 'x\0n5\0b6\0');
    expect(await bed.raw(6).ask(T.setPerms, '/local/domain/5/x\0n6\0')).toBe('ERROR EACCES\0');
    expect(await bed.raw(5).ask(T.setPerms, 'x\0n6\0')).toBe('ERROR EPERM\0');
    expect(await bed.raw().ask(T.setPerms, '/local/domain/5/x\0n6\0')).toBe('OK\0');
    expect(await bed.raw().ask(T.setPerms, '/local/domain/5/x\0q6\0')).toBe('ERROR EINVAL\0');
    expect(await bed.raw().ask(T.setPerms, '/local/domain/5/x\0')).toBe('ERROR EINVAL\0');
  });

  it('a guest makes nothing outside of what it owns', async () => {
    await bed.home(5);
    expect(await bed.raw(5).ask(T.write, '/tool/x\0v')).toBe('ERROR EACCES\0');
    expect(await bed.raw(5).ask(T.rm, '/local/domain/5\0')).toBe('OK\0');
    expect(await bed.raw(5).ask(T.write, 'x\0v')).toBe('ERROR EACCES\0');
  });

  it.each([T.introduce, T.release, T.resume, T.setTarget, T.control])('type %i is for domain 0', async (type) => {
    expect(await bed.raw(5).ask(type, '5\0')).toBe('ERROR EACCES\0');
  });

  it('a stub domain acts for its target', async () => {
    await bed.home(5);
    await bed.raw(5).ask(T.write, 'x\0v');
    const zero = bed.raw();
    for (const domid of [5, 6]) await zero.ask(T.introduce, joinStrings(String(domid), '1', '1'));
    const stub = bed.raw(6);
    expect(await zero.ask(T.setTarget, '6\0' + '5\0')).toBe('OK\0');
    expect(await stub.ask(T.write, '/local/domain/5/x\0w')).toBe('OK\0');
  });
});

describe('watches', () => {
  it('fire at registration after the reply, for the node, below it, and in order', async () => {
    const [watcher, writer] = [bed.raw(), bed.raw()];
    expect(await watcher.ask(T.watch, '/a\0t\0')).toBe('OK\0');
    await writer.ask(T.write, '/a\0' + '1');
    await writer.ask(T.write, '/a/b\0' + '1');
    await writer.ask(T.write, '/ab\0' + '1');
    await writer.ask(T.mkdir, '/a/c\0');
    await writer.ask(T.mkdir, '/a/c\0');
    await writer.ask(T.setPerms, '/a/c\0r0\0');
    await writer.ask(T.rm, '/a/b\0');
    await quiet();
    expect(watcher.received[0]!.type).toBe(T.watch);
    expect(watcher.events()).toEqual(['/a t', '/a t', '/a/b t', '/a/c t', '/a/c t', '/a/b t']);
  });

  it('the originator sees its own event after the reply', async () => {
    const raw = bed.raw();
    await raw.ask(T.watch, '/a\0t\0');
    await raw.ask(T.write, '/a\0v');
    await quiet();
    expect(raw.received.map(({ type }) => type)).toEqual([T.watch, T.watchEvent, T.write, T.watchEvent]);
  });

  it('removing a tree fires above it once, and exactly below it', async () => {
    const writer = bed.raw();
    await writer.ask(T.write, '/a/b/c\0');
    const [above, below, none] = [bed.raw(), bed.raw(), bed.raw()];
    await above.ask(T.watch, '/a\0t\0');
    await below.ask(T.watch, '/a/b/c\0t\0');
    await none.ask(T.watch, '/a/b/x\0t\0');
    await writer.ask(T.rm, '/a/b\0');
    await quiet();
    expect(above.events()).toEqual(['/a t', '/a/b t']);
    expect(below.events()).toEqual(['/a/b/c t', '/a/b/c t']);
    expect(none.events()).toEqual(['/a/b/x t']);
  });

  it('paths are as the watcher named them: relative to its home', async () => {
    await bed.home(5);
    const watcher = bed.raw(5);
    await watcher.ask(T.watch, 'device\0t\0');
    await bed.raw().ask(T.write, '/local/domain/5/device/vif\0');
    await bed.raw(5).ask(T.write, 'device\0');
    await quiet();
    expect(watcher.events()).toEqual(['device t', 'device/vif t', 'device t']);
  });

  it('a domain is told only of what it may read (XSA-115)', async () => {
    await bed.home(5);
    const watcher = bed.raw(6);
    await watcher.ask(T.watch, '/local\0t\0');
    await bed.raw(5).ask(T.write, 'secret\0');
    await bed.raw(5).ask(T.setPerms, 'secret\0n5\0r6\0');
    await bed.raw(5).ask(T.setPerms, 'secret\0n5\0');
    await bed.raw(5).ask(T.write, 'secret\0');
    await quiet();
    // Granted, and withdrawn.
    expect(watcher.events()).toEqual(['/local t', '/local/domain/5/secret t', '/local/domain/5/secret t']);
  });

  it('twice the same: EEXIST; removing what is not there: ENOENT; a depth: EINVAL', async () => {
    const raw = bed.raw();
    await raw.ask(T.watch, '/a\0t\0');
    expect(await raw.ask(T.watch, '/a\0t\0')).toBe('ERROR EEXIST\0');
    expect(await raw.ask(T.watch, '/a\0u\0')).toBe('OK\0');
    expect(await raw.ask(T.unwatch, '/a\0u\0')).toBe('OK\0');
    expect(await raw.ask(T.unwatch, '/a\0u\0')).toBe('ERROR ENOENT\0');
    expect(await raw.ask(T.watch, '/a\0t\0' + '1\0')).toBe('ERROR EINVAL\0');
    expect(await raw.ask(T.resetWatches, '\0')).toBe('OK\0');
    expect(await raw.ask(T.unwatch, '/a\0t\0')).toBe('ERROR ENOENT\0');
    expect(bed.store.usage().watches).toBe(0);
  });

  it('@introduceDomain and @releaseDomain', async () => {
    const watcher = bed.raw();
    await watcher.ask(T.watch, '@introduceDomain\0i\0');
    await watcher.ask(T.watch, '@releaseDomain\0r\0');
    const guest = bed.raw(9);
    await guest.ask(T.watch, '@releaseDomain\0r\0');
    const zero = bed.raw();
    await zero.ask(T.introduce, '5\0' + '1\0' + '1\0');
    expect(await zero.ask(T.isDomainIntroduced, '5\0')).toBe('T\0');
    await zero.ask(T.release, '5\0');
    expect(await zero.ask(T.isDomainIntroduced, '5\0')).toBe('F\0');
    expect(await zero.ask(T.release, '5\0')).toBe('ERROR ENOENT\0');
    await quiet();
    expect(watcher.events()).toEqual([
      '@introduceDomain i',
      '@releaseDomain r',
      '@introduceDomain i',
      '@releaseDomain r',
    ]);
    expect(guest.events()).toEqual(['@releaseDomain r']);
  });

  it('a released domain loses its connections, its nodes and its rights', async () => {
    await bed.home(5);
    const zero = bed.raw();
    await zero.ask(T.introduce, '5\0' + '1\0' + '1\0');
    await zero.ask(T.write, '/other\0');
    await zero.ask(T.setPerms, '/other\0n0\0r5\0');
    const guest = bed.raw(5);
    await guest.ask(T.write, 'x/y\0v');
    await zero.ask(T.release, '5\0');
    await quiet();
    expect(guest.closed).toBe(true);
    expect(await zero.ask(T.directory, '/local/domain\0')).toBe('');
    expect(await zero.ask(T.getPerms, '/other\0')).toBe('n0\0');
  });
});

describe('transactions', () => {
  const start = async (raw: ReturnType<Bed['raw']>) => Number((await raw.ask(T.transactionStart, '\0')).slice(0, -1));

  it('are seen by nobody before they end, and then with their events in order', async () => {
    const [raw, other] = [bed.raw(), bed.raw()];
    await other.ask(T.watch, '/a\0t\0');
    const id = await start(raw);
    await raw.ask(T.write, '/a/b\0' + '1', id);
    await raw.ask(T.write, '/a/c\0' + '1', id);
    await raw.ask(T.rm, '/a/b\0', id);
    expect(await raw.ask(T.directory, '/a\0', id)).toBe('c\0');
    expect(await other.ask(T.read, '/a/c\0')).toBe('ERROR ENOENT\0');
    expect(other.events()).toEqual(['/a t']);
    expect(await raw.ask(T.transactionEnd, 'T\0', id)).toBe('OK\0');
    await quiet();
    expect(other.events()).toEqual(['/a t', '/a/b t', '/a/c t', '/a/b t']);
    expect(await other.ask(T.directory, '/a\0')).toBe('c\0');
  });

  it('abandoned with F, and with the connection', async () => {
    const raw = bed.raw();
    const id = await start(raw);
    await raw.ask(T.write, '/a\0v', id);
    expect(await raw.ask(T.transactionEnd, 'F\0', id)).toBe('OK\0');
    expect(await raw.ask(T.read, '/a\0')).toBe('ERROR ENOENT\0');
    await start(raw);
    raw.transport.close();
    await quiet();
    expect(bed.store.usage()).toMatchObject({ connections: 0, transactions: 0 });
  });

  it.each([
    ['a node it read was written', T.read, '/n\0', '/n\0new'],
    ['a node it missed was made', T.read, '/none\0', '/none\0new'],
    ['a directory it listed grew', T.directory, '/d\0', '/d/new\0v'],
    ['a node it wrote was written', T.write, '/n\0mine', '/n\0new'],
    ['a sibling was made beside what it made', T.write, '/d/mine\0v', '/d/new\0v'],
  ])('EAGAIN when %s', async (_what, type, request, foreign) => {
    const [raw, other] = [bed.raw(), bed.raw()];
    await other.ask(T.write, '/n\0old');
    await other.ask(T.mkdir, '/d\0');
    const id = await start(raw);
    await raw.ask(type, request, id);
    await other.ask(T.write, foreign);
    expect(await raw.ask(T.transactionEnd, 'T\0', id)).toBe('ERROR EAGAIN\0');
    expect(await raw.ask(T.transactionEnd, 'T\0', id)).toBe('ERROR ENOENT\0');
  });

  it('no conflict over what it did not touch', async () => {
    const [raw, other] = [bed.raw(), bed.raw()];
    await other.ask(T.write, '/n/a\0old');
    const id = await start(raw);
    await raw.ask(T.write, '/n/a\0mine', id);
    await other.ask(T.write, '/n/b\0new');
    expect(await raw.ask(T.transactionEnd, 'T\0', id)).toBe('OK\0');
  });

  it('unknown ids: ENOENT; nested: EBUSY; another connection’s: ENOENT', async () => {
    const [raw, other] = [bed.raw(), bed.raw()];
    const id = await start(raw);
    expect(await raw.ask(T.read, '/\0', 99)).toBe('ERROR ENOENT\0');
    expect(await raw.ask(T.transactionStart, '\0', id)).toBe('ERROR EBUSY\0');
    expect(await other.ask(T.read, '/\0', id)).toBe('ERROR ENOENT\0');
    expect(await raw.ask(T.transactionEnd, 'X\0', id)).toBe('ERROR EINVAL\0');
    expect(await raw.ask(T.transactionEnd, 'T\0')).toBe('ERROR ENOENT\0');
  });
});

describe('quotas of a domain', () => {
  it('nodes: 1000, and removing makes room again', async () => {
    await bed.home(5);
    const client = bed.client(5);
    // The home is one of them.
    for (let i = 0; i < 999; i++) await client.write(`n/${i % 30}/${i}`, '').catch(() => {});
    await expect(client.write('one-more', '')).rejects.toMatchObject({ code: 'ENOSPC' });
    await client.rm('n/0');
    await client.write('one-more', '');
  });

  it('watches: 128', async () => {
    const client = bed.client(5);
    for (let i = 0; i < 128; i++) await client.watch(`/w/${i}`, () => {});
    await expect(client.watch('/w/128', () => {})).rejects.toMatchObject({ code: 'E2BIG' });
    expect(client.watchCount).toBe(128);
  });

  it('transactions: 10', async () => {
    const raw = bed.raw(5);
    for (let i = 0; i < 10; i++) expect(await raw.ask(T.transactionStart, '\0')).toMatch(/^\d+\0$/);
    expect(await raw.ask(T.transactionStart, '\0')).toBe('ERROR ENOSPC\0');
  });

  it('nodes of one transaction: 1024', async () => {
    const raw = bed.raw(5);
    const id = Number((await raw.ask(T.transactionStart, '\0')).slice(0, -1));
    let answer = '';
    for (let i = 0; i < 1100 && !answer.includes('ENOSPC'); i++) answer = await raw.ask(T.read, `/${i}\0`, id);
    expect(answer).toBe('ERROR ENOSPC\0');
  });

  it('size of a node: 2048; permissions: 5', async () => {
    await bed.home(5);
    const client = bed.client(5);
    await client.write('x', 'v'.repeat(1900));
    await expect(client.write('x', 'v'.repeat(2048))).rejects.toMatchObject({ code: 'ENOSPC' });
    const list = [5, 6, 7, 8, 9, 10].map((domid) => ({ domid, access: 'n' }) as const);
    await expect(client.setPerms('x', list)).rejects.toMatchObject({ code: 'ENOSPC' });
  });

  it('a client that reads nothing is read from no more, and dropped when events pile up', async () => {
    const small = new Bed({ quota: { queuedBytes: 200_000 } });
    await small.home(5);
    const reader = small.raw(5);
    await reader.ask(T.watch, '/local/domain/5\0t\0');
    reader.transport.pause();
    const writer = small.client(5);
    // The same event waits once only.
    for (let i = 0; i < 5000; i++) await writer.write('same', '');
    expect(small.store.usage().connections).toBe(3);
    for (let i = 0; i < 5000; i++) {
      await writer.write(`${'x'.repeat(60)}/${i}`, '');
      await writer.rm('x'.repeat(60));
    }
    expect(small.store.usage().connections).toBe(2);
    await small.close();
  });
});

describe('messages that make no sense', () => {
  it.each([15, 16, 18 + 200, 20, 23 + 1, 25, 26, 0xffff, 0xffffffff])('type %i: ENOSYS', async (type) => {
    expect(await bed.raw().ask(type, '/a\0')).toBe('ERROR ENOSYS\0');
  });

  it.each([
    [T.read, '/a'],
    [T.read, ''],
    [T.read, '/a\0/b\0'],
    [T.write, '/a'],
    [T.watch, '/a\0'],
    [T.watch, '/a\0t'],
    [T.introduce, '1\0' + '1\0'],
    [T.introduce, 'x\0' + '1\0' + '1\0'],
    [T.introduce, '0\0' + '1\0' + '1\0'],
    [T.getDomainPath, '99999\0'],
    [T.directoryPart, '/\0-1\0'],
    [T.control, 'help\0'],
  ])('type %i, payload %j: EINVAL', async (type, payload) => {
    expect(await bed.raw().ask(type, payload)).toBe('ERROR EINVAL\0');
  });

  it('a longer payload than allowed costs the connection, and only that', async () => {
    const [bad, good] = [bed.raw(5), bed.raw(5)];
    const header = Buffer.alloc(16);
    header.writeUInt32LE(T.write, 0);
    header.writeUInt32LE(4097, 12);
    bad.transport.send(header);
    await quiet();
    expect(bad.closed).toBe(true);
    expect(await good.ask(T.getFeature, '\0')).toBe('0\0');
  });

  it('any bytes: an answer per message, or the connection; the others go on', async () => {
    await bed.home(5);
    const good = bed.raw();
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.tuple(
            fc.integer({ min: 0, max: 30 }),
            fc.nat(3),
            fc.oneof(
              fc.uint8Array({ maxLength: 60 }),
              fc
                .array(fc.constantFrom('/', 'a', '0', 'T', 'F', 'n5', '@releaseDomain', '/local/domain/5/x', '5', ''))
                .map((parts) => Buffer.from(parts.map((part) => `${part}\0`).join(''))),
            ),
          ),
          { maxLength: 30 },
        ),
        async (messages) => {
          const raw = bed.raw(5);
          for (const [type, tx, payload] of messages) raw.send(type, Buffer.from(payload), tx);
          await quiet();
          const replies = raw.received.filter(({ type }) => type !== T.watchEvent);
          if (!raw.closed) expect(replies).toHaveLength(messages.length);
          raw.transport.close();
          expect(await good.ask(T.read, '/\0')).toBe('');
        },
      ),
      { numRuns: 200 },
    );
    await quiet();
    expect(bed.store.usage()).toMatchObject({ watches: 0, transactions: 0 });
  });
});
