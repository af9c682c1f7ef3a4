import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeMessage, MessageFramer } from '../src/index.js';
import { anyMessage } from './support/messages.js';
import { toHex } from './support/wire.js';

function echo(length: number, fill = 1): Uint8Array {
  return encodeMessage({ version: 4, xid: 1, type: 'echo_request', data: new Uint8Array(length).fill(fill) });
}

function drain(framer: MessageFramer): Uint8Array[] {
  const found: Uint8Array[] = [];
  for (let bytes = framer.next(); bytes !== undefined; bytes = framer.next()) found.push(bytes);
  return found;
}

describe('framer', () => {
  it('finds the messages whatever the segments', () => {
    const property = fc.property(
      fc.array(anyMessage, { minLength: 1, maxLength: 8 }),
      fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 50 }),
      (messages, sizes) => {
        const sent = messages.map(encodeMessage);
        const stream = Buffer.concat(sent);
        const framer = new MessageFramer();
        const found: Uint8Array[] = [];
        let at = 0;
        for (let i = 0; at < stream.length; i++) {
          const size = sizes[i % sizes.length]!;
          framer.push(stream.subarray(at, at + size));
          at += size;
          found.push(...drain(framer));
        }
        expect(found.map(toHex)).toEqual(sent.map(toHex));
        expect(framer.bufferedLength).toBe(0);
        expect(framer.error).toBeUndefined();
      },
    );
    fc.assert(property, { numRuns: 300 });
  });

  it('takes the longest message byte by byte', () => {
    const longest = echo(0xffff - 8);
    const framer = new MessageFramer();
    for (let at = 0; at < longest.length; at++) {
      expect(framer.next()).toBeUndefined();
      framer.push(longest.subarray(at, at + 1));
    }
    expect(toHex(framer.next()!)).toBe(toHex(longest));
  });

  it('does not copy a message that came in one segment', () => {
    const stream = Buffer.concat([echo(3), echo(5)]);
    const framer = new MessageFramer();
    framer.push(stream);
    const [first, second] = drain(framer);
    expect(first!.buffer).toBe(stream.buffer);
    expect(second!.length).toBe(13);
  });

  it.each([0, 1, 7])('breaks on length %i, for good', (length) => {
    const framer = new MessageFramer();
    framer.push(new Uint8Array([4, 0, 0, length, 0, 0, 0, 1]));
    expect(framer.next()).toBeUndefined();
    expect(framer.error).toContain(`length ${length}`);
    framer.push(echo(0));
    expect(framer.next()).toBeUndefined();
    expect(framer.bufferedLength).toBe(0);
  });

  it('breaks on a length above the limit before the message has come', () => {
    const framer = new MessageFramer({ maxMessageLength: 100 });
    framer.push(echo(92));
    expect(framer.next()?.length).toBe(100);
    framer.push(echo(93).subarray(0, 8));
    expect(framer.next()).toBeUndefined();
    expect(framer.error).toContain('101');
  });
});
