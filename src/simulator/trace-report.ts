/** What became of a packet, step by step, in names: what `xvif trace` prints, and its JSON. */

/** A rule as it was written, and where. */
export interface RuleWords {
  /** document/table/rule; absent: it is in no file. */
  readonly name?: string;
  readonly owner?: string;
  readonly file?: string;
  readonly line?: number;
  /** Hexadecimal, with 0x. */
  readonly cookie?: string;
  /** In the words of ovs-ofctl. */
  readonly text: string;
}

/** asked: it would be made, or get these actions; there: it is as it would be; full: its limit keeps it out. */
export type LearnWord = 'asked' | 'there' | 'full';

export interface NearestRule {
  readonly rule: RuleWords;
  readonly differences: readonly { readonly field: string; readonly packet: string; readonly wanted: string }[];
}

/** `depth`: of what leads to tables and buckets within each other. */
export type TraceLine = { readonly depth: number } & (
  | {
      readonly step: 'table';
      readonly table: number;
      readonly name?: string;
      /** On the way out of a port. */
      readonly egress: boolean;
      /** Absent: none matched. */
      readonly rule?: RuleWords;
      /** That would have come before, and lacked least. */
      readonly nearest?: NearestRule;
    }
  | {
      readonly step: 'action';
      readonly text: string;
      readonly changes: readonly { readonly field: string; readonly before: string; readonly after: string }[];
    }
  | { readonly step: 'action_set' }
  | {
      readonly step: 'group';
      readonly group: string;
      readonly type: string;
      readonly buckets: readonly { readonly live: boolean; readonly chosen: boolean }[];
    }
  | { readonly step: 'bucket'; readonly group: string; readonly bucket: number }
  | { readonly step: 'meter'; readonly meter: string; readonly band?: string }
  | { readonly step: 'normal'; readonly vlan: number; readonly to?: string }
  | { readonly step: 'output'; readonly port: number; readonly name?: string }
  | { readonly step: 'controller'; readonly reason: string }
  | { readonly step: 'drop'; readonly reason: string }
  /** `text`: the flow that a learn action asks for, in the words of ovs-ofctl. */
  | { readonly step: 'learn'; readonly verdict: LearnWord; readonly text: string }
  /** The steps that follow were too many. */
  | { readonly step: 'cut' }
);

export interface TraceOutcome {
  readonly delivered: readonly {
    readonly port: number;
    readonly name?: string;
    /** Hexadecimal. */
    readonly frame: string;
  }[];
  readonly controller: readonly {
    readonly reason: string;
    readonly table: number;
    readonly controllerId: number;
    readonly maxLen: number;
  }[];
  /** Of the packet or a copy. */
  readonly dropped: readonly {
    readonly reason: string;
    readonly table?: number;
    readonly rule?: RuleWords;
    /** On its way out of this port. */
    readonly port?: string;
  }[];
}

export interface TraceReport {
  readonly packet: {
    readonly text: string;
    readonly port: number;
    /** Hexadecimal, what was not said made up. */
    readonly frame: string;
  };
  readonly steps: readonly TraceLine[];
  readonly outcome: TraceOutcome;
  /** Who was asked: a running switch's own tables, or the reference datapath with the same rules. */
  readonly by: 'switch' | 'model';
  /** Rules, groups and meters that the reference datapath does not take, and so knows nothing of. */
  readonly left: readonly { readonly what: string; readonly reason: string }[];
}
