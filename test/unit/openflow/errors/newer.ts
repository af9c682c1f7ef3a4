/** What came with properties, bundles and flow monitors: OFPBPC, OFPACFC, OFPMOFC, OFPBFC. */
import * as b from './bytes.js';
import { between, type ErrorCase, since } from './case.js';

const EVICTION = 2;
const eviction = (flags: number) => b.property(EVICTION, b.u32(flags));

const propertyCases: readonly ErrorCase[] = [
  {
    error: 'OFPBPC_BAD_TYPE',
    versions: since(5),
    when: 'a property that there is not',
    say: (v) => b.tableMod(v, 0, 0, b.property(99, b.zeros(4))),
  },
  {
    error: 'OFPBPC_BAD_LEN',
    versions: since(5),
    when: 'a property shorter or longer than its type or its list',
    say: (v) => b.tableMod(v, 0, 0, [...b.u16(EVICTION), ...b.u16(3), ...b.zeros(4)]),
  },
  {
    error: 'OFPBPC_BAD_VALUE',
    versions: since(5),
    when: 'a property with a value that it cannot have',
    say: (v) => b.tableMod(v, 0, 0, eviction(0)),
  },
  {
    error: 'OFPBPC_DUP_TYPE',
    versions: since(5),
    when: 'a property twice',
    say: (v) => b.tableMod(v, 0, 0, [...eviction(1), ...eviction(1)]),
  },
  {
    error: 'OFPBPC_BAD_EXPERIMENTER',
    versions: since(5),
    when: 'a property of an experimenter: there are none',
    say: (v) => b.tableMod(v, 0, 0, b.vendorProperty),
  },
];

const PACKET_IN_MASTER = 1;
const asyncCases: readonly ErrorCase[] = [
  {
    error: 'OFPACFC_INVALID',
    versions: since(5),
    when: 'a reason that there is not',
    say: (v) => b.message(v, 28, b.property(PACKET_IN_MASTER, b.u32(1 << 30))),
  },
  {
    error: 'OFPACFC_UNSUPPORTED',
    versions: since(5),
    when: 'events that there are not',
    say: (v) => b.message(v, 28, b.property(99, b.u32(0))),
  },
];

const [ADD, MODIFY] = [0, 1];
const ADDED = 2;
const monitorCases: readonly ErrorCase[] = [
  {
    error: 'OFPMOFC_UNKNOWN',
    versions: since(5),
    when: 'more than 256 flow monitors of one controller',
    say: (v) => [...Array.from({ length: 256 }, (_, id) => b.setup(b.monitor(v, { id }))), b.monitor(v, { id: 256 })],
  },
  {
    error: 'OFPMOFC_MONITOR_EXISTS',
    versions: since(5),
    when: 'adding a monitor that is there',
    say: (v) => [b.setup(b.monitor(v)), b.monitor(v)],
  },
  {
    error: 'OFPMOFC_UNKNOWN_MONITOR',
    versions: since(5),
    when: 'changing or deleting a monitor that is not there',
    say: (v) => b.monitor(v, { command: MODIFY }),
  },
  {
    error: 'OFPMOFC_BAD_COMMAND',
    versions: since(5),
    when: 'a command that there is not',
    say: (v) => b.monitor(v, { command: 9 }),
  },
  {
    error: 'OFPMOFC_BAD_FLAGS',
    versions: since(5),
    when: 'flags that there are not, or none that say what to tell of',
    say: (v) => b.monitor(v, { flags: 0 }),
  },
  {
    error: 'OFPMOFC_BAD_TABLE_ID',
    versions: since(5),
    when: 'a table that is not there',
    say: (v) => b.monitor(v, { command: ADD, flags: ADDED, table: 254 }),
  },
  {
    error: 'OFPMOFC_BAD_OUT',
    versions: since(5),
    when: 'an output to a number that no port or group can have',
    say: (v) => b.monitor(v, { outPort: 0 }),
  },
];

const [OPEN, CLOSE, COMMIT] = [0, 2, 4];
const open = (v: number) => b.setup(b.bundleControl(v, OPEN));
const add = (v: number, inner: Uint8Array) => b.setup(b.bundleAdd(v, b.setup(inner)));
const scheduled = (v: number, seconds: number) =>
  b.bundleControl(v, COMMIT, {
    flags: TIMED,
    properties: b.property(1, [...b.zeros(4), ...b.zeros(4), ...b.u32(seconds), ...b.zeros(8)]),
  });
const TIMED = 7;
/** The switch's time in these tests, in seconds since 1970. */
export const NOW_S = 1_800_000_000;
/** An error of its own; xids must be the same inside and outside. */
const refused = (v: number) => b.bundleAdd(v, b.flowMod(v, { table: 254 }));
const big = (v: number) => b.packetOut(v, { data: b.zeros(65_400) });
const bigOnes = (v: number) => {
  const one = add(v, big(v));
  return Array.from({ length: 256 }, () => one);
};
const bundles = since(4);

