/** Actions that are wrong whatever they are part of (native/actions/validate.h). */
import { isPushable } from './model-edit.js';
import type { ActionRecord } from './records-action.js';
import { fieldOnes } from './records-match.js';
import { fields, Status } from './schema.gen.js';

/** A Status. */
export function checkAction(action: ActionRecord): number {
  switch (action.kind) {
    case 'push_pbb':
    case 'pop_pbb':
      return Status.badAction;
    case 'push_vlan':
    case 'push_mpls':
    case 'pop_mpls':
      return isPushable(action.kind, action.ethertype) ? Status.ok : Status.badAction;
    case 'set_field': {
      const { name, settable } = fields[action.field]!;
      if (!settable || name === 'pbb_isid') return Status.badField;
      return (action.value & ~fieldOnes(action.field)) === 0n ? Status.ok : Status.badAction;
    }
    default:
      return Status.ok;
  }
}
