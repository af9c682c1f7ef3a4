/**
 * Flow_mods (OpenFlow 1.3.5 §6.4, §7.3.4.1): checked, written as records into one batch, and handed to the datapath
 * together. Whoever handles another message flushes first, so that the order of all messages is kept.
 */
import { decodeMessage, type FlowMod, type Message, type NxFlowMod, of13 } from 'node-openflow';
import { assert } from '../base/assert.js';
import type { Datapath } from '../datapath/datapath.js';
import { beginFlowMod, endFlowMod, endFlowModMatch, RecordWriter } from '../datapath/records.js';
import { allTables, FlowCommand, FlowFlag, Status, tables } from '../datapath/schema.gen.js';
import type { ControllerView } from './controller-view.js';
import { asFlowChange, type FlowChange } from './flow-formats.js';
import type { Origin } from './flow-monitors.js';
import { BATCH_BYTES_MAX, BATCH_FLOW_MODS_MAX, ENTRY_BYTES_MAX } from './limits.js';
import { badAction, badInstruction, flowModError, flowModFailed, type OfError, sendError } from './of-error.js';
import { appendPlainFlowMod } from './plain-messages.js';
import type { TableSettings } from './table-settings.js';
import { writeInstructions } from './translate-instructions.js';
import { checkMatch, numberOf, writeMatch } from './translate-match.js';
import { checkFlags, flagsInForce, modifyMayAdd, modifyReachesAll } from './versions.js';

const { OFPBAC, OFPBIC, OFPFMFC } = of13;

/** A flow_mod, decoded or as it came; one record of the batch. */
export interface Pending {
  readonly view: ControllerView;
  readonly request: FlowMod | NxFlowMod | Uint8Array;
}

export function xidOf(request: FlowMod | NxFlowMod | Uint8Array): number {
  return request instanceof Uint8Array ? numberOf(request.subarray(4, 8)) : request.xid;
}

/** What was refused, for the error message. */
export function decoded(request: FlowMod | NxFlowMod | Uint8Array): FlowMod | NxFlowMod {
  if (!(request instanceof Uint8Array)) return request;
  const message = decodedMessage(request);
  assert(message.type === 'flow_mod', 'a flow_mod was translated');
  return message;
}

/** Of bytes that became a record. */
export function decodedMessage(bytes: Uint8Array): Message {
  const result = decodeMessage(bytes);
  assert(result.ok, 'what was translated can be decoded');
  return result.message;
}

export class FlowMods {
  readonly #datapath: Datapath;
  readonly #writer = new RecordWriter(BATCH_BYTES_MAX);
  readonly #tables: TableSettings;
  readonly #pending: Pending[] = [];
  readonly #settled: () => void;
  #inForce: readonly Pending[] = [];

  /** `settled`: flow_mods are in force, and those that were not taken were answered. */
  constructor(datapath: Datapath, tableSettings: TableSettings, settled: () => void) {
    this.#datapath = datapath;
    this.#tables = tableSettings;
    this.#settled = settled;
  }

  /** Whose flow_mod a record of the batch is that is being handed over. */
  origin(record: number): Origin | undefined {
    const pending = this.#inForce[record];
    return pending && { view: pending.view, xid: xidOf(pending.request) };
  }

  get isEmpty(): boolean {
    return this.#pending.length === 0;
  }

  /** Adds one to the batch, or answers why not. */
  add(view: ControllerView, request: FlowMod | NxFlowMod): void {
    this.#append(view, request);
    this.#flushIfFull();
  }

