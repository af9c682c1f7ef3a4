/** Joins vifs to bridges: what the vif backend calls when a frontend has connected, gone, or gone wrong. */
import { type Logger, RateLimitedLog } from '../base/logger.js';
import type { VifSpec } from '../datapath/datapath.js';
import { type VifHooks, type VifInfo, vlanOf } from '../vif/index.js';
import type { Bridges } from './bridges.js';

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
  attach(info: VifInfo, spec: VifSpec): void {
    const { bridge: key, name, mac, rate } = info;
    const bridge = key === undefined ? this.#bridges.only() : this.#bridges.get(key.name);
    if (rate !== undefined) this.#log.warn({ vif: name }, 'the rate limit of the vif is not supported yet: ignored');
    const vlan = vlanOf(key);
    const port = bridge.addPort({ name, spec, mac, settings: vlan === undefined ? {} : { vlan } });
    this.#log.info({ vif: name, bridge: bridge.name, port, queues: spec.queues.length }, 'vif connected');
  }

  detach({ name }: VifInfo): void {
    this.#bridges.withPort(name)?.removePort(name);
    this.#log.info({ vif: name }, 'vif disconnected');
  }

  failed(info: VifInfo | undefined, error: Error): void {
    this.#failureLog.warn({ vif: info?.name, reason: error.message }, 'vif closed over an error');
  }
}
