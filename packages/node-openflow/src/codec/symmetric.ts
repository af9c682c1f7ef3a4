/**
 * Hello, error, echo: laid out alike in all versions, so they are read whatever the version byte says.
 *
 * Negotiation depends on that: the first hello carries the sender's highest version, and what answers a failed one is an
 * error in a version the receiver may not speak (OpenFlow 1.3.5 §6.3.1, §7.5.1, §7.5.2, §7.4.4).
 */
import { OFPET } from '../of13/errors.js';
import type { EchoReply, EchoRequest, ErrorMessage, Hello } from '../types/message.js';
import type { HelloElement } from '../types/structures.js';
import { EncodeError } from '../wire/error.js';
import type { WireReader } from '../wire/reader.js';
import type { WireWriter } from '../wire/writer.js';
import { type MessageCodec, tableOf } from './protocol.js';

const versionBitmapCode = 1;

/** Reads elements as long as they are well-formed; a hello must be taken whatever its body holds (§7.5.1). */
function decodeElements(r: WireReader): { elements: HelloElement[]; rest: Uint8Array } {
  const body = r.rest();
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const elements: HelloElement[] = [];
  let at = 0;
  while (at + 4 <= body.length) {
    const code = view.getUint16(at);
    const length = view.getUint16(at + 2);
    const next = at + length + (-length & 7);
    if (length < 4 || next > body.length) break;
    if (code === versionBitmapCode && length % 4 === 0) {
      const bitmaps: number[] = [];
      for (let i = at + 4; i < at + length; i += 4) bitmaps.push(view.getUint32(i));
      elements.push({ type: 'versionbitmap', bitmaps });
    } else {
      elements.push({ type: 'unknown', code, data: body.subarray(at + 4, at + length) });
    }
    at = next;
  }
  return { elements, rest: body.subarray(at) };
}

function encodeElement(w: WireWriter, element: HelloElement): void {
  const start = w.mark();
  w.u16(element.type === 'unknown' ? element.code : versionBitmapCode);
  w.u16(0);
  if (element.type === 'unknown') w.bytes(element.data);
  else for (const word of element.bitmaps) w.u32(word);
  w.patchLength(start, 2);
  w.padTo8(start);
}

const hello: MessageCodec<Hello> = {
  code: 0,
  type: 'hello',
  decode: (r, head) => ({ version: head.version, xid: head.xid, type: 'hello', ...decodeElements(r) }),
  encode(w, message) {
    for (const element of message.elements) encodeElement(w, element);
    w.bytes(message.rest);
  },
};

const error: MessageCodec<ErrorMessage> = {
  code: 1,
  type: 'error',
  decode(r, { version, xid }) {
    const errorType = r.u16();
    const errorCode = r.u16();
    if (errorType !== OFPET.EXPERIMENTER) {
      return { version, xid, type: 'error', errorType, errorCode, data: r.rest() };
    }
    const experimenter = r.u32();
    return { version, xid, type: 'error', errorType, errorCode, experimenter, data: r.rest() };
  },
  encode(w, message) {
    w.u16(message.errorType);
    w.u16(message.errorCode);
    if ((message.experimenter !== undefined) !== (message.errorType === OFPET.EXPERIMENTER)) {
      throw new EncodeError('an error has an experimenter if and only if its type is 0xffff');
    }
    if (message.experimenter !== undefined) w.u32(message.experimenter);
    w.bytes(message.data);
  },
};

const echoRequest: MessageCodec<EchoRequest> = {
  code: 2,
  type: 'echo_request',
  decode: (r, { version, xid }) => ({ version, xid, type: 'echo_request', data: r.rest() }),
  encode: (w, message) => w.bytes(message.data),
};

const echoReply: MessageCodec<EchoReply> = {
  code: 3,
  type: 'echo_reply',
  decode: (r, { version, xid }) => ({ version, xid, type: 'echo_reply', data: r.rest() }),
  encode: (w, message) => w.bytes(message.data),
};

export const symmetricMessages = tableOf<MessageCodec>([hello, error, echoRequest, echoReply]);

/** The versions a hello offers: those of its bitmap, or, without one, all up to its header's (§6.3.1). */
export function helloVersions(message: Hello): { readonly versions: readonly number[]; readonly exact: boolean } {
  for (const element of message.elements) {
    if (element.type !== 'versionbitmap') continue;
    const versions = element.bitmaps.flatMap((word, index) =>
      Array.from({ length: 32 }, (_, bit) => bit)
        .filter((bit) => ((word >>> bit) & 1) !== 0)
        .map((bit) => 32 * index + bit),
    );
    return { versions, exact: true };
  }
  return { versions: Array.from({ length: message.version }, (_, i) => i + 1), exact: false };
}

/** The hello element that offers exactly these versions. */
export function versionBitmap(versions: readonly number[]): HelloElement {
  const bitmaps = new Array<number>(Math.floor(Math.max(0, ...versions) / 32) + 1).fill(0);
  for (const version of versions) {
    const word = Math.floor(version / 32);
    bitmaps[word] = (bitmaps[word]! | (1 << (version % 32))) >>> 0;
  }
  return { type: 'versionbitmap', bitmaps };
}

/** The highest version both speak (§6.3.1), or undefined. */
export function negotiateVersion(ours: readonly number[], theirs: Hello): number | undefined {
  const offered = helloVersions(theirs);
  const common = ours.filter((version) => offered.versions.includes(version));
  if (offered.exact) return common.length === 0 ? undefined : Math.max(...common);
  // Without a bitmap the smaller of the two highest versions is used, or none.
  const wanted = Math.min(Math.max(...ours), theirs.version);
  return common.includes(wanted) ? wanted : undefined;
}