const bundleCases: readonly ErrorCase[] = [
  {
    error: 'OFPBFC_EPERM',
    versions: [6],
    when: 'a scheduled bundle of a controller that is a slave when its time has come',
    say: (v) => [open(v), scheduled(v, NOW_S + 1), b.setup(b.roleRequest(v, 3, 1))],
    passMs: 1000,
  },
  {
    error: 'OFPBFC_BAD_ID',
    versions: bundles,
    when: 'closing, committing or discarding a bundle that is not there',
    say: (v) => b.bundleControl(v, COMMIT),
  },
  {
    error: 'OFPBFC_BUNDLE_EXIST',
    versions: bundles,
    when: 'opening a bundle that is there',
    say: (v) => [open(v), b.bundleControl(v, OPEN)],
  },
  {
    error: 'OFPBFC_BUNDLE_CLOSED',
    versions: bundles,
    when: 'adding to a closed bundle, or closing it again',
    say: (v) => [open(v), b.setup(b.bundleControl(v, CLOSE)), b.bundleControl(v, CLOSE)],
  },
  {
    error: 'OFPBFC_OUT_OF_BUNDLES',
    versions: bundles,
    when: 'more than 16 bundles of one controller',
    say: (v) => [
      ...Array.from({ length: 16 }, (_, id) => b.setup(b.bundleControl(v, OPEN, { id }))),
      b.bundleControl(v, OPEN, { id: 16 }),
    ],
  },
  {
    error: 'OFPBFC_BAD_TYPE',
    versions: bundles,
    when: 'a control message of an unknown type',
    say: (v) => b.bundleControl(v, 99),
  },
  {
    error: 'OFPBFC_BAD_FLAGS',
    versions: bundles,
    when: 'flags that there are not, or others than those the bundle was opened with',
    say: (v) => b.bundleControl(v, OPEN, { flags: 0x4000 }),
  },
  {
    error: 'OFPBFC_MSG_BAD_LEN',
    versions: bundles,
    when: 'a message that is shorter or longer than it says',
    say: (v) => [open(v), b.bundleAdd(v, Uint8Array.of(v, 14, 0, 99, ...b.u32(b.XID)))],
  },
  {
    error: 'OFPBFC_MSG_BAD_XID',
    versions: bundles,
    when: 'a message with another xid than the one around it',
    say: (v) => [open(v), b.bundleAdd(v, b.setup(b.flowMod(v)))],
  },
  {
    error: 'OFPBFC_MSG_UNSUP',
    versions: bundles,
    when: 'a message that cannot be part of a bundle',
    say: (v) => [open(v), b.bundleAdd(v, b.message(v, 20))],
  },
  {
    error: 'OFPBFC_MSG_TOO_MANY',
    versions: bundles,
    when: "more in a controller's bundles than 256 MiB, of which each decoded byte counts sixteen times",
    say: (v) => [open(v), ...bigOnes(v), b.bundleAdd(v, big(v))],
  },
  {
    error: 'OFPBFC_MSG_FAILED',
    versions: bundles,
    when: 'a commit one of whose messages is refused, after the error of that one',
    say: (v) => [open(v), refused(v), b.bundleControl(v, COMMIT)],
  },
  {
    error: 'OFPBFC_TIMEOUT',
    versions: bundles,
    when: 'a bundle that nothing is said about for ten seconds',
    say: (v) => b.bundleControl(v, OPEN),
    passMs: 10_000,
  },
  {
    error: 'OFPBFC_BUNDLE_IN_PROGRESS',
    versions: [6],
    when: 'a scheduled bundle that waits for its time',
    say: (v) => [open(v), b.setup(scheduled(v, NOW_S + 9)), b.bundleControl(v, CLOSE)],
  },
  {
    error: 'OFPBFC_SCHED_FUTURE',
    versions: [6],
    when: 'a time too far ahead',
    say: (v) => [open(v), scheduled(v, NOW_S + 3600)],
  },
  {
    error: 'OFPBFC_SCHED_PAST',
    versions: [6],
    when: 'a time too long ago',
    say: (v) => [open(v), scheduled(v, NOW_S - 3600)],
  },
];

export const newerCases: readonly ErrorCase[] = [...propertyCases, ...asyncCases, ...monitorCases, ...bundleCases];

/** Nicira's errors: of messages of Nicira's, in every version that has these. */
const tlvMod = (v: number, command: number, ...maps: readonly b.Bytes[]) =>
  b.nicira(v, 24, [...b.u16(command), ...b.zeros(6), ...maps.flat()]);
const tlv = (index: number, length: number, type = index): b.Bytes => [
  ...b.u16(1),
  type,
  length,
  ...b.u16(index),
  0,
  0,
];
const everywhere = between(1, 6);

