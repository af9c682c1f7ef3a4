/** Which error a switch has to answer malformed messages with (OpenFlow 1.3.5 §7.4.4). */
import { describe, expect, it } from 'vitest';
import {
  type Action,
  decodeMessage,
  encodeMessage,
  errorName,
  errorReply,
  type Message,
  match,
  of13,
} from '../src/index.js';
import { failure, hex, toHex } from './support/wire.js';

const { OFPET, OFPBRC, OFPBAC, OFPBIC, OFPBMC, OFPGMFC, OFPMMFC, OFPTFFC } = of13;

/** A whole message of a type, from its body in hex. */
function message(type: number, body: string, version = 4): Uint8Array {
  const bytes = hex(body);
  return new Uint8Array([version, type, (8 + bytes.length) >> 8, (8 + bytes.length) & 0xff, 0, 0, 0, 9, ...bytes]);
}

const flowModHead = '00'.repeat(40);
const emptyMatch = '0001 0004 0000 0000';
const flowMod = (rest: string): Uint8Array => message(14, `${flowModHead} ${rest}`);
/** A flow_mod whose match holds these TLVs; length and padding are made to fit. */
function withMatch(tlvs: string): Uint8Array {
  const length = 4 + hex(tlvs).length;
  return flowMod(`0001 ${length.toString(16).padStart(4, '0')} ${tlvs} ${'00'.repeat(-length & 7)}`);
}
/** A flow_mod that applies these actions. */
function withActions(actions: string): Uint8Array {
  const length = 8 + hex(actions).length;
  return flowMod(`${emptyMatch} 0004 ${length.toString(16).padStart(4, '0')} 00000000 ${actions}`);
}

describe('header', () => {
  const request = [OFPET.BAD_REQUEST, OFPBRC.BAD_LEN];
  it.each([0, 1, 4, 7])('%i bytes', (length) => {
    expect(failure(message(5, '').slice(0, length))).toEqual(request);
  });
  it('length is not what came', () => {
    expect(failure(hex('04 05 0009 00000001'))).toEqual(request);
    expect(failure(hex('04 05 0007 00000001'))).toEqual(request);
    expect(failure(hex('04 05 0008 00000001 00'))).toEqual(request);
  });
  it('version', () => {
    const badVersion = [OFPET.BAD_REQUEST, OFPBRC.BAD_VERSION];
    expect(failure(message(5, '', 7))).toEqual(badVersion);
    expect(failure(message(5, '', 9))).toEqual(badVersion);
    expect(failure(message(5, '', 4), { version: 4 })).toBe('decoded');
    expect(failure(message(5, '', 4), { version: 6 })).toEqual(badVersion);
  });
  it('hello, error and echo are read in any version', () => {
    for (const version of [1, 2, 3, 4, 5, 6, 77]) {
      expect(failure(message(0, '', version), { version: 4 })).toBe('decoded');
      expect(failure(message(1, '0001 0000', version), { version: 4 })).toBe('decoded');
      expect(failure(message(2, 'abcd', version), { version: 4 })).toBe('decoded');
      expect(failure(message(3, '', version), { version: 4 })).toBe('decoded');
    }
  });
  it('unknown type', () => {
    expect(failure(message(30, ''))).toEqual([OFPET.BAD_REQUEST, OFPBRC.BAD_TYPE]);
    expect(failure(message(255, ''))).toEqual([OFPET.BAD_REQUEST, OFPBRC.BAD_TYPE]);
    // Without being told to refuse, decoding hands it out as it is.
    expect(decodeMessage(message(30, ''))).toMatchObject({ ok: true, message: { type: 'unknown', code: 30 } });
  });
  it('unknown multipart', () => {
    expect(failure(message(18, '000e 0000 00000000'))).toEqual([OFPET.BAD_REQUEST, OFPBRC.BAD_MULTIPART]);
    expect(failure(message(19, '000e 0000 00000000'))).toEqual([OFPET.BAD_REQUEST, OFPBRC.BAD_MULTIPART]);
  });
  it('a message with nothing behind its header, and something behind it', () => {
    for (const type of [5, 7, 20, 21, 26]) expect(failure(message(type, '00'))).toEqual(request);
  });
  it('a fixed message that is too short or too long', () => {
    expect(failure(message(9, '0000 00'))).toEqual(request);
    expect(failure(message(9, '0000 0000 00'))).toEqual(request);
    expect(failure(message(24, '00000001 00000000 00000000 000000'))).toEqual(request);
    expect(failure(message(18, '0000 0000 00000000 00'))).toEqual(request);
    expect(failure(message(18, '0004 0000 00000000 00000001'))).toEqual(request);
  });
});

