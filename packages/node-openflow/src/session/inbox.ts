/** A queue between the socket and one who takes messages with `for await`. Its filler keeps it bounded. */
import type { Message } from '../types/message.js';

export class Inbox {
  #queue: { readonly message: Message; readonly size: number }[] = [];
  #bytes = 0;
  #head = 0;
  #waiting: ((result: IteratorResult<Message, undefined>) => void)[] = [];
  #ended = false;
  readonly #onTaken: () => void;

  /** `onTaken` is called whenever a queued message was handed out. */
  constructor(onTaken: () => void) {
    this.#onTaken = onTaken;
  }

  get length(): number {
    return this.#queue.length - this.#head;
  }

  /** That the queued messages had on the wire. */
  get bytes(): number {
    return this.#bytes;
  }

  push(message: Message, size: number): void {
    const waiting = this.#waiting.shift();
    if (waiting !== undefined) waiting({ done: false, value: message });
    else {
      this.#queue.push({ message, size });
      this.#bytes += size;
    }
  }

  next(): Promise<IteratorResult<Message, undefined>> {
    if (this.length > 0) {
      const value = this.take();
      this.#onTaken();
      return Promise.resolve({ done: false, value });
    }
    if (this.#ended) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** The oldest message; there must be one. */
  take(): Message {
    const { message, size } = this.#queue[this.#head++]!;
    this.#bytes -= size;
    // Moving the rest down only when half is used keeps taking a message cheap however long the queue is.
    if (this.#head * 2 >= this.#queue.length) {
      this.#queue = this.#queue.slice(this.#head);
      this.#head = 0;
    }
    return message;
  }

  /** What is queued is still handed out. */
  end(): void {
    this.#ended = true;
    for (const waiting of this.#waiting.splice(0)) waiting({ done: true, value: undefined });
  }
}
