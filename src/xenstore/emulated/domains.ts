/** Domains that were introduced, and what the rest of the daemon does when one comes or goes. */

export interface DomainEvents {
  introduced(domid: number): void;
  /** The domain is gone: end its connections, remove its nodes, tell the watchers. */
  released(domid: number): void;
  retarget(domid: number, target: number): void;
  /** Runs `action` and keeps the events it causes until after the reply. */
  hold(afterReply: (action: () => void) => void, action: () => void): void;
}

export class Domains {
  readonly #introduced = new Set<number>();
  readonly #events: DomainEvents;

  constructor(events: DomainEvents) {
    this.#events = events;
  }

  /** Domain 0 always is. */
  isIntroduced(domid: number): boolean {
    return domid === 0 || this.#introduced.has(domid);
  }

  introduce(domid: number): void {
    this.#introduced.add(domid);
    this.#events.introduced(domid);
  }

  release(domid: number): void {
    this.#introduced.delete(domid);
    this.#events.released(domid);
  }

  setTarget(domid: number, target: number): void {
    this.#events.retarget(domid, target);
  }

  holdingEvents(context: { afterReply(action: () => void): void }, action: () => void): void {
    this.#events.hold((later) => context.afterReply(later), action);
  }
}