describe('what comes back to the sender', () => {
  it('type, code, xid, version and the first 64 bytes', () => {
    const bytes = withMatch('80000004 00000001'.repeat(8));
    const result = decodeMessage(bytes);
    if (result.ok) throw new Error('decoded');
    expect(result.error).toMatchObject({ type: 4, code: OFPBMC.DUP_FIELD, xid: 9, version: 4 });
    expect(result.error.data).toEqual(bytes.slice(0, 64));
    expect(toHex(encodeMessage(errorReply(result.error)))).toBe(
      `0401004c00000009${'0004000a'}${toHex(bytes.slice(0, 64))}`,
    );
  });
  it('all of a shorter one, and not the memory it lies in', () => {
    const bytes = message(30, '0102');
    const result = decodeMessage(bytes, { unknown: 'refuse' });
    if (result.ok) throw new Error('decoded');
    expect(result.error.data).toEqual(bytes);
    bytes.fill(0);
    expect(result.error.data[0]).toBe(4);
  });
  it('names', () => {
    expect(errorName(1, 6)).toBe('OFPBRC_BAD_LEN');
    expect(errorName(13, 99)).toBe('OFPTFFC_99');
    expect(errorName(0xffff, 1)).toBe('error 65535/1');
  });
});

describe('match', () => {
  const bad = (code: number) => [OFPET.BAD_MATCH, code];
  it.each([
    ['type STANDARD', flowMod('0000 0004 00000000'), OFPBMC.BAD_TYPE],
    ['type 2', flowMod('0002 0004 00000000'), OFPBMC.BAD_TYPE],
    ['length below its header', flowMod('0001 0003 00000000'), OFPBMC.BAD_LEN],
    ['length beyond the message', flowMod('0001 0010 00000000'), OFPBMC.BAD_LEN],
    ['padding missing', flowMod('0001 000a 80000a02 0800'), OFPBMC.BAD_LEN],
    ['no match at all', flowMod(''), OFPBMC.BAD_LEN],
    ['half an OXM header', withMatch('8000'), OFPBMC.BAD_LEN],
    ['OXM longer than the match', withMatch('80000004 0000'), OFPBMC.BAD_LEN],
    ['OXM with another length than its field', withMatch('80000003 000000'), OFPBMC.BAD_LEN],
    ['mask flag without a mask', withMatch('80000508 0000000000000001'), OFPBMC.BAD_LEN],
    ['mask without the flag', withMatch('80000410 00000000000000010000000000000001'), OFPBMC.BAD_LEN],
    ['experimenter OXM without experimenter', withMatch('ffff0002 0000'), OFPBMC.BAD_LEN],
    ['field 40', withMatch('80005004 00000000'), OFPBMC.BAD_FIELD],
    ['field 127', withMatch('8000fe00'), OFPBMC.BAD_FIELD],
    ['vlan_vid of 14 bits', withMatch('80000c02 2000'), OFPBMC.BAD_VALUE],
    ['vlan_pcp 8', withMatch('80000e01 08'), OFPBMC.BAD_VALUE],
    ['ip_dscp 64', withMatch('80001001 40'), OFPBMC.BAD_VALUE],
    ['ip_ecn 4', withMatch('80001201 04'), OFPBMC.BAD_VALUE],
    ['ipv6_flabel of 21 bits', withMatch('80003804 00100000'), OFPBMC.BAD_VALUE],
    ['mpls_label of 32 bits', withMatch('80004404 80000000'), OFPBMC.BAD_VALUE],
    ['mpls_bos 2', withMatch('80004801 02'), OFPBMC.BAD_VALUE],
    ['ipv6_exthdr of 10 bits', withMatch('80004e02 0200'), OFPBMC.BAD_VALUE],
    ['in_port with a mask', withMatch('80000108 00000001 0000ffff'), OFPBMC.BAD_MASK],
    ['ip_proto with a mask', withMatch('80001502 00 0f'), OFPBMC.BAD_MASK],
    ['value outside its mask', withMatch('80001708 0a000001 ffffff00'), OFPBMC.BAD_WILDCARDS],
    ['a field twice', withMatch('80000004 00000001 80000004 00000002'), OFPBMC.DUP_FIELD],
    [
      'a field with and without mask',
      withMatch('80000408 0000000000000001 80000510 00000000000000000000000000000000'),
      OFPBMC.DUP_FIELD,
    ],
    ['an experimenter field twice', withMatch('ffff0005 0000000101 ffff0005 0000000102'), OFPBMC.DUP_FIELD],
  ])('%s', (_, bytes, code) => expect(failure(bytes)).toEqual(bad(code)));

  it.each([
    ['a mask of all ones on a field without masks', '80000108 00000001 ffffffff'],
    ['a mask of all zeros', '80001708 00000000 00000000'],
    ['the same field number of two experimenters', 'ffff0004 00000001 ffff0004 00000002'],
    ['Nicira fields', '00010004 00000001'],
    ['vlan_vid PRESENT/PRESENT', '80000d04 1000 1000'],
  ])('legal: %s', (_, tlvs) => expect(failure(withMatch(tlvs))).toBe('decoded'));

  it('an unknown field is kept where unknown things are', () => {
    expect(failure(withMatch('80005004 00000000'), { unknown: 'keep' })).toBe('decoded');
  });
});

