/** Actions and instructions: what stands behind `actions=` (ovs-actions(7)). */
import type { Action, Instruction } from '../types/action.js';
import type { ActionContext, ActionParsers, Parsed } from './action-context.js';
import { nestingActions } from './actions-ct.js';
import { fieldActions } from './actions-fields.js';
import { otherActions } from './actions-other.js';
import { outputActions, outputTo } from './actions-output.js';
import { parsing, TextFailure, type TextResult, unknownWord } from './error.js';
import type { Known } from './known.js';
import { type Names, tryPort } from './numbers.js';
import { type KeyValue, keyValues, lookUp, type Span, span } from './tokens.js';

const parsers: ActionParsers = { ...outputActions, ...fieldActions, ...nestingActions, ...otherActions };
export const actionWords: readonly string[] = [
  ...Object.keys(parsers),
  'drop',
  'in_port',
  'normal',
  'flood',
  'all',
  'local',
];

/** Actions in actions in actions. */
const maxDepth = 100;

/** Instructions are carried out in this order, and written in it (OpenFlow 1.3.5 §5.9). */
const order = ['meter', 'apply_actions', 'clear_actions', 'write_actions', 'write_metadata', 'goto_table'];
const isInstruction = (parsed: Parsed): parsed is Instruction => !Array.isArray(parsed);
const instructionOf = (parsed: Parsed): string => (isInstruction(parsed) ? parsed.type : 'apply_actions');

interface Piece {
  readonly word: KeyValue;
  readonly parsed: Parsed;
}

function parseWord(word: KeyValue, context: ActionContext): Parsed {
  const name = word.key.text.toLowerCase();
  const parser = lookUp(parsers, name);
  if (parser !== undefined) return parser(word, context);
  if (name === 'apply_actions') throw new TextFailure('apply_actions is what actions are without a word', word.key.at);
  const port = tryPort(word.key.text, context.names);
  if (port === undefined) throw unknownWord('action', word.key.text, word.key.at, actionWords);
  return [outputTo(port)];
}

function checkOrder(pieces: readonly Piece[], instructions: boolean, outer: ActionContext['outer']): void {
  let last = -1;
  for (const { word, parsed } of pieces) {
    const name = instructionOf(parsed);
    const rank = order.indexOf(name);
    const { at } = word.key;
    if (rank < last) throw new TextFailure(`${name} must stand before ${order[last]}`, at);
    if (rank === last && name !== 'apply_actions') throw new TextFailure(`${name} stands there twice`, at);
    if (isInstruction(parsed) && outer !== undefined) throw new TextFailure(`${name} cannot stand in ${outer}`, at);
    if (isInstruction(parsed) && !instructions) throw new TextFailure(`${name} is an instruction, no action`, at);
    last = rank;
  }
}

/** conjunction goes with note and nothing else. */
function checkConjunctions(pieces: readonly Piece[]): void {
  if (!pieces.some(({ word }) => word.key.text.toLowerCase() === 'conjunction')) return;
  const other = pieces.find(({ word }) => !['conjunction', 'note'].includes(word.key.text.toLowerCase()));
  if (other !== undefined)
    throw new TextFailure(`conjunction goes with note only, not ${other.word.key.text}`, other.word.key.at);
}

/** ct(exec(...)) sets fields and nothing else; which ones, the actions check. */
const inCt = ['set_field', 'load', 'move'];

function parsePieces(text: Span, context: ActionContext, instructions: boolean): readonly Piece[] {
  if (context.depth > maxDepth) throw new TextFailure(`actions are nested more than ${maxDepth} deep`, text.at);
  const pieces: Piece[] = [];
  let drop: KeyValue | undefined;
  for (const word of keyValues(text)) {
    if (word.key.text.toLowerCase() === 'drop') {
      drop = word;
      continue;
    }
    if (context.outer === 'ct' && !inCt.includes(word.key.text.toLowerCase())) {
      throw new TextFailure(`${word.key.text} cannot stand in ct(exec(...))`, word.key.at);
    }
    pieces.push({ word, parsed: parseWord(word, context) });
  }
  if (drop !== undefined && pieces.length > 0) throw new TextFailure('drop stands alone', drop.key.at);
  checkConjunctions(pieces);
  checkOrder(pieces, instructions, context.outer);
  return pieces;
}

const actionsOf = (pieces: readonly Piece[]): Action[] =>
  pieces.flatMap(({ parsed }) => (isInstruction(parsed) ? [] : [...parsed]));

function contextOf(names: Names, known: Known | undefined, tableId: number | undefined): ActionContext {
  const make = (depth: number, outer: ActionContext['outer'], inside: Known | undefined): ActionContext => ({
    names,
    depth,
    ...(inside === undefined ? {} : { known: inside }),
    ...(tableId === undefined ? {} : { tableId }),
    ...(outer === undefined ? {} : { outer }),
    nested: (text, around, next) => actionsOf(parsePieces(text, make(depth + 1, around, next), false)),
  });
  return make(0, undefined, known);
}

/** Throws TextFailure. Consecutive actions are one apply_actions instruction. */
export function instructionsOf(text: Span, names: Names, known?: Known, tableId?: number): readonly Instruction[] {
  const pieces = parsePieces(text, contextOf(names, known, tableId), true);
  const actions = actionsOf(pieces);
  const found = pieces.flatMap(({ parsed }) => (isInstruction(parsed) ? [parsed] : []));
  const all: Instruction[] = actions.length === 0 ? found : [{ type: 'apply_actions', actions }, ...found];
  // An empty action set to write says nothing, and Open vSwitch leaves it out.
  return all
    .filter((one) => one.type !== 'write_actions' || one.actions.length > 0)
    .sort((a, b) => order.indexOf(a.type) - order.indexOf(b.type));
}

/** Throws TextFailure. */
export const actionListOf = (text: Span, names: Names): readonly Action[] =>
  actionsOf(parsePieces(text, contextOf(names, undefined, undefined), false));

/** 'set_field:5->reg0,resubmit(,3)' as the actions of OpenFlow 1.3; whether they suit a match is not looked at. */
export function parseActions(text: string, names: Names = {}): TextResult<readonly Action[]> {
  return parsing(() => actionListOf(span(text), names));
}

/** The same with instructions: 'meter:3,output:1,goto_table:5'. */
export function parseInstructions(text: string, names: Names = {}): TextResult<readonly Instruction[]> {
  return parsing(() => instructionsOf(span(text), names));
}
