/** What the records of a batch do to the model (OpenFlow 1.3.5 §6.4, §6.5, §5.7). Each returns a Status. */
import { makeRoom, removeFlow, tellChange } from './model-changes.js';
import { checkAction, checkConjunctions, checkSet, checkTrigger } from './model-check.js';
import { actionsOf, type Flow, type FlowFilter, unfolded, usesMeter } from './model-flows.js';
import { hasEffects, withoutOrphans } from './model-learn.js';
import type { ModelState } from './model-state.js';
import { chooseVictim } from './model-tables.js';
import { newWatch } from './model-triggers.js';
import { type ActionRecord, decodeInstructions, type InstructionRecord } from './records-action.js';
import type { ApplyRecord, FlowModRecord, GroupModRecord, MeterModRecord, TableConfigRecord } from './records-apply.js';
import { decodeMatch, type MatchEntry } from './records-match.js';
import { GROUP_ALL, METER_ALL } from './records-query.js';
import {
  allTables,
  FlowChange,
  FlowCommand,
  FlowFlag,
  FlowRemovedReason,
  ModCommand,
  PortConfig,
  Status,
  tables,
} from './schema.gen.js';

const IMPORTANCE_MAX = 0xffff;
/** What is about the flow_mod, not the flow. */
const OWN_FLAGS = FlowFlag.orAdd | FlowFlag.setCookie | FlowFlag.silent;
const CONFIG_BITS = Object.values(PortConfig).reduce<number>((all, bit) => all | bit, 0);

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
      if (record.firstEgress >= tables) return Status.badTable;
      state.fragMode = record.fragMode;
      state.firstEgress = record.firstEgress;
      return Status.ok;
    case 'controller_state':
      state.controllerConnected = record.connected;
      state.missesToController = record.misses;
      return Status.ok;
    case 'table_config':
      return configureTable(state, record);
    case 'watch_flows':
      state.watched = record.on;
      return Status.ok;
    case 'malformed':
      return Status.malformed;
  }
}

function configureTable(state: ModelState, config: TableConfigRecord): number {
  if (config.table >= tables) return Status.badTable;
  state.tables.set(config.table, config);
  const { flows } = state.flows.table(config.table);
  const set = state.tables.of(config.table);
  while (set.eviction !== 0 && flows.length > set.maxEntries) {
    removeFlow(state, chooseVictim(flows, set, IMPORTANCE_MAX)!, FlowRemovedReason.eviction);
  }
  return Status.ok;
}

function flowMod(state: ModelState, mod: FlowModRecord): number {
  const match = decodeMatch(mod.match);
  if (match === undefined) return Status.malformed;
  if (mod.table >= tables && mod.table !== allTables) return Status.badTable;
  if (mod.command === FlowCommand.delete || mod.command === FlowCommand.deleteStrict) {
    const silent = (mod.flags & FlowFlag.silent) !== 0;
    for (const flow of state.flows.select(filterOf(mod, match))) {
      removeFlow(state, flow, FlowRemovedReason.delete, silent);
    }
    return Status.ok;
  }
  if (mod.command > FlowCommand.deleteStrict) return Status.malformed;
  if (mod.table === allTables && mod.command === FlowCommand.add) return Status.badTable;
  const instructions = decodeInstructions(mod.instructions);
  if (instructions === undefined) return Status.malformed;
  const selected = mod.command === FlowCommand.add ? [] : state.flows.select(filterOf(mod, match));
  const adds = mod.command === FlowCommand.add || (selected.length === 0 && (mod.flags & FlowFlag.orAdd) !== 0);
  const table = adds && mod.table === allTables ? 0 : mod.table;
  // A goto has to lead on from each: the last is of the highest table.
  const wrong = checkInstructions(state, selected.at(-1)?.table ?? table, instructions);
  if (wrong !== Status.ok) return wrong;
  state.hasEffects ||= hasEffects(instructions);
  if (adds) return addFlow(state, { ...mod, table }, match, instructions);
  for (const flow of selected) {
    const before = flow.instructionBytes;
    flow.instructions = instructions;
    flow.instructionBytes = mod.instructions;
    if ((mod.flags & FlowFlag.setCookie) !== 0) flow.cookie = mod.cookie;
    flow.changed = state.version;
    flow.changedNs = state.nowNs();
    tellChange(state, FlowChange.modified, flow, { before });
    if ((mod.flags & FlowFlag.resetCounts) !== 0) [flow.packets, flow.bytes] = [0n, 0n];
    flow.watch = newWatch(flow, state.nowNs());
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
  if (old === undefined && !makeRoom(state, mod.table, mod.importance)) return Status.tableFull;
  const now = state.nowNs();
  const keep = old !== undefined && (mod.flags & FlowFlag.resetCounts) === 0;
  const flow: Flow = {
    table: mod.table,
    priority: mod.priority,
    match,
    matchBytes: mod.match,
    cookie: mod.cookie,
    flags: mod.flags & ~OWN_FLAGS,
    idle: mod.idle,
    hard: mod.hard,
    importance: mod.importance,
    instructions,
    instructionBytes: mod.instructions,
    createdNs: now,
    changedNs: now,
    refreshedNs: now,
    usedNs: now,
    packets: keep ? old.packets : 0n,
    bytes: keep ? old.bytes : 0n,
    born: old?.born ?? state.version,
    changed: state.version,
    watch: undefined,
  };
  flow.watch = newWatch(flow, now);
  if (old === undefined) {
    flows.insert(flow);
    tellChange(state, FlowChange.added, flow);
  } else {
    flows.replace(old, flow);
    tellChange(state, FlowChange.modified, flow, { before: old.instructionBytes });
  }
  return Status.ok;
}

function checkList(instruction: InstructionRecord): number {
  if (instruction.kind === 'write') return checkSet(instruction.actions);
  if (instruction.kind === 'stat_trigger') return checkTrigger(instruction);
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
    const unknown = checkActions(state, actionsOf([instruction]));
    if (unknown !== Status.ok) return unknown;
    // Forwards only, or a packet could go round for ever.
    if (instruction.kind === 'goto' && instruction.table <= table) return Status.badTable;
  }
  return Status.ok;
}

/** What native/actions/validate.h refuses, and groups and meters that do not exist. */
export function checkActions(state: ModelState, actions: readonly ActionRecord[]): number {
  for (const action of actions) {
    const wrong = checkAction(action);
    if (wrong !== Status.ok) return wrong;
  }
  let status: number = Status.ok;
  for (const action of unfolded(actions)) {
    if (action.kind === 'group' && state.groups.get(action.group) === undefined) status = Status.unknownGroup;
    if (action.kind === 'meter' && state.meters.get(action.meter) === undefined) status = Status.unknownMeter;
  }
  return status;
}

function groupMod(state: ModelState, mod: GroupModRecord): number {
  if (mod.command === ModCommand.delete) return deleteGroups(state, mod.group);
  switch (mod.command) {
    case ModCommand.add:
    case ModCommand.modify:
      return state.groups.put(mod, state, mod.command === ModCommand.modify);
    case ModCommand.insertBucket:
    case ModCommand.removeBucket:
      return state.groups.edit(mod, state);
    default:
      return Status.malformed;
  }
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
    for (const flow of flows.all().filter((each) => usesMeter(each, meter)))
      removeFlow(state, flow, FlowRemovedReason.meterDelete);
    meters.delete(meter);
  }
  return Status.ok;
}
