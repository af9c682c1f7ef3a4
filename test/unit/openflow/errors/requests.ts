/** OFPHFC, OFPBRC, OFPQOFC, OFPSCFC, OFPRRFC. */
import * as b from './bytes.js';
import { all, between, type ErrorCase, since } from './case.js';

const multipartUnknown = (v: number) => b.multipart(v, 99);
const nobody = (v: number) => b.experimenter(v, 0xabcdef, 1);
const niciraUnknown = (v: number) => b.nicira(v, 4711);
/** Packets that no flow matches go up, with their first 16 bytes. */
const sendUp = (v: number) => [
  b.setup(b.setConfig(v, 0, 16)),
  b.setup(b.flowMod(v, { actions: b.output(v, v === 1 ? 0xfffd : b.CONTROLLER, 16) })),
];
const throughTables = (v: number) => {
  const table = v === 1 ? 0xfff9 : b.TABLE;
  return b.setup(b.packetOut(v, { inPort: 1, actions: b.output(v, table) }));
};
/** The first packet that is kept. */
const FIRST = 0;

export const requestCases: readonly ErrorCase[] = [
  {
    error: 'OFPHFC_INCOMPATIBLE',
    versions: all,
    when: 'a hello that has no version in common with the switch, or a first message that is no hello',
    hello: (v) => b.message(v, 0, [...b.u16(1), ...b.u16(8), ...b.u32(1 << 7)]),
    say: () => [],
    about: 'hello',
  },
  {
    error: 'OFPBRC_BAD_VERSION',
    versions: all,
    when: 'a message of another version than the one agreed on',
    say: (v) => b.message(v === 1 ? 4 : 1, 5),
  },
  {
    error: 'OFPBRC_BAD_TYPE',
    versions: all,
    when: 'a message type that the version does not have',
    say: (v) => b.message(v, 99),
  },
  { error: 'OFPBRC_BAD_STAT', versions: between(1, 3), when: 'statistics of an unknown type', say: multipartUnknown },
  {
    error: 'OFPBRC_BAD_MULTIPART',
    versions: since(4),
    when: 'a multipart request of an unknown type',
    say: multipartUnknown,
  },
  { error: 'OFPBRC_BAD_VENDOR', versions: [1], when: 'a message of an unknown vendor', say: nobody },
  { error: 'OFPBRC_BAD_EXPERIMENTER', versions: since(2), when: 'a message of an unknown experimenter', say: nobody },
  { error: 'OFPBRC_BAD_SUBTYPE', versions: [1, 2], when: "an unknown message of Nicira's", say: niciraUnknown },
  { error: 'OFPBRC_BAD_EXP_TYPE', versions: since(3), when: "an unknown message of Nicira's", say: niciraUnknown },
  {
    error: 'OFPBRC_EPERM',
    versions: all,
    when: "a packet-in format of Nicira's that there is not",
    say: (v) => b.nicira(v, 16, b.u32(99)),
  },
  {
    error: 'OFPBRC_BAD_LEN',
    versions: all,
    when: 'a message shorter or longer than its type',
    say: (v) => b.message(v, v === 1 ? 18 : 20, [1]),
  },
  {
    error: 'OFPBRC_BUFFER_EMPTY',
    versions: all,
    when: 'a buffer that was used already',
    say: (v) => [
      ...sendUp(v),
      throughTables(v),
      b.setup(b.packetOut(v, { buffer: FIRST, inPort: 1 })),
      b.packetOut(v, { buffer: FIRST, inPort: 1 }),
    ],
  },
  {
    error: 'OFPBRC_BUFFER_UNKNOWN',
    versions: all,
    when: 'a buffer that is not there, in a packet_out or a flow_mod',
    say: (v) => b.packetOut(v, { buffer: 3 }),
  },
  {
    error: 'OFPBRC_BAD_TABLE_ID',
    versions: since(2),
    when: 'statistics of a table that is not there',
    say: (v) => b.flowStats(v, 254),
  },
  {
    error: 'OFPBRC_IS_SLAVE',
    versions: since(3),
    when: 'a slave that changes the switch',
    say: (v) => [b.setup(b.roleRequest(v, 3, 1)), b.flowMod(v)],
  },
  {
    error: 'OFPBRC_BAD_PORT',
    versions: since(3),
    when: 'statistics of a port, or a packet_out from a port, that is not there',
    say: (v) => b.packetOut(v, { inPort: 9 }),
  },
  {
    error: 'OFPBRC_BAD_PACKET',
    versions: since(3),
    when: 'a packet_out of less than an Ethernet header',
    say: (v) => b.packetOut(v, { data: b.zeros(13) }),
  },
  {
    error: 'OFPBRC_MULTIPART_BUFFER_OVERFLOW',
    versions: since(4),
    when: 'a request in several messages that needs only one, or table features of more tables than there are',
    say: (v) => b.multipart(v, 0, [], 1),
  },
  {
    error: 'OFPBRC_MULTIPART_REQUEST_TIMEOUT',
    versions: since(5),
    when: 'a request in several messages whose next one does not come within ten seconds',
    say: (v) => b.multipart(v, 12, b.tableFeatures(v), 1),
    passMs: 10_000,
  },
  {
    error: 'OFPBRC_MULTIPART_BAD_SCHED',
    versions: [6],
    when: 'a request for bundle features that is to set how bundles are scheduled, and does not say how',
    say: (v) => b.multipart(v, 19, [...b.u32(2), ...b.zeros(4)]),
  },
  {
    error: 'OFPBRC_PIPELINE_FIELDS_ONLY',
    versions: [6],
    when: 'a packet_out that brings along a header field',
    say: (v) => b.packetOut(v, { match: b.oxmMatch(b.oxm(0, b.u32(1)), b.oxm(5, [8, 0])) }),
  },
  {
    error: 'OFPQOFC_BAD_PORT',
    versions: all,
    when: 'queues of a port that is not there',
    say: (v) =>
      v === 1
        ? b.multipart(v, 5, [...b.u16(77), ...b.zeros(2), ...b.u32(1)])
        : b.multipart(v, 5, [...b.u32(77), ...b.u32(1)]),
  },
  {
    error: 'OFPQOFC_BAD_QUEUE',
    versions: all,
    when: 'statistics of one queue: no port has any',
    say: (v) =>
      v === 1
        ? b.multipart(v, 5, [...b.u16(1), ...b.zeros(2), ...b.u32(1)])
        : b.multipart(v, 5, [...b.u32(1), ...b.u32(1)]),
  },
  {
    error: 'OFPSCFC_BAD_FLAGS',
    versions: since(2),
    when: 'a treatment of fragments other than normal, drop and nx-match',
    say: (v) => b.setConfig(v, 2),
  },
  {
    error: 'OFPRRFC_STALE',
    versions: since(3),
    when: 'a role request that is older than the last of a master or slave',
    say: (v) => [b.setup(b.roleRequest(v, 2, 7)), b.roleRequest(v, 2, 6)],
  },
  {
    error: 'OFPRRFC_BAD_ROLE',
    versions: since(3),
    when: 'a role that there is not',
    say: (v) => b.roleRequest(v, 9, 1),
  },
  {
    error: 'OFPRRFC_ID_IN_USE',
    versions: [6],
    when: 'the short id of another controller',
    other: (v) => b.roleRequest(v, 1, 1, 5),
    say: (v) => b.roleRequest(v, 1, 1, 5),
  },
];
