/** In every version: decode ∘ encode is the identity, and bytes that are no message never throw. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeMessage, encodeMessage, type Message, supportedVersions } from '../../src/index.js';
import { messagesOf, repliesOf, requestsOf } from '../support/version-messages.js';
import { decoded, toHex } from '../support/wire.js';

function roundTrips(message: Message): void {
  const bytes = encodeMessage(message);
  const again = decoded(bytes, { unknown: 'refuse', version: message.version });
  expect(again).toEqual(message);
  expect(toHex(encodeMessage(again))).toBe(toHex(bytes));
}

describe.each(supportedVersions)('version %i', (version) => {
  const head = { version, xid: 7, flags: 0 };
  const check = (arbitrary: fc.Arbitrary<Message>, numRuns: number) =>
    fc.assert(fc.property(arbitrary, roundTrips), { numRuns });
  for (const [type, arbitrary] of Object.entries(messagesOf(version))) {
    it(type, () => check(arbitrary, type === 'flow_mod' ? 150 : 60));
  }
  for (const [type, body] of Object.entries(requestsOf(version))) {
    it(`request ${type}`, () =>
      check(
        body.map((one) => ({ ...head, type: 'multipart_request', body: one })),
        40,
      ));
  }
  for (const [type, body] of Object.entries(repliesOf(version))) {
    it(`reply ${type}`, () =>
      check(
        body.map((one) => ({ ...head, type: 'multipart_reply', body: one })),
        40,
      ));
  }

  const anyMessage = fc.oneof(...Object.values(messagesOf(version)));
  it('mutated messages never throw, and what decodes encodes again', () => {
    const changes = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 6 });
    const property = fc.property(anyMessage, changes, (message, edits) => {
      const bytes = encodeMessage(message).slice();
      for (const [at, value] of edits) bytes[4 + (at % Math.max(1, bytes.length - 4))] = value;
      for (const unknown of ['refuse', 'keep'] as const) {
        const result = decodeMessage(bytes, { unknown });
        if (!result.ok) continue;
        // What has no meaning is put right by the first encoding; from then on nothing may change.
        const canonical = encodeMessage(decoded(encodeMessage(result.message), { unknown }));
        expect(toHex(encodeMessage(decoded(canonical, { unknown })))).toBe(toHex(canonical));
      }
    });
    fc.assert(property, { numRuns: 600 });
  });
  it('cut messages and random bytes never throw', () => {
    const cut = fc.property(anyMessage, fc.nat(), (message, at) => {
      const bytes = encodeMessage(message).slice();
      const length = 8 + (at % Math.max(1, bytes.length - 8));
      const prefix = bytes.slice(0, length);
      new DataView(prefix.buffer).setUint16(2, length);
      for (const unknown of ['refuse', 'keep'] as const)
        expect(decodeMessage(prefix, { unknown })).toHaveProperty('ok');
    });
    fc.assert(cut, { numRuns: 300 });
    const random = fc.property(fc.nat(40), fc.uint8Array({ maxLength: 120 }), (code, body) => {
      const length = 8 + body.length;
      const bytes = new Uint8Array([version, code, length >> 8, length & 0xff, 0, 0, 0, 1, ...body]);
      for (const unknown of ['refuse', 'keep'] as const) expect(decodeMessage(bytes, { unknown })).toHaveProperty('ok');
    });
    fc.assert(random, { numRuns: 1000 });
  });
});
