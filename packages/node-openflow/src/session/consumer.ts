/** Messages handed over as they come, instead of taken by iteration: for who handles thousands at a time. */
import type { Message } from '../types/message.js';

export interface Consumer {
  /** Handles a message. The next one comes when the promise, if there is one, is settled. */
  take(message: Message): Promise<unknown> | undefined;
  /**
   * Looks at a whole message of the session's version before it is decoded; true: it was handled. The bytes are a view
   * of what was received, and nobody else's. Messages that had to wait for another are decoded anyway.
   */
  takeBytes?(bytes: Uint8Array): boolean;
}

/** Hands messages to a consumer, one after the other. After the consumer has thrown it stays busy. */
export class Handover {
  #busy = false;
  readonly #consumer: Consumer;
  readonly #onDone: () => void;
  readonly #onFailure: (error: unknown) => void;

  /** `onDone`: it is no longer busy with what took a while. */
  constructor(consumer: Consumer, onDone: () => void, onFailure: (error: unknown) => void) {
    this.#consumer = consumer;
    this.#onDone = onDone;
    this.#onFailure = onFailure;
  }

  get busy(): boolean {
    return this.#busy;
  }

  /** Whether the consumer has handled it; to be called while it is not busy, like take. */
  takeBytes(bytes: Uint8Array): boolean {
    this.#busy = true;
    try {
      const taken = this.#consumer.takeBytes?.(bytes) === true;
      this.#busy = false;
      return taken;
    } catch (error) {
      this.#onFailure(error);
      return true;
    }
  }

  take(message: Message): void {
    this.#busy = true;
    try {
      const doing = this.#consumer.take(message);
      if (doing === undefined) this.#busy = false;
      else doing.then(() => this.#done(), this.#onFailure);
    } catch (error) {
      this.#onFailure(error);
    }
  }

  #done(): void {
    this.#busy = false;
    this.#onDone();
  }
}
