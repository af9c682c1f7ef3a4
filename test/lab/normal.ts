/** A switch by one flow. */
import type { Datapath } from '../../src/datapath/datapath.js';
import { encodeInstructions, GROUP_ANY, RecordWriter, writeFlowMod } from '../../src/datapath/records.js';
import { FlowCommand, ReservedPort } from '../../src/datapath/schema.gen.js';

/** Makes the datapath a learning switch: everything goes to NORMAL. */
export function normalEverywhere(datapath: Datapath): void {
  const batch = new RecordWriter(256);
  writeFlowMod(batch, {
    op: 'flow_mod',
    command: FlowCommand.add,
    table: 0,
    cookie: 0n,
    cookieMask: 0n,
    priority: 0,
    flags: 0,
    idle: 0,
    hard: 0,
    outPort: ReservedPort.any,
    outGroup: GROUP_ANY,
    importance: 0,
    match: new Uint8Array(0),
    instructions: encodeInstructions([
      { kind: 'apply', actions: [{ kind: 'output', port: ReservedPort.normal, maxLen: 0 }] },
    ]),
  });
  datapath.apply(batch.take());
}
