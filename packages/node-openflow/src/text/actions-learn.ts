/** learn(): what the learned flow matches on and does (ovs-actions(7)). */
import { oxmFacts } from '../match/build.js';
import type { LearnSpec, SubfieldStart } from '../nicira/action-types.js';
import { NX_LEARN_F } from '../nicira/constants.js';
import type { ActionContext, ActionParser } from './action-context.js';
import { arrow, parseMove, requireWritable } from './actions-fields.js';
import { bigintToBytes } from './addresses.js';
import { TextFailure, unknownWord } from './error.js';
import { allOnes, parseField } from './field-values.js';
import { Known, requireField } from './known.js';
import { parseInteger, table, u16, u32, u64 } from './numbers.js';
import { fieldsByName, fieldsBySymbol } from './ovs-fields.js';
import { Slots } from './slots.js';
import { type FieldBits, parseSubfield, wireStart } from './subfields.js';
import { type KeyValue, keyValues, type Span } from './tokens.js';

const defaultPriority = 32768;
const defaultTable = 1;

/** There is room for headers of 32 bits only. */
function short(found: FieldBits, at: number): SubfieldStart {
  const start = wireStart(found, at);
  if (oxmFacts(start.field).experimenter !== undefined) {
    throw new TextFailure(`${found.field.name} cannot be used in learn`, at);
  }
  return start;
}

