/** What goes along with a packet through the tables of the model, and on whose behalf its actions run. */
import { type Flow, isTableMiss } from './model-flows.js';
import type { ActionRecord } from './records-action.js';
import { noMeter, PacketInReason } from './schema.gen.js';

/** What a received packet carries along, shared by its copies. */
export interface Journey {
  readonly budget: { copies: number };
  resubmits: number;
  /** Of resubmits and clones within each other. */
  depth: number;
  set: readonly ActionRecord[];
  /** It is being carried out: what is written now has no effect. */
  setDone: boolean;
  /** No further actions but those of the set. */
  exited: boolean;
  stack: bigint[];
}

export function newJourney(budget: { copies: number }): Journey {
  return { budget, resubmits: 0, depth: 0, set: [], setDone: false, exited: false, stack: [] };
}

/** On whose behalf actions run. */
export interface Origin {
  readonly flow: Flow | undefined;
  readonly table: number;
  readonly groupDepth: number;
  /** Output to TABLE is for packet-outs only. */
  readonly packetOut: boolean;
  /** The ports on whose way out the packet is, one within the other. */
  readonly leavingBy: readonly number[];
  readonly journey: Journey;
}

/** Whether the packet goes on after an action. */
export type Outcome = 'go_on' | 'gone';

/** What the controller action adds to a packet-in. */
export interface ControllerData {
  readonly id: number;
  readonly userdata: Uint8Array;
  /** That the packet has to pass. */
  readonly meter: number;
}
export const noData: ControllerData = { id: 0, userdata: new Uint8Array(0), meter: noMeter };

/** Why a packet goes to the controller by an output action (OpenFlow 1.4.1 §7.4.1). */
export function outputReason({ flow, groupDepth, journey }: Origin): number {
  if (flow === undefined) return PacketInReason.packetOut;
  if (groupDepth > 0) return PacketInReason.group;
  if (isTableMiss(flow)) return PacketInReason.noMatch;
  return journey.setDone ? PacketInReason.actionSet : PacketInReason.action;
}
