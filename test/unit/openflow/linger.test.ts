import { describe, expect, it } from 'vitest';
import { Linger } from '../../../src/openflow/linger.js';

const TURN_MS = 0.001;

/** An event loop, and what it does in it. */
class Loop {
  nowMs = 0;
  turns = 0;
  #next: (() => void) | undefined;
  readonly #linger = new Linger({
    nowMs: () => this.nowMs,
    nextTurn: (callback) => {
      expect(this.#next).toBeUndefined();
      this.#next = callback;
    },
  });

  /** Words that take so long to deal with. */
  words(ms = 0.01): void {
    this.#linger.heard();
    this.nowMs += ms;
    this.#linger.idle();
  }

  /** Turns until the loop would sleep, or this much time is over. */
  run(ms: number): void {
    const end = this.nowMs + ms;
    while (this.#next !== undefined && this.nowMs < end) {
      const callback = this.#next;
      this.#next = undefined;
      this.nowMs += TURN_MS;
      this.turns++;
      callback();
    }
    this.nowMs = end;
  }

  get sleeps(): boolean {
    return this.#next === undefined;
  }
}

describe('staying awake after a controller spoke', () => {
  it('goes on while it speaks again soon, however long it is listened to', () => {
    const loop = new Loop();
    for (let n = 0; n < 100; n++) {
      loop.words(n % 2 === 0 ? 0.07 : 1);
      loop.run(0.06);
      if (n > 0) expect(loop.sleeps).toBe(false);
    }
    loop.run(1);
    expect(loop.sleeps).toBe(true);
  });

  it('ends when it speaks now and then only', () => {
    const loop = new Loop();
    for (let n = 0; n < 10; n++) {
      loop.words();
      loop.run(1);
    }
    const { turns } = loop;
    expect(turns).toBeLessThan(200);
    for (let n = 0; n < 1000; n++) {
      loop.words();
      expect(loop.sleeps).toBe(true);
      loop.run(1);
    }
    expect(loop.turns).toBe(turns);
  });

  it('begins again', () => {
    const loop = new Loop();
    for (let n = 0; n < 10_000; n++) {
      loop.words();
      loop.run(1);
    }
    for (let n = 0; n < 20; n++) {
      loop.words(0.05);
      loop.run(0.04);
    }
    expect(loop.sleeps).toBe(false);
  });

  it('takes half of the time at most', () => {
    const loop = new Loop();
    for (let n = 0; n < 10_000; n++) {
      loop.words(0);
      loop.run(0.09);
    }
    expect(loop.turns * TURN_MS).toBeGreaterThan(loop.nowMs * 0.45);
    expect(loop.turns * TURN_MS).toBeLessThan(loop.nowMs * 0.55);
  });

  it('ends on a real event loop as well', async () => {
    let turns = 0;
    const linger = new Linger({
      nextTurn: (callback) => {
        turns++;
        setImmediate(callback);
      },
    });
    linger.heard();
    linger.idle();
    await new Promise((resolve) => setTimeout(resolve, 50));
    const before = turns;
    expect(before).toBeGreaterThan(0);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(turns).toBe(before);
  });
});
