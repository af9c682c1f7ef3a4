/**
 * The flow of fail-mode standalone (OpenFlow 1.3.5 §6.3.2): every packet is switched as by an ordinary Ethernet switch.
 *
 * Where no controller has a say it stands below all other flows, as in Open vSwitch, so that those which tools add take
 * precedence. Where controllers are away it stands above all others instead of in their place, so that those are as
 * before when one is back. It is not hidden: a dump shows it, with a cookie of its own.
 */
import type { Datapath } from '../datapath/datapath.js';
import { encodeInstructions, GROUP_ANY, RecordWriter, writeFlowMod } from '../datapath/records.js';
import { FlowCommand, ReservedPort } from '../datapath/schema.gen.js';

/** "xvif" and "fail". */
export const STANDALONE_COOKIE = 0x78766966_6661696cn;
const COOKIE_MASK = 0xffffffffffffffffn;
/** Where it stands among the other flows of table 0. */
export type Standalone = 'none' | 'below' | 'above';

const priorities = { below: 0, above: 0xffff } as const;

/** Puts the flow there, and away from where it was. A flow that took its place has another cookie and stays. */
export function setStandalone(datapath: Datapath, place: Standalone): void {
  const writer = new RecordWriter(256);
  writeFlow(writer, priorities.below, place === 'below');
  writeFlow(writer, priorities.above, place === 'above');
  datapath.apply(writer.view());
}

function writeFlow(writer: RecordWriter, priority: number, on: boolean): void {
  writeFlowMod(writer, {
    op: 'flow_mod',
    command: on ? FlowCommand.add : FlowCommand.deleteStrict,
    table: 0,
    cookie: STANDALONE_COOKIE,
    cookieMask: on ? 0n : COOKIE_MASK,
    priority,
    flags: 0,
    idle: 0,
    hard: 0,
    outPort: ReservedPort.any,
    outGroup: GROUP_ANY,
    importance: 0,
    match: new Uint8Array(0),
    instructions: on
      ? encodeInstructions([{ kind: 'apply', actions: [{ kind: 'output', port: ReservedPort.normal, maxLen: 0 }] }])
      : new Uint8Array(0),
  });
}
