/** Messages written down byte by byte from OpenFlow 1.3.5, independently of the encoder. */
import { describe, expect, it } from 'vitest';
import { encodeMessage, helloVersions, negotiateVersion, of13, versionBitmap } from '../src/index.js';
import { decoded, hex, testWire } from './support/wire.js';

const { OFPP, OFPG, OFP_NO_BUFFER } = of13;
const ascii = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'latin1'));
const none = new Uint8Array(0);
const head = { version: 4, xid: 0x12345678 } as const;
/** A text field of the given width. */
const padded = (text: string, width: number): string =>
  Buffer.from(text).toString('hex') + '00'.repeat(width - text.length);

testWire(
  '§7.5.1 hello offering 1.0 and 1.3',
  {
    ...head,
    type: 'hello',
    elements: [{ type: 'versionbitmap', bitmaps: [0x12] }],
    rest: none,
  },
  hex(`
    04 00 0010 12345678   # version 1.3, OFPT_HELLO, length 16, xid
    0001 0008 00000012    # VERSIONBITMAP, length 8, bits 1 and 4
  `),
);

testWire(
  '§7.4.4 error',
  { ...head, type: 'error', errorType: 4, errorCode: 9, data: ascii('bad') },
  hex('04 01 000f 12345678  0004 0009 626164'),
);

testWire(
  '§7.4.4 experimenter error',
  { ...head, type: 'error', errorType: 0xffff, errorCode: 2300, experimenter: 0x4f4e4600, data: none },
  hex('04 01 0010 12345678  ffff 08fc 4f4e4600'),
);

testWire(
  '§7.5.4 experimenter',
  { ...head, type: 'experimenter', experimenter: 0x2320, expType: 7, data: ascii('x') },
  hex('04 04 0011 12345678  00002320 00000007 78'),
);

testWire(
  '§7.3.1 features reply',
  {
    ...head,
    type: 'features_reply',
    datapathId: 0x0000_0200_0000_0001n,
    nBuffers: 256,
    nTables: 254,
    auxiliaryId: 0,
    capabilities: 0x4f,
    reserved: 0,
  },
  hex(`
    04 06 0020 12345678
    0000020000000001      # datapath_id
    00000100 fe 00 0000   # n_buffers, n_tables, auxiliary_id, pad
    0000004f 00000000     # capabilities, reserved
  `),
);

testWire(
  '§7.3.2 set config',
  { ...head, type: 'set_config', flags: 1, missSendLen: 0xffff },
  hex('04 09 000c 12345678  0001 ffff'),
);

testWire(
  '§7.3.4.1 flow mod: TCP to port 80 of 10.0.0.0/8, set the VLAN, send to 2 and on to table 3',
  {
    ...head,
    type: 'flow_mod',
    cookie: 0x1122334455667788n,
    cookieMask: 0n,
    tableId: 1,
    command: of13.OFPFC.ADD,
    idleTimeout: 30,
    hardTimeout: 300,
    priority: 100,
    bufferId: OFP_NO_BUFFER,
    outPort: OFPP.ANY,
    outGroup: OFPG.ANY,
    flags: of13.OFPFF.SEND_FLOW_REM,
    match: [
      { field: 'in_port', value: hex('00000003') },
      { field: 'eth_type', value: hex('0800') },
      { field: 'ip_proto', value: hex('06') },
      { field: 'ipv4_dst', value: hex('0a000000'), mask: hex('ff000000') },
      { field: 'tcp_dst', value: hex('0050') },
    ],
    instructions: [
      {
        type: 'apply_actions',
        actions: [
          { type: 'push_vlan', ethertype: 0x8100 },
          { type: 'set_field', oxm: { field: 'vlan_vid', value: hex('1064') } },
          { type: 'output', port: 2, maxLen: 0 },
        ],
      },
      { type: 'write_metadata', metadata: 5n, metadataMask: 0xffn },
      { type: 'goto_table', tableId: 3 },
    ],
  },
  hex(`
    04 0e 00b0 12345678
    1122334455667788      # cookie
    0000000000000000      # cookie_mask
    01 00 001e 012c 0064  # table, ADD, idle, hard, priority
    ffffffff              # buffer_id
    ffffffff ffffffff     # out_port, out_group
    0001 0000             # SEND_FLOW_REM, pad
    0001 0029             # OXM, 4 + 8 + 6 + 5 + 12 + 6 = 41 bytes
    80000004 00000003     # in_port
    80000a02 0800         # eth_type
    80001401 06           # ip_proto
    80001908 0a000000 ff000000  # ipv4_dst with mask
    80001c02 0050         # tcp_dst
    00000000000000        # pad to 48
    0004 0030 00000000    # APPLY_ACTIONS, 8 + 8 + 16 + 16
    0011 0008 8100 0000   # PUSH_VLAN
    0019 0010 80000c02 1064 000000000000  # SET_FIELD vlan_vid
    0000 0010 00000002 0000 000000000000  # OUTPUT
    0002 0018 00000000 0000000000000005 00000000000000ff # WRITE_METADATA
    0001 0008 03 000000   # GOTO_TABLE
  `),
);

