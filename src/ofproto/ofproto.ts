/**
 * What OpenFlow means on top of a datapath. Knows no sockets and no roles: controllers are {@link ControllerView}s, and
 * who is allowed what was decided before. Keeps no flows: they live in the datapath.
 *
 * Messages are handled in the order of calls. Flow_mods are gathered and handed over together: at the latest when
 * another message comes, from whichever controller, or when the event loop has read what was there.
 */

import {
  type FlowMod,
  type GroupMod,
  type Message,
  type MeterMod,
  type MultipartRequest,
  type NxFlowMod,
  of13,
  of14,
  of15,
  type PortDesc,
  type SetConfig,
  type TableDesc,
} from 'node-openflow';
import { atOnce } from '../base/slices.js';
import type { Datapath } from '../datapath/datapath.js';
import {
  decodeFlowAnswers,
  encodeQuery,
  forEachUpcall,
  RecordWriter,
  type UpcallRecord,
  writeControllerState,
  writeSetConfig,
} from '../datapath/records.js';
import { FlowCommand, FragMode, localController, Query, ReservedPort, Status, tables } from '../datapath/schema.gen.js';
import {
  type AsyncEvent,
  flowRemovedMessage,
  type LocalPacketIn,
  localPacketIn,
  packetInEvent,
} from './async-events.js';
import { type Change, commit, isModification, type Refused, xidsOf } from './commit.js';
import type { ControllerView } from './controller-view.js';
import { FeaturesRequests } from './features-requests.js';
import { decodedMessage, FlowMods } from './flow-mods.js';
import { FlowMonitors, type Origin } from './flow-monitors.js';
import { applyGroupMod } from './group-mods.js';
import { BUFFERS_MAX, READ_PART_BYTES, TLV_FIELDS_MAX, TLV_SPACE_MAX } from './limits.js';
import { applyMeterMod } from './meter-mods.js';
import { badRequest, type OfError, packetOutError, queueOpFailed, sendError, switchConfigFailed } from './of-error.js';
import { PacketBuffers } from './packet-buffers.js';
import { PacketOuts } from './packet-outs.js';
import { type PortInfo, PortTable } from './port-table.js';
import { resume } from './resume.js';
import { Seal } from './seal.js';
import { type Standalone, setStandalone } from './standalone.js';
import { type Answer, type Description, Statistics } from './statistics.js';
import { flowEntry, flowStatisticsEntry } from './stats-entries.js';
import { setTableFeatures } from './table-features-request.js';
import { type TableChange, type TableLimit, TableSettings, type TableState } from './table-settings.js';
import { TlvTable } from './tlv-table.js';
import {
  ACTIONS_10,
  capabilities,
  FEATURES_PORTS_MAX,
  hasInvalidTtlFlag,
  INVALID_TTL_TO_CONTROLLER,
  legacyPort,
  listsPortsInFeatures,
  OF10,
} from './versions.js';

const { OFP_NO_BUFFER, OFPBRC, OFPC_FRAG, OFPMPF, OFPQOFC, OFPSCFC } = of13;
const COMMAND_BITS = 0xff;
/** OFPT_*, since 1.0. */
const [PACKET_OUT, FLOW_MOD] = [13, 14];

/** OFPC_FRAG_NX_MATCH */
const NX_MATCH = 3;

export interface OfprotoOptions {
  /** Its onUpcall belongs to ofproto from here on. */
  readonly datapath: Datapath;
  readonly datapathId: bigint;
  readonly description: Description;
  /** A port's link came or went; `text` says why where its other end broke the rules. */
  readonly onPortState?: (port: number, state: number, text: string) => void;
  /** Our own failure over one record: that record is lost, the daemon and the other guests go on. */
  readonly onUpcallFailure?: (error: unknown) => void;
  /** What tables take, until a controller sets it; default: FLOWS_PER_TABLE_MAX. */
  readonly tableLimits?: readonly TableLimit[] | undefined;
  /** What left through ports of kind 'capture'. */
  readonly onPortOutput?: (port: number, frame: Uint8Array) => void;
}

