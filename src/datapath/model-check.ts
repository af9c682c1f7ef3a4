/** Actions that are wrong whatever they are part of (native/actions/validate.h). */

import { isPushable } from './model-edit.js';
import { isEncap } from './model-encap.js';
import type { ActionRecord, InstructionRecord } from './records-action.js';
import type { LearnRecord } from './records-learn.js';
import { fieldOnes } from './records-match.js';
import { isNicira, isWholeField, type NiciraActionRecord, type SubfieldRecord, subfieldsOf } from './records-nicira.js';
import {
  allTables,
  fields,
  firstRegister,
  LearnFlag,
  portsMax,
  ReservedPort,
  Stat,
  StatTriggerFlag,
  Status,
  tables,
} from './schema.gen.js';

/** kCloneNestingMax of native/base/limits.h. */
const CLONE_NESTING_MAX = 16;
/** kBundleMembersMax and kClausesMax. */
const BUNDLE_MEMBERS_MAX = 64;
const CLAUSES_MAX = 64;
/** kTruncatedMin and kLearnSpecsMax. */
const TRUNCATED_MIN = 14;
const LEARN_SPECS_MAX = 128;
const LEARN_FLAGS = 7;
const SAMPLE_DIRECTIONS = 3;
/** How many there are of NX_HASH_FIELDS, NX_MP_ALG and NX_BD_ALG. */
const HASH_FIELDS = 7;
const MULTIPATH_ALGORITHMS = 4;
const BUNDLE_ALGORITHMS = 2;

/** A Status. */
export function checkAction(action: ActionRecord): number {
  return checkNested(action, 0);
}

/** The first that is not ok. */
function first(statuses: readonly number[]): number {
  return statuses.find((status) => status !== Status.ok) ?? Status.ok;
}

function checkNested(action: ActionRecord, nesting: number): number {
  switch (action.kind) {
    case 'push_pbb':
    case 'push_vlan':
    case 'push_mpls':
    case 'pop_mpls':
      return isPushable(action.kind, action.ethertype) ? Status.ok : Status.badAction;
    case 'encap':
      return isEncap(action) ? Status.ok : Status.badAction;
    case 'set_masked': {
      if (!isWritable(action.field)) return Status.badField;
      const within = (action.mask & ~fieldOnes(action.field)) === 0n && (action.value & ~action.mask) === 0n;
      return within ? Status.ok : Status.badAction;
    }
    case 'set_field':
      if (!fields[action.field]!.settable) return Status.badField;
      return (action.value & ~fieldOnes(action.field)) === 0n ? Status.ok : Status.badAction;
    default:
      return isNicira(action) ? checkNicira(action, nesting) : Status.ok;
  }
}

/** Fields that no set_field may change: the registers with their views, and the ingress port. */
function isWritable(field: number): boolean {
  return fields[field]!.settable || field >= firstRegister || fields[field]!.name === 'in_port';
}

function exists({ field, offset, bits }: SubfieldRecord): boolean {
  const place = fields[field];
  return place !== undefined && bits > 0 && offset + bits <= place.bits;
}

function checkNicira(action: NiciraActionRecord, nesting: number): number {
  const { read, written } = subfieldsOf(action);
  if (![...read, ...written].every(exists)) return Status.badField;
  if (!written.every(({ field }) => isWritable(field))) return Status.badField;
  const ok = (condition: boolean) => (condition ? Status.ok : Status.badAction);
  switch (action.kind) {
    case 'load':
      return ok(action.value >> BigInt(action.to.bits) === 0n);
    case 'move':
      return ok(action.from.bits === action.to.bits);
    case 'check_pkt_larger':
      return ok(action.to.bits === 1);
    case 'multipath': {
      const known = action.algorithm < MULTIPATH_ALGORITHMS && action.hashFields < HASH_FIELDS;
      return ok(known && action.maxLink < 2 ** action.to.bits);
    }
    case 'bundle': {
      const known = action.algorithm < BUNDLE_ALGORITHMS && action.hashFields < HASH_FIELDS;
      return ok(known && action.members.length <= BUNDLE_MEMBERS_MAX);
    }
    case 'conjunction': {
      const { clause, clauses } = action;
      return ok(nesting === 0 && clauses >= 2 && clauses <= CLAUSES_MAX && clause < clauses);
    }
    case 'output_trunc': {
      const port = action.port === ReservedPort.inPort || action.port === ReservedPort.local;
      return ok((port || (action.port > 0 && action.port < portsMax)) && action.bytes >= TRUNCATED_MIN);
    }
    case 'sample':
      return ok(action.probability !== 0 && action.direction < SAMPLE_DIRECTIONS);
    case 'learn':
      return checkLearn(action);
    case 'resubmit':
      return ok(action.table < tables || action.table === allTables);
    case 'clone':
      if (nesting >= CLONE_NESTING_MAX) return Status.badAction;
      return first(action.actions.map((inner) => checkNested(inner, nesting + 1)));
    default:
      return Status.ok;
  }
}

function checkLearn({ table, flags, result, specs }: LearnRecord): number {
  const writes = (flags & LearnFlag.writeResult) !== 0;
  if (!writes && result !== undefined) return Status.malformed;
  if (writes && result === undefined) return Status.badField;
  const widths = specs.every((spec) => {
    if (spec.use === 'output') return true;
    return typeof spec.from === 'bigint' ? spec.from >> BigInt(spec.to.bits) === 0n : spec.from.bits === spec.to.bits;
  });
  const right = table < tables && flags <= LEARN_FLAGS && (result === undefined || result.bits === 1);
  return right && widths && specs.length <= LEARN_SPECS_MAX ? Status.ok : Status.badAction;
}

/** A flow with conjunctions is a part of a match and does nothing else. */
export function checkConjunctions(instructions: readonly InstructionRecord[]): number {
  const applied = instructions.flatMap((i) => (i.kind === 'apply' ? i.actions : []));
  if (!applied.some(({ kind }) => kind === 'conjunction')) return Status.ok;
  const alone = applied.every(({ kind }) => kind === 'conjunction' || kind === 'note');
  return alone && instructions.every(({ kind }) => kind === 'apply') ? Status.ok : Status.badAction;
}

const STATS: readonly number[] = Object.values(Stat);
const TRIGGER_FLAGS = StatTriggerFlag.periodic | StatTriggerFlag.onlyFirst;

/** Each statistic at most once, no threshold of 0. */
export function checkTrigger({ flags, thresholds }: InstructionRecord & { readonly kind: 'stat_trigger' }): number {
  const once = new Set(thresholds.map(({ stat }) => stat)).size === thresholds.length;
  const right = thresholds.every(({ stat, value }) => STATS.includes(stat) && value > 0n);
  return once && right && (flags & ~TRIGGER_FLAGS) === 0 ? Status.ok : Status.badAction;
}

/** For write_actions and buckets: also what an action set cannot hold. */
export function checkSet(actions: readonly ActionRecord[]): number {
  const wrong = first(actions.map(checkAction));
  if (wrong !== Status.ok) return wrong;
  const fits = (action: ActionRecord) =>
    !isNicira(action) ||
    action.kind === 'resubmit' ||
    action.kind === 'move' ||
    (action.kind === 'load' && isWholeField(action.to));
  return actions.every(fits) ? Status.ok : Status.badAction;
}
