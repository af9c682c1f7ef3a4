/**
 * Flow monitors: controllers that are told of each change of the flows they named (OpenFlow 1.4.1 §7.3.5.18). In 1.0 to 1.2
 * they are Nicira's (NXST_FLOW_MONITOR, nicira-ext.h of Open vSwitch), in 1.3 ONF extension 187.
 *
 * A controller that does not keep up is told that it is paused; meanwhile it hears of removed flows only. What else changed
 * it gets from the tables when it has read everything, so that nothing has to be kept for it.
 */
import {
  type ErrorName,
  encodeMultipartReply,
  type FlowMonitor,
  type FlowUpdate,
  type MessageOf,
  type MultipartReplySource,
  type NxFlowUpdate,
  neutralPair,
  nicira,
  of13,
  of14,
} from 'node-openflow';
import type { Datapath } from '../datapath/datapath.js';
import {
  decodeFlowAnswers,
  decodeRuntimeAnswer,
  encodeQuery,
  type FlowAnswer,
  type FlowChangeRecord,
  RecordWriter,
  writeWatchFlows,
} from '../datapath/records.js';
import { allTables, FlowChange, Query } from '../datapath/schema.gen.js';
import type { ControllerView } from './controller-view.js';
import { type FlowSelector, selectorOf, selects } from './flow-selector.js';
import { MONITORS_MAX, READ_PART_BYTES } from './limits.js';
import { badRequest, type OfError } from './of-error.js';
import type { Answer } from './statistics.js';
import type { TableSettings } from './table-settings.js';
import { readInstructions } from './translate-instructions.js';
import { readMatch } from './translate-match.js';
import { widePort } from './translate-nicira.js';
import { OF13, OF14, removalReason, sayable } from './versions.js';

const { OFPBRC, OFPG } = of13;
const { OFPFMC, OFPFMF } = of14;
const { NXFME } = nicira;

/** Whose message made a change. */
export interface Origin {
  readonly view: ControllerView;
  readonly xid: number;
}

interface Monitor extends FlowSelector {
  /** OFPFMF, of which Nicira's and ONF's extension have the same bits but ONLY_OWN. */
  readonly flags: number;
}

type Monitors = ReadonlyMap<number, Monitor>;

/** One controller with monitors. */
interface Watcher {
  readonly view: ControllerView;
  monitors: Monitors;
  /** Waiting for the end of the batch. */
  updates: FlowUpdate[];
  /** Whose changes were abbreviated last. */
  abbreviated: Origin | undefined;
  /** Since which version of the tables it was not told everything. */
  paused: bigint | undefined;
}

const flagOf: Readonly<Record<number, number>> = {
  [FlowChange.added]: OFPFMF.ADD,
  [FlowChange.removed]: OFPFMF.REMOVED,
  [FlowChange.modified]: OFPFMF.MODIFY,
};
const CHANGES = OFPFMF.ADD | OFPFMF.REMOVED | OFPFMF.MODIFY;
const KNOWN = CHANGES | OFPFMF.INITIAL | OFPFMF.INSTRUCTIONS | OFPFMF.NO_ABBREV;

type Request = MessageOf<'multipart_request'>;

export class FlowMonitors {
  readonly #datapath: Datapath;
  readonly #tables: TableSettings;
  readonly #watchers = new Map<ControllerView, Watcher>();
  #watching = false;

  constructor(datapath: Datapath, tableSettings: TableSettings) {
    this.#datapath = datapath;
    this.#tables = tableSettings;
  }

