/**
 * Flow_mods (OpenFlow 1.3.5 §6.4, §7.3.4.1): checked, written as records into one batch, and handed to the datapath
 * together. Whoever handles another message flushes first, so that the order of all messages is kept.
 */
import { type FlowMod, type NxFlowMod, of13 } from 'node-openflow';
import type { Datapath } from '../datapath/datapath.js';
import {
  beginFlowMod,
  decodeFlowAnswers,
  encodeQuery,
  endFlowMod,
  endFlowModMatch,
  RecordWriter,
} from '../datapath/records.js';
import { allTables, FlowCommand, FlowFlag, Query, Status, tables } from '../datapath/schema.gen.js';
import type { ControllerView } from './controller-view.js';
import { asFlowChange, type FlowChange } from './flow-formats.js';
import { BATCH_BYTES_MAX, BATCH_FLOW_MODS_MAX, ENTRY_BYTES_MAX } from './limits.js';
import { badAction, flowModError, flowModFailed, type OfError, sendError } from './of-error.js';
import { writeInstructions } from './translate-instructions.js';
import { checkMatch, writeMatch } from './translate-match.js';
import { checkFlags, flagsInForce, modifyMayAdd, modifyReachesAll } from './versions.js';

const { OFPBAC, OFPFMFC } = of13;

/** A flow_mod as it came; one record of the batch. */
interface Pending {
  readonly view: ControllerView;
  readonly request: FlowMod | NxFlowMod;
}

export class FlowMods {
  readonly #datapath: Datapath;
  readonly #writer = new RecordWriter(BATCH_BYTES_MAX);
  readonly #pending: Pending[] = [];

  constructor(datapath: Datapath) {
    this.#datapath = datapath;
  }

  get isEmpty(): boolean {
    return this.#pending.length === 0;
  }

  /** Adds one to the batch, or answers why not. */
  add(view: ControllerView, request: FlowMod | NxFlowMod): void {
    this.#append(view, request);
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
    const statuses = this.#datapath.apply(this.#writer.view());
    this.#writer.reset();
    let refused: Pending['request'] | undefined;
    for (const [i, { view, request }] of pending.entries()) {
      const status = statuses[i] ?? Status.malformed;
      // One that became several records is answered once.
      if (status === Status.ok || request === refused) continue;
      refused = request;
      sendError(view, request, flowModError(status));
    }
    return refused === undefined || refused !== pending.at(-1)?.request;
  }

  /**
   * A modify that adds where there is nothing to modify is turned into what it will be, and one of all tables into one
   * for each that has flows for it.
   */
  #resolved(mod: FlowChange): readonly FlowChange[] {
    const everywhere = modifyReachesAll(mod);
    if ((!everywhere && !modifyMayAdd(mod)) || checkMatch(mod.match) !== undefined) return [mod];
    const found = this.#tablesWith(mod);
    if (found.size === 0 && modifyMayAdd(mod)) {
      const { newCookie, ...rest } = mod;
      const cookie = newCookie ?? mod.cookie;
      return [{ ...rest, cookie, command: FlowCommand.add, tableId: everywhere ? 0 : mod.tableId }];
    }
    // With none left the instructions are still looked at.
    return everywhere ? [...(found.size === 0 ? [0] : found)].map((tableId) => ({ ...mod, tableId })) : [mod];
  }

  #tablesWith(mod: FlowChange): Set<number> {
    this.flush();
    const writer = new RecordWriter(64);
    writeMatch(writer, mod.match);
    const strict = mod.command === FlowCommand.modifyStrict;
    const { tableId: table, cookie, cookieMask } = mod;
    const query = { query: Query.flows, table, cookie, cookieMask, match: writer.take() };
    const found = new Set<number>();
    for (let next: Uint8Array | undefined = encodeQuery(query); next !== undefined; ) {
      const part: ReturnType<Datapath['read']> = this.#datapath.read(next);
      for (const flow of decodeFlowAnswers(part.data)) {
        const same = flow.priority === mod.priority && Buffer.compare(flow.match, query.match) === 0;
        if (!strict || same) found.add(flow.table);
        // A table that is named is all there is to find.
        if (found.size > 0 && table !== allTables) return found;
      }
      next = part.next;
    }
    return found;
  }

  #append(view: ControllerView, request: FlowMod | NxFlowMod): boolean {
    const change = asFlowChange(request, view.flowFormat);
    const resolved = 'code' in change ? change : this.#resolved(change);
    const wrong = 'code' in resolved ? resolved : this.#appendAll(view, request, resolved);
    if (wrong === undefined) return true;
    sendError(view, request, wrong);
    return false;
  }

  /** They differ by their table alone, so that the first is refused, or none. */
  #appendAll(view: ControllerView, request: FlowMod | NxFlowMod, mods: readonly FlowChange[]): OfError | undefined {
    for (const mod of mods) {
      const start = this.#writer.length;
      const wrong = appendFlowMod(this.#writer, mod);
      if (wrong !== undefined) {
        this.#writer.truncate(start);
        return wrong;
      }
      this.#pending.push({ view, request });
    }
    return undefined;
  }
}

/** Appends one record, or returns why not: the caller truncates the writer then. */
export function appendFlowMod(writer: RecordWriter, mod: FlowChange): OfError | undefined {
  const wrong = checkHeader(mod) ?? checkMatch(mod.match);
  if (wrong !== undefined) return wrong;
  const deletes = mod.command === FlowCommand.delete || mod.command === FlowCommand.deleteStrict;
  const at = beginFlowMod(writer, {
    command: mod.command,
    table: mod.tableId,
    cookie: mod.newCookie ?? mod.cookie,
    cookieMask: mod.command === FlowCommand.add ? 0n : mod.cookieMask,
    priority: mod.priority,
    flags: flagsInForce(mod) | (mod.newCookie === undefined ? 0 : FlowFlag.setCookie),
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
  const bad = deletes ? undefined : writeInstructions(writer, mod.instructions, mod);
  endFlowMod(writer, at, instructionsAt);
  return bad ?? (writer.length - at > ENTRY_BYTES_MAX ? badAction(OFPBAC.TOO_MANY) : undefined);
}

function checkHeader(mod: FlowMod): OfError | undefined {
  if (mod.command > FlowCommand.deleteStrict) return flowModFailed(OFPFMFC.BAD_COMMAND);
  const flags = checkFlags(mod);
  if (flags !== undefined) return flags;
  const deletes = mod.command === FlowCommand.delete || mod.command === FlowCommand.deleteStrict;
  if (mod.tableId < tables || (deletes && mod.tableId === allTables)) return undefined;
  return flowModFailed(OFPFMFC.BAD_TABLE_ID);
}
