/** OFPBAC, OFPBIC, OFPBMC, OFPFMFC. */
import { RecordWriter, writeTableConfig } from '../../../../src/datapath/records.js';
import { TableMiss } from '../../../../src/datapath/schema.gen.js';
import * as b from './bytes.js';
import { all, between, type ErrorCase, since } from './case.js';

const withAction = (action: b.Bytes) => (v: number) => b.flowMod(v, { actions: action });
const withInstructions =
  (...instructions: readonly b.Bytes[]) =>
  (v: number) =>
    b.flowMod(v, { instructions: instructions.flat() });
const withMatch =
  (...tlvs: readonly b.Bytes[]) =>
  (v: number) =>
    b.flowMod(v, { match: b.oxmMatch(...tlvs) });
const outputs = (v: number) => {
  const one = b.output(v, 1);
  return Array.from({ length: Math.floor(65_000 / one.length) }, () => one).flat();
};
const nobodys = withAction(b.vendorAction([...b.u32(0xabcdef), ...b.zeros(8)]));
const niciras = withAction(b.vendorAction([...b.u32(b.NICIRA), ...b.u16(4711), ...b.zeros(6)]));

const actionCases: readonly ErrorCase[] = [
  {
    error: 'OFPBAC_BAD_TYPE',
    versions: all,
    when: 'an action that the version does not have',
    say: withAction(b.action(99, b.zeros(4))),
  },
  {
    error: 'OFPBAC_BAD_LEN',
    versions: all,
    when: 'an action shorter or longer than its type or its list',
    say: withAction([...b.u16(0), ...b.u16(4), ...b.zeros(4)]),
  },
  { error: 'OFPBAC_BAD_VENDOR', versions: [1], when: 'an action of an unknown vendor', say: nobodys },
  { error: 'OFPBAC_BAD_EXPERIMENTER', versions: since(2), when: 'an action of an unknown experimenter', say: nobodys },
  { error: 'OFPBAC_BAD_VENDOR_TYPE', versions: [1], when: "an unknown action of Nicira's", say: niciras },
  { error: 'OFPBAC_BAD_EXPERIMENTER_TYPE', versions: [2], when: "an unknown action of Nicira's", say: niciras },
  { error: 'OFPBAC_BAD_EXP_TYPE', versions: since(3), when: "an unknown action of Nicira's", say: niciras },
  {
    error: 'OFPBAC_BAD_OUT_PORT',
    versions: all,
    when: 'an output to a number that no port can have, or to TABLE in a flow',
    say: (v) => b.flowMod(v, { actions: b.output(v, 0) }),
  },
  {
    error: 'OFPBAC_BAD_ARGUMENT',
    versions: all,
    when: 'an ethertype, VLAN or DSCP that an action cannot have',
    say: (v) => b.flowMod(v, { actions: v === 1 ? b.action(2, [9, 0, 0, 0]) : b.action(17, [8, 0, 0, 0]) }),
  },
  {
    error: 'OFPBAC_TOO_MANY',
    versions: all,
    when: 'more actions than a dump could tell',
    say: (v) => b.flowMod(v, { actions: outputs(v) }),
  },
  {
    error: 'OFPBAC_BAD_QUEUE',
    versions: all,
    when: 'the number that stands for all queues',
    say: (v) =>
      b.flowMod(v, {
        actions: v === 1 ? b.action(11, [...b.u16(1), ...b.zeros(6), ...b.ones(4)]) : b.action(21, b.ones(4)),
      }),
  },
  {
    error: 'OFPBAC_BAD_OUT_GROUP',
    versions: since(2),
    when: 'a group that is not there',
    say: withAction(b.toGroup(7)),
  },
  {
    error: 'OFPBAC_MATCH_INCONSISTENT',
    versions: since(2),
    when: "an action on a header that the flow's packets need not have",
    say: withAction(b.action(24, b.zeros(4))),
  },
  {
    error: 'OFPBAC_BAD_SET_TYPE',
    versions: since(3),
    when: 'a set_field of what cannot be set',
    say: withAction(b.setField(b.oxm(0, b.u32(1)))),
  },
  {
    error: 'OFPBAC_BAD_SET_LEN',
    versions: since(3),
    when: 'a set_field whose field is longer or shorter than it is',
    say: withAction(b.setField(b.oxm(3, b.zeros(5)))),
  },
  {
    error: 'OFPBAC_BAD_SET_ARGUMENT',
    versions: since(3),
    when: 'a set_field with a value that its field cannot have',
    say: withAction(b.setField(b.oxm(7, [8]))),
  },
  {
    error: 'OFPBAC_BAD_METER',
    versions: [6],
    when: 'a meter that is not there',
    say: withAction(b.action(29, b.u32(7))),
  },
];

