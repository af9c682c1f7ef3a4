/** Finds out whether a silent peer is still there (OpenFlow 1.3.5 §6.3.2): asks once, gives up when that stays silent too. */

export interface KeepAliveHooks {
  /** Send something the peer must answer. */
  readonly probe: () => void;
  readonly giveUp: () => void;
  /** While this side does not read, silence says nothing about the peer. */
  readonly isDeaf: () => boolean;
}

export class KeepAlive {
  readonly #timer: NodeJS.Timeout;
  readonly #hooks: KeepAliveHooks;
  #heard = true;
  #probing = false;

  constructor(intervalMs: number, hooks: KeepAliveHooks) {
    this.#hooks = hooks;
    this.#timer = setInterval(() => this.#tick(), intervalMs);
    this.#timer.unref();
  }

  /** To be called when anything came from the peer. */
  heard(): void {
    this.#heard = true;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #tick(): void {
    if (this.#heard || this.#hooks.isDeaf()) {
      this.#heard = false;
      this.#probing = false;
    } else if (this.#probing) {
      this.#hooks.giveUp();
    } else {
      this.#probing = true;
      this.#hooks.probe();
    }
  }
}
