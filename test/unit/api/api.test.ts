import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ApiClient, ApiError } from '../../../src/api/client.js';
import type { ApiHandlers, Flow, WatchEvent } from '../../../src/api/messages.js';
import { defaultRunDir } from '../../../src/api/run-dir.js';
import { ApiServer } from '../../../src/api/server.js';
import { silentLogger } from '../../../src/base/logger.js';
import { Refusal } from '../../../src/bridge/refusal.js';

const largest = 0xffff_ffff_ffff_ffffn;
const flow: Flow = {
  bridge: 'br0',
  table: 3,
  priority: 65535,
  cookie: largest,
  packets: largest,
  bytes: 2n ** 53n + 1n,
  durationMs: 0n,
  idleTimeout: 10,
  hardTimeout: 0,
  text: 'cookie=0x0, actions=drop',
  owner: 'ops',
  rule: 'shop/in/web',
  file: 'shop.yaml',
  line: 3,
};
const changes = {
  errors: 0,
  warnings: 0,
  report: '',
  changes: [],
  unchanged: 0n,
  stale: [],
  removed: [],
  waiting: [],
  token: '',
};
const empty = { name: '', domid: 0, bridge: '', port: '', mac: '', ip: '', tap: '', state: '' };

/** Handlers that answer with little; tests replace the one they are about. */
function handlers(replaced: Partial<ApiHandlers> = {}): ApiHandlers {
  return {
    show: () => ({ version: '0', hypervisor: 'emulated', workers: 1, pid: 1, uptimeMs: 5n, bridges: [] }),
    listPorts: () => ({ ports: [] }),
    setPort: ({ settings }) => ({ settings }),
    setTable: ({ settings }) => ({ settings }),
    listFlows: () => ({ flows: [flow] }),
    exportFlows: ({ name }) => ({ text: name }),
    trace: ({ bridge, packet }) => ({ report: JSON.stringify({ bridge, packet }) }),
    traceChains: ({ bridge, packet }) => ({ report: JSON.stringify({ bridge, packet }) }),
    planDocuments: () => changes,
    applyDocuments: () => changes,
    confirmDocuments: () => ({}),
    deleteDocuments: () => changes,
    listDocuments: () => ({ documents: [] }),
    listChains: () => ({ instances: [] }),
    getStats: () => ({ bridges: [] }),
    addGuest: (request) => ({ ...empty, name: request.name, domid: request.queues }),
    removeGuest: () => ({}),
    listGuests: () => ({ guests: [] }),
    ping: () => ({ sent: 1, received: 1, rttUs: [12.5] }),
    watch: () => () => {},
    ...replaced,
  };
}