const instructionCases: readonly ErrorCase[] = [
  {
    error: 'OFPBIC_UNKNOWN_INST',
    versions: since(2),
    when: 'an instruction that the version does not have',
    say: withInstructions(b.instruction(99, b.zeros(4))),
  },
  {
    error: 'OFPBIC_UNSUP_INST',
    versions: between(2, 4),
    when: 'an instruction twice',
    say: withInstructions(b.instruction(5, b.zeros(4)), b.instruction(5, b.zeros(4))),
  },
  {
    error: 'OFPBIC_UNSUP_INST',
    versions: [6],
    when: 'a stat_trigger of what a flow does not count, or with unknown flags',
    say: withInstructions(
      b.instruction(7, [...b.u32(8), ...b.u16(0), ...b.u16(16), 0x80, 2, 4 << 1, 8, ...b.zeros(7), 1]),
    ),
  },
  {
    error: 'OFPBIC_DUP_INST',
    versions: since(5),
    when: 'an instruction twice',
    say: withInstructions(b.instruction(5, b.zeros(4)), b.instruction(5, b.zeros(4))),
  },
  {
    error: 'OFPBIC_BAD_TABLE_ID',
    versions: since(2),
    when: 'a goto_table that does not lead forward to a table that is there',
    say: withInstructions(b.gotoTable(0)),
  },
  {
    error: 'OFPBIC_UNSUP_EXP_INST',
    versions: [2],
    when: 'an instruction of an experimenter: there are none',
    say: withInstructions(b.instruction(0xffff, b.u32(7))),
  },
  {
    error: 'OFPBIC_BAD_EXPERIMENTER',
    versions: since(3),
    when: 'an instruction of an experimenter: there are none',
    say: withInstructions(b.instruction(0xffff, b.u32(7))),
  },
  {
    error: 'OFPBIC_BAD_LEN',
    versions: since(3),
    when: 'an instruction shorter or longer than its type or its message',
    say: withInstructions([...b.u16(1), ...b.u16(16), ...b.zeros(4)]),
  },
];

const wrongType = (v: number): b.Bytes =>
  v === 2 ? b.match11({ 0: b.u16(9) }) : [...b.u16(9), ...b.u16(4), ...b.zeros(4)];
const tooLong = (v: number): b.Bytes =>
  v === 2 ? b.match11({ 2: b.u16(200) }) : [...b.u16(1), ...b.u16(200), ...b.zeros(4)];
/** OFPFW11_DL_VLAN_PCP is not among them: priority 9. */
const priority11 = b.match11({ 8: b.u32(0x3ff & ~(1 << 2) & ~(1 << 1)), 36: b.u16(5), 38: [9] });