const isSubfield = ({ text }: Span): boolean => {
  const [name] = /^[^[-]*/.exec(text)!;
  return fieldsBySymbol.has(name.replace(/_W$/, '')) || fieldsByName.has(name);
};

const immediate = (value: bigint, bits: number): Uint8Array => bigintToBytes(value, Math.ceil(bits / 8))!;

function number(value: Span, bits: number): bigint {
  const parsed = parseInteger(value.text);
  if (parsed === undefined) throw new TextFailure(`"${value.text}" is neither a field nor a number`, value.at);
  if (parsed >> BigInt(bits) !== 0n) throw new TextFailure(`${value.text} does not fit into ${bits} bits`, value.at);
  return parsed;
}

/** The packet whose bits are copied, the flow that is made of them, and how names are read. */
interface Learning {
  readonly context: ActionContext;
  readonly learned: Slots;
}

function matchSpec({ key, value }: KeyValue, { context, learned }: Learning): LearnSpec {
  const target = parseSubfield(key);
  const destination = short(target, key.at);
  const { field, offset, bits } = target;
  requireField(new Known(learned), field, key.at);
  if (value.text !== '' && !isSubfield(value)) {
    const whole = offset === 0 && bits === field.bits;
    const parsed = whole
      ? parseField(value, field, context.names)
      : { value: number(value, bits), mask: allOnes(8 * field.bytes) };
    if (parsed.mask !== allOnes(8 * field.bytes)) throw new TextFailure('a learned flow has no masks here', value.at);
    if (whole) learned.set(field, parsed);
    return { type: 'match', bits, source: immediate(parsed.value & allOnes(bits), bits), destination };
  }
  const source = value.text === '' ? target : parseSubfield(value);
  if (source.bits !== bits)
    throw new TextFailure(`${bits} bits are matched, and the value has ${source.bits}`, value.at);
  requireField(context.known, source.field, value.text === '' ? key.at : value.at);
  return { type: 'match', bits, source: short(source, value.at), destination };
}

function loadSpec({ value }: KeyValue, { context, learned }: Learning): LearnSpec {
  const { source, target } = arrow(value);
  if (isSubfield(source)) {
    const moved = parseMove(value);
    requireField(context.known, moved.source.field, value.at);
    requireWritable(moved.target.field, moved.targetAt);
    requireField(new Known(learned), moved.target.field, moved.targetAt);
    return {
      type: 'load',
      bits: moved.source.bits,
      source: short(moved.source, value.at),
      destination: short(moved.target, moved.targetAt),
    };
  }
  const found = parseSubfield(target);
  requireWritable(found.field, target.at);
  requireField(new Known(learned), found.field, target.at);
  const bytes = immediate(number(source, found.bits), found.bits);
  return { type: 'load', bits: found.bits, source: bytes, destination: short(found, target.at) };
}

function outputSpec({ value }: KeyValue, { context }: Learning): LearnSpec {
  const source = parseSubfield(value);
  requireField(context.known, source.field, value.at);
  return { type: 'output', bits: source.bits, source: short(source, value.at) };
}

function resultOf(value: Span): SubfieldStart {
  const found = parseSubfield(value);
  requireWritable(found.field, value.at);
  if (found.bits !== 1) throw new TextFailure('result_dst is one bit', value.at);
  return wireStart(found, value.at);
}

const words = [
  'table',
  'priority',
  'idle_timeout',
  'hard_timeout',
  'fin_idle_timeout',
  'fin_hard_timeout',
  'cookie',
  'send_flow_rem',
  'delete_learned',
  'limit',
  'result_dst',
  'load',
  'output',
];

interface Draft {
  idleTimeout: number;
  hardTimeout: number;
  finIdleTimeout: number;
  finHardTimeout: number;
  priority: number;
  cookie: bigint;
  flags: number;
  tableId: number;
  limit: number;
  result?: SubfieldStart;
}

/** One that is about the flow as a whole; false if it is none. */
function takeSetting({ key, value }: KeyValue, draft: Draft, context: ActionContext): boolean {
  switch (key.text) {
    case 'table':
      draft.tableId = table(value, context.names);
      if (draft.tableId === 0xff) throw new TextFailure('nothing is learned into table 255', value.at);
      return true;
    case 'priority':
      draft.priority = u16(value, key.text);
      return true;
    case 'idle_timeout':
      draft.idleTimeout = u16(value, key.text);
      return true;
    case 'hard_timeout':
      draft.hardTimeout = u16(value, key.text);
      return true;
    case 'fin_idle_timeout':
      draft.finIdleTimeout = u16(value, key.text);
      return true;
    case 'fin_hard_timeout':
      draft.finHardTimeout = u16(value, key.text);
      return true;
    case 'cookie':
      draft.cookie = u64(value, key.text);
      return true;
    case 'limit':
      draft.limit = u32(value, key.text);
      return true;
    case 'send_flow_rem':
      draft.flags |= NX_LEARN_F.SEND_FLOW_REM;
      return true;
    case 'delete_learned':
      draft.flags |= NX_LEARN_F.DELETE_LEARNED;
      return true;
    case 'result_dst':
      draft.flags |= NX_LEARN_F.WRITE_RESULT;
      draft.result = resultOf(value);
      return true;
    default:
      return false;
  }
}

export const learn: ActionParser = ({ value }, context) => {
  const draft: Draft = {
    idleTimeout: 0,
    hardTimeout: 0,
    finIdleTimeout: 0,
    finHardTimeout: 0,
    priority: defaultPriority,
    cookie: 0n,
    flags: 0,
    tableId: defaultTable,
    limit: 0,
  };
  const learning: Learning = { context, learned: new Slots() };
  const specs: LearnSpec[] = [];
  for (const word of keyValues(value)) {
    if (takeSetting(word, draft, context)) continue;
    if (isSubfield(word.key)) specs.push(matchSpec(word, learning));
    else if (word.key.text === 'load') specs.push(loadSpec(word, learning));
    else if (word.key.text === 'output') specs.push(outputSpec(word, learning));
    else throw unknownWord('word', word.key.text, word.key.at, [...words, ...fieldsByName.keys()]);
  }
  const { limit, result, ...head } = draft;
  if (limit === 0 && result === undefined) return [{ type: 'nx_learn', ...head, specs }];
  return [{ type: 'nx_learn2', ...head, limit, ...(result === undefined ? {} : { result }), specs }];
};