  /** Adds, changes and deletes monitors, all of the request or none; the answer has the flows that are there. */
  request(view: ControllerView, request: Request): Answer {
    const { version } = request;
    const asked = requestsOf(request);
    const monitors = new Map(this.#watchers.get(view)?.monitors);
    const initial: Monitor[] = [];
    for (const one of asked) {
      const made = this.#carryOut(version, monitors, one);
      if (made !== undefined && 'code' in made) return { kind: 'error', error: made };
      if (made !== undefined && (made.flags & OFPFMF.INITIAL) !== 0) initial.push(made);
    }
    this.#keep(view, monitors);
    return this.#initial(version, initial);
  }

  /** Of Nicira's and ONF's extension; returns why not. */
  cancel(view: ControllerView, id: number): OfError | undefined {
    const monitors = new Map(this.#watchers.get(view)?.monitors);
    if (!monitors.delete(id)) return neutralPair('OFPMOFC_UNKNOWN_MONITOR');
    this.#keep(view, monitors);
    return undefined;
  }

  /** The datapath tells of a change, in the midst of a batch. */
  changed(record: FlowChangeRecord, origin: Origin | undefined): void {
    for (const watcher of this.#watchers.values()) {
      if (record.event === FlowChange.lost) watcher.view.abandon('more flows changed than it can be told');
      else this.#tell(watcher, record, origin);
    }
  }

  /** The batch is over: what gathered goes out. */
  flush(): void {
    for (const watcher of this.#watchers.values()) {
      watcher.abbreviated = undefined;
      if (watcher.view.gone) this.#keep(watcher.view, new Map());
      else if (watcher.updates.length > 0) this.#send(watcher);
    }
  }

  #carryOut(version: number, monitors: Map<number, Monitor>, asked: FlowMonitor): Monitor | OfError | undefined {
    const { monitorId, command, flags, tableId } = asked;
    const exists = monitors.has(monitorId);
    if (command > OFPFMC.DELETE) return neutralPair('OFPMOFC_BAD_COMMAND');
    if (command === OFPFMC.ADD && exists) return neutralPair('OFPMOFC_MONITOR_EXISTS');
    if (command !== OFPFMC.ADD && !exists) return neutralPair('OFPMOFC_UNKNOWN_MONITOR');
    if (command === OFPFMC.DELETE) {
      monitors.delete(monitorId);
      return undefined;
    }
    const known = version < OF14 ? KNOWN : KNOWN | OFPFMF.ONLY_OWN;
    if ((flags & CHANGES) === 0 || (flags & ~known) !== 0) return neutralPair('OFPMOFC_BAD_FLAGS');
    if (tableId !== allTables && !this.#tables.has(tableId)) return badTable(version);
    if (version >= OF14 && !canLeadTo(asked)) return neutralPair('OFPMOFC_BAD_OUT');
    if (!exists && monitors.size >= MONITORS_MAX) return tooMany(version);
    const selector = selectorOf(asked);
    if ('code' in selector) return selector;
    const monitor: Monitor = { ...selector, flags };
    monitors.set(monitorId, monitor);
    return monitor;
  }

  #keep(view: ControllerView, monitors: Monitors): void {
    const watcher = this.#watchers.get(view);
    if (monitors.size === 0) this.#watchers.delete(view);
    else if (watcher !== undefined) watcher.monitors = monitors;
    else this.#watchers.set(view, { view, monitors, updates: [], abbreviated: undefined, paused: undefined });
    const watching = this.#watchers.size > 0;
    if (watching === this.#watching) return;
    this.#watching = watching;
    const writer = new RecordWriter(16);
    writeWatchFlows(writer, watching);
    this.#datapath.apply(writer.view());
  }

  /** No flow is told of twice, however many monitors it matches. */
  #initial(version: number, monitors: readonly Monitor[]): Answer {
    if (monitors.length === 0) return { kind: 'list', list: listOf(version, []) };
    const [only] = monitors;
    const filter = monitors.length > 1 ? {} : { ...only!, match: only!.matchBytes };
    const decode = (data: Uint8Array) =>
      listOf(
        version,
        updates(data, (flow) => {
          const flags = flagsFor(monitors, flow);
          return flags === 0 ? undefined : fullUpdate(version, 'initial', flow, flags);
        }),
      );
    return { kind: 'parts', query: encodeQuery({ query: Query.flows, ...filter }), decode };
  }

  #tell(watcher: Watcher, record: FlowChangeRecord, origin: Origin | undefined): void {
    const { view, monitors, paused } = watcher;
    const { event, flow, oldInstructions, born } = record;
    const own = origin?.view === view;
    const wanted = flagOf[event]!;
    const concerned = [...monitors.values()].filter(
      ({ flags }) => (flags & wanted) !== 0 && (own || (flags & OFPFMF.ONLY_OWN) === 0),
    );
    const flags = flagsFor(concerned, flow!, oldInstructions);
    if (flags === 0) return;
    // While it is paused it is told when flows go that it may know, and of the rest when it has caught up.
    if (paused !== undefined && (event !== FlowChange.removed || born > paused)) return;
    if (own && paused === undefined && (flags & OFPFMF.NO_ABBREV) === 0) {
      if (watcher.abbreviated?.xid === origin.xid) return;
      watcher.abbreviated = origin;
      watcher.updates.push({ event: 'abbrev', xid: origin.xid });
      return;
    }
    const name = event === FlowChange.added ? 'added' : event === FlowChange.removed ? 'removed' : 'modified';
    watcher.updates.push(fullUpdate(view.version, name, flow!, flags, record.reason));
  }

