/** Nicira's messages and multipart bodies: values, bytes, and what is refused. */
import { describe, expect, it } from 'vitest';
import { encodeMessage, type Message, nicira, of13, oxm } from '../src/index.js';
import { decoded, failure, hex, survivesCuts, testWire, toHex } from './support/wire.js';

const h = { version: 4, xid: 7 };
const u = (...bytes: number[]): Uint8Array => new Uint8Array(bytes);

const examples: readonly Message[] = [
  { ...h, type: 'nx_role_request', role: 1 },
  { ...h, type: 'nx_set_packet_in_format', format: 2 },
  { ...h, type: 'nx_flow_mod_table_id', enabled: true },
  { ...h, type: 'nx_set_controller_id', controllerId: 5 },
  { ...h, type: 'nx_flow_age' },
  { ...h, type: 'nx_set_async_config', packetInMask: [1, 2], portStatusMask: [1, 2], flowRemovedMask: [3, 0] },
  { ...h, type: 'nx_set_async_config2', properties: [{ code: 0, mask: 3 }] },
  {
    ...h,
    type: 'nx_packet_in',
    bufferId: 0xffffffff,
    totalLen: 14,
    reason: 1,
    tableId: 3,
    cookie: 5n,
    match: [oxm('reg0', 5)],
    data: new Uint8Array(14),
  },
  {
    ...h,
    type: 'nx_packet_in2',
    properties: [
      { type: 'packet', data: new Uint8Array(14) },
      { type: 'table_id', value: 3 },
      { type: 'cookie', cookie: 5n },
      { type: 'reason', value: 1 },
      { type: 'metadata', match: [oxm('reg0', 5)] },
      { type: 'userdata', data: u(1, 2) },
    ],
  },
  {
    ...h,
    type: 'nx_flow_removed',
    cookie: 5n,
    priority: 3,
    reason: 0,
    tableIdPlusOne: 2,
    durationSec: 1,
    durationNsec: 0,
    idleTimeout: 5,
    packetCount: 1n,
    byteCount: 2n,
    match: [oxm('reg1', 6)],
  },
  {
    ...h,
    type: 'nx_flow_mod',
    cookie: 5n,
    command: 0,
    idleTimeout: 0,
    hardTimeout: 0,
    priority: 3,
    bufferId: 0xffffffff,
    outPort: 0xffff,
    flags: 0,
    match: [oxm('reg1', 6)],
    actions: [],
    instructions: [{ type: 'apply_actions', actions: [{ type: 'nx_resubmit', inPort: 3 }] }],
  },
  {
    ...{ ...h, version: 1, type: 'nx_flow_mod', cookie: 5n, command: 0, idleTimeout: 0, hardTimeout: 0, priority: 3 },
    ...{ bufferId: 0xffffffff, outPort: 0xffff, flags: 0, match: [oxm('reg1', 6)] },
    actions: [{ type: 'nx_resubmit', inPort: 3 }],
  },
  {
    ...{ ...h, version: 1, type: 'group_mod', command: 0, groupType: 1, groupId: 5, commandBucketId: 0xffffffff },
    buckets: [{ bucketId: 3, weight: 2, watchPort: 0xffffffff, watchGroup: 0xffffffff, actions: [] }],
    properties: [
      {
        ...{ type: 'selection_method', method: 'hash', parameter: 7n },
        fields: [{ field: 'ipv4_src', mask: new Uint8Array(4).fill(0xff) }],
      },
    ],
  },
  {
    ...h,
    type: 'nx_tlv_table_mod',
    command: 0,
    mappings: [{ optionClass: 0xffff, optionType: 1, optionLength: 4, index: 0 }],
  },
  { ...h, type: 'nx_tlv_table_request' },
  {
    ...h,
    type: 'nx_tlv_table_reply',
    maxOptionSpace: 256,
    maxFields: 64,
    mappings: [{ optionClass: 0xffff, optionType: 1, optionLength: 4, index: 0 }],
  },
  { ...h, type: 'nx_ct_flush_zone', zoneId: 9 },
  {
    ...h,
    type: 'nx_ct_flush',
    ipProto: 6,
    zoneId: 5,
    original: { source: u(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 10, 0, 0, 1), sourcePort: 80 },
  },
  { ...h, type: 'multipart_request', flags: 0, body: { type: 'nx_ipfix_flow' } },
  {
    ...h,
    type: 'multipart_reply',
    flags: 0,
    body: {
      type: 'nx_ipfix_bridge',
      entries: [
        {
          totalFlows: 1n,
          currentFlows: 2n,
          packets: 3n,
          ipv4Packets: 4n,
          ipv6Packets: 5n,
          errorPackets: 6n,
          ipv4ErrorPackets: 7n,
          ipv6ErrorPackets: 8n,
          txPackets: 9n,
          txErrors: 10n,
          collectorSetId: 0,
        },
      ],
    },
  },
];

describe('round trips', () => {
  it.each(
    examples.map(
      (message, i) =>
        [
          message.type === 'multipart_request' || message.type === 'multipart_reply' ? message.body.type : message.type,
          i,
        ] as const,
    ),
  )('%s', (_, i) => {
    const message = examples[i]!;
    const bytes = encodeMessage(message);
    expect(decoded(bytes, { unknown: 'refuse' })).toEqual(message);
    expect(toHex(encodeMessage(decoded(bytes)))).toBe(toHex(bytes));
    if (message.type !== 'nx_packet_in2') survivesCuts(bytes);
  });
});

testWire(
  'NXT_SET_CONTROLLER_ID',
  { ...h, type: 'nx_set_controller_id', controllerId: 5 },
  hex('04 04 0018 00000007 00002320 00000014 000000000000 0005'),
);

it('an unknown subtype stays bytes, or is refused with BAD_EXP_TYPE', () => {
  const bytes = hex('04 04 0014 00000007 00002320 000003e7 00000001');
  expect(decoded(bytes)).toMatchObject({ type: 'experimenter', experimenter: nicira.NX_VENDOR_ID, expType: 999 });
  expect(failure(bytes)).toEqual([of13.OFPET.BAD_REQUEST, of13.OFPBRC.BAD_EXP_TYPE]);
});

it('errors have names, in OpenFlow 1.0 behind a vendor error too', () => {
  expect(nicira.nxErrorName(4)).toBe('NXBRC_MUST_BE_ZERO');
  expect(nicira.readVendorError(hex('00002320 0001 0203 ff'))).toMatchObject({
    type: 1,
    code: 515,
    name: 'NXBRC_MUST_BE_ZERO',
    data: u(255),
  });
  expect(nicira.readVendorError(u(1, 2, 3))).toBeUndefined();
});
