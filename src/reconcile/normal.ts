/** Flows, groups and meters in one form, so that what means the same is the same text. */
import {
  type Action,
  type FlowStats,
  type GroupDesc,
  type Instruction,
  type MeterConfig,
  normalizeMatch,
  of13,
  oxm,
  oxmFacts,
  type SubfieldStart,
} from 'node-openflow';
import { canonicalMatch, formatGroup, formatInstructions, formatMeter } from 'node-openflow/text';
import { keyOf, type ProgramFlow } from '../compiler/index.js';

const { OFPFF } = of13;
/** Flags that a flow keeps; the others are about adding it. */
const KEPT_FLAGS = OFPFF.SEND_FLOW_REM | OFPFF.NO_PKT_COUNTS | OFPFF.NO_BYT_COUNTS;

type Flow = Pick<
  FlowStats,
  'tableId' | 'priority' | 'match' | 'instructions' | 'idleTimeout' | 'hardTimeout' | 'flags'
>;

/** Fields that nothing else stands for, so that their bytes say what they mean. */
const plainFields: ReadonlySet<string> = new Set([
  ...['in_port', 'metadata', 'eth_type', 'ip_proto', 'arp_op', 'vlan_vid', 'vlan_pcp'],
  ...['eth', 'ipv4', 'ipv6', 'tcp', 'udp', 'sctp'].flatMap((name) => [`${name}_src`, `${name}_dst`]),
  ...['arp_spa', 'arp_tpa', 'icmpv4_type', 'icmpv4_code', 'icmpv6_type', 'icmpv6_code'],
  ...Array.from({ length: 16 }, (_, n) => `reg${n}`),
]);

/** Which flow it is: table, priority and match, as a key. */
export function flowKey({ tableId, priority, match }: Pick<Flow, 'tableId' | 'priority' | 'match'>): string {
  const plain = match.every(({ field }) => plainFields.has(field)) ? match : canonicalMatch(normalizeMatch(match));
  const whole = plain.some((one) => 'mask' in one) ? normalizeMatch(plain) : plain;
  return keyOf({ tableId, priority, match: whole });
}

/** The same of a flow of a program, whose own key it mostly is. */
export const programKey = ({ mod, key }: ProgramFlow): string =>
  mod.match.every((one) => plainFields.has(one.field) && !('mask' in one)) ? key : flowKey(mod);

type Load = Extract<Action, { readonly type: 'nx_reg_load' }>;

const NARROW_PORT = 'nxm_of_in_port';
/** The port of 16 bits is the lower half of that of 32. */
const widePort = <Start extends SubfieldStart>(start: Start): Start =>
  start.field === NARROW_PORT ? { ...start, field: 'in_port' } : start;

/** Of ports with 16 bits the reserved ones are those of OpenFlow 1.0. */
function widePortLoad(action: Load): Load {
  const { field, offset, bits } = action.destination;
  if (field !== NARROW_PORT || offset !== 0 || bits !== 16) return action;
  const value = action.value >= 0xff00n ? action.value | 0xffff_0000n : action.value;
  return { ...action, destination: { field: 'in_port', offset, bits: 32 }, value };
}

/** Loading all of a field is setting it, and is told so by switches. */
function plain(written: Action): Action {
  if (written.type === 'nx_clone') return { ...written, actions: written.actions.map(plain) };
  if (written.type === 'nx_reg_move')
    return { ...written, source: widePort(written.source), destination: widePort(written.destination) };
  if (written.type !== 'nx_reg_load') return written;
  const action = widePortLoad(written);
  const { field, offset, bits } = action.destination;
  if (offset !== 0 || bits !== oxmFacts(field).bits) return action;
  return { type: 'set_field', oxm: oxm(field, action.value) };
}

const plainInstruction = (one: Instruction): Instruction =>
  one.type === 'apply_actions' || one.type === 'write_actions' ? { ...one, actions: one.actions.map(plain) } : one;

/** Flows that do the same may share their instructions. */
const texts = new WeakMap<readonly Instruction[], string>();

/** What it does. */
export function flowActions({ instructions }: Pick<Flow, 'instructions'>): string {
  const known = texts.get(instructions) ?? formatInstructions(instructions.map(plainInstruction));
  texts.set(instructions, known);
  return known;
}

/** What it is besides: timeouts and flags. */
export const flowSettings = ({ idleTimeout, hardTimeout, flags }: Flow): string =>
  `idle=${idleTimeout},hard=${hardTimeout},flags=${flags & KEPT_FLAGS}`;

export const groupText = (group: Pick<GroupDesc, 'groupId' | 'groupType' | 'buckets'>): string =>
  formatGroup({
    ...group,
    buckets: group.buckets.map((bucket) => ({ ...bucket, actions: bucket.actions.map(plain) })),
  });

export const meterText = ({ meterId, flags, bands }: MeterConfig): string => formatMeter({ meterId, flags, bands });
