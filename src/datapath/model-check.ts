/** Actions that are wrong whatever they are part of (native/actions/validate.h). */
import { isPushable } from './model-edit.js';
import type { ActionRecord } from './records-action.js';
import { fieldOnes } from './records-match.js';
import { isNicira, isWholeField, type NiciraActionRecord, type SubfieldRecord, subfieldsOf } from './records-nicira.js';
import { allTables, fields, firstRegister, Status, tables } from './schema.gen.js';

/** kCloneNestingMax of native/base/limits.h. */
const CLONE_NESTING_MAX = 16;

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
    case 'resubmit':
      return ok(action.table < tables || action.table === allTables);
    case 'clone':
      if (nesting >= CLONE_NESTING_MAX) return Status.badAction;
      return first(action.actions.map((inner) => checkNested(inner, nesting + 1)));
    default:
      return Status.ok;
  }
}

/** For write_actions and buckets: also what an action set cannot hold. */
export function checkSet(actions: readonly ActionRecord[]): number {
  const wrong = first(actions.map(checkAction));
  if (wrong !== Status.ok) return wrong;
  const fits = (action: ActionRecord) =>
    !isNicira(action) || action.kind === 'resubmit' || (action.kind === 'load' && isWholeField(action.to));
  return actions.every(fits) ? Status.ok : Status.badAction;
}
