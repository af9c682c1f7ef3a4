/** What the records of a batch do to the model (OpenFlow 1.3.5 §6.4, §6.5, §5.7). Each returns a Status. */
import { checkAction, checkConjunctions, checkSet } from './model-check.js';
import { actionsOf, type Flow, type FlowFilter, unfolded } from './model-flows.js';
import { removeFlow, withoutOrphans } from './model-learn.js';
import type { ModelState } from './model-state.js';
import { type ActionRecord, decodeInstructions, type InstructionRecord } from './records-action.js';
import type { ApplyRecord, FlowModRecord, GroupModRecord, MeterModRecord } from './records-apply.js';
import { decodeMatch, type MatchEntry } from './records-match.js';
import { GROUP_ALL, METER_ALL } from './records-query.js';
import {
  allTables,
  FlowCommand,
  FlowFlag,
  FlowRemovedReason,
  ModCommand,
  PortConfig,
  Status,
  tables,
} from './schema.gen.js';

/** kFlowsPerTableMax of native/base/limits.h. */
const FLOWS_PER_TABLE_MAX = 4_000_000;
const CONFIG_BITS = PortConfig.down | PortConfig.noRecv | PortConfig.noFwd | PortConfig.noPacketIn;

export function applyRecord(state: ModelState, record: ApplyRecord): number {
  return withoutOrphans(state, () => carryOut(state, record));
}

function carryOut(state: ModelState, record: ApplyRecord): number {
  switch (record.op) {
    case 'flow_mod':
      return flowMod(state, record);
    case 'group_mod':
      return groupMod(state, record);
    case 'meter_mod':
      return meterMod(state, record);
    case 'port_config': {
      const port = state.ports.get(record.port);
      if (port === undefined) return Status.badPort;
      const mask = record.mask & CONFIG_BITS;
      port.config = (port.config & ~mask) | (record.config & mask);
      return Status.ok;
    }
    case 'set_config':
      state.fragMode = record.fragMode;
      return Status.ok;
    case 'controller_state':
      state.controllerConnected = record.connected;
      state.missesToController = record.misses;
      return Status.ok;
    case 'malformed':
      return Status.malformed;
  }
}

function flowMod(state: ModelState, mod: FlowModRecord): number {
  const match = decodeMatch(mod.match);
  if (match === undefined) return Status.malformed;
  if (mod.table >= tables && mod.table !== allTables) return Status.badTable;
  if (mod.command === FlowCommand.delete || mod.command === FlowCommand.deleteStrict) {
    for (const flow of state.flows.select(filterOf(mod, match))) removeFlow(state, flow, FlowRemovedReason.delete);
    return Status.ok;
  }
  if (mod.command > FlowCommand.deleteStrict) return Status.malformed;
  if (mod.table === allTables) return Status.badTable;
  const instructions = decodeInstructions(mod.instructions);
  if (instructions === undefined) return Status.malformed;
  const wrong = checkInstructions(state, mod.table, instructions);
  if (wrong !== Status.ok) return wrong;
  if (mod.command === FlowCommand.add) return addFlow(state, mod, match, instructions);
  for (const flow of state.flows.select(filterOf(mod, match))) {
    flow.instructions = instructions;
    flow.instructionBytes = mod.instructions;
    if ((mod.flags & FlowFlag.setCookie) !== 0) flow.cookie = mod.cookie;
    if ((mod.flags & FlowFlag.resetCounts) !== 0) [flow.packets, flow.bytes] = [0n, 0n];
  }
  return Status.ok;
}

function filterOf(mod: FlowModRecord, match: readonly MatchEntry[]): FlowFilter {
  const strict = mod.command === FlowCommand.modifyStrict || mod.command === FlowCommand.deleteStrict;
  const deletes = mod.command === FlowCommand.delete || mod.command === FlowCommand.deleteStrict;
  const { table, cookie, cookieMask, outPort, outGroup, priority } = mod;
  // Output filters are for deletes only (§6.4).
  const outputs = deletes ? { outPort, outGroup } : { outPort: 0xffffffff, outGroup: 0xffffffff };
  return { table, match, cookie, cookieMask, ...outputs, ...(strict ? { strictPriority: priority } : {}) };
}

