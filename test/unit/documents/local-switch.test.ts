/** Plans and tables that others change meanwhile. */
import { describe, expect, it } from 'vitest';
import type { TablesAlone } from '../../../src/bridge/local-tables.js';
import { READ_TRIES } from '../../../src/documents/limits.js';
import { carryOut } from '../../../src/documents/local-switch.js';
import type { Plan } from '../../../src/reconcile/index.js';

const STEPS = 1000;

describe('tables that others change all the time', () => {
  it('are given a plan whose last try lets nobody in between', async () => {
    let revision = 0n;
    let [others, asked, askedNow] = [0, 0, 0];
    const commits: number[] = [];
    const tables: TablesAlone = {
      ask: async () => {
        asked++;
        // A controller's turn.
        await new Promise((resolve) => setImmediate(resolve));
        return [];
      },
      askNow: () => {
        askedNow++;
        return [];
      },
      revision: () => revision++,
      commit: () => {
        commits.push(others);
        return undefined;
      },
    };
    let tries = 0;
    let seen = 0;
    const message = { type: 'barrier_request' } as const;
    const plan: Plan = {
      changes: [{ kind: 'add', what: 'flow', text: '', message, undo: message }],
      unchanged: 0,
      stale: [],
      conflicts: [],
    };
    await carryOut(tables, function* () {
      tries++;
      seen = others;
      setImmediate(() => others++);
      for (let n = 0; n < STEPS; n++) {
        // Until the slice is over, where there are slices.
        const end = performance.now() + (tries < READ_TRIES && n === 0 ? 20 : 0);
        while (performance.now() < end);
        yield;
      }
      return plan;
    });
    expect(tries).toBe(READ_TRIES);
    expect(seen).toBe(READ_TRIES - 1);
    expect(commits).toEqual([seen]);
    expect([asked, askedNow]).toEqual([3 * (READ_TRIES - 1), 3]);
  });
});
