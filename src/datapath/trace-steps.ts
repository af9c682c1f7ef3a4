/** What a packet meets on its way through the tables, step by step, for those who ask why. */
import { fieldId } from './model-packet.js';
import type { ActionRecord, InstructionRecord } from './records-action.js';
import type { MatchEntry } from './records-match.js';

/** A flow as it stands in its table. */
export interface TracedFlow {
  readonly table: number;
  readonly priority: number;
  readonly cookie: bigint;
  readonly match: readonly MatchEntry[];
  readonly instructions: readonly InstructionRecord[];
}

/** Fields that a traced packet brings along: metadata, the tunnel's id, registers. */
export type Carried = readonly { readonly field: number; readonly value: bigint }[];

/** One that a learn action makes; timeouts in seconds, 0: none. */
export interface AskedFlow extends TracedFlow {
  readonly idle: number;
  readonly hard: number;
}

/** A field whose value an action changed. */
export interface FieldChange {
  readonly field: number;
  readonly before: bigint;
  readonly after: bigint;
}

/** A field that kept a flow from matching: `value` is the packet's, `wanted` the flow's. */
export interface FieldDifference {
  readonly value: bigint;
  readonly wanted: MatchEntry;
}

/** The flow that lacked least to match. */
export interface NearMiss {
  readonly flow: TracedFlow;
  /** Fields that are another's prerequisite and differ stand for that other. */
  readonly differences: readonly FieldDifference[];
}

export interface TableStep {
  readonly kind: 'table';
  /** Of resubmits, clones, buckets and egress tables within each other. */
  readonly depth: number;
  readonly table: number;
  readonly egress: boolean;
  /** Undefined: none matched. */
  readonly flow: TracedFlow | undefined;
  readonly nearest: NearMiss | undefined;
}

/** What happens, in order. Those without a depth belong to the action, or else the table, before them. */
export type TraceStep =
  | TableStep
  | {
      readonly kind: 'action';
      readonly depth: number;
      readonly action: ActionRecord;
      /** Filled in when it is done; empty for those that lead to others. */
      readonly changes: FieldChange[];
    }
  | {
      readonly kind: 'instruction';
      readonly depth: number;
      /** All but apply_actions, whose actions are told of. */
      readonly instruction: InstructionRecord;
    }
  | { readonly kind: 'action_set'; readonly depth: number }
  | {
      readonly kind: 'group';
      readonly group: number;
      readonly type: number;
      readonly buckets: readonly { readonly live: boolean; readonly chosen: boolean }[];
    }
  | { readonly kind: 'bucket'; readonly depth: number; readonly group: number; readonly index: number }
  /** `band`: MeterBandType of the one that applied; undefined: none did. */
  | { readonly kind: 'meter'; readonly meter: number; readonly band: number | undefined }
  /** `to`: where NORMAL knows the destination to be; undefined: it goes to all ports. */
  | { readonly kind: 'normal'; readonly vlan: number; readonly to: number | undefined }
  | { readonly kind: 'output'; readonly port: number; readonly frame: Uint8Array }
  /** `port`: it was stopped there on its way out. */
  | { readonly kind: 'drop'; readonly reason: number; readonly port: number | undefined }
  | {
      readonly kind: 'packet_in';
      readonly reason: number;
      readonly table: number;
      readonly controller: number;
      readonly maxLen: number;
    }
  /** What a learn action asks for; `verdict`: LearnVerdict. */
  | { readonly kind: 'learn'; readonly flow: AskedFlow; readonly verdict: number }
  /** The steps that follow were too many to be told. */
  | { readonly kind: 'cut' };

export type TraceSink = (step: TraceStep) => void;

/** Not told as changes: they follow from others. */
export const derivedFields: readonly number[] = [fieldId.in_phy_port, fieldId.actset_output];
