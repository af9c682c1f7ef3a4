/** What documents become: messages of OpenFlow 1.3, each with the place that it came from. */
import type { Action } from 'node-openflow';
import type { FlowText, GroupText, MeterText } from 'node-openflow/text';
import type { At } from './at.js';
import type { PortResolver } from './ports.js';
import type { ProgramRouter } from './router/slow-path.js';
import type { Value } from './scope.js';
import type { Health } from './service-chain/health.js';

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
  /** Of its table, priority and match (flow-key.ts). */
  readonly key: string;
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

/** An instance of a hop, in one direction of its chain. */
export interface ProgramInstance {
  readonly name: string;
  /** The port that packets are sent to, and the one they come back from; undefined: they do not (a tap). */
  readonly into: number;
  readonly outOf: number | undefined;
  /** Buckets whose packets go to it. */
  readonly buckets: readonly { readonly group: number; readonly index: number }[];
  /** Cookie of the flows of what comes back. */
  readonly returned: bigint | undefined;
}

export interface ProgramHop {
  readonly name: string;
  readonly mode: 'inline' | 'tap';
  readonly direction: 'forward' | 'reverse';
  /** The number of its table. */
  readonly table: number;
  readonly instances: readonly ProgramInstance[];
  /** Buckets by which it is skipped. */
  readonly skips: readonly { readonly group: number; readonly index: number }[];
}

export interface ProgramChain {
  readonly document: string;
  /** In the order in which packets visit them; those of the reverse direction after all others. */
  readonly hops: readonly ProgramHop[];
}

/** An instance whose health is asked for. */
export interface ProgramCheck {
  readonly document: string;
  readonly hop: string;
  readonly instance: string;
  readonly health: Health;
  /** Number of the group whose only bucket watches the ingress port; without buckets it says that the instance is down. */
  readonly liveness: number;
  readonly ingressPort: number;
  readonly egressPort: number;
  /** IPv4 address where it is asked; undefined: probes pass through it. */
  readonly address: string | undefined;
  /** Actions on probes that bring them to it. */
  readonly send: readonly Action[];
}

export interface Program {
  readonly flows: readonly ProgramFlow[];
  readonly groups: readonly ProgramGroup[];
  readonly meters: readonly ProgramMeter[];
  readonly tables: readonly ProgramTable[];
  readonly tests: readonly ProgramTest[];
  readonly chains: readonly ProgramChain[];
  /** Those whose slow path the daemon goes. */
  readonly routers: readonly ProgramRouter[];
  /** Instances that the daemon asks how they are. */
  readonly checks: readonly ProgramCheck[];
  /** Owners and their numbers in cookies. */
  readonly owners: ReadonlyMap<string, number>;
  readonly ports: PortResolver;
  /** Warnings that a document wants not to be told, by the document's name. */
  readonly allowed: ReadonlyMap<string, ReadonlySet<string>>;
}
