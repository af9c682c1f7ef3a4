/**
 * What the switch does without controllers (OpenFlow 1.3.5 §6.3.2, with the names and the times of Open vSwitch):
 * 'secure' goes on with the flows it has, 'standalone' becomes an ordinary learning switch after a while.
 */
import type { Logger } from '../base/logger.js';
import type { Switch } from './switch.js';

export type FailMode = 'secure' | 'standalone';

export interface FailSafeOptions {
  readonly switch: Switch;
  readonly mode: FailMode;
  /** How long to wait for a controller; 0 where there is none to wait for. */
  readonly waitMs: number;
  readonly logger: Logger;
}

export class FailSafe {
  readonly #options: FailSafeOptions;
  #waiting: NodeJS.Timeout | undefined;
  #on = false;

  constructor(options: FailSafeOptions) {
    this.#options = options;
  }

  /** To be called at the start, and whenever a controller comes or goes. */
  update(anyController: boolean): void {
    if (this.#options.mode === 'secure') return;
    if (anyController) this.stop();
    else if (this.#options.waitMs === 0) this.#set(true);
    else if (!this.#on) this.#waiting ??= setTimeout(() => this.#set(true), this.#options.waitMs);
  }

  /** Leaves the switch as it was. */
  stop(): void {
    clearTimeout(this.#waiting);
    this.#waiting = undefined;
    this.#set(false);
  }

  #set(on: boolean): void {
    if (this.#on === on) return;
    this.#on = on;
    this.#waiting = undefined;
    this.#options.logger.info({ on }, 'fail-mode standalone');
    this.#options.switch.standalone(on);
  }
}
