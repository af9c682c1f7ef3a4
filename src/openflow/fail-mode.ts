/**
 * What the switch does without controllers (OpenFlow 1.3.5 §6.3.2, with the names and the times of Open vSwitch):
 * 'secure' goes on with the flows it has, 'standalone' becomes an ordinary learning switch: after a while and above all
 * flows where controllers are away, at once and below them where there has never been one to wait for.
 */
import type { Logger } from '../base/logger.js';
import type { Standalone } from '../ofproto/standalone.js';
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
  #place: Standalone = 'none';
  /** One has been there, and its flows may depend on it. */
  #everControlled = false;

  constructor(options: FailSafeOptions) {
    this.#options = options;
  }

  /** To be called at the start, and whenever a controller comes or goes. */
  update(anyController: boolean): void {
    if (this.#options.mode === 'secure') return;
    const { waitMs } = this.#options;
    if (anyController) {
      this.#everControlled = true;
      this.stop();
    } else if (waitMs === 0) {
      this.#set(this.#everControlled ? 'above' : 'below');
    } else if (this.#place === 'none') {
      this.#waiting ??= setTimeout(() => this.#set('above'), waitMs);
    }
  }

  /** Leaves the switch as it was. */
  stop(): void {
    clearTimeout(this.#waiting);
    this.#waiting = undefined;
    this.#set('none');
  }

  #set(place: Standalone): void {
    if (this.#place === place) return;
    this.#place = place;
    this.#waiting = undefined;
    this.#options.logger.info({ flow: place }, 'fail-mode standalone');
    this.#options.switch.standalone(place);
  }
}
