/** One scenario on its way: its checks, and what has to be undone after it. */
import { print } from './report-line.js';

export class Run {
  readonly #undo: { readonly what: string; readonly close: () => Promise<unknown> }[] = [];
  readonly #explain: (() => string)[] = [];

  constructor(
    readonly scenario: string,
    readonly short: boolean,
    /** Checks to run, besides those without which the others make no sense. */
    readonly only: RegExp = /^/,
  ) {}

  /** Runs `body` and reports it: passed with the text it gives, or failed with what it threw. Gives whether it passed. */
  async check(check: string, body: () => Promise<unknown>): Promise<boolean> {
    return this.only.test(check) ? this.#check(check, body) : true;
  }

  async #check(check: string, body: () => Promise<unknown>): Promise<boolean> {
    const started = Date.now();
    const report = (ok: boolean, detail: string) =>
      print({ kind: 'check', check, ok, seconds: (Date.now() - started) / 1000, detail });
    try {
      const detail = await body();
      report(true, typeof detail === 'string' ? detail : '');
      return true;
    } catch (error) {
      const more = this.#explain.map((explain) => explain()).filter((text) => text !== '');
      report(false, [messages(error), ...more].join('\n'));
      return false;
    }
  }

  /** Like check, but without it the rest makes no sense: ends the scenario. */
  async need(check: string, body: () => Promise<unknown>): Promise<void> {
    if (!(await this.#check(check, body))) throw new ScenarioEnded();
  }

  table(text: string): void {
    print({ kind: 'table', text });
  }

  /** To be closed at the end, the latest first. */
  defer(what: string, close: () => Promise<unknown>): void {
    this.#undo.push({ what, close });
  }

  /** Adds to the detail of failed checks, the end of a log for example. */
  explain(text: () => string): void {
    this.#explain.push(text);
  }

  async close(): Promise<void> {
    for (let last = this.#undo.pop(); last !== undefined; last = this.#undo.pop()) {
      const { what, close } = last;
      await close().catch((error: unknown) => console.log(`${what}: ${messages(error)}`));
    }
  }
}

/** A `need` failed and was reported. */
export class ScenarioEnded extends Error {}

export function messages(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}\n${messages(error.cause)}`;
}

/** Throws `what` with both values when they differ. */
export function equal<T>(actual: T, expected: T, what: string): void {
  if (actual !== expected) throw new Error(`${what}: ${String(actual)}, expected ${String(expected)}`);
}

export function atLeast(actual: number, least: number, what: string): void {
  if (!(actual >= least)) throw new Error(`${what}: ${actual}, expected at least ${least}`);
}

export function atMost(actual: number, most: number, what: string): void {
  if (!(actual <= most)) throw new Error(`${what}: ${actual}, expected at most ${most}`);
}

export function that(condition: boolean, what: string): void {
  if (!condition) throw new Error(what);
}