const matchCases: readonly ErrorCase[] = [
  {
    error: 'OFPBMC_BAD_TYPE',
    versions: since(2),
    when: 'a match of an unknown type',
    say: (v) => b.flowMod(v, { match: wrongType(v) }),
  },
  {
    error: 'OFPBMC_BAD_LEN',
    versions: since(2),
    when: 'a match or a field shorter or longer than it is',
    say: (v) => b.flowMod(v, { match: tooLong(v) }),
  },
  {
    error: 'OFPBMC_BAD_WILDCARDS',
    versions: since(3),
    when: 'a value with bits outside of its mask',
    say: withMatch(b.oxm(5, [8, 0]), b.oxm(11, [10, 0, 0, 1], [255, 255, 255, 0])),
  },
  {
    error: 'OFPBMC_BAD_FIELD',
    versions: since(3),
    when: 'a field that the version does not have',
    say: withMatch(b.oxm(100, [0])),
  },
  {
    error: 'OFPBMC_BAD_VALUE',
    versions: [2],
    when: 'a value that its field cannot have',
    say: (v) => b.flowMod(v, { match: priority11 }),
  },
  {
    error: 'OFPBMC_BAD_VALUE',
    versions: since(3),
    when: 'a value that its field cannot have',
    say: withMatch(b.oxm(6, [0x3f, 0xff])),
  },
  {
    error: 'OFPBMC_BAD_MASK',
    versions: since(3),
    when: 'a mask of a field that takes none',
    say: withMatch(b.oxm(0, b.u32(1), b.u32(1))),
  },
  {
    error: 'OFPBMC_BAD_PREREQ',
    versions: since(3),
    when: 'a field without those that it needs',
    say: withMatch(b.oxm(11, [10, 0, 0, 1])),
  },
  {
    error: 'OFPBMC_DUP_FIELD',
    versions: since(3),
    when: 'a field twice',
    say: withMatch(b.oxm(0, b.u32(1)), b.oxm(0, b.u32(1))),
  },
];

const inPort = (v: number): b.Bytes =>
  v === 1
    ? b.match10({ 0: b.u32(0x3ffffe), 4: b.u16(1) })
    : v === 2
      ? b.match11({ 4: b.u32(1), 8: b.u32(0x3fe) })
      : b.oxmMatch(b.oxm(0, b.u32(1)));
const CHECK_OVERLAP = 2;
/** Table 0 takes no flow. */
const full = (bed: Parameters<NonNullable<ErrorCase['before']>>[0]) => {
  const writer = new RecordWriter(16);
  writeTableConfig(writer, { table: 0, maxEntries: 0, miss: TableMiss.default, eviction: 0 });
  bed.datapath.apply(writer.view());
};
const overlap = (v: number) => [b.setup(b.flowMod(v)), b.flowMod(v, { flags: CHECK_OVERLAP, match: inPort(v) })];
const unknownFlag = (v: number) => b.flowMod(v, { flags: 0x4000 });
const EMERGENCY = 4;

const flowModCases: readonly ErrorCase[] = [
  {
    error: 'OFPFMFC_ALL_TABLES_FULL',
    versions: [1],
    when: 'a table at its limit, or an emergency flow: there is no table for such',
    before: full,
    say: (v) => b.flowMod(v),
  },
  {
    error: 'OFPFMFC_TABLE_FULL',
    versions: since(2),
    when: 'a table at its limit',
    before: full,
    say: (v) => b.flowMod(v),
  },
  {
    error: 'OFPFMFC_OVERLAP',
    versions: all,
    when: 'a flow that overlaps with one of its priority, where it asks for the check',
    say: overlap,
  },
  {
    error: 'OFPFMFC_BAD_EMERG_TIMEOUT',
    versions: [1],
    when: 'an emergency flow with a timeout',
    say: (v) => b.flowMod(v, { flags: EMERGENCY, idle: 5 }),
  },
  {
    error: 'OFPFMFC_BAD_COMMAND',
    versions: all,
    when: 'a command that there is not',
    say: (v) => b.flowMod(v, { command: 9 }),
  },
  { error: 'OFPFMFC_UNSUPPORTED', versions: [1], when: 'what 1.0 has no error for: unknown flags', say: unknownFlag },
  { error: 'OFPFMFC_UNKNOWN', versions: [2], when: 'what 1.1 has no error for: unknown flags', say: unknownFlag },
  {
    error: 'OFPFMFC_BAD_TABLE_ID',
    versions: since(2),
    when: 'a table that is not there',
    say: (v) => b.flowMod(v, { table: 254 }),
  },
  { error: 'OFPFMFC_BAD_FLAGS', versions: since(3), when: 'flags that the version does not have', say: unknownFlag },
];

export const flowCases: readonly ErrorCase[] = [...actionCases, ...instructionCases, ...matchCases, ...flowModCases];
