import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EmulatedXenstore, XenstoreClient, xenstoredPath } from '../../../src/xenstore/index.js';
import { transportPair } from '../../../src/xenstore/pair.js';
import { WATCH_PATHS_PENDING_MAX } from '../../../src/xenstore/watch-queue.js';
import { encodeMessage, joinStrings, type Message, MessageFramer, MessageType } from '../../../src/xenstore/wire.js';
import { Bed, quiet } from './bed.js';

let bed: Bed;
let client: XenstoreClient;

beforeEach(() => {
  bed = new Bed();
  client = bed.client();
});

afterEach(() => bed.close());

describe('nodes', () => {
  it('read, write, mkdir, rm, directory, permissions', async () => {
    await client.write('/a/b', 'grüße');
    expect(await client.read('/a/b')).toBe('grüße');
    await client.write('/a/c', new Uint8Array([0, 255]));
    expect(await client.readBytes('/a/c')).toEqual(Buffer.from([0, 255]));
    await client.mkdir('/a/d');
    expect(await client.directory('/a')).toEqual(['b', 'c', 'd']);
    await client.rm('/a');
    await client.rm('/a/b/c/d');
    expect(await client.readOrUndefined('/a')).toBeUndefined();
    expect(await client.directoryOrEmpty('/a')).toEqual([]);
    await client.mkdir('/p');
    await client.setPerms('/p', [
      { domid: 0, access: 'n' },
      { domid: 3, access: 'b' },
    ]);
    expect(await client.getPerms('/p')).toEqual([
      { domid: 0, access: 'n' },
      { domid: 3, access: 'b' },
    ]);
  });

  it('errors carry a code and say what was asked', async () => {
    await expect(client.read('/none')).rejects.toMatchObject({
      name: 'XenstoreError',
      code: 'ENOENT',
      message: 'xenstore READ /none: ENOENT',
    });
    await expect(client.write('/a', 'x'.repeat(4096))).rejects.toMatchObject({ code: 'E2BIG' });
    expect(client.closed).toBe(false);
  });

  it('many requests at once are paired with their replies', async () => {
    await Promise.all(Array.from({ length: 500 }, (_, i) => client.write(`/n/${i}`, String(i))));
    const values = await Promise.all(Array.from({ length: 500 }, (_, i) => client.read(`/n/${i}`)));
    expect(values).toEqual(Array.from({ length: 500 }, (_, i) => String(i)));
  });

  it('a directory that changes while it is read in parts is read anew', async () => {
    const names = Array.from({ length: 700 }, (_, i) => `a-name-${i}`);
    for (const name of names) await client.mkdir(`/long/${name}`);
    const other = bed.client();
    const listed = client.directory('/long');
    await other.mkdir('/long/new');
    const result = await listed;
    expect(new Set(result).size).toBe(result.length);
    expect(result.filter((name) => name !== 'new')).toEqual(names);
  });
});

describe('transactions', () => {
  it('are done again after a conflict', async () => {
    await client.write('/count', '0');
    const clients = Array.from({ length: 8 }, () => bed.client());
    await Promise.all(
      clients.map((one) =>
        one.transaction(async (nodes) => {
          const count = Number(await nodes.read('/count'));
          await nodes.write('/count', String(count + 1));
        }),
      ),
    );
    expect(await client.read('/count')).toBe('8');
  });

  it('but not for ever', async () => {
    const other = bed.client();
    let attempts = 0;
    const doomed = client.transaction(async (nodes) => {
      attempts++;
      await nodes.readOrUndefined('/n');
      await other.write('/n', String(attempts));
    });
    await expect(doomed).rejects.toMatchObject({ code: 'CONFLICT' });
    expect(attempts).toBe(32);
  });

  it('a body that throws writes nothing, and its error comes through', async () => {
    const body = client.transaction(async (nodes) => {
      await nodes.write('/a', '1');
      throw new RangeError('mine');
    });
    await expect(body).rejects.toThrow(RangeError);
    expect(await client.readOrUndefined('/a')).toBeUndefined();
    expect(bed.store.usage().transactions).toBe(0);
  });

  it('any number may be asked for without running into the quota of 10', async () => {
    await bed.home(5);
    const guest = bed.client(5);
    await guest.mkdir('t');
    const done = Array.from({ length: 50 }, (_, i) =>
      guest.transaction(async (nodes) => {
        await nodes.write(`t/${i % 5}/${i}`, '');
      }),
    );
    await Promise.all(done);
    expect(bed.store.usage().transactions).toBe(0);
  });
});