export class Ofproto {
  readonly #datapath: Datapath;
  readonly #options: OfprotoOptions;
  readonly #flowMods: FlowMods;
  readonly #buffers = new PacketBuffers();
  readonly #ports: PortTable;
  readonly #packetOuts: PacketOuts;
  readonly #statistics: Statistics;
  readonly #tableSettings: TableSettings;
  readonly #monitors: FlowMonitors;
  readonly #featuresRequests = new FeaturesRequests();
  readonly #tlvTable = new TlvTable();
  readonly #seal = new Seal();
  /** Whose message the record of a batch comes from that is handed over, where it is no flow_mod alone. */
  #origin: ((record: number) => Origin) | undefined;
  #async: (event: AsyncEvent) => void = () => {};
  #local: (packet: LocalPacketIn) => void = () => {};
  #flushPending = false;
  /** Flows, since those who watch were told the last time. */
  #changedByPackets = false;
  #closed = false;
  #fragments: number = FragMode.normal;

  constructor(options: OfprotoOptions) {
    this.#options = options;
    this.#datapath = options.datapath;
    const tell = (reason: number, table: TableDesc) => this.#async({ type: 'table_status', reason, table });
    this.#tableSettings = new TableSettings(options.datapath, tell, options.tableLimits);
    this.#monitors = new FlowMonitors(options.datapath, this.#tableSettings);
    this.#flowMods = new FlowMods(options.datapath, this.#tableSettings, () => this.#settled());
    this.#ports = new PortTable(options.datapath, (reason, port) => {
      this.#async({ type: 'port_status', reason, port });
    });
    this.#packetOuts = new PacketOuts(options.datapath, this.#buffers, this.#ports);
    this.#statistics = new Statistics(options.datapath, this.#ports, this.#tableSettings, options.description);
    options.datapath.onUpcall((records) => this.#upcalls(records));
  }

  /**
   * Carries out a message and replies. A promise is returned when the answer is long: the controller's next message is
   * to wait for it; it never rejects. Messages about the connection itself do not come here (hello, echo, roles, …).
   */
  handle(view: ControllerView, message: Message): Promise<void> | undefined {
    if (message.type === 'flow_mod' || message.type === 'nx_flow_mod') {
      this.#flowMod(view, message);
      return undefined;
    }
    this.barrier();
    if (message.type === 'multipart_request') return this.#multipart(view, message);
    const { xid } = message;
    const wrong = this.#by(
      () => ({ view, xid }),
      () => this.#other(view, message),
    );
    if (wrong !== undefined) sendError(view, message, wrong);
    this.#settled();
    return undefined;
  }

  /** Carries out a flow_mod or packet-out that came as these bytes; false: it is to be decoded and handled. */
  handleBytes(view: ControllerView, bytes: Uint8Array): boolean {
    if (bytes[1] === PACKET_OUT) return this.#packetOutBytes(view, bytes);
    if (bytes[1] !== FLOW_MOD || !this.#flowMods.addBytes(view, bytes)) return false;
    this.#flushSoon();
    return true;
  }

  #packetOutBytes(view: ControllerView, bytes: Uint8Array): boolean {
    this.barrier();
    const sent = this.#packetOuts.sendBytes(bytes);
    if (sent === undefined) return false;
    if (sent.status !== Status.ok) {
      const message = decodedMessage(bytes);
      sendError(view, message, packetOutError(sent.status, message.version));
    }
    // What it learned.
    this.#settled();
    return true;
  }

  /** Carries changes of a controller out together: see `commit`. The caller has checked that each may be part of a bundle. */
  commit(view: ControllerView, changes: readonly Change[]): Refused | undefined {
    this.barrier();
    const parts = {
      datapath: this.#datapath,
      ports: this.#ports,
      tableSettings: this.#tableSettings,
      packetOuts: this.#packetOuts,
    };
    const xidOf = xidsOf(changes.filter(isModification));
    const refused = this.#by(
      (record) => ({ view, xid: xidOf(record) }),
      () => commit(parts, changes),
    );
    this.#settled();
    if (refused !== undefined) return refused;
    for (const change of changes) {
      if (change.type === 'group_mod' || change.type === 'meter_mod') this.#forward(view, change);
      const names = change.type === 'flow_mod' && change.command <= FlowCommand.modifyStrict;
      if (names && change.bufferId !== OFP_NO_BUFFER) this.#packetOuts.release(change.bufferId);
    }
    return undefined;
  }

  /** When it returns every message so far is in force, or answered with an error. */
  barrier(): void {
    if (!this.#closed) this.#flowMods.flush();
  }

  /** Packets, removed flows, changes of ports and others' requests, for every controller that wants them. One listener. */
  onAsync(listener: (event: AsyncEvent) => void): void {
    this.#async = listener;
  }

  /** Packets for the daemon's own agents, which no controller is told of. One listener. */
  onLocalPacketIn(listener: (packet: LocalPacketIn) => void): void {
    this.#local = listener;
  }

  /** The port is attached to the datapath already. */
  portAdded(port: PortInfo): void {
    this.#ports.add(port);
  }

  /** The port is detached already. */
  portRemoved(number: number): void {
    this.#ports.remove(number);
  }

  /**
   * While no controller is there, packets do not go up. `misses`: there is one of a version in which those go up that no
   * flow of a table matches.
   */
  controllersChanged(anyConnected: boolean, misses = false): void {
    if (this.#closed) return;
    const writer = new RecordWriter(16);
    writeControllerState(writer, anyConnected, misses);
    this.#datapath.apply(writer.view());
  }

  /** What the operator sets of a table of the datapath; what is not named stays. Returns what is in force then. */
  setTable(tableId: number, change: TableChange): TableState {
    this.barrier();
    const state = this.#tableSettings.operate(tableId, change);
    this.#settled();
    return state;
  }

  /** Installs or removes the flow that makes it an ordinary learning switch. */
  standalone(place: Standalone): void {
    if (this.#closed) return;
    this.barrier();
    setStandalone(this.#datapath, place);
    this.#settled();
  }

  /** Flows expire, and what no worker sees any more is freed. About ten times a second. */
  tick(): void {
    if (this.#closed) return;
    this.#datapath.tick();
    this.#featuresRequests.tick();
    this.#settled();
  }

  /** All flows, part by part, for the management interface. */
  async *flows(): AsyncGenerator<ReturnType<typeof flowEntry>> {
    this.barrier();
    let query: Uint8Array | undefined = encodeQuery({ query: Query.flows });
    while (query !== undefined && !this.#closed) {
      const part: ReturnType<Datapath['read']> = this.#datapath.read(query, READ_PART_BYTES);
      for (const flow of decodeFlowAnswers(part.data)) yield flowEntry(flow);
      query = part.next;
      if (query !== undefined) await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** To be called before the datapath is closed. */
  close(): void {
    this.barrier();
    this.#closed = true;
  }

  #flowMod(view: ControllerView, mod: FlowMod | NxFlowMod): void {
    // In 1.0 the table may be above it.
    const adds = (mod.command & COMMAND_BITS) <= FlowCommand.modifyStrict;
    if (adds && mod.bufferId !== OFP_NO_BUFFER) {
      // The packet is for the flow: where that was refused it stays where it is.
      const wrong = this.#flowMods.carryOut(view, mod) ? this.#packetOuts.release(mod.bufferId) : undefined;
      if (wrong !== undefined) sendError(view, mod, wrong);
      return;
    }
    this.#flowMods.add(view, mod);
    this.#flushSoon();
  }

  #flushSoon(): void {
    if (this.#flushPending || this.#flowMods.isEmpty) return;
    this.#flushPending = true;
    setImmediate(() => {
      this.#flushPending = false;
      this.barrier();
    });
  }

  #other(view: ControllerView, message: Exclude<Message, FlowMod | NxFlowMod | MultipartRequest>): OfError | undefined {
    switch (message.type) {
      case 'features_request':
        this.#features(view, message.xid);
        return undefined;
      case 'get_config_request': {
        const { missSendLen, invalidTtl } = view.config;
        const flags = this.#fragments | (invalidTtl && hasInvalidTtlFlag(view.version) ? INVALID_TTL_TO_CONTROLLER : 0);
        view.send({ type: 'get_config_reply', xid: message.xid, flags, missSendLen });
        return undefined;
      }
      case 'set_config':
        return this.#setConfig(view, message);
      case 'packet_out':
        return this.#packetOuts.send(message);
      case 'group_mod':
        return applyGroupMod(this.#datapath, message) ?? this.#forward(view, message);
      case 'meter_mod':
        return applyMeterMod(this.#datapath, message) ?? this.#forward(view, message);
      case 'port_mod':
        return this.#ports.modify(message);
      case 'table_mod':
        return this.#tableSettings.modify(message);
      case 'flow_monitor_cancel':
        return this.#monitors.cancel(view, message.monitorId);
      case 'nx_flow_monitor_cancel':
        return this.#monitors.cancel(view, message.id);
      case 'queue_get_config_request':
        return this.#queueConfig(view, message.xid, message.port);
      case 'barrier_request':
        view.send({ type: 'barrier_reply', xid: message.xid });
        return undefined;
      case 'nx_tlv_table_mod':
        return this.#tlvTable.modify(message);
      case 'nx_tlv_table_request': {
        const { mappings } = this.#tlvTable;
        const limits = { maxOptionSpace: TLV_SPACE_MAX, maxFields: TLV_FIELDS_MAX };
        view.send({ type: 'nx_tlv_table_reply', xid: message.xid, ...limits, mappings });
        return undefined;
      }
      case 'nx_resume':
        return resume(message, this.#packetOuts, this.#seal);
      // The latter two are, in 1.3, an extension of ONF's.
      case 'experimenter':
      case 'bundle_control':
      case 'bundle_add_message':
        return badRequest(OFPBRC.BAD_EXPERIMENTER);
      case 'error':
      case 'echo_reply':
      case 'hello':
        return undefined;
      default:
        // Connection tracking among them; we are known to speak Nicira's, but not this.
        if (message.type.startsWith('nx_')) return badRequest(OFPBRC.BAD_EXP_TYPE);
        // A switch's own messages, sent to a switch.
        return badRequest(OFPBRC.BAD_TYPE);
    }
  }

  /** §7.3.1 */
  #features(view: ControllerView, xid: number): void {
    const { version } = view;
    view.send({
      type: 'features_reply',
      xid,
      datapathId: this.#options.datapathId,
      nBuffers: BUFFERS_MAX,
      nTables: tables,
      auxiliaryId: view.auxiliaryId,
      capabilities: capabilities(version),
      reserved: 0,
      ...(version === OF10 ? { actions: ACTIONS_10 } : {}),
      ...(listsPortsInFeatures(version) ? { ports: this.#portsIn(version) } : {}),
    });
  }

  #portsIn(version: number): PortDesc[] {
    const listed = this.#ports.all().slice(0, FEATURES_PORTS_MAX);
    return listed.map((port) => legacyPort(version, port));
  }

  /** Whoever else wants to know of it is told (OpenFlow 1.4.1 §7.4.6). */
  #forward(by: ControllerView, request: GroupMod | MeterMod): undefined {
    const reason = request.type === 'group_mod' ? of14.OFPRFR.GROUP_MOD : of14.OFPRFR.METER_MOD;
    this.#async({ type: 'requestforward', reason, request, by });
  }

  /** What becomes of fragments; OFPC_FRAG_*. */
  get fragments(): number {
    return this.#fragments;
  }

  /**
   * §7.3.2: fragments are passed or dropped, never reassembled; that is the switch's, the rest the connection's. Nicira's
   * nx-match wants of the first fragment what it is here anyway: to match by its ports. Lengths above OFPCML_MAX are taken,
   * as by Open vSwitch: its tools ask for 65534 bytes.
   */
  #setConfig(view: ControllerView, { flags, missSendLen }: SetConfig): OfError | undefined {
    const own = hasInvalidTtlFlag(view.version) ? INVALID_TTL_TO_CONTROLLER : 0;
    const fragments = flags & ~own;
    if (![OFPC_FRAG.NORMAL, OFPC_FRAG.DROP, NX_MATCH].includes(fragments)) return switchConfigFailed(OFPSCFC.BAD_FLAGS);
    view.config = { missSendLen, invalidTtl: (flags & own) !== 0 };
    if (fragments === this.#fragments) return undefined;
    this.#fragments = fragments;
    this.#configure();
    return undefined;
  }

  #configure(): void {
    const writer = new RecordWriter(16);
    const mode = this.#fragments === OFPC_FRAG.DROP ? FragMode.drop : FragMode.normal;
    writeSetConfig(writer, mode, this.#tableSettings.firstEgress);
    this.#datapath.apply(writer.view());
  }

  /** §7.3.6: no port has queues. */
  #queueConfig(view: ControllerView, xid: number, port: number): OfError | undefined {
    if (port !== ReservedPort.any && !this.#ports.has(port)) return queueOpFailed(OFPQOFC.BAD_PORT);
    view.send({ type: 'queue_get_config_reply', xid, port, queues: [] });
    return undefined;
  }

  /** The answer to a multipart request, however long, before others have their turn. */
  answerNow(view: ControllerView, request: MultipartRequest): void {
    this.barrier();
    void this.#multipart(view, request, (answer) => atOnce(this.#statistics.parts(view, request, answer)));
  }

  #multipart(
    view: ControllerView,
    request: MultipartRequest,
    sendParts = (answer: Answer & { readonly kind: 'parts' }): Promise<void> | void =>
      this.#statistics.sendParts(view, request, answer),
  ): Promise<void> | undefined {
    const answer = this.#answer(view, request);
    switch (answer.kind) {
      case 'none':
        return undefined;
      case 'error':
        sendError(view, request, answer.error);
        return undefined;
      case 'body':
        view.send({ type: 'multipart_reply', xid: request.xid, flags: 0, body: answer.body });
        return undefined;
      case 'list':
        this.#statistics.sendList(view, request, answer.list);
        return undefined;
      case 'parts':
        return sendParts(answer) ?? undefined;
    }
  }

  #answer(view: ControllerView, request: MultipartRequest): Answer {
    const { body, version } = request;
    const more = (request.flags & OFPMPF.REQ_MORE) !== 0;
    if (body.type === 'table_features') {
      const entries = this.#featuresRequests.gather(view, request, body.entries, more);
      if (entries === 'more') return { kind: 'none' };
      if ('code' in entries) return { kind: 'error', error: entries };
      if (entries.length > 0) {
        const wrong = setTableFeatures(this.#datapath, this.#tableSettings, version, entries);
        this.#settled();
        if (wrong !== undefined) return { kind: 'error', error: wrong };
        this.#configure();
      }
    } else if (more) {
      // Only table features may be spread over several messages (§7.3.5).
      return { kind: 'error', error: badRequest(OFPBRC.MULTIPART_BUFFER_OVERFLOW) };
    }
    const monitors = body.type === 'flow_monitor' || body.type === 'nx_flow_monitor';
    return monitors ? this.#monitors.request(view, request) : this.#statistics.answer(request);
  }

  /** Changes that the call makes come from `origin`. */
  #by<Result>(origin: (record: number) => Origin, call: () => Result): Result {
    // What goes up for a packet-out may make an agent of the daemon's change something meanwhile.
    const before = this.#origin;
    this.#origin = origin;
    try {
      return call();
    } finally {
      this.#origin = before;
    }
  }

  /** What was handed over is in force: those who watch are told. */
  #settled(): void {
    if (this.#closed) return;
    this.#tableSettings.look();
    this.#monitors.flush();
  }

  #upcalls(records: Uint8Array): void {
    forEachUpcall(records, (record) => this.#guarded(() => this.#upcall(record)));
    if (!this.#changedByPackets) return;
    this.#changedByPackets = false;
    if (!this.#closed) this.#guarded(() => this.#monitors.flush());
  }

  /** A guest's frame stands behind most records: what it brings to light in us must not end the service of all others. */
  #guarded(call: () => void): void {
    try {
      call();
    } catch (error) {
      if (this.#options.onUpcallFailure === undefined) throw error;
      this.#options.onUpcallFailure(error);
    }
  }

  #originOf(record: number): Origin | undefined {
    if (this.#origin !== undefined) return this.#origin(record);
    return this.#flowMods.origin(record);
  }

  #upcall(record: UpcallRecord): void {
    switch (record.kind) {
      case 'packet_in':
        if (record.controllerId === localController) this.#local(localPacketIn(record));
        else this.#async(packetInEvent(record, this.#buffers, this.#seal));
        return;
      case 'flow_removed':
        this.#async(flowRemovedMessage(record));
        return;
      case 'flow_change':
        this.#changedByPackets ||= record.cause === undefined;
        this.#monitors.changed(record, record.cause === undefined ? undefined : this.#originOf(record.cause));
        return;
      case 'flow_statistics': {
        const entries = [flowStatisticsEntry(record, of15.OFPFSR.STAT_TRIGGER)];
        this.#async({ type: 'multipart_reply', flags: 0, body: { type: 'flow_stats', entries } });
        return;
      }
      case 'port_state':
        this.#ports.setState(record.port, record.state);
        this.#options.onPortState?.(record.port, record.state, record.text);
        return;
      case 'port_output':
        this.#options.onPortOutput?.(record.port, record.frame);
        return;
    }
  }
}
