/**
 * Debian's ovs-ofctl and this package read the same bytes alike, for every message and multipart type of OpenFlow 1.3.
 *
 * Random messages are encoded, decoded again, and what came out is put in ovs-ofctl's words by test/support/ovs-text.ts;
 * the text must be what ovs-ofctl itself prints about the bytes. FC_SEED=n picks other random messages. Needs ovs-ofctl (Debian: openvswitch-common) and fails,
 * rather than skips, without it.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeMessage, formatFlow, type Match, type Message, match, of13 } from '../../src/index.js';
import { legalMessages, legalReplies, legalRequests, tableFeaturesReply } from '../support/legal.js';
import { ofpParse, ofpPrint } from '../support/ovs.js';
import { ovsText } from '../support/ovs-text.js';
import { decoded, hex } from '../support/wire.js';

/** Drops what is about the payload, not the message: hex dumps and the headers of a packet. */
function withoutPayload(text: string, message: Message): string {
  const isPacket = message.type === 'packet_in' || message.type === 'packet_out';
  const isEcho = message.type === 'echo_request' || message.type === 'echo_reply';
  return isPacket || isEcho ? text.split('\n')[0]! : text;
}

function agrees(arbitrary: fc.Arbitrary<Message>, numRuns = 60): void {
  const seed = Number(process.env.FC_SEED ?? 1);
  const messages = fc.sample(arbitrary, { numRuns, seed });
  const bytes = messages.map(encodeMessage);
  const printed = ofpParse(bytes);
  for (const [i, text] of printed.entries()) {
    const read = decoded(bytes[i]!);
    const context = `seed ${seed}, message ${Buffer.from(bytes[i]!).toString('hex')}`;
    expect(withoutPayload(text, read), context).toBe(ovsText(read));
  }
}

describe('messages', () => {
  for (const [type, arbitrary] of Object.entries(legalMessages)) {
    it(type, () => agrees(arbitrary, type === 'flow_mod' ? 400 : 60));
  }
});

describe('multipart requests', () => {
  for (const [type, body] of Object.entries(legalRequests)) {
    it(type, () => agrees(body.map((value) => request(value))));
  }
});

describe('multipart replies', () => {
  for (const [type, body] of Object.entries(legalReplies)) {
    it(type, () => {
      agrees(fc.tuple(fc.nat(1), body).map(([flags, value]) => reply(flags, value)));
    });
  }
  it('table_features', () => {
    const text = ofpPrint(encodeMessage(tableFeaturesReply));
    expect(text.split('\n').map((line) => line.trim())).toEqual([
      'OFPST_TABLE_FEATURES reply (OF1.3) (xid=0x7):',
      'table 3 ("classifier"):',
      'metadata: match=0xff write=0xf',
      'max_entries=1000',
      'instructions (table miss and others):',
      'next tables: 4-5',
      'instructions: apply_actions goto_table',
      'Write-Actions and Apply-Actions features:',
      'actions: output group',
      'supported on Set-Field: eth_dst',
      'matching:',
      'arbitrary mask: eth_dst',
      'exact match or wildcard: in_port_oxm',
    ]);
  });
});

const request = (body: unknown) => ({ version: 4, xid: 7, type: 'multipart_request', flags: 0, body }) as Message;
const reply = (flags: number, body: unknown) =>
  ({ version: 4, xid: 7, type: 'multipart_reply', flags, body }) as Message;

describe('errors', () => {
  const names = of13.errorTable13.flatMap(({ type, prefix, codes }) =>
    Object.entries(codes).map(([name, code]) => [`${prefix}_${name}`, type, code] as const),
  );
  /** ovs-ofctl's own words for the same number. */
  const alias: Readonly<Record<string, string>> = {
    OFPBRC_BAD_MULTIPART: 'OFPBRC_BAD_STAT',
    OFPBRC_BAD_EXPERIMENTER: 'OFPBRC_BAD_VENDOR',
    OFPBRC_BAD_EXP_TYPE: 'OFPBRC_BAD_SUBTYPE',
    OFPBRC_IS_SLAVE: 'OFPBRC_IS_SECONDARY',
    OFPBAC_BAD_EXPERIMENTER: 'OFPBAC_BAD_VENDOR',
    OFPBAC_BAD_EXP_TYPE: 'OFPBAC_BAD_VENDOR_TYPE',
    OFPTFFC_BAD_TYPE: 'OFPBPC_BAD_TYPE',
    OFPTFFC_BAD_LEN: 'OFPBPC_BAD_LEN',
    OFPTFFC_BAD_ARGUMENT: 'OFPBPC_BAD_VALUE',
  };
  it('every type and code has the name ovs-ofctl gives it', () => {
    const offending = hex('04 05 0008 00000001');
    const bytes = names.map(([, errorType, errorCode]) =>
      encodeMessage({ version: 4, xid: 7, type: 'error', errorType, errorCode, data: offending }),
    );
    const texts = ofpParse(bytes).map((text) => text.split('\n')[0]!);
    const wanted = names.map(([name]) => `OFPT_ERROR (OF1.3) (xid=0x7): ${alias[name] ?? name}`);
    expect(texts).toEqual(wanted);
  });
  it('experimenter errors', () => {
    const errorType = of13.OFPET.EXPERIMENTER;
    const data = new Uint8Array(0);
    const bytes = encodeMessage({
      version: 4,
      xid: 7,
      type: 'error',
      errorType,
      errorCode: 2600,
      experimenter: 0x4f4e4600,
      data,
    });
    expect(ofpPrint(bytes).split('\n')[0]).toBe('OFPT_ERROR (OF1.3) (xid=0x7): OFPBIC_DUP_INST');
  });
});

