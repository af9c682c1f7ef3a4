/** The OpenFlow half of a bridge: ofproto over the datapath, and the channels to controllers and tools. */
import { type Logger, RateLimitedLog } from '../base/logger.js';
import type { Datapath, PortNo } from '../datapath/datapath.js';
import { PortState } from '../datapath/schema.gen.js';
import { Ofproto, type TableChange, type TableLimit, type TableState } from '../ofproto/index.js';
import { Channels, type Endpoint, type FailMode, type TlsCredentials } from '../openflow/index.js';
import { type FlowEntry, formatFlowStats } from './flow-text.js';
import { type LocalTables, localTables } from './local-tables.js';
import {
  type ControllerStatus,
  controllerStatus,
  type OpenFlowSide,
  type PortFacts,
  type PortStateListener,
} from './openflow-side.js';

export interface OfprotoSideOptions {
  /** Closed by its owner, after this half. */
  readonly datapath: Datapath;
  readonly datapathId: bigint;
  /** Of the switch, as its description tells: the bridge's name and the software's version. */
  readonly name: string;
  readonly version: string;
  /** To connect to. */
  readonly controllers: readonly Endpoint[];
  /** Where controllers may connect. */
  readonly listen: readonly Endpoint[];
  /** Wire versions for controllers whose endpoint does not say; undefined: all. Tools may use any. */
  readonly protocols?: readonly number[] | undefined;
  /** Connections to each of `controllers` beside the main one; default 0. */
  readonly auxiliaries?: number | undefined;
  /** For `ssl:` and `pssl:`. */
  readonly tls?: TlsCredentials | undefined;
  /** What tables take, until a controller sets it. */
  readonly tableLimits?: readonly TableLimit[] | undefined;
  /** Where tools may connect. */
  readonly management: readonly string[];
  readonly failMode: FailMode;
  /** Called with the tables before anybody can connect. */
  readonly prepare?: ((tables: LocalTables) => Promise<void>) | undefined;
  readonly logger: Logger;
}

class OfprotoSide implements OpenFlowSide {
  readonly #ofproto: Ofproto;
  readonly #management: readonly string[];
  #channels: Channels | undefined;
  #tellBridge: PortStateListener = () => {};

  constructor({ datapath, datapathId, name, version, management, tableLimits, logger }: OfprotoSideOptions) {
    const failures = new RateLimitedLog(logger);
    this.#management = management;
    this.#ofproto = new Ofproto({
      datapath,
      datapathId,
      description: {
        manufacturer: 'xvif-switch',
        hardware: 'Xen network backend',
        software: version,
        serial: 'None',
        datapath: name,
      },
      tableLimits,
      onUpcallFailure: (error) => failures.warn({ err: error }, 'bug: an upcall could not be handled'),
      onPortState: (port, state, text) => this.#tellBridge(port, (state & PortState.linkDown) !== 0, text),
    });
  }

  async start(options: OfprotoSideOptions): Promise<void> {
    const { controllers, listen, protocols, auxiliaries, tls, management, failMode, logger } = options;
    await options.prepare?.(localTables(this.#ofproto, options.datapath));
    this.#channels = await Channels.start({
      switch: this.#ofproto,
      controllers,
      listen,
      ...(protocols === undefined ? {} : { versions: protocols }),
      auxiliaries,
      tls,
      management,
      failMode,
      logger,
    });
  }

  portAdded(port: PortFacts): void {
    this.#ofproto.portAdded(port);
  }

  portRemoved(number: PortNo): void {
    this.#ofproto.portRemoved(number);
  }

  onPortState(listener: PortStateListener): void {
    this.#tellBridge = listener;
  }

  tick(): void {
    this.#ofproto.tick();
  }

  setTable(table: number, change: TableChange): TableState {
    return this.#ofproto.setTable(table, change);
  }

  async flows(): Promise<readonly FlowEntry[]> {
    const entries: FlowEntry[] = [];
    for await (const stats of this.#ofproto.flows()) entries.push({ stats, text: formatFlowStats(stats) });
    return entries;
  }

  controllers(): readonly ControllerStatus[] {
    const channels = this.#channels;
    return channels === undefined ? [] : controllerStatus(channels.controllers, channels.connections);
  }

  listening(): readonly string[] {
    return (this.#channels?.listening ?? []).filter((target) => !this.#management.includes(target));
  }

  async close(): Promise<void> {
    await this.#channels?.stop();
    this.#ofproto.close();
  }
}

/** Listens and begins to connect. Rejects with a sentence; nothing is left behind then. */
export async function openOfproto(options: OfprotoSideOptions): Promise<OpenFlowSide> {
  const side = new OfprotoSide(options);
  try {
    await side.start(options);
  } catch (error) {
    await side.close();
    throw error;
  }
  return side;
}
