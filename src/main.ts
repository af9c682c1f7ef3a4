/** The composition root: builds every component and connects them. Nothing else makes components. */
import { hostname } from 'node:os';
import { claimRunDir } from './api/claim-run-dir.js';
import { Guests } from './api/guests.js';
import { createHandlers } from './api/handlers.js';
import { type HttpEndpoint, MetricsServer } from './api/metrics-server.js';
import { apiSocketPath, managementSocketPath, xenstoredSocketPath } from './api/run-dir.js';
import { ApiServer } from './api/server.js';
import { readVersion } from './api/version.js';
import { systemClock } from './base/clock.js';
import { parseDecimal, quote } from './base/decimal.js';
import { messageOf } from './base/error.js';
import type { Logger } from './base/logger.js';
import { Bridge, type FailMode } from './bridge/bridge.js';
import { Bridges } from './bridge/bridges.js';
import { deriveDatapathId, deriveMac, deviceMac } from './bridge/identity.js';
import { openOfproto } from './bridge/ofproto-side.js';
import type { PortOverrides } from './bridge/port-overrides.js';
import { VifPorts } from './bridge/vif-ports.js';
import type { PortSpec } from './datapath/datapath.js';
import { NativeDatapathAdapter } from './datapath/native.js';
import { loadAddon, type NativeRuntime } from './datapath/native-addon.js';
import { AllDocuments } from './documents/documents.js';
import { EmulatedHost } from './guest/index.js';
import { becomeSuccessor, findSuccessor, type RunAs } from './host/run-as.js';
import type { TableLimit } from './ofproto/index.js';
import { type Endpoint, TlsCredentials, type TlsFiles } from './openflow/index.js';
import { VifBackend } from './vif/index.js';
import { connectXenstored, DOMID_MAX, type XenstoreClient } from './xenstore/index.js';

export interface BridgeConfig {
  readonly name: string;
  /** Undefined: made from the host's and the bridge's name. */
  readonly datapathId: bigint | undefined;
  readonly failMode: FailMode;
  /** Controllers to connect to. */
  readonly controllers: readonly Endpoint[];
  /** Where controllers may connect to us. */
  readonly listen: readonly Endpoint[];
  /** Wire versions of OpenFlow that controllers are offered whose endpoint does not say; undefined: all. */
  readonly protocols?: readonly number[] | undefined;
  /** Connections to each controller beside the main one; default 0. */
  readonly auxiliaries?: number | undefined;
  /** What tables take, until a controller sets it. */
  readonly tableLimits?: readonly TableLimit[] | undefined;
  /** What the LOCAL port is. */
  readonly local: 'tap' | 'null';
  readonly ports: readonly { readonly name: string; readonly spec: PortSpec }[];
}

export interface DaemonConfig {
  readonly runDir: string;
  /** Where documents are kept; made when there are any. */
  readonly stateDir: string;
  readonly workers: number;
  readonly hypervisor: 'emulated' | 'xen';
  readonly bridges: readonly BridgeConfig[];
  /** For controllers with `ssl:` and `pssl:`. */
  readonly tls?: TlsFiles | undefined;
  /** Where metrics are told over HTTP; undefined: nowhere. */
  readonly metrics?: HttpEndpoint | undefined;
  /** Whom to become once everything is open; undefined: nobody else. */
  readonly runAs?: RunAs | undefined;
}

export interface Daemon {
  readonly apiSocket: string;
  /** Resolves with a sentence when the daemon is of no use any more: close it. Never does once close() was called. */
  readonly lost: Promise<string>;
  /** Ends everything; when it resolves no thread, socket or guest is left. Never rejects. May be called again. */
  close(): Promise<void>;
}

