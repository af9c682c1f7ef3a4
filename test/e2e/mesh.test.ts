/** 256 guests on one bridge of the daemon, each reaching each other. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ApiClient } from '../../src/api/client.js';
import { silentLogger } from '../../src/base/logger.js';
import { type Daemon, startDaemon } from '../../src/main.js';
import { eventually } from '../lab/process.js';

const guests = 256;
/** Guests that come up, or ping, at the same time. */
const together = 16;
const address = (n: number) => `10.0.${n >> 8}.${n & 255}`;

const runDir = mkdtempSync(join(tmpdir(), 'xvif-mesh-'));
let daemon: Daemon | undefined;
let api: ApiClient;

/** `each` for 1..guests, some at a time. */
async function forAll(each: (n: number) => Promise<void>): Promise<void> {
  let next = 1;
  const worker = async () => {
    while (next <= guests) await each(next++);
  };
  await Promise.all(Array.from({ length: together }, worker));
}

beforeAll(async () => {
  daemon = await startDaemon(
    {
      runDir,
      stateDir: `${runDir}/state`,
      workers: 2,
      hypervisor: 'emulated',
      bridges: [
        {
          name: 'br0',
          datapathId: undefined,
          failMode: 'standalone',
          controllers: [],
          listen: [],
          local: 'null',
          ports: [],
        },
      ],
    },
    { logger: silentLogger, signal: new AbortController().signal },
  );
  api = new ApiClient(daemon.apiSocket);
  await forAll(async (n) => {
    await api.call('addGuest', { name: `g${n}`, bridge: 'br0', ip: `${address(n)}/16`, queues: 1 }, 60_000);
  });
}, 180_000);

afterAll(async () => {
  api?.close();
  await daemon?.close();
  rmSync(runDir, { recursive: true, force: true });
}, 60_000);

it(`${guests} xvifs come up and every guest reaches every other`, async () => {
  await eventually('all are ports that are up', async () => {
    const { ports } = await api.call('listPorts', { bridge: 'br0' });
    return ports.filter(({ kind, state }) => kind === 'vif' && state === 'up').length === guests;
  });
  const unreached: string[] = [];
  await forAll(async (from) => {
    for (let to = 1; to <= guests; to++) {
      if (to === from) continue;
      const { received } = await api.call(
        'ping',
        { guest: `g${from}`, address: address(to), count: 1, timeoutMs: 3000 },
        60_000,
      );
      if (received !== 1) unreached.push(`${from} → ${to}`);
    }
  });
  expect(unreached).toEqual([]);
}, 300_000);
