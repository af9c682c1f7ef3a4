/** A daemon that is held up does not take instances down: their answers wait in its own queue. */
import { describe, expect, it } from 'vitest';
import type { Clock } from '../../../src/base/clock.js';
import { compile, Diagnostics, PlaceholderPorts, SourceFile } from '../../../src/compiler/index.js';
import { Prober } from '../../../src/health/checker.js';

const chain = `apiVersion: xvif.dev/v1alpha1
kind: ServiceChain
metadata: {name: c}
spec:
  classifiers: [{name: web, match: {tcp_dst: 80}}]
  hops:
  - name: fw
    health: {type: icmp, interval: 2, timeout: 1, down: 1}
    instances:
    - {ingress: a/0, egress: a/1}
`;

/** Timers come `lateMs` after their time. */
class LateClock implements Clock {
  lateMs = 0;
  #now = 0;
  readonly #timers = new Set<{ readonly at: number; readonly callback: () => void }>();

  nowMs(): number {
    return this.#now;
  }
  after(delayMs: number, callback: () => void) {
    const timer = { at: this.#now + delayMs, callback };
    this.#timers.add(timer);
    return { cancel: () => void this.#timers.delete(timer) };
  }
  /** Runs the timer that is due next. */
  step(): void {
    const [next] = [...this.#timers].sort((a, b) => a.at - b.at);
    if (next === undefined) return;
    this.#timers.delete(next);
    this.#now = Math.max(this.#now, next.at) + this.lateMs;
    next.callback();
  }
}

function prober(lateMs: number) {
  const options = { localAgents: true };
  const program = compile([new SourceFile('f.yaml', chain)], new PlaceholderPorts(), new Diagnostics(), options);
  const clock = new LateClock();
  let sent = 0;
  const world = { clock, changed: () => {}, send: () => void sent++ };
  const made = new Prober(program.checks[0]!, world);
  made.start(0);
  clock.step();
  clock.lateMs = lateMs;
  const asked = (times: number) => {
    while (sent < times) clock.step();
  };
  return { made, asked };
}

describe('checks whose time is over', () => {
  it('are begun again while the daemon is late, three times in a row', () => {
    const { made, asked } = prober(400);
    asked(4);
    expect(made.state).toBe('unknown');
    asked(5);
    expect(made.state).toBe('down');
  });

  it('are missed where it is not', () => {
    const { made, asked } = prober(0);
    asked(2);
    expect(made.state).toBe('down');
    expect(made.reason).not.toBe('');
  });
});
