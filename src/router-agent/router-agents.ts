/** The agents of all routers of a bridge: packets go to the one whose table they come from. */
import type { Clock } from '../base/clock.js';
import type { LocalListener } from '../bridge/local-packets.js';
import type { LocalTables } from '../bridge/local-tables.js';
import { LocalAgent, type ProgramRouter } from '../compiler/index.js';
import { routerTables } from '../compiler/schema/router.js';
import { NeighbourWatch } from './neighbour-watch.js';
import { AgentRates } from './rates.js';
import type { Hop } from './route-table.js';
import { RouterAgent } from './router-agent.js';

export interface RouterAgentsOptions {
  readonly tables: Pick<LocalTables, 'packets' | 'ask' | 'commit'>;
  readonly clock: Clock;
}

const ears = [LocalAgent.errors, LocalAgent.neighbours, LocalAgent.unresolved, LocalAgent.fragments];

interface RunningAgent {
  readonly router: ProgramRouter;
  /** What the router is, to find out whether it changed. */
  readonly facts: string;
  readonly agent: RouterAgent;
  readonly watch: NeighbourWatch | undefined;
}

export class RouterAgents {
  readonly #options: RouterAgentsOptions;
  readonly #unlisten: () => void;
  readonly #rates = new AgentRates();
  #agents: readonly RunningAgent[] = [];

  constructor(options: RouterAgentsOptions) {
    this.#options = options;
    const { packets } = options.tables;
    const handle: LocalListener = (packet) =>
      this.#agents.find(({ router }) => holds(router, packet.table))?.agent.handle(packet);
    const unlisten = ears.map((ear) => packets.listen(ear, handle));
    this.#unlisten = () => {
      for (const stop of unlisten) stop();
    };
  }

  /** These are in force now, and no others. What is under way for a router that stays as it was goes on. */
  follow(routers: readonly ProgramRouter[]): void {
    const before = new Map(this.#agents.map((running) => [running.facts, running]));
    this.#agents = routers.map((router) => {
      const facts = factsOf(router);
      const same = before.get(facts);
      before.delete(facts);
      return same ?? this.#start(router, facts);
    });
    for (const { agent, watch } of before.values()) {
      agent.close();
      watch?.close();
    }
  }

  #start(router: ProgramRouter, facts: string): RunningAgent {
    const { tables, clock } = this.#options;
    const agent = new RouterAgent({
      router,
      packets: tables.packets,
      clock,
      rates: this.#rates,
      onTold: (hop) => watch?.told(hop),
    });
    const ask = (hop: Hop, mac: string) => agent.ask(hop, mac);
    const watch = router.asks ? new NeighbourWatch({ router, routes: agent.routes, tables, clock, ask }) : undefined;
    return { router, facts, agent, watch };
  }

  close(): void {
    this.#unlisten();
    this.follow([]);
  }
}

const factsOf = (router: ProgramRouter): string =>
  JSON.stringify(router, (_, value: unknown) => (typeof value === 'bigint' ? value.toString() : value));

const holds = ({ firstTable }: ProgramRouter, table: number): boolean =>
  table >= firstTable && table < firstTable + routerTables.length;
