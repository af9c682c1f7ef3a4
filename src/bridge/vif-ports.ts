/** Joins vifs to bridges: what the vif backend calls when a frontend has connected, gone, or gone wrong. */
import { type Logger, RateLimitedLog } from '../base/logger.js';
import type { VifSpec } from '../datapath/datapath.js';
import type { VifHooks, VifInfo } from '../vif/index.js';
import type { Bridges } from './bridges.js';
import { Refusal } from './refusal.js';

export class VifPorts implements VifHooks {
  readonly #bridges: Bridges;
  readonly #logger: Logger;
  /** Guests can provoke these lines. */
  readonly #failureLog: RateLimitedLog;

  constructor(bridges: Bridges, logger: Logger) {
    this.#bridges = bridges;
    this.#logger = logger;
    this.#failureLog = new RateLimitedLog(logger);
  }

  /** Throws what the guest then reads in its error node. */
  attach(info: VifInfo, spec: VifSpec): void {
    const { bridge: key, name, mac, rate } = info;
    if (key !== undefined && (key.tag !== undefined || key.trunks.length > 0)) {
      throw new Refusal('unavailable', `bridge ${key.name}: VLANs of a vif are not supported yet`);
    }
    const bridge = key === undefined ? this.#bridges.only() : this.#bridges.get(key.name);
    if (rate !== undefined) this.#logger.warn({ vif: name }, 'the rate limit of the vif is not supported yet: ignored');
    const port = bridge.addPort({ name, spec, mac });
    this.#logger.info({ vif: name, bridge: bridge.name, port, queues: spec.queues.length }, 'vif connected');
  }

  detach({ name }: VifInfo): void {
    this.#bridges.withPort(name)?.removePort(name);
    this.#logger.info({ vif: name }, 'vif disconnected');
  }

  failed(info: VifInfo | undefined, error: Error): void {
    this.#failureLog.warn({ vif: info?.name, reason: error.message }, 'vif closed over an error');
  }
}
