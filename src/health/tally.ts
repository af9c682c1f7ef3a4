/** Whether something works, of checks that did and did not find it working: `up` or `down` of them in a row decide. */
import type { Verdict } from './probe.js';

export type State = 'unknown' | 'up' | 'down';

/** What was found before. */
export interface Standing {
  readonly state: State;
  readonly reason: string;
}

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

  constructor(thresholds: Thresholds, { state, reason }: Standing = { state: 'unknown', reason: '' }) {
    this.#thresholds = thresholds;
    this.#state = state;
    this.#reason = reason;
  }

  get state(): State {
    return this.#state;
  }
  /** Why the last check that failed did; it stays when others succeed. */
  get reason(): string {
    return this.#reason;
  }

  /** Whether the state is another one now. */
  count(verdict: Verdict): boolean {
    this.#inARow = verdict.works === this.#works ? this.#inARow + 1 : 1;
    this.#works = verdict.works;
    if (!verdict.works) this.#reason = verdict.reason;
    const [to, needed]: readonly [State, number] = verdict.works
      ? ['up', this.#thresholds.up]
      : ['down', this.#thresholds.down];
    if (this.#state === to || this.#inARow < needed) return false;
    this.#state = to;
    return true;
  }

  /** A failure that decides nothing. */
  note(reason: string): void {
    this.#reason = reason;
  }

  /** It gets another chance. */
  forget(): void {
    this.#state = 'unknown';
    this.#inARow = 0;
  }
}
