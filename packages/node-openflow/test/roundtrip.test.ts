/** decode ∘ encode is the identity, for random values of everything. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Action,
  decodeMessage,
  encodeMessage,
  type Instruction,
  type Message,
  type MeterBand,
  type MultipartReplyBody,
  type OxmTlv,
  of13,
} from '../src/index.js';
import { actions, alignedData, data, knownOxm, u32 } from './support/arbitraries.js';
import { anyMessage, messages, replyBodies, requestBodies } from './support/messages.js';
import { decoded, refusesPrefixes, survivesCuts, toHex } from './support/wire.js';

function roundTrips(message: Message, unknown: 'refuse' | 'keep' = 'refuse'): void {
  const bytes = encodeMessage(message);
  const again = decoded(bytes, { unknown });
  expect(again).toEqual(message);
  expect(toHex(encodeMessage(again))).toBe(toHex(bytes));
}

const head = { version: 4, xid: 7 };
const request = (body: unknown) => ({ ...head, type: 'multipart_request', flags: 0, body }) as Message;
const reply = (body: unknown) => ({ ...head, type: 'multipart_reply', flags: 1, body }) as Message;

describe('decode ∘ encode', () => {
  for (const [type, arbitrary] of Object.entries(messages)) {
    it(type, () =>
      fc.assert(
        fc.property(arbitrary, (message) => roundTrips(message)),
        { numRuns: 150 },
      ),
    );
  }
  for (const [type, arbitrary] of Object.entries(requestBodies)) {
    it(`multipart request ${type}`, () => {
      fc.assert(
        fc.property(arbitrary, (body) => roundTrips(request(body))),
        { numRuns: 60 },
      );
    });
  }
  for (const [type, arbitrary] of Object.entries(replyBodies)) {
    it(`multipart reply ${type}`, () => {
      const property = fc.property(arbitrary as fc.Arbitrary<MultipartReplyBody>, (body) => roundTrips(reply(body)));
      fc.assert(property, { numRuns: 60 });
    });
  }
  for (const facts of of13.oxmFields) {
    it(`OXM ${facts.name}`, () => {
      const property = fc.property(knownOxm(facts), (tlv) => roundTrips(flowMod([tlv], [])));
      fc.assert(property, { numRuns: 40 });
    });
  }
});

function flowMod(match: readonly OxmTlv[], instructions: readonly Instruction[]): Message {
  return {
    ...head,
    type: 'flow_mod',
    cookie: 0n,
    cookieMask: 0n,
    tableId: 0,
    command: 0,
    idleTimeout: 0,
    hardTimeout: 0,
    priority: 0,
    bufferId: of13.OFP_NO_BUFFER,
    outPort: of13.OFPP.ANY,
    outGroup: of13.OFPG.ANY,
    flags: 0,
    match,
    instructions,
  };
}

describe('unknown things, where they are kept, come back as the same bytes', () => {
  const code = fc.integer({ min: 100, max: 0x7fff });
  const unknown = { type: fc.constant('unknown' as const), code };
  it('message', () => {
    const type = fc.integer({ min: 30, max: 255 });
    const property = fc.property(type, u32, data(), (code, xid, bytes) =>
      roundTrips({ version: 4, xid, type: 'unknown', code, data: bytes }, 'keep'),
    );
    fc.assert(property);
  });
  it('action, instruction', () => {
    const action: fc.Arbitrary<Action> = fc.record({ ...unknown, data: alignedData(4) });
    const instruction: fc.Arbitrary<Instruction> = fc.record({ ...unknown, data: alignedData(4) });
    const property = fc.property(action, actions, instruction, (one, more, other) =>
      roundTrips(flowMod([], [{ type: 'apply_actions', actions: [...more, one, ...more] }, other]), 'keep'),
    );
    fc.assert(property);
  });
  it('OXM field of the basic class', () => {
    const tlv: fc.Arbitrary<OxmTlv> = fc.record({
      field: fc.constant('raw' as const),
      oxmClass: fc.constant(0x8000),
      oxmField: fc.integer({ min: 45, max: 127 }),
      hasMask: fc.boolean(),
      data: data(20),
    });
    fc.assert(fc.property(tlv, (oxm) => roundTrips(flowMod([oxm], []), 'keep')));
  });
  it('band, queue property, table feature property, multipart', () => {
    const band: fc.Arbitrary<MeterBand> = fc.record({ ...unknown, rate: u32, burstSize: u32, data: alignedData(12) });
    fc.assert(
      fc.property(band, (value) => {
        roundTrips({ ...head, type: 'meter_mod', command: 0, flags: 0, meterId: 1, bands: [value] }, 'keep');
      }),
    );
    const property = fc.record({ ...unknown, data: alignedData(4) });
    fc.assert(
      fc.property(property, (value) => {
        const queue = { queueId: 1, port: 2, properties: [value] };
        roundTrips({ ...head, type: 'queue_get_config_reply', port: 2, queues: [queue] }, 'keep');
      }),
    );
    const body = fc.record({ ...unknown, data: data() });
    fc.assert(fc.property(body, (value) => roundTrips(reply(value), 'keep')));
    fc.assert(fc.property(body, (value) => roundTrips(request(value), 'keep')));
  });
});

function tryDecode(bytes: Uint8Array, unknown: 'refuse' | 'keep'): Message | undefined {
  const result = decodeMessage(bytes, { unknown });
  return result.ok ? result.message : undefined;
}

describe('bytes that are no message', () => {
  it('every prefix is refused', () => {
    fc.assert(
      fc.property(anyMessage, (message) => refusesPrefixes(encodeMessage(message))),
      { numRuns: 100 },
    );
  });
  it('every cut is refused or is a shorter message', () => {
    const inner = anyMessage.filter((message) => message.type !== 'hello');
    fc.assert(
      fc.property(inner, (message) => survivesCuts(encodeMessage(message))),
      { numRuns: 60 },
    );
  });
  it('mutated messages never throw, and what decodes encodes again', () => {
    const changes = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 6 });
    const property = fc.property(anyMessage, changes, (message, edits) => {
      const bytes = encodeMessage(message).slice();
      // The first four bytes stay: to change version, type and length is another test's business.
      for (const [at, value] of edits) bytes[4 + (at % Math.max(1, bytes.length - 4))] = value;
      for (const unknown of ['refuse', 'keep'] as const) {
        const result = tryDecode(bytes, unknown);
        if (result === undefined) continue;
        // Padding and names that are no UTF-8 are put right by the first encoding; from then on nothing may change.
        const canonical = encodeMessage(decoded(encodeMessage(result), { unknown }));
        expect(toHex(encodeMessage(decoded(canonical, { unknown })))).toBe(toHex(canonical));
      }
    });
    fc.assert(property, { numRuns: 3000 });
  });
  it('random bytes under every header never throw', () => {
    const property = fc.property(
      fc.integer({ min: 0, max: 7 }),
      fc.integer({ min: 0, max: 31 }),
      fc.uint8Array({ maxLength: 120 }),
      (version, type, body) => {
        const bytes = new Uint8Array([version, type, 0, 8 + body.length, 0, 0, 0, 1, ...body]);
        for (const unknown of ['refuse', 'keep'] as const) tryDecode(bytes, unknown);
      },
    );
    fc.assert(property, { numRuns: 5000 });
  });
});
