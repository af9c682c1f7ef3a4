/** What the parsers of single actions get and give. */
import type { Action, Instruction } from '../types/action.js';
import type { Known } from './known.js';
import type { Names } from './numbers.js';
import type { KeyValue, Span } from './tokens.js';

export interface ActionContext {
  readonly names: Names;
  /** Absent when actions are parsed without the match they are for: what they need cannot be checked then. */
  readonly known?: Known;
  /** The table the flow is in, if known. */
  readonly tableId?: number;
  /** The action around these, if any. */
  readonly outer?: 'write_actions' | 'ct' | 'clone';
  readonly depth: number;
  /** Parses the actions in an action. */
  readonly nested: (text: Span, outer: 'write_actions' | 'ct' | 'clone', known: Known | undefined) => readonly Action[];
}

/** One word is some actions, or an instruction. */
export type Parsed = readonly Action[] | Instruction;
export type ActionParser = (word: KeyValue, context: ActionContext) => Parsed;
export type ActionParsers = Readonly<Record<string, ActionParser>>;
