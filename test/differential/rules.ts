/** Short ways to write batches, for tests. */
import {
  type ActionRecord,
  encodeActions,
  encodeInstructions,
  encodeMatch,
  type FlowModRecord,
  type InstructionRecord,
  type MatchEntry,
  RecordWriter,
  writeFlowMod,
  writePacketOut,
} from '../../src/datapath/records.js';
import { type FieldName, FlowCommand, fields, ReservedPort } from '../../src/datapath/schema.gen.js';

export interface Rule {
  readonly command?: number;
  readonly table?: number;
  readonly priority?: number;
  readonly cookie?: bigint;
  readonly cookieMask?: bigint;
  readonly flags?: number;
  readonly idle?: number;
  readonly hard?: number;
  readonly importance?: number;
  readonly outPort?: number;
  readonly outGroup?: number;
  readonly match?: readonly MatchEntry[];
  readonly instructions?: readonly InstructionRecord[];
}

export function fieldNumber(name: FieldName): number {
  return fields.findIndex((field) => field.name === name);
}

/** Entries in field order: `{ eth_type: 0x800n, ipv4_dst: [0x0a000000n, 0xff000000n] }`. */
export function match(values: Partial<Record<FieldName, bigint | readonly [bigint, bigint]>>): MatchEntry[] {
  return Object.entries(values)
    .map(([name, value]) => {
      const field = fieldNumber(name as FieldName);
      if (typeof value === 'bigint') return { field, value, mask: undefined };
      return { field, value: value[0], mask: value[1] };
    })
    .sort((a, b) => a.field - b.field);
}

export function flowMod(rule: Rule): FlowModRecord {
  return {
    op: 'flow_mod',
    command: rule.command ?? FlowCommand.add,
    table: rule.table ?? 0,
    cookie: rule.cookie ?? 0n,
    cookieMask: rule.cookieMask ?? 0n,
    priority: rule.priority ?? 0,
    flags: rule.flags ?? 0,
    idle: rule.idle ?? 0,
    hard: rule.hard ?? 0,
    outPort: rule.outPort ?? ReservedPort.any,
    outGroup: rule.outGroup ?? 0xffffffff,
    importance: rule.importance ?? 0,
    match: encodeMatch(rule.match ?? []),
    instructions: encodeInstructions(rule.instructions ?? []),
  };
}

export function batch(write: (writer: RecordWriter) => void): Uint8Array {
  const writer = new RecordWriter();
  write(writer);
  return writer.take();
}

export function flowMods(...rules: Rule[]): Uint8Array {
  return batch((writer) => {
    for (const rule of rules) writeFlowMod(writer, flowMod(rule));
  });
}

export const output = (port: number, maxLen = 0): ActionRecord => ({ kind: 'output', port, maxLen });
export const apply = (...actions: ActionRecord[]): InstructionRecord => ({ kind: 'apply', actions });
export const write = (...actions: ActionRecord[]): InstructionRecord => ({ kind: 'write', actions });
export const goto = (table: number): InstructionRecord => ({ kind: 'goto', table });
export const setField = (name: FieldName, value: bigint): ActionRecord => ({
  kind: 'set_field',
  field: fieldNumber(name),
  value,
});

export function packetOut(inPort: number, frame: Uint8Array, ...actions: ActionRecord[]): Uint8Array {
  return batch((writer) => writePacketOut(writer, { inPort, frame, actions: encodeActions(actions) }));
}