/** Nicira's encap; `type`: packet type of the header. */
const encap = (v: number, type: number, properties: b.Bytes = []): Uint8Array =>
  b.flowMod(v, {
    actions: b.vendorAction([...b.u32(b.NICIRA), ...b.u16(46), ...b.u16(0), ...b.u32(type), ...properties]),
  });
const [NSH, IPV4] = [0x1894f, 0x10800];
const NSH_CLASS = 4;

const encapCases: readonly ErrorCase[] = [
  {
    error: 'NXBAC_BAD_HEADER_TYPE',
    versions: since(4),
    when: 'encap with a header other than of Ethernet, NSH and MPLS',
    say: (v) => encap(v, IPV4),
  },
  {
    error: 'NXBAC_UNKNOWN_ED_PROP',
    versions: since(4),
    when: 'a property of encap that there is not, or that is of another header',
    say: (v) => encap(v, NSH, [...b.u16(NSH_CLASS), 9, 8, ...b.zeros(4)]),
  },
  {
    error: 'NXBAC_BAD_ED_PROP',
    versions: since(4),
    when: 'an MD type other than 1 and 2, a context header of more than 127 bytes, or more than 40 bytes of them',
    say: (v) => encap(v, NSH, [...b.u16(NSH_CLASS), 1, 5, 3, ...b.zeros(3)]),
  },
];

export const niciraCases: readonly ErrorCase[] = [
  ...encapCases,
  {
    error: 'NXBRC_NXM_INVALID',
    versions: [1],
    when: "Nicira's flow_mod that adds a flow, with a mask of its cookie",
    say: (v) => {
      // NXM_NX_COOKIE_W
      const match = [0, 1, (30 << 1) | 1, 16, ...b.zeros(7), 1, ...b.ones(8)];
      const head = [
        ...b.zeros(8),
        ...b.u16(0),
        ...b.zeros(4),
        ...b.u16(1),
        ...b.ones(4),
        ...b.u16(0xffff),
        ...b.u16(0),
      ];
      return b.nicira(v, 13, [...head, ...b.u16(match.length), ...b.zeros(6), ...match, ...b.zeros(4)]);
    },
  },
  {
    error: 'OFPMOFC_MONITOR_EXISTS',
    versions: between(1, 4),
    when: 'adding a monitor that is there',
    say: (v) => [b.setup(b.monitor(v)), b.monitor(v)],
  },
  {
    error: 'OFPMOFC_BAD_FLAGS',
    versions: between(1, 4),
    when: 'flags that there are not, or none that say what to tell of',
    say: (v) => b.monitor(v, { flags: 0 }),
  },
  {
    error: 'OFPMOFC_UNKNOWN_MONITOR',
    versions: between(1, 3),
    when: 'cancelling a monitor that is not there',
    say: (v) => b.nicira(v, 21, b.u32(9)),
  },
  {
    error: 'OFPMOFC_UNKNOWN_MONITOR',
    versions: [4],
    when: 'cancelling a monitor that is not there',
    say: (v) => b.experimenter(v, b.ONF, 1870, b.u32(9)),
  },
  {
    error: 'NXTTMFC_BAD_COMMAND',
    versions: everywhere,
    when: 'a change of the table of tunnel options that there is not',
    say: (v) => tlvMod(v, 9),
  },
  {
    error: 'NXTTMFC_BAD_OPT_LEN',
    versions: everywhere,
    when: 'an option of no length, of more than 124 bytes, or of no multiple of 4',
    say: (v) => tlvMod(v, 0, tlv(0, 3)),
  },
  {
    error: 'NXTTMFC_BAD_FIELD_IDX',
    versions: everywhere,
    when: 'more than 64 fields',
    say: (v) => tlvMod(v, 0, tlv(64, 4)),
  },
  {
    error: 'NXTTMFC_TABLE_FULL',
    versions: everywhere,
    when: 'more than 256 bytes of options',
    say: (v) => tlvMod(v, 0, tlv(0, 124), tlv(1, 124), tlv(2, 124)),
  },
  {
    error: 'NXTTMFC_ALREADY_MAPPED',
    versions: everywhere,
    when: 'a field that stands for an option already',
    say: (v) => tlvMod(v, 0, tlv(0, 4), tlv(0, 4, 9)),
  },
  {
    error: 'NXTTMFC_DUP_ENTRY',
    versions: everywhere,
    when: 'an option that a field stands for already',
    say: (v) => tlvMod(v, 0, tlv(0, 4, 9), tlv(1, 4, 9)),
  },
  {
    error: 'NXR_STALE',
    versions: everywhere,
    when: 'a continuation that is not what was told with a paused packet',
    say: (v) => b.nicira(v, 28, [...b.u16(3), ...b.u16(5), 0, ...b.zeros(3)]),
  },
];
