/** Each call of the API: request → one call of a component → reply. */
import { type Clock, systemClock } from '../base/clock.js';
import type { Bridge } from '../bridge/bridge.js';
import type { Bridges } from '../bridge/bridges.js';
import { RateMeter } from '../bridge/rates.js';
import type { AllDocuments } from '../documents/documents.js';
import { chainHandlers } from './chains.js';
import { documentHandlers, originView } from './documents.js';
import type { Guests } from './guests.js';
import type { ApiHandlers, Port, WatchEvent, WatchRequest } from './messages.js';
import { traceHandlers } from './trace.js';
import { bridgeView, flowViews, portView, statsView } from './views.js';

const WATCH_INTERVAL_DEFAULT_MS = 1000;
const WATCH_INTERVAL_MIN_MS = 100;

export interface DaemonFacts {
  readonly version: string;
  readonly hypervisor: string;
  readonly workers: number;
}

export function createHandlers(
  facts: DaemonFacts,
  bridges: Bridges,
  guests: Guests,
  documents: AllDocuments,
): ApiHandlers {
  return {
    show: () => ({
      ...facts,
      pid: process.pid,
      uptimeMs: BigInt(Math.round(process.uptime() * 1000)),
      bridges: bridges.all.map(bridgeView),
    }),
    listPorts: ({ bridge }) => ({
      ports: bridges.select(bridge).flatMap((one) => one.ports().map((port) => portView(one, port, one.rates))),
    }),
    setPort: ({ port, settings }) => ({ settings: bridges.setPort(port, settings) }),
    setTable: ({ bridge, table, settings }) => ({ settings: bridges.setTable(bridge, table, settings) }),
    listFlows: async ({ bridge }) => {
      const views = bridges.select(bridge).map((one) => flowViews(one, (cookie) => originView(documents, one, cookie)));
      return { flows: (await Promise.all(views)).flat() };
    },
    ...traceHandlers(bridges, documents),
    ...documentHandlers(documents, bridges),
    ...chainHandlers(documents, bridges),
    getStats: ({ bridge }) => ({ bridges: bridges.select(bridge).map(statsView) }),
    addGuest: (request) => guests.add(request),
    removeGuest: async ({ name }) => {
      await guests.remove(name);
      return {};
    },
    listGuests: () => ({ guests: guests.list() }),
    ping: (request) => guests.ping(request),
    watch: (request, send) => watch(bridges.select(request.bridge), request, send, systemClock),
  };
}

/** Rates are over this watcher's own interval, so each has meters of its own. */
export function watch(
  watched: readonly Bridge[],
  { intervalMs }: WatchRequest,
  send: (event: WatchEvent) => void,
  clock: Clock,
): () => void {
  const meters = new Map(watched.map((bridge) => [bridge, new RateMeter(clock)]));
  const unsubscribe = watched.map((bridge) =>
    bridge.onEvent((text) => send({ event: 'bridge', bridge: { bridge: bridge.name, text } })),
  );
  const ports = (bridge: Bridge, meter: RateMeter): Port[] => {
    const now = bridge.ports();
    meter.sample(new Map(now.map(({ number, counters }) => [number, counters])));
    return now.map((port) => portView(bridge, port, meter));
  };
  const tell = () =>
    send({ event: 'ports', ports: { ports: [...meters].flatMap(([bridge, meter]) => ports(bridge, meter)) } });
  tell();
  const timer = setInterval(tell, Math.max(intervalMs || WATCH_INTERVAL_DEFAULT_MS, WATCH_INTERVAL_MIN_MS));
  return () => {
    clearInterval(timer);
    for (const stop of unsubscribe) stop();
  };
}
