/** OFPGMFC, OFPMMFC, OFPPMFC, OFPTMFC, OFPTFFC. */
import { Status } from '../../../../src/datapath/schema.gen.js';
import { GROUPS_MAX, METERS_MAX } from '../../../../src/ofproto/limits.js';
import type { Bed } from '../bed.js';
import * as b from './bytes.js';
import { all, between, type ErrorCase, since } from './case.js';

const one = (v: number) => [b.bucket(v, { actions: b.output(v, 1) })];
const led = (v: number, to: number) => [b.bucket(v, { actions: b.toGroup(to) })];
const mod = (parts: b.GroupModParts) => (v: number) => b.groupMod(v, { buckets: one(v), ...parts });
const INSERT = 3;
const REMOVE = 5;
const LAST = 0xfffffffe;

/** Filling 65 536 places takes long: the native tables are tested for their limits, here the datapath only says so. */
const datapathSays =
  (status: number) =>
  ({ datapath }: Bed): void => {
    datapath.apply = (batch) => new Uint8Array(batch.length === 0 ? 0 : 1).fill(status);
  };

const groupCases: readonly ErrorCase[] = [
  {
    error: 'OFPGMFC_GROUP_EXISTS',
    versions: since(2),
    when: 'adding a group that is there',
    say: (v) => [b.setup(mod({})(v)), mod({})(v)],
  },
  {
    error: 'OFPGMFC_INVALID_GROUP',
    versions: since(2),
    when: 'a number that no group can have, or an indirect group without its one bucket',
    say: mod({ id: 0xffffff01 }),
  },
  {
    error: 'OFPGMFC_OUT_OF_GROUPS',
    versions: since(2),
    when: `more than ${GROUPS_MAX} groups`,
    before: datapathSays(Status.outOfGroups),
    say: mod({}),
  },
  {
    error: 'OFPGMFC_OUT_OF_BUCKETS',
    versions: since(2),
    when: 'more than 1024 buckets',
    say: (v) => b.groupMod(v, { buckets: Array.from({ length: 1025 }, (_, id) => b.bucket(v, { id })) }),
  },
  {
    error: 'OFPGMFC_LOOP',
    versions: since(2),
    when: 'a group that leads back to itself',
    say: (v) => b.groupMod(v, { buckets: led(v, 1) }),
  },
  {
    error: 'OFPGMFC_UNKNOWN_GROUP',
    versions: since(2),
    when: 'changing a group that is not there',
    say: mod({ command: 1 }),
  },
  {
    error: 'OFPGMFC_CHAINED_GROUP',
    versions: since(3),
    when: 'deleting a group that another leads to',
    say: (v) => [
      b.setup(mod({})(v)),
      b.setup(b.groupMod(v, { id: 2, buckets: led(v, 1) })),
      b.groupMod(v, { command: 2 }),
    ],
  },
  { error: 'OFPGMFC_BAD_TYPE', versions: since(3), when: 'a type of group that there is not', say: mod({ type: 9 }) },
  { error: 'OFPGMFC_BAD_COMMAND', versions: since(3), when: 'a command that there is not', say: mod({ command: 99 }) },
  {
    error: 'OFPGMFC_BAD_BUCKET',
    versions: between(3, 5),
    when: 'a bucket shorter or longer than it says',
    say: (v) => b.groupMod(v, { buckets: [[...b.u16(8), ...b.zeros(6)]] }),
  },
  {
    error: 'OFPGMFC_BAD_BUCKET',
    versions: [6],
    when: 'a bucket shorter or longer than it says, or a place in the group that the command does not take',
    say: mod({ command: INSERT, place: 0xffffffff }),
  },
  {
    error: 'OFPGMFC_BAD_WATCH',
    versions: since(3),
    when: 'a bucket that watches what is no port or group',
    say: (v) => b.groupMod(v, { type: 3, buckets: [b.bucket(v, { watchPort: b.CONTROLLER })] }),
  },
  {
    error: 'OFPGMFC_UNKNOWN_BUCKET',
    versions: [6],
    when: 'a bucket that the group does not have',
    say: (v) => [b.setup(mod({})(v)), b.groupMod(v, { command: REMOVE, place: 9 })],
  },
  {
    error: 'OFPGMFC_BUCKET_EXISTS',
    versions: [6],
    when: 'inserting a bucket that the group has',
    say: (v) => [b.setup(mod({})(v)), mod({ command: INSERT, place: LAST })(v)],
  },
];

