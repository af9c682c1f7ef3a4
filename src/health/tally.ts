/** Whether something works, of checks that did and did not find it working: `up` or `down` of them in a row decide. */
import type { Verdict } from './probe.js';

export type State = 'unknown' | 'up' | 'down';

/** Checks that were decided, those of them that failed, and changes of the state. */
export interface Checks {
  readonly probes: number;
  readonly failures: number;
  readonly transitions: number;
}

/** What was found before. */
export interface Standing {
  readonly state: State;
  readonly reason: string;
  readonly checks: Checks;
}

const nothing: Standing = { state: 'unknown', reason: '', checks: { probes: 0, failures: 0, transitions: 0 } };

export interface Thresholds {
  readonly up: number;
  readonly down: number;
}

export class Tally {
  readonly #thresholds: Thresholds;
  #state: State;
  #reason: string;
  #works = true;
  #inARow = 0;
  #checks: Checks;

  constructor(thresholds: Thresholds, { state, reason, checks }: Standing = nothing) {
    this.#thresholds = thresholds;
    this.#state = state;
    this.#reason = reason;
    this.#checks = checks;
  }

  get state(): State {
    return this.#state;
  }
  /** Why the last check that failed did; it stays when others succeed. */
  get reason(): string {
    return this.#reason;
  }
  get checks(): Checks {
    return this.#checks;
  }

  /** Whether the state is another one now. */
  count(verdict: Verdict): boolean {
    const { probes, failures, transitions } = this.#checks;
    this.#checks = { probes: probes + 1, failures: verdict.works ? failures : failures + 1, transitions };
    this.#inARow = verdict.works === this.#works ? this.#inARow + 1 : 1;
    this.#works = verdict.works;
    if (!verdict.works) this.#reason = verdict.reason;
    const [to, needed]: readonly [State, number] = verdict.works
      ? ['up', this.#thresholds.up]
      : ['down', this.#thresholds.down];
    if (this.#state === to || this.#inARow < needed) return false;
    this.#become(to);
    return true;
  }

  /** A failure that decides nothing. */
  note(reason: string): void {
    this.#reason = reason;
  }

  /** It gets another chance. */
  forget(): void {
    this.#become('unknown');
    this.#inARow = 0;
  }

  #become(state: State): void {
    this.#state = state;
    this.#checks = { ...this.#checks, transitions: this.#checks.transitions + 1 };
  }
}