describe('actions', () => {
  it.each([
    ['length 0', '0000 0000 00000000', OFPBAC.BAD_LEN],
    ['length 4', '0012 0004 00000000', OFPBAC.BAD_LEN],
    ['length no multiple of 8', '0000 000c 00000001 00000000 00000000', OFPBAC.BAD_LEN],
    ['length beyond the list', '0000 0018 00000001 0000 000000000000', OFPBAC.BAD_LEN],
    ['output too short', '0000 0008 00000001', OFPBAC.BAD_LEN],
    ['output too long', `0000 0018 00000001 ${'00'.repeat(16)}`, OFPBAC.BAD_LEN],
    ['group too long', `0016 0010 00000001 ${'00'.repeat(8)}`, OFPBAC.BAD_LEN],
    ['pop_vlan too long', `0012 0010 ${'00'.repeat(12)}`, OFPBAC.BAD_LEN],
    ['type 1, set_vlan_vid of 1.0', '0001 0008 00010000', OFPBAC.BAD_TYPE],
    ['type 28', '001c 0008 00000000', OFPBAC.BAD_TYPE],
    ['set_field of an unknown field', '0019 0010 80005004 00000000 00000000', OFPBAC.BAD_SET_TYPE],
    ['set_field in_port', '0019 0010 80000004 00000001 00000000', OFPBAC.BAD_SET_TYPE],
    ['set_field metadata', '0019 0010 80000408 0000000000000001', OFPBAC.BAD_SET_TYPE],
    ['set_field with a wrong OXM length', '0019 0010 80000605 0000000000 000000', OFPBAC.BAD_SET_LEN],
    ['set_field with an OXM longer than the action', '0019 0010 80000a20 0800 000000000000', OFPBAC.BAD_SET_LEN],
    ['set_field vlan_pcp 8', '0019 0010 80000e01 08 00000000000000', OFPBAC.BAD_SET_ARGUMENT],
    ['set_field with a mask', '0019 0010 80000d04 1000 1000 00000000', OFPBAC.BAD_SET_ARGUMENT],
    ['set_field with 8 bytes too many', `0019 0018 80000e01 07 ${'00'.repeat(15)}`, OFPBAC.BAD_LEN],
  ])('%s', (_, actions, code) => {
    expect(failure(withActions(actions))).toEqual([OFPET.BAD_ACTION, code]);
  });

  it('packet_out with more actions than message', () => {
    expect(failure(message(13, 'ffffffff 00000001 0010 000000000000'))).toEqual([OFPET.BAD_REQUEST, OFPBRC.BAD_LEN]);
    // Half a header of an action.
    expect(failure(message(13, 'ffffffff 00000001 0002 000000000000 0000'))).toEqual([2, OFPBAC.BAD_LEN]);
    expect(failure(message(13, 'ffffffff 00000001 0004 000000000000 00000000'))).toEqual([2, OFPBAC.BAD_LEN]);
  });
});