describe('the API over a unix socket', () => {
  const folder = mkdtempSync(join(tmpdir(), 'xvif-api-'));
  const path = join(folder, 'api.sock');
  let server: ApiServer | undefined;
  let client: ApiClient;

  const serve = async (replaced?: Partial<ApiHandlers>) => {
    server = await ApiServer.listen(path, handlers(replaced), silentLogger);
  };
  beforeEach(() => {
    client = new ApiClient(path);
  });
  afterEach(() => {
    client.close();
    server?.close();
    server = undefined;
  });

  it('64-bit integers arrive exactly', async () => {
    await serve();
    expect(await client.call('listFlows', { bridge: 'br0' })).toEqual({ flows: [flow] });
  });

  it('fields left out arrive with their defaults', async () => {
    let seen: unknown;
    await serve({
      addGuest: (request) => {
        seen = request;
        return empty;
      },
    });
    await client.call('addGuest', { name: 'g1' });
    expect(seen).toEqual({
      name: 'g1',
      bridge: '',
      mac: '',
      ip: '',
      tap: '',
      netns: '',
      queues: 0,
      noSg: false,
      noGso: false,
      mtu: 0,
    });
  });

  it('a missing message is null, a present one complete', async () => {
    const port = {
      bridge: 'br0',
      name: 'p',
      number: 1,
      kind: 'null',
      mac: '',
      state: 'up',
      vif: null,
      counters: {
        rxPackets: 1n,
        txPackets: 0n,
        rxBytes: 0n,
        txBytes: 0n,
        rxDropped: 0n,
        txDropped: 0n,
        rxErrors: 0n,
        txErrors: 0n,
      },
      rates: { rxPacketsPerSecond: 0.5, txPacketsPerSecond: 0, rxBitsPerSecond: 0, txBitsPerSecond: 0 },
    };
    await serve({ listPorts: () => ({ ports: [port] }) });
    expect((await client.call('listPorts', {})).ports).toEqual([port]);
  });

  it('a refusal keeps its words', async () => {
    await serve({
      removeGuest: ({ name }) => {
        throw new Refusal('notFound', `no guest "${name}"`);
      },
    });
    await expect(client.call('removeGuest', { name: 'x' })).rejects.toMatchObject({ message: 'no guest "x"', code: 5 });
  });

  it('a handler that breaks fails its call only', async () => {
    await serve({ ping: () => Promise.reject(new Error('broken')) });
    await expect(client.call('ping', {})).rejects.toMatchObject({ message: 'broken', code: 13 });
    expect((await client.call('show', {})).uptimeMs).toBe(5n);
  });

  it('watch delivers until the watcher leaves, then stops', async () => {
    let stopped = 0;
    await serve({
      watch: ({ intervalMs }, send) => {
        send({ event: 'bridge', bridge: { bridge: 'br0', text: `every ${intervalMs}` } });
        send({ event: 'ports', ports: { ports: [] } });
        return () => stopped++;
      },
    });
    const abort = new AbortController();
    const events: WatchEvent[] = [];
    await client.watch(
      { intervalMs: 50 },
      (event) => {
        events.push(event);
        if (events.length === 2) abort.abort();
      },
      abort.signal,
    );
    expect(events).toEqual([
      { event: 'bridge', bridge: { bridge: 'br0', text: 'every 50' } },
      { event: 'ports', ports: { ports: [] } },
    ]);
    await expect.poll(() => stopped).toBe(1);
  });

  it('a refused watch keeps its words', async () => {
    await serve({
      watch: () => {
        throw new Refusal('notFound', 'no bridge "x"');
      },
    });
    const watching = client.watch({}, () => {}, new AbortController().signal);
    await expect(watching).rejects.toThrow('no bridge "x"');
  });

  it('stops a watch when the server closes', async () => {
    let stopped = 0;
    await serve({
      watch: (_, send) => {
        send({ event: 'ports', ports: { ports: [] } });
        return () => stopped++;
      },
    });
    let arrived = () => {};
    const first = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    const watching = client.watch({}, arrived, new AbortController().signal);
    const refused = expect(watching).rejects.toBeInstanceOf(ApiError);
    await first;
    server!.close();
    await refused;
    await expect.poll(() => stopped).toBe(1);
  });

  it('nobody listening is said in words', async () => {
    await expect(client.call('show', {})).rejects.toThrow(`cannot reach xvifd at ${path}: is it running?`);
  });

  it('a daemon that does not answer in time is said in words', async () => {
    await serve({ show: () => new Promise(() => {}) });
    await expect(client.call('show', {}, 50)).rejects.toThrow('did not answer in time');
  });

  it('an abort ends calls under way', async () => {
    await serve({ show: () => new Promise(() => {}) });
    const abort = new AbortController();
    const aborting = new ApiClient(path, { signal: abort.signal });
    const calling = expect(aborting.call('show', {})).rejects.toMatchObject({ code: 1 });
    setTimeout(() => abort.abort(), 20);
    await calling;
    await expect(aborting.call('show', {})).rejects.toMatchObject({ code: 1 });
    aborting.close();
  });

  it('a client that was closed opens nothing again', async () => {
    await serve();
    for (const used of [false, true]) {
      const closed = new ApiClient(path);
      if (used) await closed.call('show', {});
      closed.close();
      const refusal = { name: 'ApiError', code: 1, message: 'the client is closed' };
      await expect(closed.call('show', {})).rejects.toMatchObject(refusal);
      await expect(closed.watch({}, () => {}, new AbortController().signal)).rejects.toMatchObject(refusal);
    }
  });

  it('the socket is private and gone after close', async () => {
    await serve();
    expect(statSync(path).mode & 0o777).toBe(0o600);
    server!.close();
    expect(existsSync(path)).toBe(false);
    rmSync(folder, { recursive: true });
  });
});

describe('the run directory', () => {
  it.each([
    [{ XDG_RUNTIME_DIR: '/run/user/7' }, 0, '/run/xvif'],
    [{ XDG_RUNTIME_DIR: '/run/user/7' }, 7, '/run/user/7/xvif'],
    [{}, 7, '/tmp/xvif-7'],
    [{ XVIF_RUN_DIR: '/x' }, 0, '/x'],
  ])('%o, uid %d → %s', (env, uid, path) => expect(defaultRunDir({ env, uid })).toBe(path));
});
