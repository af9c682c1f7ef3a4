import { describe, expect, it } from 'vitest';
import { Linger } from '../../../src/openflow/linger.js';

/** An event loop whose turns take 1 µs. */
class Loop {
  nowMs = 0;
  turns = 0;
  #next: (() => void) | undefined;
  readonly linger = new Linger({
    nowMs: () => this.nowMs,
    nextTurn: (callback) => {
      expect(this.#next).toBeUndefined();
      this.#next = callback;
    },
  });

  /** Turns until the loop would sleep, or this much time is over. */
  run(ms: number): void {
    const end = this.nowMs + ms;
    while (this.#next !== undefined && this.nowMs < end) {
      const callback = this.#next;
      this.#next = undefined;
      this.nowMs += 0.001;
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
  it('goes on while it speaks again soon', () => {
    const loop = new Loop();
    for (let n = 0; n < 100; n++) {
      loop.linger.heard();
      loop.run(0.06);
      if (n > 0) expect(loop.sleeps).toBe(false);
    }
    loop.run(1);
    expect(loop.sleeps).toBe(true);
  });

  it('ends when it speaks now and then only', () => {
    const loop = new Loop();
    for (let n = 0; n < 10; n++) {
      loop.linger.heard();
      loop.run(1);
    }
    const { turns } = loop;
    expect(turns).toBeLessThan(200);
    for (let n = 0; n < 1000; n++) {
      loop.linger.heard();
      expect(loop.sleeps).toBe(true);
      loop.run(1);
    }
    expect(loop.turns).toBe(turns);
  });

  it('begins again', () => {
    const loop = new Loop();
    for (let n = 0; n < 10_000; n++) {
      loop.linger.heard();
      loop.run(1);
    }
    for (let n = 0; n < 20; n++) {
      loop.linger.heard();
      loop.run(0.05);
    }
    expect(loop.sleeps).toBe(false);
  });

  it('is in real time over before long', async () => {
    const linger = new Linger();
    linger.heard();
    linger.heard();
    await new Promise((resolve) => setTimeout(resolve, 20));
    const before = performance.eventLoopUtilization();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(performance.eventLoopUtilization(before).utilization).toBeLessThan(1);
  });
});
