/** Something that happened in the switch, on its way to every controller that wants to know. */
import { encodeMessage, type Message } from 'node-openflow';
import type { AsyncMessage } from './switch.js';

export class Event {
  readonly message: AsyncMessage;
  readonly #encoded = new Map<number, Uint8Array>();

  constructor(message: AsyncMessage) {
    this.message = message;
  }

  /** In wire form, encoded once however many controllers there are. Nobody asked for it: its xid is 0. */
  bytes(version: number): Uint8Array {
    const known = this.#encoded.get(version);
    if (known !== undefined) return known;
    const bytes = encodeMessage({ ...this.message, version, xid: 0 } as Message);
    this.#encoded.set(version, bytes);
    return bytes;
  }
}
