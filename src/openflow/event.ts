/** Something that happened in the switch, on its way to every controller that wants to know. */
import type { Message } from 'node-openflow';
import { encodeEvent } from '../ofproto/versions.js';
import type { AsyncMessage } from './switch.js';

export class Event {
  readonly message: AsyncMessage;
  readonly #encoded = new Map<number, Uint8Array | undefined>();

  constructor(message: AsyncMessage) {
    this.message = message;
  }

  /**
   * In wire form, encoded once however many controllers there are. Nobody asked for it: its xid is 0. Undefined where the
   * version has no words for it.
   */
  bytes(version: number): Uint8Array | undefined {
    if (!this.#encoded.has(version)) {
      this.#encoded.set(version, encodeEvent({ ...this.message, version, xid: 0 } as Message));
    }
    return this.#encoded.get(version);
  }
}