  #send(watcher: Watcher): void {
    const list = listOf(watcher.view.version, watcher.updates.splice(0));
    if (!sendUpdates(watcher.view, list) && watcher.paused === undefined) this.#pause(watcher);
  }

  #pause(watcher: Watcher): void {
    watcher.paused = this.#version();
    signal(watcher.view, 'paused');
    void this.#catchUp(watcher);
  }

  async #catchUp(watcher: Watcher): Promise<void> {
    const { view } = watcher;
    for (let complete = false; !complete; ) {
      await view.drained();
      if (view.gone) return;
      const since = watcher.paused!;
      // What changes while this round is read is for the next.
      watcher.paused = this.#version();
      complete = true;
      let query: Uint8Array | undefined = encodeQuery({ query: Query.flows, since });
      while (query !== undefined && !view.gone) {
        const part: ReturnType<Datapath['read']> = this.#datapath.read(query, READ_PART_BYTES);
        const room = sendUpdates(view, listOf(view.version, this.#missed(watcher, part.data)));
        query = part.next;
        if (query === undefined && room) continue;
        complete = false;
        await view.drained();
      }
    }
    watcher.paused = undefined;
    signal(view, 'resumed');
  }

  #missed({ view, monitors }: Watcher, data: Uint8Array): Iterable<FlowUpdate> {
    return updates(data, (flow) => {
      const wanted = flow.isNew ? OFPFMF.ADD : OFPFMF.MODIFY;
      const concerned = [...monitors.values()].filter(
        ({ flags }) => (flags & wanted) !== 0 && (flags & OFPFMF.ONLY_OWN) === 0,
      );
      const flags = flagsFor(concerned, flow);
      return flags === 0 ? undefined : fullUpdate(view.version, flow.isNew ? 'added' : 'modified', flow, flags);
    });
  }

  #version(): bigint {
    return decodeRuntimeAnswer(this.#datapath.read(encodeQuery({ query: Query.runtime })).data).version;
  }
}

/** All flags of the monitors that select the flow, as it is or was; 0: none does. */
function flagsFor(monitors: readonly Monitor[], flow: FlowAnswer, oldInstructions?: Uint8Array): number {
  return monitors.reduce(
    (flags, monitor) => (selects(monitor, flow, oldInstructions) ? flags | monitor.flags : flags),
    0,
  );
}

/** Whether there can be flows that lead there (OpenFlow 1.4.1 §7.3.5.18.1). */
const canLeadTo = ({ outPort, outGroup }: FlowMonitor): boolean =>
  outPort > 0 && (outGroup <= OFPG.MAX || outGroup === OFPG.ANY);