/** What has to be undone, the latest first. */
class Closers {
  readonly #logger: Logger;
  readonly #closers: { readonly what: string; readonly close: () => void | Promise<void> }[] = [];
  #running: Promise<void> | undefined;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  add(what: string, close: () => void | Promise<void>): void {
    this.#closers.push({ what, close });
  }

  get running(): boolean {
    return this.#running !== undefined;
  }

  run(): Promise<void> {
    this.#running ??= this.#run();
    return this.#running;
  }

  /** What cannot be closed must not keep the rest open. */
  async #run(): Promise<void> {
    for (let closer = this.#closers.pop(); closer !== undefined; closer = this.#closers.pop()) {
      try {
        await closer.close();
      } catch (error) {
        this.#logger.error({ err: error, what: closer.what }, 'could not be closed');
      }
    }
  }
}

/**
 * Starts the daemon. Rejects with a sentence when that is not possible, and with the signal's reason when `signal`
 * aborts meanwhile; nothing is left behind then. Aborting later has no effect: call close().
 */
export async function startDaemon(
  config: DaemonConfig,
  options: {
    readonly logger: Logger;
    readonly signal: AbortSignal;
    /** Instead of the hypervisor's own xenstore; for tests. */
    readonly openStore?: () => Promise<XenstoreClient>;
  },
): Promise<Daemon> {
  const { logger, signal } = options;
  const closers = new Closers(logger);
  try {
    let lose: (reason: string) => void = () => {};
    const lost = new Promise<string>((resolve) => {
      lose = resolve;
    });
    const apiSocket = await build(config, { ...options, lose }, closers);
    signal.throwIfAborted();
    return { apiSocket, lost, close: () => closers.run() };
  } catch (error) {
    await closers.run();
    throw error;
  }
}

interface BuildOptions {
  readonly logger: Logger;
  readonly signal: AbortSignal;
  readonly openStore?: () => Promise<XenstoreClient>;
  readonly lose: (reason: string) => void;
}

/** From the ground up. Returns the path of the API's socket. */
async function build(config: DaemonConfig, options: BuildOptions, closers: Closers): Promise<string> {
  const { logger, signal } = options;
  signal.throwIfAborted();
  const addon = loadAddon();
  const successor = config.runAs && findSuccessor(addon, config.runAs);
  await claimRunDir(config.runDir, process.getuid?.() ?? 0, successor?.uid);
  signal.throwIfAborted();
  const runtime = addon.openRuntime({ workers: config.workers, hypervisor: config.hypervisor });
  closers.add('native runtime', () => runtime.close());
  const host = config.hypervisor === 'emulated' ? await emulate(runtime, config.runDir, logger, closers) : undefined;

  const tls = config.tls && new TlsCredentials(config.tls, logger);
  closers.add('TLS files', () => tls?.close());
  const bridges = new Bridges();
  const documents = new AllDocuments(config.stateDir, { clock: systemClock, logger });
  for (const bridgeConfig of config.bridges) {
    signal.throwIfAborted();
    const bridge = await buildBridge(bridgeConfig, tls, config.runDir, runtime, bridges.overrides, documents, logger);
    closers.add(`bridge ${bridge.name}`, () => bridge.close());
    bridges.add(bridge);
    documents.of(bridge.name)?.follow(bridge);
    const { name, datapathId, failMode } = bridge;
    logger.info(
      { bridge: name, datapathId: datapathId.toString(16), failMode, listening: bridge.listening() },
      'bridge',
    );
  }

  // Before the bridges close.
  closers.add('documents', () => documents.close());
  signal.throwIfAborted();
  const openStore =
    options.openStore ?? (async () => (host === undefined ? await connectXenstored({ logger }) : host.openStore(0)));
  const store = await openStore();
  store.onClosed((reason) => {
    if (closers.running) return;
    logger.error({ err: reason }, 'connection to xenstored lost');
    // Guests can be served no further without it; a daemon started anew takes their vifs over.
    options.lose(`connection to xenstored lost${reason === undefined ? '' : `: ${reason.message}`}`);
  });
  closers.add('xenstore connection', () => store.close());
  const domid = host === undefined ? await ownDomid(store) : 0;
  runtime.setOwnDomid(domid);
  const vifs = new VifBackend({ store, domid, hooks: new VifPorts(bridges, logger), logger });
  closers.add('vif backend', () => vifs.stop());
  for (const bridge of bridges.all) {
    bridge.onFault((spec, fault) => {
      if (spec.kind === 'vif') vifs.fault(spec.domid, spec.handle, fault);
    });
  }
  await vifs.start();

  signal.throwIfAborted();
  const facts = { version: readVersion(), hypervisor: config.hypervisor, workers: config.workers };
  const handlers = createHandlers(facts, bridges, new Guests(host, bridges), documents);
  const api = await ApiServer.listen(apiSocketPath(config.runDir), handlers, logger);
  closers.add('API', () => api.close());
  if (config.metrics !== undefined) {
    const { readMetrics } = await import('./api/metrics.js');
    const metrics = await MetricsServer.listen(config.metrics, () => readMetrics(documents, bridges), logger);
    closers.add('metrics', () => metrics.close());
    logger.info({ host: config.metrics.host, port: metrics.port }, 'metrics');
  }
  if (successor !== undefined) {
    documents.handOver(successor.uid, successor.gid);
    becomeSuccessor(addon, successor, config.runDir);
    const { user, uid, gid, keep } = successor;
    logger.info({ user, uid, gid, capabilities: keep }, 'privileges dropped');
  }
  return apiSocketPath(config.runDir);
}

