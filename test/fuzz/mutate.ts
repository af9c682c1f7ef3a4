/** Changes of one input: of single bytes, of numbers that mean something, and of the order of whole messages. */
import type { Random } from './random.js';

const HEADER = 8;
const BYTES_MAX = 8192;
const telling = [0, 1, 2, 3, 4, 7, 8, 16, 0x7f, 0x80, 0xfb, 0xfc, 0xfd, 0xfe, 0xff];

/** Cuts at the lengths of the headers; what is no message is the last piece. */
export function messagesIn(stream: Uint8Array): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < stream.length; ) {
    const length = stream.length - at < HEADER ? 0 : (stream[at + 2]! << 8) | stream[at + 3]!;
    const end = length < HEADER || at + length > stream.length ? stream.length : at + length;
    pieces.push(stream.subarray(at, end));
    at = end;
  }
  return pieces;
}

function setLength(message: Uint8Array): Uint8Array {
  if (message.length >= HEADER) {
    message[2] = message.length >> 8;
    message[3] = message.length;
  }
  return message;
}

/** One message with a few bytes changed, put in or taken out; mostly it still says how long it is. */
export function mutateMessage(message: Uint8Array, other: Uint8Array, random: Random): Uint8Array {
  let bytes: Uint8Array = message.slice();
  const from = Math.min(random.below(12) === 0 ? 0 : HEADER, bytes.length);
  const place = () => from + random.below(Math.max(1, bytes.length - from));
  for (let changes = 1 + random.below(4); changes > 0; changes--) {
    const at = place();
    switch (random.below(7)) {
      case 0:
        bytes[at] = random.below(256);
        break;
      case 1:
        bytes[at] = random.pick(telling);
        break;
      case 2:
        bytes[at]! ^= 1 << random.below(8);
        break;
      case 3: {
        const even = at & ~1;
        bytes[even] = 0;
        bytes[even + 1] = random.pick(telling);
        break;
      }
      case 4:
        bytes = Buffer.concat([
          bytes.subarray(0, at),
          bytes.subarray(Math.min(bytes.length, at + 1 + random.below(9))),
        ]);
        break;
      case 5: {
        const start = random.below(other.length);
        const part = other.subarray(start, start + 1 + random.below(24));
        bytes = Buffer.concat([bytes.subarray(0, at), part, bytes.subarray(at)]);
        break;
      }
      default: {
        const start = at & ~7;
        const part = bytes.subarray(start, start + 8 * (1 + random.below(4)));
        bytes = Buffer.concat([bytes.subarray(0, start), part, bytes.subarray(start)]);
      }
    }
  }
  const bounded = new Uint8Array(bytes.subarray(0, BYTES_MAX));
  return random.below(10) === 0 ? bounded : setLength(bounded);
}

/** A stream of messages with some of them dropped, doubled, exchanged, changed, cut, or taken from another. */
export function mutateStream(stream: Uint8Array, other: Uint8Array, random: Random): Uint8Array {
  const pieces = messagesIn(stream);
  const others = messagesIn(other);
  if (pieces.length === 0 || others.length === 0) return other.slice();
  for (let changes = 1 + random.below(4); changes > 0; changes--) {
    const at = random.below(pieces.length);
    switch (random.below(7)) {
      case 0:
        if (pieces.length > 1) pieces.splice(at, 1);
        break;
      case 1:
        pieces.splice(at, 0, pieces[at]!);
        break;
      case 2:
        pieces.push(...pieces.splice(at, 1));
        break;
      case 3: {
        const start = random.below(others.length);
        pieces.splice(at + 1, 0, ...others.slice(start, start + 1 + random.below(4)));
        break;
      }
      case 4:
        if (random.below(4) === 0) pieces[at] = pieces[at]!.subarray(0, random.below(pieces[at]!.length + 1));
        break;
      default:
        pieces[at] = mutateMessage(pieces[at]!, random.pick(others), random);
    }
  }
  return new Uint8Array(Buffer.concat(pieces).subarray(0, BYTES_MAX));
}
