/** What documents become: messages of OpenFlow 1.3, each with the place that it came from. */
import type { FlowText, GroupText, MeterText } from 'node-openflow/text';
import type { At } from './at.js';
import type { PortResolver } from './ports.js';
import type { Value } from './scope.js';

export interface Origin {
  readonly at: At;
  readonly owner: string;
  /** Name of the document. */
  readonly document: string;
  /** table/rule, or the name of a group or meter. */
  readonly name: string;
}

export interface ProgramFlow {
  readonly mod: FlowText;
  readonly origin: Origin;
}
export interface ProgramGroup {
  readonly mod: GroupText;
  readonly origin: Origin;
}
export interface ProgramMeter {
  readonly mod: MeterText;
  readonly origin: Origin;
}

export interface ProgramTable {
  readonly document: string;
  readonly name: string;
  readonly id: number;
  readonly at: At;
}

/** A packet, and what must become of it. */
export interface ProgramTest {
  readonly at: At;
  readonly name: string;
  /** A match with exact values, in the words of ovs-ofctl. */
  readonly packet: Value;
  /** Undefined: does not matter; empty: none. */
  readonly outputs: readonly { readonly number: number; readonly label: string }[];
  readonly controller: boolean;
  /** What all that leaves must match. */
  readonly as: Value | undefined;
}

export interface Program {
  readonly flows: readonly ProgramFlow[];
  readonly groups: readonly ProgramGroup[];
  readonly meters: readonly ProgramMeter[];
  readonly tables: readonly ProgramTable[];
  readonly tests: readonly ProgramTest[];
  /** Owners and their numbers in cookies. */
  readonly owners: ReadonlyMap<string, number>;
  readonly ports: PortResolver;
  /** Warnings that a document wants not to be told, by the document's name. */
  readonly allowed: ReadonlyMap<string, ReadonlySet<string>>;
}
