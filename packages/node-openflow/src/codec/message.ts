/**
 * Bytes to messages and back.
 *
 * Decoding never throws on what a peer sent: a failure is a value that names the error the peer is to be answered with
 * (OpenFlow 1.3.5 §7.4.4). Encoding takes values from our own side and throws EncodeError on one without a wire form.
 */

import { errorFor } from '../errors/neutral.js';
import { encodeExtension, experimenterCode } from '../messages/experimenter.js';
import { encodeMultipartHead } from '../messages/multipart.js';
import { protocol10 } from '../of10/protocol.js';
import { protocol11 } from '../of11/protocol.js';
import { protocol12 } from '../of12/protocol.js';
import { OFPMPF } from '../of13/constants.js';
import { OFPBRC, OFPET } from '../of13/errors.js';
import { protocol13 } from '../of13/protocol.js';
import { protocol14 } from '../of14/protocol.js';
import { protocol15 } from '../of15/protocol.js';
import type { ErrorMessage, Head, Message } from '../types/message.js';
import type { MultipartReplyBody } from '../types/multipart.js';
import { EncodeError, WireError } from '../wire/error.js';
import { WireReader } from '../wire/reader.js';
import { WireWriter } from '../wire/writer.js';
import type { Context, MessageCodec, MultipartCodec, Protocol } from './protocol.js';
import { symmetricMessages } from './symmetric.js';

const protocols: readonly Protocol[] = [protocol10, protocol11, protocol12, protocol13, protocol14, protocol15];

/** Versions whose every message this package reads and writes: 1.0 to 1.5. Hello, error and echo it reads in any version. */
export const supportedVersions: readonly number[] = protocols.map((protocol) => protocol.version);

interface Contexts {
  readonly refuse: Context;
  readonly keep: Context;
}
const contexts: ReadonlyMap<number, Contexts> = new Map(
  protocols.map((protocol) => [
    protocol.version,
    { refuse: { protocol, keepUnknown: false }, keep: { protocol, keepUnknown: true } },
  ]),
);
const highestVersion = Math.max(...supportedVersions);

/** 1.0 and 1.1 have no experimenter errors: what cannot be said in their own is said as the nearest that can. */
const lastWithoutExtensions = 2;

const headerLength = 8;
/** How much of a refused message an error carries: the least that §7.4.4 asks for. */
const errorDataLength = 64;

export interface DecodeOptions {
  /** The negotiated version: any other is BAD_VERSION, except in hello, error and echo. */
  readonly version?: number;
  /**
   * What to do with message types, actions, OXM fields and the like that no table knows: 'keep' them as values of type
   * 'unknown' (OXM: field 'raw'), the default, or 'refuse' them with the error that a switch has to send. Experimenters'
   * are always kept, as type 'experimenter'; of Nicira's and ONF's, 'refuse' refuses messages, multiparts and actions of
   * an unknown type.
   */
  readonly unknown?: 'refuse' | 'keep';
}

/** Everything needed to answer malformed bytes; see `errorReply`. */
export interface DecodeError {
  /** OFPET_* and the code, in the numbers of `version` and its own specification. */
  readonly type: number;
  readonly code: number;
  /** Only, and always, when type is 0xffff. */
  readonly experimenter?: number;
  readonly xid: number;
  /** Version to answer in. */
  readonly version: number;
  /** The first 64 bytes of the offending message, or all if it is shorter; a copy. */
  readonly data: Uint8Array;
  /** For people: what was wrong. */
  readonly reason: string;
}

export type DecodeResult =
  | { readonly ok: true; readonly message: Message }
  | { readonly ok: false; readonly error: DecodeError };

function decode(bytes: Uint8Array, options: DecodeOptions): Message {
  const r = new WireReader(bytes, OFPET.BAD_REQUEST, OFPBRC.BAD_LEN);
  const version = r.u8();
  const code = r.u8();
  const length = r.u16();
  const head: Head = { version, xid: r.u32() };
  if (length !== bytes.length) throw r.lengthError(`length ${length} in a message of ${bytes.length} bytes`);
  const keepUnknown = options.unknown !== 'refuse';
  const known = contexts.get(version);
  const symmetric = symmetricMessages.byCode.get(code);
  const foreign = known === undefined || (options.version !== undefined && options.version !== version);
  if (foreign && symmetric === undefined) {
    throw new WireError(OFPET.BAD_REQUEST, OFPBRC.BAD_VERSION, `version ${version}`);
  }
  const context = (known ?? contexts.get(highestVersion)!)[keepUnknown ? 'keep' : 'refuse'];
  const codec = symmetric ?? context.protocol.messages.byCode.get(code);
  if (codec === undefined) {
    if (keepUnknown) return { ...head, type: 'unknown', code, data: r.rest() };
    throw new WireError(OFPET.BAD_REQUEST, OFPBRC.BAD_TYPE, `unknown message type ${code}`);
  }
  const message = codec.decode(r, head, context);
  r.expectEnd();
  return message;
}