/** A Xen host of our own, whose guests the API makes. */
async function emulate(
  runtime: NativeRuntime,
  runDir: string,
  logger: Logger,
  closers: Closers,
): Promise<EmulatedHost> {
  const host = new EmulatedHost({ hypervisor: runtime.emulated, logger });
  closers.add('emulated host', () => host.close());
  await host.xenstore.listen(xenstoredSocketPath(runDir));
  return host;
}

/** The domain we run in: each finds its number in its own home, where paths that do not begin with a slash lead. */
async function ownDomid(store: XenstoreClient): Promise<number> {
  const text = await store.readOrUndefined('domid');
  const domid = parseDecimal(text ?? '0', 0, DOMID_MAX);
  if (domid === undefined) throw new Error(`xenstore says that our domain is ${quote(text!)}`);
  return domid;
}

/** A bridge with its LOCAL port and the ports of its configuration, or none of it. */
async function buildBridge(
  config: BridgeConfig,
  tls: TlsCredentials | undefined,
  runDir: string,
  runtime: NativeRuntime,
  overrides: PortOverrides,
  documents: AllDocuments,
  logger: Logger,
): Promise<Bridge> {
  const { name, failMode, controllers, listen, protocols, auxiliaries, tableLimits } = config;
  const bridgeLogger = logger.child({ bridge: name });
  const mac = deriveMac(hostname(), name);
  const datapathId = config.datapathId ?? deriveDatapathId(mac);
  const managementSocket = managementSocketPath(runDir, name);
  const datapath = new NativeDatapathAdapter(runtime);
  const openflow = await openOfproto({
    datapath,
    datapathId,
    name,
    version: readVersion(),
    controllers,
    listen,
    protocols,
    auxiliaries,
    tableLimits,
    tls,
    management: [`punix:${managementSocket}`],
    failMode,
    prepare: (tables) => documents.open(name, tables),
    logger: bridgeLogger,
  });
  const bridge = new Bridge({
    name,
    datapathId,
    failMode,
    managementSocket,
    datapath,
    tracer: datapath,
    openflow,
    macOf: (port) => deriveMac(hostname(), name, port),
    overrides,
    clock: systemClock,
    logger: bridgeLogger,
  });
  try {
    bridge.addLocal(config.local === 'tap' ? { kind: 'tap', device: name, mac } : { kind: 'null' }, mac);
    for (const { name: port, spec } of config.ports) {
      bridge.addPort({ name: port, spec, mac: spec.kind === 'packet' ? deviceMac(spec.device) : undefined });
    }
  } catch (error) {
    await bridge.close();
    throw new Error(`bridge ${name}: ${messageOf(error)}`, { cause: error });
  }
  return bridge;
}