  /** Adds one that came as these bytes; false: it is to be decoded first. */
  addBytes(view: ControllerView, bytes: Uint8Array): boolean {
    if (!appendPlainFlowMod(this.#writer, bytes, this.#tables)) return false;
    this.#pending.push({ view, request: bytes });
    this.#flushIfFull();
    return true;
  }

  #flushIfFull(): void {
    if (this.#pending.length >= BATCH_FLOW_MODS_MAX || this.#writer.length >= BATCH_BYTES_MAX) this.flush();
  }

  /** Carries out all so far and this one. False when this one was refused. */
  carryOut(view: ControllerView, request: FlowMod | NxFlowMod): boolean {
    const taken = this.#append(view, request);
    const done = this.flush();
    return taken && done;
  }

  /** When it returns every flow_mod so far is in force or answered with an error. False when the last was refused. */
  flush(): boolean {
    if (this.#pending.length === 0) return true;
    const pending = this.#pending.splice(0);
    this.#inForce = pending;
    const statuses = this.#datapath.apply(this.#writer.view());
    this.#inForce = [];
    this.#writer.reset();
    let status: number = Status.ok;
    for (let i = 0; i < pending.length; i++) {
      status = statuses[i] ?? Status.malformed;
      if (status !== Status.ok) refuse(pending[i]!, status);
    }
    this.#settled();
    return status === Status.ok;
  }

  #append(view: ControllerView, request: FlowMod | NxFlowMod): boolean {
    const change = asFlowChange(request, view.flowFormat);
    const start = this.#writer.length;
    const wrong = 'code' in change ? change : appendFlowMod(this.#writer, change, this.#tables);
    if (wrong === undefined) {
      this.#pending.push({ view, request });
      return true;
    }
    this.#writer.truncate(start);
    sendError(view, request, wrong);
    return false;
  }
}

function refuse({ view, request }: Pending, status: number): void {
  const mod = decoded(request);
  sendError(view, mod, flowModError(status, mod.version));
}

/** Appends one record, or returns why not: the caller truncates the writer then. */
export function appendFlowMod(
  writer: RecordWriter,
  mod: FlowChange,
  tableSettings: Pick<TableSettings, 'has' | 'firstEgress'>,
): OfError | undefined {
  const wrong = checkHeader(mod, tableSettings) ?? checkMatch(mod.match);
  if (wrong !== undefined) return wrong;
  const deletes = mod.command === FlowCommand.delete || mod.command === FlowCommand.deleteStrict;
  const orAdd = modifyMayAdd(mod) ? FlowFlag.orAdd : 0;
  const at = beginFlowMod(writer, {
    command: mod.command,
    table: mod.tableId,
    cookie: mod.newCookie ?? mod.cookie,
    cookieMask: mod.command === FlowCommand.add ? 0n : mod.cookieMask,
    priority: mod.priority,
    flags: flagsInForce(mod) | (mod.newCookie === undefined ? 0 : FlowFlag.setCookie) | orAdd,
    idle: mod.idleTimeout,
    hard: mod.hardTimeout,
    outPort: mod.outPort,
    outGroup: mod.outGroup,
    importance: mod.importance ?? 0,
  });
  writeMatch(writer, mod.match);
  endFlowModMatch(writer, at);
  const instructionsAt = writer.length;
  // A delete has no use for instructions: they are not even looked at.
  const bad = deletes
    ? undefined
    : (checkGoto(mod, tableSettings) ?? writeInstructions(writer, mod.instructions, mod, tableSettings.firstEgress));
  endFlowMod(writer, at, instructionsAt);
  return bad ?? (writer.length - at > ENTRY_BYTES_MAX ? badAction(OFPBAC.TOO_MANY) : undefined);
}

/** A table that was taken out of the pipeline leads nowhere; whether it lies behind this one the datapath says. */
function checkGoto({ instructions }: FlowMod, tableSettings: Pick<TableSettings, 'has'>): OfError | undefined {
  const lost = instructions.some(
    (each) => each.type === 'goto_table' && each.tableId < tables && !tableSettings.has(each.tableId),
  );
  return lost ? badInstruction(OFPBIC.BAD_TABLE_ID) : undefined;
}

function checkHeader(mod: FlowMod, tableSettings: Pick<TableSettings, 'has'>): OfError | undefined {
  if (mod.command > FlowCommand.deleteStrict) return flowModFailed(OFPFMFC.BAD_COMMAND);
  const flags = checkFlags(mod);
  if (flags !== undefined) return flags;
  const deletes = mod.command === FlowCommand.delete || mod.command === FlowCommand.deleteStrict;
  const toAll = deletes || modifyReachesAll(mod);
  if (tableSettings.has(mod.tableId) || (toAll && mod.tableId === allTables)) return undefined;
  return flowModFailed(OFPFMFC.BAD_TABLE_ID);
}