const meterCases: readonly ErrorCase[] = [
  {
    error: 'OFPMMFC_METER_EXISTS',
    versions: since(4),
    when: 'adding a meter that is there',
    say: (v) => [b.setup(b.meterMod(v)), b.meterMod(v)],
  },
  {
    error: 'OFPMMFC_INVALID_METER',
    versions: since(4),
    when: 'a number that no meter can have',
    say: (v) => b.meterMod(v, { id: 0 }),
  },
  {
    error: 'OFPMMFC_UNKNOWN_METER',
    versions: since(4),
    when: 'changing or reading a meter that is not there, or, before 1.5, a flow that leads to it',
    say: (v) => b.meterMod(v, { command: 1 }),
  },
  {
    error: 'OFPMMFC_BAD_COMMAND',
    versions: since(4),
    when: 'a command that there is not',
    say: (v) => b.meterMod(v, { command: 9 }),
  },
  {
    error: 'OFPMMFC_BAD_FLAGS',
    versions: since(4),
    when: 'flags that there are not, or both units',
    say: (v) => b.meterMod(v, { flags: 3 }),
  },
  {
    error: 'OFPMMFC_BAD_RATE',
    versions: since(4),
    when: 'a band of rate 0',
    say: (v) => b.meterMod(v, { bands: b.band(0) }),
  },
  {
    error: 'OFPMMFC_BAD_BURST',
    versions: since(4),
    when: 'a meter with bursts, and a band of burst 0',
    say: (v) => b.meterMod(v, { flags: 5 }),
  },
  {
    error: 'OFPMMFC_BAD_BAND',
    versions: since(4),
    when: 'a band of an unknown type',
    say: (v) => b.meterMod(v, { bands: b.band(1, 0, 9) }),
  },
  {
    error: 'OFPMMFC_BAD_BAND_VALUE',
    versions: since(4),
    when: 'a DSCP band that changes nothing',
    say: (v) => b.meterMod(v, { bands: b.band(1, 0, 2) }),
  },
  {
    error: 'OFPMMFC_OUT_OF_METERS',
    versions: since(4),
    when: `more than ${METERS_MAX} meters`,
    before: datapathSays(Status.outOfMeters),
    say: (v) => b.meterMod(v),
  },
  {
    error: 'OFPMMFC_OUT_OF_BANDS',
    versions: since(4),
    when: 'more than 16 bands',
    say: (v) => b.meterMod(v, { bands: Array.from({ length: 17 }, () => b.band(1)).flat() }),
  },
];

const portCases: readonly ErrorCase[] = [
  {
    error: 'OFPPMFC_BAD_PORT',
    versions: all,
    when: 'a port that is not there',
    say: (v) => b.portMod(v, { number: 9 }),
  },
  {
    error: 'OFPPMFC_BAD_HW_ADDR',
    versions: all,
    when: 'another hardware address than the port has',
    say: (v) => b.portMod(v, { hardware: b.zeros(6) }),
  },
  {
    error: 'OFPPMFC_BAD_CONFIG',
    versions: since(2),
    when: 'bits that there are not',
    say: (v) => b.portMod(v, { config: 2 }),
  },
  {
    error: 'OFPPMFC_BAD_ADVERTISE',
    versions: since(2),
    when: 'features that the port does not have',
    say: (v) => b.portMod(v, { advertise: 1 }),
  },
];

const BAD_MISS = 3;
const tableCases: readonly ErrorCase[] = [
  {
    error: 'OFPTMFC_BAD_TABLE',
    versions: since(2),
    when: 'a table that is not there',
    say: (v) => b.tableMod(v, 254, 0),
  },
  {
    error: 'OFPTMFC_BAD_CONFIG',
    versions: since(2),
    when: 'bits that there are not',
    say: (v) => b.tableMod(v, 0, v <= 3 ? BAD_MISS : 0x40),
  },
];

const features = (parts: b.TableParts) => (v: number) => b.setTables(v, b.tableFeatures(v, parts));
/** OFPTFPT_NEXT_TABLES with one table. */
const nextTables = (table: number): b.Bytes => b.property(2, [table]);

const featureCases: readonly ErrorCase[] = [
  {
    error: 'OFPTFFC_BAD_TABLE',
    versions: since(4),
    when: 'a table that is not there, or one twice',
    say: features({ table: 254 }),
  },
  {
    error: 'OFPTFFC_BAD_TYPE',
    versions: [4],
    when: 'a property that there is not',
    say: features({ properties: b.property(99, b.zeros(4)) }),
  },
  {
    error: 'OFPTFFC_BAD_LEN',
    versions: [4],
    when: 'a table or property shorter or longer than it says',
    say: features({ length: 48 }),
  },
  {
    error: 'OFPTFFC_BAD_ARGUMENT',
    versions: [4],
    when: 'what a table cannot do',
    say: features({ properties: nextTables(0) }),
  },
  { error: 'OFPTFFC_EPERM', versions: since(4), when: 'a pipeline without table 0', say: features({ table: 1 }) },
  {
    error: 'OFPTFFC_BAD_CAPA',
    versions: [6],
    when: 'capabilities that a table does not have',
    say: features({ config: 0x40 }),
  },
  {
    error: 'OFPTFFC_BAD_MAX_ENT',
    versions: [6],
    when: 'more flows than a table takes',
    say: features({ maxEntries: 0xffffffff }),
  },
  {
    error: 'OFPTFFC_BAD_FEATURES',
    versions: [6],
    when: 'features that there are not, an ingress table behind egress tables, or a first egress table that the flows do not suit',
    say: features({ features: 0x40 }),
  },
  {
    error: 'OFPTFFC_BAD_COMMAND',
    versions: [6],
    when: 'a command that there is not, or several',
    say: features({ command: 9 }),
  },
];

export const tableErrorCases: readonly ErrorCase[] = [
  ...groupCases,
  ...meterCases,
  ...portCases,
  ...tableCases,
  ...featureCases,
];