/**
 * Reads one whole message. Byte strings in the result are views of `bytes`: they are valid as long as `bytes` is not
 * overwritten, and keep it in memory.
 */
export function decodeMessage(bytes: Uint8Array, options: DecodeOptions = {}): DecodeResult {
  try {
    return { ok: true, message: decode(bytes, options) };
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    const version = options.version ?? (contexts.has(bytes[0] ?? 0) ? bytes[0]! : highestVersion);
    const { type, code, experimenter } = errorFor(version, error, { standard: version <= lastWithoutExtensions });
    return {
      ok: false,
      error: {
        type,
        code,
        ...(experimenter === undefined ? {} : { experimenter }),
        xid: bytes.length < headerLength ? 0 : new DataView(bytes.buffer, bytes.byteOffset).getUint32(4),
        version,
        data: new Uint8Array(bytes.subarray(0, errorDataLength)),
        reason: error.message,
      },
    };
  }
}

/** The error message that answers bytes that could not be decoded. */
export function errorReply(error: DecodeError): ErrorMessage {
  return {
    version: error.version,
    xid: error.xid,
    type: 'error',
    errorType: error.type,
    errorCode: error.code,
    ...(error.experimenter === undefined ? {} : { experimenter: error.experimenter }),
    data: error.data,
  };
}

function contextOf(version: number): Context {
  const known = contexts.get(version);
  if (known === undefined) throw new EncodeError(`OpenFlow version ${version} is not supported`);
  return known.refuse;
}

function writeHeader(w: WireWriter, version: number, code: number, xid: number): void {
  w.u8(version);
  w.u8(code);
  w.u16(0);
  w.u32(xid);
}

/** The message as bytes. Throws EncodeError for a value out of range, or a message of more than 65 535 bytes. */
export function encodeMessage(message: Message): Uint8Array {
  const size = 'data' in message ? message.data.length : 0;
  const w = new WireWriter(size + 128);
  const symmetric = symmetricMessages.byType.get(message.type);
  if (message.type === 'unknown') {
    writeHeader(w, message.version, message.code, message.xid);
    w.bytes(message.data);
  } else if (symmetric !== undefined) {
    writeHeader(w, message.version, symmetric.code, message.xid);
    symmetric.encode(w, message, contexts.get(highestVersion)!.refuse);
  } else {
    const context = contextOf(message.version);
    const { messages, extensions } = context.protocol;
    const codec: MessageCodec | undefined = messages.byType.get(message.type);
    const extension = codec === undefined ? extensions.messages.byType.get(message.type) : undefined;
    if (codec !== undefined) {
      writeHeader(w, message.version, codec.code, message.xid);
      codec.encode(w, message, context);
    } else if (extension !== undefined) {
      writeHeader(w, message.version, experimenterCode, message.xid);
      encodeExtension(w, message, extension, context);
    } else {
      throw new EncodeError(`no message ${message.type} in version ${message.version}`);
    }
  }
  w.patchLength(0, 2);
  return w.finish();
}

type ListReplyBody = Extract<MultipartReplyBody, { readonly entries: readonly unknown[] }>;

/** A multipart reply whose entries may be made while they are sent. */
export type MultipartReplySource = {
  [T in ListReplyBody['type']]: {
    readonly type: T;
    readonly entries: Iterable<Extract<ListReplyBody, { readonly type: T }>['entries'][number]>;
  };
}[ListReplyBody['type']];

/**
 * A list reply as one message or several: each but the last has REPLY_MORE set and holds as many entries as fit into
 * `maxLength` (OpenFlow 1.3.5 §7.3.5). An entry that alone is longer still gets a message, up to 65 535 bytes.
 * Entries are taken from the source one message at a time, so a table of a million flows is never a million values.
 */
export function* encodeMultipartReply(
  head: Head,
  body: MultipartReplySource,
  maxLength = 0xffff,
): Generator<Uint8Array, void, undefined> {
  const context = contextOf(head.version);
  const code = context.protocol.messages.byType.get('multipart_reply')!.code;
  const begin = (): [WireWriter, MultipartCodec] => {
    const w = new WireWriter(4096);
    writeHeader(w, head.version, code, head.xid);
    const begun = encodeMultipartHead(w, body.type, 0, context);
    begun.reply.beginEntries?.(w);
    return [w, begun];
  };
  const flagsAt = headerLength + 2;
  let [w, codec] = begin();
  const encodeEntry = codec.reply.encodeEntry;
  if (encodeEntry === undefined) throw new EncodeError(`${body.type} is no list`);
  const emptyLength = w.length;
  for (const entry of body.entries as Iterable<unknown>) {
    const before = w.mark();
    encodeEntry(w, entry, context);
    if (w.length <= maxLength || before === emptyLength) continue;
    w.truncate(before);
    w.patchLength(0, 2);
    w.patchU16(flagsAt, OFPMPF.REPLY_MORE);
    yield w.finish();
    [w, codec] = begin();
    encodeEntry(w, entry, context);
  }
  w.patchLength(0, 2);
  yield w.finish();
}
