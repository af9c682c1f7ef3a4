/** Logging: a narrow interface over pino, and a brake for lines that a guest or a controller can provoke. */
import { pino } from 'pino';
import { type Clock, systemClock } from './clock.js';

export type LogFields = Readonly<Record<string, unknown>>;

export interface Logger {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
  /** A logger that adds `fields` to each line. */
  child(fields: LogFields): Logger;
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

/** JSON lines on standard error (or `destination`), so that standard output stays free for answers. */
export function createLogger(
  options: { readonly level?: LogLevel; readonly destination?: { write(line: string): void } } = {},
): Logger {
  const destination = options.destination ?? pino.destination({ fd: 2, sync: true });
  return pino({ level: options.level ?? 'info', base: null }, destination);
}

export const silentLogger: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silentLogger,
};

/** Lines let through in a row, and the time after which one more is allowed. */
const BURST_LINES = 10;
const REFILL_MS = 1000;

/**
 * Lets at most a burst of lines through, then one per refill time; swallowed lines are counted, and the next line let
 * through carries the count as `suppressed`. One per source of lines (a vif, a connection).
 */
export class RateLimitedLog {
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #burst: number;
  readonly #refillMs: number;
  #tokens: number;
  #refilledMs: number;
  #suppressed = 0;

  constructor(
    logger: Logger,
    options: { readonly burst?: number; readonly refillMs?: number; readonly clock?: Clock } = {},
  ) {
    this.#logger = logger;
    this.#clock = options.clock ?? systemClock;
    this.#burst = options.burst ?? BURST_LINES;
    this.#refillMs = options.refillMs ?? REFILL_MS;
    this.#tokens = this.#burst;
    this.#refilledMs = this.#clock.nowMs();
  }

  warn(fields: LogFields, message: string): void {
    if (this.#take()) this.#logger.warn(this.#withCount(fields), message);
  }

  info(fields: LogFields, message: string): void {
    if (this.#take()) this.#logger.info(this.#withCount(fields), message);
  }

  #take(): boolean {
    const refills = Math.floor((this.#clock.nowMs() - this.#refilledMs) / this.#refillMs);
    if (refills > 0) {
      this.#tokens = Math.min(this.#burst, this.#tokens + refills);
      this.#refilledMs += refills * this.#refillMs;
    }
    if (this.#tokens === 0) {
      this.#suppressed++;
      return false;
    }
    this.#tokens--;
    return true;
  }

  #withCount(fields: LogFields): LogFields {
    if (this.#suppressed === 0) return fields;
    const counted = { ...fields, suppressed: this.#suppressed };
    this.#suppressed = 0;
    return counted;
  }
}

/** Sources of lines remembered; beyond that the one that was first used is forgotten. */
const SOURCES_MAX = 4096;

/** A {@link RateLimitedLog} per source (a vif, a port), so that one that shouts does not swallow the lines of others. */
export class RateLimitedLogs {
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #logs = new Map<string, RateLimitedLog>();

  constructor(logger: Logger, options: { readonly clock?: Clock } = {}) {
    this.#logger = logger;
    this.#clock = options.clock ?? systemClock;
  }

  of(source: string): RateLimitedLog {
    const known = this.#logs.get(source);
    if (known !== undefined) return known;
    const oldest = this.#logs.size < SOURCES_MAX ? undefined : this.#logs.keys().next().value;
    if (oldest !== undefined) this.#logs.delete(oldest);
    const log = new RateLimitedLog(this.#logger, { clock: this.#clock });
    this.#logs.set(source, log);
    return log;
  }
}