const badTable = (version: number): OfError =>
  version < OF14 ? badRequest(OFPBRC.BAD_TABLE_ID) : neutralPair('OFPMOFC_BAD_TABLE_ID');
const tooMany = (version: number): OfError =>
  version < OF14 ? badRequest(OFPBRC.EPERM) : neutralPair('OFPMOFC_UNKNOWN' satisfies ErrorName);

/** The monitors of a request, whichever extension it is. */
function requestsOf({ body }: Request): readonly FlowMonitor[] {
  if (body.type === 'flow_monitor') return body.entries;
  if (body.type !== 'nx_flow_monitor') return [];
  return body.monitors.map(({ id, flags, outPort, tableId, match }) => {
    const rest = { outGroup: OFPG.ANY, command: OFPFMC.ADD };
    return { monitorId: id, flags, outPort: widePort(outPort), tableId, match, ...rest };
  });
}

function* updates(data: Uint8Array, of: (flow: FlowAnswer) => FlowUpdate | undefined): Generator<FlowUpdate> {
  for (const flow of decodeFlowAnswers(data)) {
    const update = of(flow);
    if (update !== undefined) yield update;
  }
}

function fullUpdate(
  version: number,
  event: 'initial' | 'added' | 'removed' | 'modified',
  flow: FlowAnswer,
  flags: number,
  reason = 0,
): FlowUpdate {
  const told = (flags & OFPFMF.INSTRUCTIONS) !== 0;
  return {
    event,
    tableId: flow.table,
    reason: event === 'removed' ? removalReason(version, reason) : 0,
    idleTimeout: flow.idle,
    hardTimeout: flow.hard,
    priority: flow.priority,
    cookie: flow.cookie,
    // Copies: the record is gone when this is sent.
    match: readMatch(flow.match.slice()),
    instructions: told ? readInstructions(flow.instructions.slice()) : [],
  };
}

/** Updates in the form of the version. */
function listOf(version: number, entries: Iterable<FlowUpdate>): MultipartReplySource {
  if (version >= OF13) return { type: 'flow_monitor', entries };
  return { type: 'nx_flow_monitor', entries: niciraUpdates(entries) };
}

const niciraEvents: Readonly<Record<string, number>> = {
  initial: NXFME.ADDED,
  added: NXFME.ADDED,
  removed: NXFME.DELETED,
  modified: NXFME.MODIFIED,
};

/** Flows that do more than one list of actions says are left out. */
function* niciraUpdates(entries: Iterable<FlowUpdate>): Generator<NxFlowUpdate> {
  for (const update of entries) {
    if (update.event === 'abbrev') yield { type: 'abbrev', xid: update.xid };
    if (!('match' in update)) continue;
    const { event, instructions, ...facts } = update;
    const [apply, ...more] = instructions;
    if (more.length > 0 || (apply !== undefined && apply.type !== 'apply_actions')) continue;
    yield { type: 'full', ...facts, event: niciraEvents[event]!, actions: apply?.actions ?? [] };
  }
}

/** Nobody asked for them: their xid is 0. False: there is no room for more. */
function sendUpdates(view: ControllerView, list: MultipartReplySource): boolean {
  const head = { version: view.version, xid: 0 };
  let room = true;
  const [first, ...rest] = sayable(head, list).entries as Iterable<unknown>;
  if (first === undefined) return room;
  const entries = [first, ...rest];
  for (const bytes of encodeMultipartReply(head, { ...list, entries } as MultipartReplySource)) {
    room = view.sendRaw(bytes);
  }
  return room;
}

function signal(view: ControllerView, event: 'paused' | 'resumed'): void {
  const { version } = view;
  if (version >= OF14) {
    sendUpdates(view, { type: 'flow_monitor', entries: [{ event }] });
    return;
  }
  view.send({ type: version === OF13 ? `flow_monitor_${event}` : `nx_flow_monitor_${event}`, xid: 0 });
}
