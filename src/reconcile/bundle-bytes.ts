/** Messages for a bundle as bytes: what stands around each is the same, but for xid and length. */
import { EncodeError, encodeMessage, type Message, type Outgoing } from 'node-openflow';

/** Of a message's header (OpenFlow 1.3.5 §7.1). */
const [LENGTH_AT, XID_AT] = [2, 4];
const MESSAGE_BYTES_MAX = 0xffff;

export class BundleBytes {
  readonly #version: number;
  readonly #head: Uint8Array;

  constructor(version: number, bundleId: number, flags: number) {
    const message = encodeMessage({ type: 'barrier_request', version, xid: 0 });
    const whole = encodeMessage({ type: 'bundle_add_message', version, xid: 0, bundleId, flags, message });
    this.#version = version;
    this.#head = whole.slice(0, whole.length - message.length);
  }

  /** A bundle_add_message; the message in it has its xid (OpenFlow 1.4.1 §7.3.9.6). Throws EncodeError. */
  add(outgoing: Outgoing, xid: number): Uint8Array {
    const message = encodeMessage({ ...outgoing, version: this.#version, xid } as Message);
    const bytes = new Uint8Array(this.#head.length + message.length);
    if (bytes.length > MESSAGE_BYTES_MAX) throw new EncodeError(`a message of ${bytes.length} bytes`);
    bytes.set(this.#head);
    bytes.set(message, this.#head.length);
    const view = new DataView(bytes.buffer);
    view.setUint16(LENGTH_AT, bytes.length);
    view.setUint32(XID_AT, xid);
    return bytes;
  }
}
