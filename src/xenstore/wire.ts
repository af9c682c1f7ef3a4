/**
 * The xenstore wire protocol (xen/include/public/io/xs_wire.h, docs/misc/xenstore.txt): a header of four u32 in the
 * byte order of the machine (little-endian on both Xen architectures) — type, request id, transaction id, payload
 * length — and at most 4096 bytes of payload. The same messages run over xenstored's socket, the character device
 * and the ring page.
 */

export const HEADER_SIZE = 16;
/** XENSTORE_PAYLOAD_MAX: a longer message costs the sender its connection. */
export const PAYLOAD_MAX = 4096;
/** XENSTORE_ABS_PATH_MAX and XENSTORE_REL_PATH_MAX, in characters. */
export const ABSOLUTE_PATH_MAX = 3072;
export const RELATIVE_PATH_MAX = 2048;

/** enum xsd_sockmsg_type. */
export const MessageType = {
  control: 0,
  directory: 1,
  read: 2,
  getPerms: 3,
  watch: 4,
  unwatch: 5,
  transactionStart: 6,
  transactionEnd: 7,
  introduce: 8,
  release: 9,
  getDomainPath: 10,
  write: 11,
  mkdir: 12,
  rm: 13,
  setPerms: 14,
  watchEvent: 15,
  error: 16,
  isDomainIntroduced: 17,
  resume: 18,
  setTarget: 19,
  resetWatches: 21,
  directoryPart: 22,
  getFeature: 23,
  setFeature: 24,
  getQuota: 25,
  setQuota: 26,
} as const;
export type MessageType = (typeof MessageType)[keyof typeof MessageType];

/** Error names that travel in the payload of an `error` message (xsd_errors). */
export const wireErrorCodes = [
  'EINVAL',
  'EACCES',
  'EEXIST',
  'EISDIR',
  'ENOENT',
  'ENOMEM',
  'ENOSPC',
  'EIO',
  'ENOTEMPTY',
  'ENOSYS',
  'EROFS',
  'EBUSY',
  'EAGAIN',
  'EISCONN',
  'E2BIG',
  'EPERM',
] as const;
export type WireErrorCode = (typeof wireErrorCodes)[number];

/** What xenstoreds answer that xsd_errors does not know: oxenstored's EQUOTA is xenstored's ENOSPC. */
const wireErrorAliases = new Map<string, WireErrorCode>([['EQUOTA', 'ENOSPC']]);

/** The code that the payload of an `error` message names; undefined for none that is known. */
export function wireErrorCode(name: string): WireErrorCode | undefined {
  return wireErrorAliases.get(name) ?? wireErrorCodes.find((code) => code === name);
}

/** One message. `type` is any u32, for a peer may send what no table knows. */
export interface Message {
  readonly type: number;
  readonly requestId: number;
  readonly transactionId: number;
  readonly payload: Buffer;
}

/** The peer does not speak the protocol; the connection is of no use any more. */
export class XenstoreProtocolError extends Error {
  override readonly name = 'XenstoreProtocolError';
}

/** Throws {@link XenstoreProtocolError} when the payload is longer than {@link PAYLOAD_MAX}. */
export function encodeMessage(message: Message): Buffer {
  if (message.payload.length > PAYLOAD_MAX) {
    throw new XenstoreProtocolError(`payload of ${message.payload.length} bytes, at most ${PAYLOAD_MAX} are allowed`);
  }
  const bytes = Buffer.allocUnsafe(HEADER_SIZE + message.payload.length);
  bytes.writeUInt32LE(message.type, 0);
  bytes.writeUInt32LE(message.requestId, 4);
  bytes.writeUInt32LE(message.transactionId, 8);
  bytes.writeUInt32LE(message.payload.length, 12);
  message.payload.copy(bytes, HEADER_SIZE);
  return bytes;
}

/** Cuts a byte stream into messages. Holds at most one unfinished message. */
export class MessageFramer {
  #rest: Buffer = Buffer.alloc(0);

  /** Bytes of a message that is not complete yet. */
  get pendingBytes(): number {
    return this.#rest.length;
  }

  /**
   * The messages that `chunk` completes, in order. Throws {@link XenstoreProtocolError} at a header that announces
   * more than {@link PAYLOAD_MAX} bytes; messages before it in the same chunk are lost, as the connection is.
   */
  push(chunk: Uint8Array): Message[] {
    let bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    if (this.#rest.length > 0) bytes = Buffer.concat([this.#rest, bytes]);
    const messages: Message[] = [];
    let at = 0;
    while (bytes.length - at >= HEADER_SIZE) {
      const length = bytes.readUInt32LE(at + 12);
      if (length > PAYLOAD_MAX) {
        throw new XenstoreProtocolError(`announced payload of ${length} bytes, at most ${PAYLOAD_MAX} are allowed`);
      }
      const end = at + HEADER_SIZE + length;
      if (bytes.length < end) break;
      messages.push({
        type: bytes.readUInt32LE(at),
        requestId: bytes.readUInt32LE(at + 4),
        transactionId: bytes.readUInt32LE(at + 8),
        // A copy: the chunk belongs to the transport, which may use it again.
        payload: Buffer.from(bytes.subarray(at + HEADER_SIZE, end)),
      });
      at = end;
    }
    this.#rest = Buffer.from(bytes.subarray(at));
    return messages;
  }
}

/** Text of a payload. UTF-8; what is not becomes U+FFFD, which no strict parser accepts. */
export function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}

/** Each string followed by a NUL, as most requests and replies are built. */
export function joinStrings(...strings: readonly string[]): Buffer {
  return Buffer.from(strings.map((string) => `${string}\0`).join(''), 'utf8');
}

/** The NUL-terminated strings of a payload; undefined when the last one lacks its NUL. Empty payload: no strings. */
export function splitStrings(payload: Uint8Array): string[] | undefined {
  const text = textOf(payload);
  if (text === '') return [];
  if (!text.endsWith('\0')) return undefined;
  return text.slice(0, -1).split('\0');
}