describe('instructions', () => {
  it.each([
    ['half a header', '0001', OFPBIC.BAD_LEN],
    ['length 0', '0001 0000 00000000', OFPBIC.BAD_LEN],
    ['length no multiple of 8', '0001 0009 00000000 00', OFPBIC.BAD_LEN],
    ['length beyond the message', '0001 0010 00000000', OFPBIC.BAD_LEN],
    ['goto_table too long', `0001 0010 ${'00'.repeat(12)}`, OFPBIC.BAD_LEN],
    ['write_metadata too short', `0002 0010 ${'00'.repeat(12)}`, OFPBIC.BAD_LEN],
    ['clear_actions with an action', '0005 0010 00000000 0012 0008 00000000', OFPBIC.BAD_LEN],
    ['type 0', '0000 0008 00000000', OFPBIC.UNKNOWN_INST],
    ['type 7', '0007 0008 00000000', OFPBIC.UNKNOWN_INST],
  ])('%s', (_, instructions, code) => {
    expect(failure(flowMod(`${emptyMatch} ${instructions}`))).toEqual([OFPET.BAD_INSTRUCTION, code]);
  });
});

describe('groups, meters, table features', () => {
  it.each([
    ['bucket of 8 bytes', '0000 00 00 00000001 0008 0000 00000000'],
    ['bucket of length 0', '0000 00 00 00000001 0000 0000 00000000 00000000 00000000'],
    ['bucket beyond the message', '0000 00 00 00000001 0018 0000 00000000 00000000 00000000'],
  ])('%s', (_, body) => {
    expect(failure(message(15, body))).toEqual([OFPET.GROUP_MOD_FAILED, OFPGMFC.BAD_BUCKET]);
  });
  it('a bad action in a bucket', () => {
    const body = '0000 00 00 00000001 0018 0000 00000000 00000000 00000000 00ff 0008 00000000';
    expect(failure(message(15, body))).toEqual([OFPET.BAD_ACTION, OFPBAC.BAD_TYPE]);
  });
  it('bands', () => {
    const meter = '0000 0001 00000001';
    const unknown = [OFPET.METER_MOD_FAILED, OFPMMFC.BAD_BAND];
    expect(failure(message(29, `${meter} 0003 0010 00000001 00000000 00000000`))).toEqual(unknown);
    expect(failure(message(29, `${meter} 0001 0008 00000001`))).toEqual([OFPET.BAD_REQUEST, OFPBRC.BAD_LEN]);
    expect(failure(message(29, `${meter} 0001 0018 00000001 00000000 00000000`))).toEqual([1, OFPBRC.BAD_LEN]);
  });
  it('table features', () => {
    const table = (length: string, properties: string) =>
      message(18, `000c 0000 00000000 ${length} 00 0000000000 ${'00'.repeat(56)} ${properties}`);
    const bad = (code: number) => [OFPET.TABLE_FEATURES_FAILED, code];
    expect(failure(table('0040', ''))).toBe('decoded');
    expect(failure(table('0030', ''))).toEqual(bad(OFPTFFC.BAD_LEN));
    expect(failure(table('0048', ''))).toEqual(bad(OFPTFFC.BAD_LEN));
    expect(failure(table('0048', '0009 0004 00000000'))).toEqual(bad(OFPTFFC.BAD_TYPE));
    expect(failure(table('0048', '0000 0003 00000000'))).toEqual(bad(OFPTFFC.BAD_LEN));
    expect(failure(table('0048', '0000 0009 00000000'))).toEqual(bad(OFPTFFC.BAD_LEN));
    // Instruction ids are four bytes long, whatever the instruction.
    expect(failure(table('0050', '0000 000c 0001 0008 00000000 00000000'))).toEqual(bad(OFPTFFC.BAD_LEN));
    // Padding is there, or it is not a property.
    expect(failure(table('0045', '0002 0005 01'))).toEqual(bad(OFPTFFC.BAD_LEN));
  });
});

