import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BackendNode } from '../../../src/xenbus/backend-node.js';
import { BE, Bed, DOMID, FE } from './bed.js';

let bed: Bed;
let node: BackendNode;

beforeEach(() => {
  bed = new Bed();
  node = new BackendNode(bed.store, { type: 'toy', domid: DOMID, id: 3, backendPath: BE, frontendPath: FE });
});
afterEach(() => bed.close());

describe('a decision is written only where it was made', () => {
  it('not into a directory that was made anew since', async () => {
    await bed.plug({ state: '4', 'hotplug-status': 'connected' });
    await node.observe();
    await bed.toolstack.rm(BE);
    await bed.plug({ 'hotplug-status': '' });
    expect(await node.writeState(5, { key: 'old' })).toBe(false);
    await node.writeError('old');
    await node.removeHotplugStatus();
    expect((await bed.toolstack.directory(BE)).sort()).toEqual(['hotplug-status', 'online', 'state']);
    expect(await bed.backendState()).toBe('1');
    await node.observe();
    expect(await node.writeState(2, { key: 'new' })).toBe(true);
    expect(await bed.backendState()).toBe('2');
  });

  it('nor when that happens while the write is under way', async () => {
    await bed.plug({ state: '4' });
    await node.observe();
    const transaction = bed.store.transaction.bind(bed.store);
    let attempts = 0;
    Object.assign(bed.store, {
      transaction: (body: Parameters<typeof transaction>[0]) =>
        transaction(async (nodes) => {
          const result = await body(nodes);
          // Between the write and its commit, which therefore fails and is tried again.
          if (attempts++ === 0) {
            await bed.toolstack.rm(BE);
            await bed.plug();
          }
          return result;
        }),
    });
    expect(await node.writeState(5)).toBe(false);
    expect(attempts).toBe(2);
    expect(await bed.backendState()).toBe('1');
  });

  it('nor into one that is gone', async () => {
    await bed.plug();
    await node.observe();
    await bed.toolstack.rm(BE);
    expect(await node.writeState(2)).toBe(false);
    expect(await bed.backendState()).toBeUndefined();
  });

  it('what was written counts as seen', async () => {
    await bed.plug();
    await node.observe();
    expect(await node.writeState(2)).toBe(true);
    expect(await node.writeState(4)).toBe(true);
    expect(await bed.backendState()).toBe('4');
  });
});
