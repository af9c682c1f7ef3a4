/**
 * What goes out to one controller, bounded towards one that does not read: answers make its further requests wait,
 * packet-ins are dropped and counted, and a wait that is too long or too many other events end the connection.
 */
import type { Outgoing, Session } from 'node-openflow';
import type { EventForm } from '../ofproto/event-forms.js';
import type { Event } from './event.js';
import { STALL_MS, UNREAD_ANSWER_BYTES, UNREAD_BYTES_MAX, UNREAD_PACKET_IN_BYTES } from './limits.js';

export interface OutletOptions {
  readonly session: Session;
  /** The controller does not read: it has to go. */
  readonly giveUp: (unread: number) => void;
}

export class Outlet {
  readonly #options: OutletOptions;
  #answered = false;
  #packetInsDropped = 0;

  constructor(options: OutletOptions) {
    this.#options = options;
  }

  get packetInsDropped(): number {
    return this.#packetInsDropped;
  }

  send(message: Outgoing): void {
    this.#answered = true;
    this.#options.session.send(message);
    this.#limit();
  }

  /** False: wait for drained() before sending much more. */
  sendRaw(bytes: Uint8Array): boolean {
    this.#answered = true;
    this.#options.session.sendRaw(bytes);
    this.#limit();
    return !this.isFull;
  }

  #limit(): void {
    const unread = this.#options.session.writableLength;
    if (unread > UNREAD_BYTES_MAX) this.#options.giveUp(unread);
  }

  notify(event: Event, form: EventForm): void {
    const unread = this.#options.session.writableLength;
    if (unread > UNREAD_BYTES_MAX) {
      this.#options.giveUp(unread);
    } else if (event.event.type === 'packet_in' && unread > UNREAD_PACKET_IN_BYTES) {
      this.#packetInsDropped++;
    } else {
      const bytes = event.bytes(form);
      if (bytes !== undefined) this.#options.session.sendRaw(bytes);
    }
  }

  /**
   * Whether something was answered since the last call and there is no room for more. Events do not count: while many
   * packets go up, a request without an answer (a flow_mod that ends them) must not wait for all of them to be read.
   */
  get owesTooMuch(): boolean {
    const answered = this.#answered;
    this.#answered = false;
    return answered && this.isFull;
  }

  /** Resolves when there is room for answers, or nothing arrives any more. */
  async drained(): Promise<void> {
    if (!this.isFull) return;
    const { session, giveUp } = this.#options;
    const stalled = setTimeout(() => giveUp(session.writableLength), STALL_MS);
    await session.taken();
    clearTimeout(stalled);
  }

  /** There is no room for more. */
  get isFull(): boolean {
    return this.#options.session.writableLength > UNREAD_ANSWER_BYTES;
  }
}