describe('encoding what has no wire form is the caller’s bug', () => {
  const head = { version: 4, xid: 1 };
  const output = (port: number): Message => ({
    ...head,
    type: 'packet_out',
    bufferId: of13.OFP_NO_BUFFER,
    inPort: 1,
    actions: [{ type: 'output', port, maxLen: 0 }],
    data: new Uint8Array(0),
  });
  it.each([-1, 1.5, 2 ** 32, Number.NaN])('port %d', (port) => {
    expect(() => encodeMessage(output(port))).toThrow(RangeError);
  });
  it('64-bit values', () => {
    const role = (generationId: bigint): Message => ({ ...head, type: 'role_request', role: 1, generationId });
    expect(() => encodeMessage(role(-1n))).toThrow(RangeError);
    expect(() => encodeMessage(role(1n << 64n))).toThrow(RangeError);
    expect(encodeMessage(role((1n << 64n) - 1n))).toHaveLength(24);
  });
  it('too long a message', () => {
    const echo = (length: number): Message => ({ ...head, type: 'echo_request', data: new Uint8Array(length) });
    expect(encodeMessage(echo(65_527))).toHaveLength(65_535);
    expect(() => encodeMessage(echo(65_528))).toThrow(RangeError);
  });
  it('a version without tables, save for what all versions share', () => {
    expect(() => encodeMessage({ version: 7, xid: 1, type: 'features_request' })).toThrow(RangeError);
    expect(toHex(encodeMessage({ version: 1, xid: 1, type: 'hello', elements: [], rest: new Uint8Array(0) }))).toBe(
      '0100000800000001',
    );
  });
  it('values of the wrong width, and structures that are no multiple of 8', () => {
    const flow = (actions: readonly Action[]): Message => ({ ...output(1), actions }) as Message;
    const [tlv] = match({ eth_type: 0x800 });
    const wrong = { ...tlv!, value: new Uint8Array(3) } as NonNullable<typeof tlv>;
    expect(() => encodeMessage(flow([{ type: 'set_field', oxm: wrong }]))).toThrow(RangeError);
    expect(() => encodeMessage(flow([{ type: 'experimenter', experimenter: 1, data: new Uint8Array(3) }]))).toThrow(
      RangeError,
    );
  });
});

describe('names of errors that are an extension', () => {
  const NICIRA = 0x2320;
  const vendor = (type: number, code: number) => Uint8Array.of(0, 0, 0x23, 0x20, type >> 8, type, code >> 8, code);
  it.each([
    ['NXR_STALE', 0xffff, 35, 4, { experimenter: NICIRA }],
    ['NXR_STALE', 0xb0c2, 0, 1, { data: vendor(1, 534) }],
    ['OFPGMFC_GROUP_EXISTS', 0xb0c2, 0, 1, { data: vendor(6, 0) }],
    ['OFPBFC_BAD_ID', 0xffff, 2302, 4, { experimenter: 0x4f4e4600 }],
    ['error 65535/35', 0xffff, 35, 4, {}],
    ['error 45250/0', 0xb0c2, 0, 1, { data: vendor(1, 534).subarray(0, 7) }],
  ] as const)('%s', (name, type, code, version, details) => {
    expect(errorName(type, code, version, details)).toBe(name);
  });
});