testWire(
  '§7.3.7 packet out',
  {
    ...head,
    type: 'packet_out',
    bufferId: OFP_NO_BUFFER,
    inPort: OFPP.CONTROLLER,
    actions: [{ type: 'group', groupId: 9 }],
    data: ascii('frame'),
  },
  hex(`
    04 0d 0025 12345678
    ffffffff fffffffd 0008 000000000000
    0016 0008 00000009
    6672616d65
  `),
);

testWire(
  '§7.4.1 packet in',
  {
    ...head,
    type: 'packet_in',
    bufferId: 7,
    totalLen: 60,
    reason: of13.OFPR.ACTION,
    tableId: 2,
    cookie: 5n,
    match: [{ field: 'in_port', value: hex('00000001') }],
    data: ascii('frame'),
  },
  hex(`
    04 0a 002f 12345678
    00000007 003c 01 02 0000000000000005
    0001 000c 80000004 00000001 00000000 # match, padded
    0000                                 # pad
    6672616d65
  `),
);

testWire(
  '§7.4.2 flow removed',
  {
    ...head,
    type: 'flow_removed',
    cookie: 1n,
    priority: 2,
    reason: of13.OFPRR.HARD_TIMEOUT,
    tableId: 3,
    durationSec: 4,
    durationNsec: 5,
    idleTimeout: 6,
    hardTimeout: 7,
    packetCount: 8n,
    byteCount: 9n,
    match: [],
  },
  hex(`
    04 0b 0038 12345678
    0000000000000001 0002 01 03 00000004 00000005 0006 0007
    0000000000000008 0000000000000009
    0001 0004 00000000
  `),
);

const portHex = `
  00000003 00000000     # port_no, pad
  020000000001 0000     # hw_addr, pad
  ${padded('vif1.0', 16)}
  00000001 00000004     # PORT_DOWN, LIVE
  00000840 00000020 00002020 0000000f
  00989680 000003e8
`;
const port = {
  portNo: 3,
  hwAddr: hex('020000000001'),
  name: 'vif1.0',
  config: 1,
  state: 4,
  curr: 0x840,
  advertised: 0x20,
  supported: 0x2020,
  peer: 0xf,
  currSpeed: 10_000_000,
  maxSpeed: 1000,
};

testWire(
  '§7.4.3 port status',
  { ...head, type: 'port_status', reason: of13.OFPPR.MODIFY, port },
  hex(`04 0c 0050 12345678 02 00000000000000 ${portHex}`),
);

testWire(
  '§7.3.4.3 port mod',
  { ...head, type: 'port_mod', portNo: 3, hwAddr: port.hwAddr, config: 1, mask: 0x65, advertise: 0x20 },
  hex('04 10 0028 12345678 00000003 00000000 020000000001 0000 00000001 00000065 00000020 00000000'),
);

testWire(
  '§7.3.4.2 group mod, select of two',
  {
    ...head,
    type: 'group_mod',
    command: of13.OFPGC.ADD,
    groupType: of13.OFPGT.SELECT,
    groupId: 10,
    buckets: [
      {
        weight: 3,
        watchPort: OFPP.ANY,
        watchGroup: OFPG.ANY,
        actions: [{ type: 'output', port: 1, maxLen: 0 }],
      },
      { weight: 1, watchPort: OFPP.ANY, watchGroup: OFPG.ANY, actions: [] },
    ],
  },
  hex(`
    04 0f 0040 12345678 0000 01 00 0000000a
    0020 0003 ffffffff ffffffff 00000000  0000 0010 00000001 0000 000000000000
    0010 0001 ffffffff ffffffff 00000000
  `),
);

