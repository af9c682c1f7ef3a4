/** The documents of all bridges, and where their journals are. */
import { existsSync, lchownSync, mkdirSync, readdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../base/clock.js';
import type { Logger } from '../base/logger.js';
import type { Bridges } from '../bridge/bridges.js';
import type { LocalTables } from '../bridge/local-tables.js';
import { Refusal } from '../bridge/refusal.js';
import { BridgeHealth } from '../health/bridge-health.js';
import { RouterAgents } from '../router-agent/router-agents.js';
import { BridgeDocuments } from './bridge-documents.js';
import { Journal } from './journal.js';

export class AllDocuments {
  readonly #folder: string;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #byBridge = new Map<string, BridgeDocuments>();
  readonly #agents: RouterAgents[] = [];
  readonly #health = new Map<string, BridgeHealth>();

  /** `folder` is made when there is something to keep. */
  constructor(folder: string, { clock, logger }: { readonly clock: Clock; readonly logger: Logger }) {
    this.#folder = folder;
    this.#clock = clock;
    this.#logger = logger;
  }

  /** Puts what was kept for a bridge into its tables. Rejects with the system's error where the journal cannot be read. */
  async open(bridge: string, tables: LocalTables): Promise<void> {
    // An earlier daemon may have handed it over.
    if (process.getuid?.() === 0 && existsSync(this.#folder)) this.#give(0, 0);
    const logger = this.#logger.child({ bridge });
    const journal = Journal.open(join(this.#folder, `${bridge}.documents`), logger);
    const agents = new RouterAgents({ tables, clock: this.#clock });
    this.#agents.push(agents);
    const health = new BridgeHealth({ tables, clock: this.#clock, logger });
    this.#health.set(bridge, health);
    const documents = new BridgeDocuments({
      tables,
      journal,
      clock: this.#clock,
      logger,
      altered: (program) => health.altered(program),
      onInForce: (program) => {
        agents.follow(program.routers);
        health.follow(program);
      },
    });
    this.#byBridge.set(bridge, documents);
    await documents.start();
  }

  of(bridge: string): BridgeDocuments | undefined {
    return this.#byBridge.get(bridge);
  }

  /** Of the chains of a bridge. */
  health(bridge: string): BridgeHealth | undefined {
    return this.#health.get(bridge);
  }

  /** By the bridge's name, which may be empty where there is only one. */
  get(bridges: Bridges, name: string): BridgeDocuments {
    const { name: found } = name === '' ? bridges.only() : bridges.get(name);
    const documents = this.#byBridge.get(found);
    if (documents === undefined) throw new Refusal('unavailable', `bridge "${found}" keeps no documents`);
    return documents;
  }

  /** Another user goes on; journals are made anew now and then, for which the folder has to be there and theirs. */
  handOver(uid: number, gid: number): void {
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    this.#give(uid, gid);
  }

  #give(uid: number, gid: number): void {
    lchownSync(this.#folder, uid, gid);
    for (const name of readdirSync(this.#folder)) lchownSync(join(this.#folder, name), uid, gid);
  }

  /** A folder with nothing in it goes. */
  async close(): Promise<void> {
    for (const documents of this.#byBridge.values()) await documents.close();
    for (const agents of this.#agents) agents.close();
    for (const health of this.#health.values()) health.close();
    try {
      rmdirSync(this.#folder);
    } catch {
      // It holds something, is not there, or is in a place that is not ours to change.
    }
  }
}
