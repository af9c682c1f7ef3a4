/**
 * What goes out to one controller, bounded towards one that does not read: answers make its further requests wait,
 * packet-ins are dropped and counted, and a wait that is too long or too many other events end the connection.
 */
import type { Duplex } from 'node:stream';
import type { Outgoing, Session } from 'node-openflow';
import type { EventForm } from '../ofproto/event-forms.js';
import type { Event } from './event.js';
import { GATHER_BYTES, STALL_MS, UNREAD_ANSWER_BYTES, UNREAD_BYTES_MAX, UNREAD_PACKET_IN_BYTES } from './limits.js';

const nothing = new Uint8Array(0);

export interface OutletOptions {
  readonly socket: Duplex;
  /** Over that socket. */
  readonly session: Session;
  /** The controller does not read: it has to go. */
  readonly giveUp: (unread: number) => void;
}

export class Outlet {
  readonly #options: OutletOptions;
  #gathering = false;
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
    this.#gather(() => this.#options.session.send(message));
    this.#limit();
  }

  /** False: wait for drained() before sending much more. */
  sendRaw(bytes: Uint8Array): boolean {
    this.#answered = true;
    this.#gather(() => this.#options.session.sendRaw(bytes));
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
      if (bytes !== undefined) this.#gather(() => this.#options.session.sendRaw(bytes));
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
    await this.#taken();
    clearTimeout(stalled);
  }

  /** There is no room for more. */
  get isFull(): boolean {
    return this.#options.session.writableLength > UNREAD_ANSWER_BYTES;
  }

  /**
   * Resolves when all that is written by now was taken by the peer, or the socket is closed. The stream's own 'drain' is
   * not enough: it comes when nothing at all is left to write, which is never while events keep coming.
   */
  #taken(): Promise<void> {
    const { socket } = this.#options;
    return new Promise((resolve) => {
      if (socket.writable) socket.write(nothing, () => resolve());
      else resolve();
    });
  }

  /**
   * Many small messages sent in one turn of the event loop leave in one system call. Much is handed to the kernel at
   * once: it must not look as if the controller had left it unread.
   */
  #gather(write: () => void): void {
    const { socket, session } = this.#options;
    if (!this.#gathering && socket.writable) {
      this.#gathering = true;
      socket.cork();
      process.nextTick(() => this.#release());
    }
    write();
    if (session.writableLength >= GATHER_BYTES) this.#release();
  }

  #release(): void {
    if (!this.#gathering) return;
    this.#gathering = false;
    this.#options.socket.uncork();
  }
}
