/** Messages handed to a consumer instead of taken by iteration. */
import { describe, expect, it } from 'vitest';
import type { FlowMod, Outgoing } from '../src/index.js';
import { eventually, flowMod, pair13 } from './support/sessions.js';

describe('a consumer', () => {
  const priorities: number[] = [];
  const mod = (priority: number): Outgoing<FlowMod> => ({ ...flowMod, priority });

  it('gets what came before it, then all in order, and the next when it has done with the last', async () => {
    const [near, far] = await pair13();
    priorities.length = 0;
    for (const n of [1, 2]) far.send(mod(n));
    await eventually(() => near.counters.received >= 3);
    let release: () => void = () => {};
    const over = near.consume({
      take(message) {
        if (message.type !== 'flow_mod') return undefined;
        priorities.push(message.priority);
        if (message.priority !== 3) return undefined;
        return new Promise<void>((resolve) => {
          release = resolve;
        });
      },
    });
    expect(priorities).toEqual([1, 2]);
    for (const n of [3, 4, 5]) far.send(mod(n));
    await eventually(() => priorities.length >= 3);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(priorities).toEqual([1, 2, 3]);
    release();
    await eventually(() => priorities.length >= 5);
    expect(priorities).toEqual([1, 2, 3, 4, 5]);
    void far.close();
    await over;
  });

  it('may ask the peer while it handles a message, and the peer is answered meanwhile', async () => {
    const [near, far] = await pair13();
    const done: string[] = [];
    const over = near.consume({
      async take(message) {
        await near.barrier();
        done.push(message.type);
      },
    });
    void far.consume({
      take(message) {
        if (message.type === 'barrier_request') far.send({ type: 'barrier_reply', xid: message.xid });
        return undefined;
      },
    });
    far.send(mod(1));
    await far.request({ type: 'echo_request', data: new Uint8Array(0) });
    await eventually(() => done.length === 1);
    await far.close();
    await over;
    expect(done).toEqual(['flow_mod']);
  });

  it('that is still busy when the peer leaves gets what came before, and is waited for', async () => {
    const [near, far] = await pair13();
    const done: number[] = [];
    let release: () => void = () => {};
    let ended = false;
    const over = near
      .consume({
        take(message) {
          if (message.type === 'flow_mod') done.push(message.priority);
          return new Promise<void>((resolve) => {
            release = resolve;
          });
        },
      })
      .then(() => {
        ended = true;
      });
    for (const n of [1, 2]) far.send(mod(n));
    await far.close();
    await near.closed;
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect([done, ended]).toEqual([[1], false]);
    release();
    expect(done).toEqual([1]);
    await eventually(() => done.length === 2);
    release();
    await over;
    expect(done).toEqual([1, 2]);
  });

  it('sees bytes first, and what it takes of them is not decoded', async () => {
    const [near, far] = await pair13();
    const seen: string[] = [];
    const over = near.consume({
      take(message) {
        seen.push(message.type);
        return undefined;
      },
      takeBytes(bytes) {
        seen.push(`${bytes[1]}`);
        return bytes[1] === 14;
      },
    });
    far.send(mod(1));
    far.send({ type: 'features_request' });
    await eventually(() => seen.length >= 3);
    expect(seen).toEqual(['14', '5', 'features_request']);
    void near.close();
    await over;
  });

  it('that throws is told so, and gets nothing more', async () => {
    for (const takeBytes of [undefined, () => thrown()]) {
      const [near, far] = await pair13();
      let taken = 0;
      const over = near.consume({
        take() {
          taken++;
          return thrown();
        },
        ...(takeBytes === undefined ? {} : { takeBytes }),
      });
      far.send(mod(1));
      far.send(mod(2));
      await expect(over).rejects.toThrow('a bug');
      await new Promise((resolve) => setTimeout(resolve, 20));
      expect(taken).toBe(takeBytes === undefined ? 1 : 0);
      void near.close();
      void far.close();
    }
  });
});

function thrown(): never {
  throw new Error('a bug');
}