testWire(
  '§7.3.4.4 meter mod, both bands',
  {
    ...head,
    type: 'meter_mod',
    command: of13.OFPMC.MODIFY,
    flags: of13.OFPMF.KBPS | of13.OFPMF.BURST,
    meterId: 4,
    bands: [
      { type: 'drop', rate: 1000, burstSize: 100 },
      { type: 'dscp_remark', rate: 500, burstSize: 50, precLevel: 2 },
    ],
  },
  hex(`
    04 1d 0030 12345678 0001 0005 00000004
    0001 0010 000003e8 00000064 00000000
    0002 0010 000001f4 00000032 02 000000
  `),
);

testWire(
  '§7.3.3 table mod',
  { ...head, type: 'table_mod', tableId: 255, config: 3 },
  hex('04 11 0010 12345678 ff 000000 00000003'),
);

testWire(
  '§7.3.9 role request',
  { ...head, type: 'role_request', role: of13.OFPCR_ROLE.MASTER, generationId: 0x0102030405060708n },
  hex('04 18 0018 12345678 00000002 00000000 0102030405060708'),
);

testWire(
  '§7.3.10 set async',
  { ...head, type: 'set_async', packetInMask: [7, 0], portStatusMask: [7, 6], flowRemovedMask: [15, 1] },
  hex('04 1c 0020 12345678 00000007 00000000 00000007 00000006 0000000f 00000001'),
);

testWire(
  '§7.3.6 queue config reply',
  {
    ...head,
    type: 'queue_get_config_reply',
    port: 3,
    queues: [
      {
        queueId: 1,
        port: 3,
        properties: [
          { type: 'min_rate', rate: 100 },
          { type: 'max_rate', rate: 500 },
        ],
      },
    ],
  },
  hex(`
    04 17 0040 12345678 00000003 00000000
    00000001 00000003 0030 000000000000
    0001 0010 00000000 0064 000000000000
    0002 0010 00000000 01f4 000000000000
  `),
);

testWire(
  '§7.3.5.2 flow stats request',
  {
    ...head,
    type: 'multipart_request',
    flags: 0,
    body: {
      type: 'flow',
      tableId: 255,
      outPort: OFPP.ANY,
      outGroup: OFPG.ANY,
      cookie: 0n,
      cookieMask: 0n,
      match: [],
    },
  },
  hex(`
    04 12 0038 12345678 0001 0000 00000000
    ff 000000 ffffffff ffffffff 00000000 0000000000000000 0000000000000000 0001 0004 00000000
  `),
);

testWire(
  '§7.3.5.2 flow stats reply, more to come',
  {
    ...head,
    type: 'multipart_reply',
    flags: of13.OFPMPF.REPLY_MORE,
    body: {
      type: 'flow',
      entries: [
        {
          tableId: 1,
          durationSec: 2,
          durationNsec: 3,
          priority: 4,
          idleTimeout: 5,
          hardTimeout: 6,
          flags: 7,
          cookie: 8n,
          packetCount: 9n,
          byteCount: 10n,
          match: [{ field: 'in_port', value: hex('00000001') }],
          instructions: [{ type: 'meter', meterId: 11 }],
        },
      ],
    },
  },
  hex(`
    04 13 0058 12345678 0001 0001 00000000
    0048 01 00 00000002 00000003 0004 0005 0006 0007 00000000
    0000000000000008 0000000000000009 000000000000000a
    0001 000c 80000004 00000001 00000000
    0006 0008 0000000b
  `),
);

testWire(
  '§7.3.5.7 port description reply',
  { ...head, type: 'multipart_reply', flags: 0, body: { type: 'port_desc', entries: [port] } },
  hex(`04 13 0050 12345678 000d 0000 00000000 ${portHex}`),
);

testWire(
  '§7.3.5.1 description reply',
  {
    ...head,
    type: 'multipart_reply',
    flags: 0,
    body: { type: 'desc', mfrDesc: 'm', hwDesc: 'h', swDesc: 's', serialNum: 'n', dpDesc: 'd' },
  },
  hex(`
    04 13 0430 12345678 0000 0000 00000000
    ${padded('m', 256)} ${padded('h', 256)} ${padded('s', 256)} ${padded('n', 32)} ${padded('d', 256)}
  `),
);

testWire(
  '§7.3.5.9 group stats reply',
  {
    ...head,
    type: 'multipart_reply',
    flags: 0,
    body: {
      type: 'group',
      entries: [
        {
          groupId: 1,
          refCount: 2,
          packetCount: 3n,
          byteCount: 4n,
          durationSec: 5,
          durationNsec: 6,
          buckets: [{ packetCount: 7n, byteCount: 8n }],
        },
      ],
    },
  },
  hex(`
    04 13 0048 12345678 0006 0000 00000000
    0038 0000 00000001 00000002 00000000
    0000000000000003 0000000000000004 00000005 00000006
    0000000000000007 0000000000000008
  `),
);

