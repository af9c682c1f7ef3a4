/**
 * Watch events on their way to a listener. A guest that flips its keys can cause events faster than they are worked
 * off (XSA-349); therefore one event per distinct path waits at most, and when very many distinct paths wait they
 * become one event for the watched path itself, which by the meaning of a prefix watch says "look at everything".
 */
import type { Logger } from '../base/logger.js';

/** Distinct paths that may wait for one listener. */
export const WATCH_PATHS_PENDING_MAX = 256;

/** `path` is the watched path or something below it. Calls of one watch never overlap: a promise is waited for. */
export type WatchListener = (path: string) => void | Promise<void>;

export class WatchQueue {
  readonly #path: string;
  readonly #listener: WatchListener;
  readonly #logger: Logger;
  readonly #pending = new Set<string>();
  #running = false;
  #closed = false;
  /** Times that waiting paths were folded into one event. */
  folded = 0;

  constructor(path: string, listener: WatchListener, logger: Logger) {
    this.#path = path;
    this.#listener = listener;
    this.#logger = logger;
  }

  get pending(): number {
    return this.#pending.size;
  }

  push(path: string): void {
    if (this.#closed) return;
    if (this.#pending.size >= WATCH_PATHS_PENDING_MAX && !this.#pending.has(path)) {
      this.#pending.clear();
      this.#pending.add(this.#path);
      this.folded++;
    }
    this.#pending.add(path);
    if (this.#running) return;
    this.#running = true;
    setImmediate(() => void this.#deliver());
  }

  close(): void {
    this.#closed = true;
    this.#pending.clear();
  }

  async #deliver(): Promise<void> {
    for (;;) {
      const next = this.#pending.values().next();
      if (next.done || this.#closed) break;
      this.#pending.delete(next.value);
      try {
        await this.#listener(next.value);
      } catch (error) {
        this.#logger.error({ watch: this.#path, err: error }, 'watch listener failed');
      }
    }
    this.#running = false;
  }
}
