/** Tests every wire form has to pass, from one value and its bytes written by hand. */
import { describe, expect, it } from 'vitest';
import { type DecodeOptions, type DecodeResult, decodeMessage, encodeMessage, type Message } from '../../src/index.js';

/** Bytes from hex digits; all from '#' to the end of a line is a comment. */
export function hex(text: string): Uint8Array {
  const digits = text.replace(/#.*$/gm, '').replace(/\s+/g, '');
  if (!/^([0-9a-f]{2})*$/i.test(digits)) throw new Error('odd hex');
  return new Uint8Array(Buffer.from(digits, 'hex'));
}

export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

/** The message, or a failed test that says why. */
export function decoded(bytes: Uint8Array, options?: DecodeOptions): Message {
  const result = decodeMessage(bytes, options);
  if (!result.ok) throw new Error(`${result.error.type}/${result.error.code}: ${result.error.reason}`);
  return result.message;
}

/** 'OFPET type/code' of a decoding that fails, as a switch has it. */
export function failure(bytes: Uint8Array, options: DecodeOptions = {}): readonly [number, number] | 'decoded' {
  const result = decodeMessage(bytes, { unknown: 'refuse', ...options });
  return result.ok ? 'decoded' : [result.error.type, result.error.code];
}

/** Cuts a message to `length` bytes and, if told to, makes its header agree, so that what is inside is cut. */
export function cut(bytes: Uint8Array, length: number, patchHeader: boolean): Uint8Array {
  const prefix = bytes.slice(0, length);
  if (patchHeader && length >= 4) new DataView(prefix.buffer).setUint16(2, length);
  return prefix;
}

/** Every proper prefix is refused when the header says more than is there. */
export function refusesPrefixes(bytes: Uint8Array): void {
  for (let length = 0; length < bytes.length; length++) {
    const result: DecodeResult = decodeMessage(cut(bytes, length, false));
    if (result.ok) throw new Error(`a prefix of ${length} bytes was decoded`);
  }
}

/**
 * Every proper prefix whose header says that this is all: either refused, or (lists may be shorter, data may be) a value
 * that encodes to the very same bytes again. Never a value that hides that something was missing.
 */
export function survivesCuts(bytes: Uint8Array): void {
  for (let length = 8; length < bytes.length; length++) {
    const prefix = cut(bytes, length, true);
    const result = decodeMessage(prefix);
    if (!result.ok) {
      expect(result.error.data).toEqual(prefix.slice(0, 64));
    } else {
      expect(toHex(encodeMessage(result.message))).toBe(toHex(prefix));
    }
  }
}

export function testWire(name: string, message: Message, bytes: Uint8Array, options?: DecodeOptions): void {
  describe(name, () => {
    it('decodes', () => expect(decoded(bytes, options)).toEqual(message));
    it('encodes', () => expect(toHex(encodeMessage(message))).toBe(toHex(bytes)));
    it('encodes what it decodes', () => expect(toHex(encodeMessage(decoded(bytes, options)))).toBe(toHex(bytes)));
    it('refuses every truncated prefix', () => refusesPrefixes(bytes));
    it('survives every cut', () => survivesCuts(bytes));
  });
}