testWire(
  '§7.3.5.12 meter stats reply',
  {
    ...head,
    type: 'multipart_reply',
    flags: 0,
    body: {
      type: 'meter',
      entries: [
        {
          meterId: 1,
          flowCount: 2,
          packetInCount: 3n,
          byteInCount: 4n,
          durationSec: 5,
          durationNsec: 6,
          bands: [{ packetCount: 7n, byteCount: 8n }],
        },
      ],
    },
  },
  hex(`
    04 13 0048 12345678 0009 0000 00000000
    00000001 0038 000000000000 00000002 0000000000000003 0000000000000004 00000005 00000006
    0000000000000007 0000000000000008
  `),
);

testWire(
  '§7.3.5.5 table features request',
  {
    ...head,
    type: 'multipart_request',
    flags: 0,
    body: {
      type: 'table_features',
      entries: [
        {
          tableId: 1,
          name: 'acl',
          metadataMatch: 0xffn,
          metadataWrite: 0xfn,
          config: 0,
          maxEntries: 1000,
          properties: [
            { type: 'instructions', ids: [{ type: 'goto_table' }, { type: 'meter' }] },
            { type: 'next_tables', ids: [2, 3] },
            { type: 'apply_actions_miss', ids: [{ type: 'output' }] },
            {
              type: 'match',
              ids: [
                { field: 'in_port', hasMask: false },
                { field: 'eth_dst', hasMask: true },
              ],
            },
            { type: 'experimenter', experimenter: 1, expType: 2, data: none },
          ],
        },
      ],
    },
  },
  hex(`
    04 12 0090 12345678 000c 0000 00000000
    0080 01 0000000000 ${padded('acl', 32)} 00000000000000ff 000000000000000f 00000000 000003e8
    0000 000c 0001 0004 0006 0004 00000000   # INSTRUCTIONS, length without the padding
    0002 0006 02 03 0000                     # NEXT_TABLES
    0007 0008 0000 0004                      # APPLY_ACTIONS_MISS
    0008 000c 80000004 8000070c 00000000     # MATCH
    fffe 000c 00000001 00000002 00000000     # EXPERIMENTER
  `),
);

describe('hello is taken whatever its body holds (§7.5.1)', () => {
  it.each([
    ['nothing', ''],
    ['an element of length 0', '0001 0000 00000000'],
    ['an element beyond the message', '0001 0010 00000012'],
    ['a bitmap that is no multiple of 4', '0001 0006 0000 0000'],
    ['noise', 'ffffff'],
  ])('%s', (_, body) => {
    const rest = hex(body);
    const bytes = new Uint8Array([4, 0, 0, 8 + rest.length, 0, 0, 0, 1, ...rest]);
    expect(encodeMessage(decoded(bytes))).toEqual(bytes);
  });
});

describe('§6.3.1 negotiation', () => {
  const hello = (version: number, bitmap?: readonly number[]) =>
    ({
      version,
      xid: 1,
      type: 'hello',
      elements: bitmap === undefined ? [] : [versionBitmap(bitmap)],
      rest: none,
    }) as const;
  it.each([
    ['the same version', [4], hello(4), 4],
    ['a newer peer without bitmap', [4], hello(6), 4],
    ['an older peer without bitmap', [4], hello(1), undefined],
    ['the lower of the two is not ours', [1, 4], hello(3), undefined],
    ['bitmaps in common', [1, 4], hello(6, [1, 4, 6]), 4],
    ['bitmaps with only an old one in common', [1, 4], hello(6, [1, 6]), 1],
    ['bitmaps with nothing in common', [4], hello(6, [1, 5, 6]), undefined],
    ['a bitmap outweighs the header', [4], hello(6, [4]), 4],
    ['a bitmap of two words', [4, 33], hello(33, [33, 40]), 33],
  ])('%s', (_, ours, theirs, wanted) => expect(negotiateVersion(ours, theirs)).toBe(wanted));
  it('versions offered', () => {
    expect(helloVersions(hello(3)).versions).toEqual([1, 2, 3]);
    expect(helloVersions(hello(6, [4, 31, 32])).versions).toEqual([4, 31, 32]);
  });
});
