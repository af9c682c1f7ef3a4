/** Joins vifs to bridges: what the vif backend calls when a frontend has connected, gone, or gone wrong. */
import { type Logger, RateLimitedLog } from '../base/logger.js';
import type { PortSettings, VifSpec } from '../datapath/datapath.js';
import type { VifHooks, VifInfo } from '../vif/index.js';
import type { Bridges } from './bridges.js';
import { Refusal } from './refusal.js';

/** Lines about vifs that come and go let through in a row. */
const BURST_LINES = 256;

export class VifPorts implements VifHooks {
  readonly #bridges: Bridges;
  /** Guests can provoke these lines: each time one loads its driver again. A host full of guests may start at once. */
  readonly #log: RateLimitedLog;
  readonly #failureLog: RateLimitedLog;

  constructor(bridges: Bridges, logger: Logger) {
    this.#bridges = bridges;
    this.#log = new RateLimitedLog(logger, { burst: BURST_LINES });
    this.#failureLog = new RateLimitedLog(logger);
  }

  /** Throws what the guest then reads in its error node. */
  attach(info: VifInfo, spec: VifSpec, settings: PortSettings): void {
    const { bridge: key, name, mac } = info;
    if (key !== undefined && (key.tag !== undefined || key.trunks.length > 0)) {
      throw new Refusal('unavailable', `bridge ${key.name}: VLANs of a vif are not supported yet`);
    }
    const bridge = key === undefined ? this.#bridges.only() : this.#bridges.get(key.name);
    const port = bridge.addPort({ name, spec, mac, settings });
    this.#log.info({ vif: name, bridge: bridge.name, port, queues: spec.queues.length }, 'vif connected');
  }

  configure({ name }: VifInfo, settings: PortSettings): void {
    this.#bridges.withPort(name)?.configurePort(name, settings);
    this.#log.info({ vif: name, settings }, 'vif configured');
  }

  detach({ name }: VifInfo): void {
    this.#bridges.withPort(name)?.removePort(name);
    this.#log.info({ vif: name }, 'vif disconnected');
  }

  failed(info: VifInfo | undefined, error: Error): void {
    this.#failureLog.warn({ vif: info?.name, reason: error.message }, 'vif closed over an error');
  }
}