describe('watches', () => {
  it('fire once at registration and for what happens; close() ends them', async () => {
    const paths: string[] = [];
    const watch = await client.watch('/a', (path) => {
      paths.push(path);
    });
    await client.write('/a/b', '');
    await quiet();
    expect(paths).toEqual(['/a', '/a/b']);
    await watch.close();
    await watch.close();
    await client.write('/a/c', '');
    await quiet();
    expect(paths).toHaveLength(2);
    expect(bed.store.usage().watches).toBe(0);
  });

  it('a slow listener is called once at a time, and once per path that changed meanwhile', async () => {
    let running = 0;
    const paths: string[] = [];
    await client.watch('/a', async (path) => {
      expect(++running).toBe(1);
      paths.push(path);
      await new Promise((resolve) => setTimeout(resolve, 20));
      running--;
    });
    for (let i = 0; i < 200; i++) await client.write(`/a/${i % 2}`, String(i));
    await expect.poll(() => paths.length).toBeGreaterThanOrEqual(3);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(paths.length).toBeLessThan(20);
  });

  it('a flood of different paths becomes one event for all', async () => {
    let open: () => void = () => {};
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    const paths: string[] = [];
    await client.watch('/a', async (path) => {
      paths.push(path);
      await gate;
    });
    for (let i = 0; i < 5 * WATCH_PATHS_PENDING_MAX; i++) await client.write(`/a/${i}`, '');
    open();
    await quiet();
    expect(paths.length).toBeLessThan(WATCH_PATHS_PENDING_MAX + 2);
    expect(paths).toContain('/a');
  });

  it('a listener that throws does not stop the next event', async () => {
    const paths: string[] = [];
    await client.watch('/a', (path) => {
      paths.push(path);
      throw new Error('mine');
    });
    await client.write('/a', '');
    await quiet();
    expect(paths).toEqual(['/a', '/a']);
  });

  it('a refused watch leaves nothing behind', async () => {
    await expect(client.watch('//', () => {})).rejects.toMatchObject({ code: 'EINVAL' });
    expect(client.watchCount).toBe(0);
  });
});

describe('the end of the connection', () => {
  it('rejects what is under way and what comes after', async () => {
    const reasons: (Error | undefined)[] = [];
    client.onClosed((reason) => reasons.push(reason));
    const pending = client.read('/a');
    client.close();
    await expect(pending).rejects.toMatchObject({ code: 'CLOSED' });
    await expect(client.read('/a')).rejects.toMatchObject({ code: 'CLOSED' });
    await expect(client.transaction(async () => {})).rejects.toMatchObject({ code: 'CLOSED' });
    client.close();
    expect(reasons).toEqual([undefined]);
  });

  it('is noticed when the other side ends it', async () => {
    const closed = new Promise((resolve) => client.onClosed(resolve));
    await bed.store.close();
    expect(await closed).toBeUndefined();
    expect(client.closed).toBe(true);
  });

  /** A server that answers each request with whatever `answer` makes of it. */
  function badServer(answer: (request: Message) => Buffer): XenstoreClient {
    const [mine, theirs] = transportPair();
    const framer = new MessageFramer();
    theirs.start({
      data: (chunk) => {
        for (const request of framer.push(chunk)) theirs.send(answer(request));
      },
      drained: () => {},
      closed: () => {},
    });
    return new XenstoreClient(mine);
  }

  it.each([
    ['a reply of another type', 'PROTOCOL', (m: Message) => encodeMessage({ ...m, type: MessageType.rm })],
    [
      'an error nobody knows',
      'PROTOCOL',
      (m: Message) => encodeMessage({ ...m, type: MessageType.error, payload: joinStrings('EWHAT') }),
    ],
    [
      'oxenstored’s word for a quota',
      'ENOSPC',
      (m: Message) => encodeMessage({ ...m, type: MessageType.error, payload: joinStrings('EQUOTA') }),
    ],
    ['a reply to nobody', 'CLOSED', (m: Message) => encodeMessage({ ...m, requestId: m.requestId + 1 })],
    ['an event without token', 'CLOSED', (m: Message) => encodeMessage({ ...m, type: 15, payload: joinStrings('/a') })],
    ['a header that is none', 'CLOSED', () => Buffer.alloc(16, 0xff)],
  ])('%s: %s', async (_what, code, answer) => {
    await expect(badServer(answer).read('/a')).rejects.toMatchObject({ code });
  });
});

describe('over a unix socket', () => {
  let folder: string;
  let path: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'xvif-xenstore-'));
    path = join(folder, 'socket');
  });

  afterEach(() => rm(folder, { recursive: true }));

  it('the same, for the owner of the socket only', async () => {
    await bed.store.listen(path);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    const remote = await XenstoreClient.open(path);
    await remote.write('/a', 'x'.repeat(4000));
    expect(await client.read('/a')).toHaveLength(4000);
    const seen: string[] = [];
    await remote.watch('/a', (event) => {
      seen.push(event);
    });
    await client.write('/a/b', '');
    await expect.poll(() => seen).toEqual(['/a', '/a/b']);
    remote.close();
    await expect.poll(() => bed.store.usage().watches).toBe(0);
  });

  it('a second daemon does not take the socket from a living one, but from a dead one', async () => {
    await bed.store.listen(path);
    const second = new EmulatedXenstore();
    await expect(second.listen(path)).rejects.toThrow(/another daemon/);
    await bed.store.close();
    await writeFile(path, '');
    await second.listen(path);
    await second.close();
  });

  it('a client that breaks off in the middle of a message', async () => {
    await bed.store.listen(path);
    const socket = createConnection(path);
    socket.write(Buffer.from([2, 0, 0, 0, 1, 0, 0]));
    await expect.poll(() => bed.store.usage().connections).toBe(2);
    socket.destroy();
    await expect.poll(() => bed.store.usage().connections).toBe(1);
  });

  it('nobody there', async () => {
    await expect(XenstoreClient.open(path)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('the path comes from the environment as libxenstore has it', () => {
    expect(xenstoredPath({})).toBe('/run/xenstored/socket');
    expect(xenstoredPath({ XENSTORED_RUNDIR: '/r' })).toBe('/r/socket');
    expect(xenstoredPath({ XENSTORED_RUNDIR: '/r', XENSTORED_PATH: '/p' })).toBe('/p');
  });
});