function addFlow(
  state: ModelState,
  mod: FlowModRecord,
  match: readonly MatchEntry[],
  instructions: readonly InstructionRecord[],
): number {
  const { flows } = state;
  const old = flows.find(mod.table, mod.priority, match);
  if ((mod.flags & FlowFlag.checkOverlap) !== 0 && flows.hasOverlap(mod.table, mod.priority, match)) {
    return Status.overlap;
  }
  if (old === undefined && flows.table(mod.table).flows.length >= FLOWS_PER_TABLE_MAX) return Status.tableFull;
  const now = state.nowNs();
  const keep = old !== undefined && (mod.flags & FlowFlag.resetCounts) === 0;
  const flow: Flow = {
    table: mod.table,
    priority: mod.priority,
    match,
    matchBytes: mod.match,
    cookie: mod.cookie,
    flags: mod.flags,
    idle: mod.idle,
    hard: mod.hard,
    importance: mod.importance,
    instructions,
    instructionBytes: mod.instructions,
    createdNs: now,
    refreshedNs: now,
    usedNs: now,
    packets: keep ? old.packets : 0n,
    bytes: keep ? old.bytes : 0n,
  };
  if (old === undefined) flows.insert(flow);
  else flows.replace(old, flow);
  return Status.ok;
}

function checkList(instruction: InstructionRecord): number {
  if (instruction.kind === 'write') return checkSet(instruction.actions);
  if (instruction.kind !== 'apply') return Status.ok;
  return instruction.actions.map(checkAction).find((status) => status !== Status.ok) ?? Status.ok;
}

/** First what is wrong in itself, then what refers to something that is not there. */
function checkInstructions(state: ModelState, table: number, instructions: readonly InstructionRecord[]): number {
  for (const instruction of instructions) {
    if (instruction.kind === 'goto' && instruction.table >= tables) return Status.badTable;
    const wrong = checkList(instruction);
    if (wrong !== Status.ok) return wrong;
  }
  const wrong = checkConjunctions(instructions);
  if (wrong !== Status.ok) return wrong;
  for (const instruction of instructions) {
    const unknownMeter = instruction.kind === 'meter' && state.meters.get(instruction.meter) === undefined;
    if (unknownMeter) return Status.unknownMeter;
    if (checkActions(state, actionsOf([instruction])) !== Status.ok) return Status.unknownGroup;
    // Forwards only, or a packet could go round for ever.
    if (instruction.kind === 'goto' && instruction.table <= table) return Status.badTable;
  }
  return Status.ok;
}

/** What native/actions/validate.h refuses, and groups that do not exist. */
export function checkActions(state: ModelState, actions: readonly ActionRecord[]): number {
  for (const action of actions) {
    const wrong = checkAction(action);
    if (wrong !== Status.ok) return wrong;
  }
  const unknown = unfolded(actions).some((a) => a.kind === 'group' && state.groups.get(a.group) === undefined);
  return unknown ? Status.unknownGroup : Status.ok;
}

function groupMod(state: ModelState, mod: GroupModRecord): number {
  if (mod.command === ModCommand.delete) return deleteGroups(state, mod.group);
  if (mod.command > ModCommand.delete) return Status.malformed;
  return state.groups.put(mod, state.nowNs(), mod.command === ModCommand.modify);
}

function deleteGroups(state: ModelState, id: number): number {
  const { flows, groups } = state;
  if (id !== GROUP_ALL && groups.chainedTo(id).length > 0) return Status.chainedGroup;
  const doomed = id === GROUP_ALL ? groups.all().map((group) => group.id) : [id];
  for (const group of doomed) {
    if (groups.get(group) === undefined) continue;
    const uses = (flow: Flow) => actionsOf(flow.instructions).some((a) => a.kind === 'group' && a.group === group);
    for (const flow of flows.all().filter(uses)) removeFlow(state, flow, FlowRemovedReason.groupDelete);
    groups.delete(group);
  }
  return Status.ok;
}

function meterMod(state: ModelState, mod: MeterModRecord): number {
  const { flows, meters } = state;
  if (mod.command > ModCommand.delete) return Status.malformed;
  if (mod.command !== ModCommand.delete) return meters.put(mod, state.nowNs(), mod.command === ModCommand.modify);
  const doomed = mod.meter === METER_ALL ? meters.all().map((meter) => meter.id) : [mod.meter];
  for (const meter of doomed) {
    const uses = (flow: Flow) => flow.instructions.some((i) => i.kind === 'meter' && i.meter === meter);
    for (const flow of flows.all().filter(uses)) removeFlow(state, flow, FlowRemovedReason.meterDelete);
    meters.delete(meter);
  }
  return Status.ok;
}
