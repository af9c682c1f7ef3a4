import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  encodeMessage,
  HEADER_SIZE,
  joinStrings,
  type Message,
  MessageFramer,
  MessageType,
  PAYLOAD_MAX,
  splitStrings,
  XenstoreProtocolError,
} from '../../../src/xenstore/wire.js';

const u32 = fc.integer({ min: 0, max: 0xffffffff });
const message: fc.Arbitrary<Message> = fc.record({
  type: u32,
  requestId: u32,
  transactionId: u32,
  payload: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
});

describe('a message', () => {
  it('is type, request, transaction, length in little-endian, and the payload', () => {
    const bytes = encodeMessage({
      type: MessageType.read,
      requestId: 0x01020304,
      transactionId: 5,
      payload: joinStrings('/a'),
    });
    expect(bytes.toString('hex')).toBe('02000000' + '04030201' + '05000000' + '03000000' + '2f6100');
  });

  it('survives encoding and framing, however the stream is cut', () => {
    fc.assert(
      fc.property(fc.array(message, { maxLength: 8 }), fc.array(fc.integer({ min: 1, max: 50 })), (messages, cuts) => {
        const stream = Buffer.concat(messages.map(encodeMessage));
        const framer = new MessageFramer();
        const received: Message[] = [];
        let at = 0;
        for (let turn = 0; at < stream.length; turn++) {
          const length = cuts.length > 0 ? cuts[turn % cuts.length]! : stream.length;
          received.push(...framer.push(stream.subarray(at, at + length)));
          at += length;
        }
        expect(received).toEqual(messages);
        expect(framer.pendingBytes).toBe(0);
      }),
    );
  });

  it('every truncated prefix gives nothing and waits', () => {
    const bytes = encodeMessage({ type: 2, requestId: 1, transactionId: 0, payload: joinStrings('/local') });
    for (let length = 0; length < bytes.length; length++) {
      const framer = new MessageFramer();
      expect(framer.push(bytes.subarray(0, length))).toEqual([]);
      expect(framer.push(bytes.subarray(length))).toHaveLength(1);
    }
  });

  it('may carry 4096 bytes and not one more', () => {
    const of = (length: number) => ({ type: 11, requestId: 0, transactionId: 0, payload: Buffer.alloc(length) });
    expect(new MessageFramer().push(encodeMessage(of(PAYLOAD_MAX)))).toHaveLength(1);
    expect(() => encodeMessage(of(PAYLOAD_MAX + 1))).toThrow(XenstoreProtocolError);
    const header = Buffer.alloc(HEADER_SIZE);
    header.writeUInt32LE(PAYLOAD_MAX + 1, 12);
    expect(() => new MessageFramer().push(header)).toThrow(/4097/);
  });

  it('damaged streams give messages or XenstoreProtocolError, and hold no more than one message', () => {
    fc.assert(
      fc.property(
        fc.array(message, { minLength: 1, maxLength: 4 }),
        fc.array(fc.tuple(fc.nat(), fc.nat(255))),
        (messages, damage) => {
          const stream = Buffer.concat(messages.map(encodeMessage));
          for (const [at, value] of damage) stream[at % stream.length] = value;
          const framer = new MessageFramer();
          try {
            for (const { payload } of framer.push(stream)) expect(payload.length).toBeLessThanOrEqual(PAYLOAD_MAX);
          } catch (error) {
            expect(error).toBeInstanceOf(XenstoreProtocolError);
          }
          expect(framer.pendingBytes).toBeLessThan(HEADER_SIZE + PAYLOAD_MAX);
        },
      ),
    );
  });
});

describe('strings of a payload', () => {
  it('each ends with a NUL', () => {
    expect(splitStrings(joinStrings('a', '', 'b'))).toEqual(['a', '', 'b']);
    expect(splitStrings(Buffer.alloc(0))).toEqual([]);
    expect(splitStrings(Buffer.from('a\0b'))).toBeUndefined();
  });
});
