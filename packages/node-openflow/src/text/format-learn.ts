/** learn() as ovs-ofctl prints it. */
import type { LearnSpec, NxLearn, NxLearn2, SubfieldStart } from '../nicira/action-types.js';
import { NX_LEARN_F } from '../nicira/constants.js';
import { bytesToBigint } from './addresses.js';
import { fieldText, hexText } from './field-values.js';
import { type NamesOf, tableText } from './numbers.js';
import { fieldsByWire } from './ovs-fields.js';
import { subfieldText } from './subfields.js';

const defaultPriority = 32768;

const same = (a: SubfieldStart, b: SubfieldStart): boolean => a.field === b.field && a.offset === b.offset;

function specText(spec: LearnSpec, names: NamesOf): string {
  if (spec.type === 'output') return `output:${subfieldText(spec.source, spec.bits)}`;
  const { bits, source, destination } = spec;
  const target = subfieldText(destination, bits);
  if (spec.type === 'load') {
    return `load:${source instanceof Uint8Array ? hexText(bytesToBigint(source)) : subfieldText(source, bits)}->${target}`;
  }
  if (!(source instanceof Uint8Array))
    return same(source, destination) ? target : `${target}=${subfieldText(source, bits)}`;
  const field = fieldsByWire.get(destination.field);
  const whole = field !== undefined && destination.offset === 0 && bits === field.bits;
  return whole
    ? `${field.name}=${fieldText(field, bytesToBigint(source), undefined, names)}`
    : `${target}=${hexText(bytesToBigint(source))}`;
}

export function learnText(action: NxLearn | NxLearn2, names: NamesOf): string {
  const { flags } = action;
  const { limit, result } = action.type === 'nx_learn2' ? action : { limit: 0, result: undefined };
  const parts = [
    `table=${tableText(action.tableId, names)}`,
    action.idleTimeout !== 0 && `idle_timeout=${action.idleTimeout}`,
    action.hardTimeout !== 0 && `hard_timeout=${action.hardTimeout}`,
    action.finIdleTimeout !== 0 && `fin_idle_timeout=${action.finIdleTimeout}`,
    action.finHardTimeout !== 0 && `fin_hard_timeout=${action.finHardTimeout}`,
    action.priority !== defaultPriority && `priority=${action.priority}`,
    (flags & NX_LEARN_F.SEND_FLOW_REM) !== 0 && 'send_flow_rem',
    (flags & NX_LEARN_F.DELETE_LEARNED) !== 0 && 'delete_learned',
    action.cookie !== 0n && `cookie=${hexText(action.cookie)}`,
    limit !== 0 && `limit=${limit}`,
    result !== undefined && `result_dst=${subfieldText(result, 1)}`,
    ...action.specs.map((spec) => specText(spec, names)),
  ];
  return `learn(${parts.filter((part) => part !== false).join(',')})`;
}