describe('Nicira extensions, as bytes and as values', () => {
  const nicira = 0x2320;
  const head = { version: 4, xid: 7 };
  const agree = (message: Message, text: string): void => {
    const bytes = encodeMessage(message);
    expect(decoded(bytes)).toEqual(message);
    expect(ofpPrint(bytes).split('\n')[0]).toBe(text);
  };
  it('message: NXT_SET_ASYNC_CONFIG is of 1.0, NXT_SET_CONTROLLER_ID of all versions', () => {
    const data = hex('000000000000 0005');
    agree(
      { ...head, type: 'experimenter', experimenter: nicira, expType: 20, data },
      'NXT_SET_CONTROLLER_ID (OF1.3) (xid=0x7): id=5',
    );
  });
  it('multipart: NXST_IPFIX_BRIDGE', () => {
    const body = { type: 'experimenter', experimenter: nicira, expType: 3, data: hex('') } as const;
    agree({ ...head, type: 'multipart_request', flags: 0, body }, 'NXST_IPFIX_BRIDGE request (OF1.3) (xid=0x7):');
  });
  it('action and fields: resubmit, reg0, ONF tcp_flags', () => {
    const resubmit = { type: 'nx_resubmit', inPort: 5 } as const;
    const matched: Match = [
      { field: 'reg0', value: hex('00000012'), mask: hex('000000ff') },
      ...match({ eth_type: 0x0800, ip_proto: 6 }),
      { field: 'onf_tcp_flags', value: hex('0002') },
    ];
    agree(
      {
        ...head,
        type: 'flow_mod',
        cookie: 0n,
        cookieMask: 0n,
        tableId: 0,
        command: 0,
        idleTimeout: 0,
        hardTimeout: 0,
        priority: 1,
        bufferId: of13.OFP_NO_BUFFER,
        outPort: of13.OFPP.ANY,
        outGroup: of13.OFPG.ANY,
        flags: 0,
        match: matched,
        instructions: [{ type: 'apply_actions', actions: [resubmit] }],
      },
      'OFPT_FLOW_MOD (OF1.3) (xid=0x7): ADD priority=1,tcp,reg0=0x12/0xff,tcp_flags=syn actions=resubmit:5',
    );
  });
});

describe('ovs-ofctl refuses what we refuse', () => {
  it.each([
    ['two of a field', 'DUP_FIELD', '0001 0014 80000004 00000001 80000004 00000002 00000000'],
    ['field 40', 'BAD_FIELD', '0001 000c 80005004 00000000 00000000'],
    ['a value outside its mask', 'BAD_WILDCARDS', '0001 0016 80000a02 0800 80001708 0a000001 ffffff00 0000'],
    ['ip_dscp 64', 'BAD_VALUE', '0001 000f 80000a02 0800 80001001 40 00'],
    ['match type 2', 'BAD_TYPE', '0002 0004 00000000'],
  ])('%s', (_, code, matchHex) => {
    const body = hex(`${'00'.repeat(40)} ${matchHex}`);
    const bytes = new Uint8Array([4, 14, 0, 8 + body.length, 0, 0, 0, 7, ...body]);
    expect(ofpPrint(bytes)).toContain(`OFPBMC_${code}`);
    expect(() => decoded(bytes, { unknown: 'refuse' })).toThrow(`4/${of13.OFPBMC[code as keyof typeof of13.OFPBMC]}:`);
  });
});

it('a flow as text', () => {
  const flow = {
    priority: 10,
    match: match({ eth_type: 0x0800, ipv4_dst: '10.0.0.1' }),
    instructions: [{ type: 'apply_actions' as const, actions: [{ type: 'output' as const, port: 2, maxLen: 0 }] }],
  };
  const bytes = encodeMessage({
    version: 4,
    xid: 1,
    type: 'flow_mod',
    cookie: 0n,
    cookieMask: 0n,
    tableId: 0,
    command: 0,
    idleTimeout: 0,
    hardTimeout: 0,
    bufferId: of13.OFP_NO_BUFFER,
    outPort: of13.OFPP.ANY,
    outGroup: of13.OFPG.ANY,
    flags: 0,
    ...flow,
  });
  expect(ofpPrint(bytes)).toBe(`OFPT_FLOW_MOD (OF1.3) (xid=0x1): ADD ${formatFlow(flow)}`);
});
