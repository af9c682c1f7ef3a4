/**
 * The flow of fail-mode standalone (OpenFlow 1.3.5 §6.3.2): every packet is switched as by an ordinary Ethernet switch.
 *
 * It stands above all other flows instead of in their place, so that those are as before when a controller is back, and
 * it is not hidden: a dump shows it, with a cookie of its own.
 */
import type { Datapath } from '../datapath/datapath.js';
import { encodeInstructions, GROUP_ANY, RecordWriter, writeFlowMod } from '../datapath/records.js';
import { FlowCommand, ReservedPort } from '../datapath/schema.gen.js';

/** "xvif" and "fail". */
export const STANDALONE_COOKIE = 0x78766966_6661696cn;
const COOKIE_MASK = 0xffffffffffffffffn;
const PRIORITY_HIGHEST = 0xffff;

export function setStandalone(datapath: Datapath, on: boolean): void {
  const writer = new RecordWriter(128);
  writeFlowMod(writer, {
    op: 'flow_mod',
    command: on ? FlowCommand.add : FlowCommand.deleteStrict,
    table: 0,
    cookie: STANDALONE_COOKIE,
    cookieMask: on ? 0n : COOKIE_MASK,
    priority: PRIORITY_HIGHEST,
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
  datapath.apply(writer.view());
}
