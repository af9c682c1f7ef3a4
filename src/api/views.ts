/** What bridges know, in the words of xvif.proto. */
import type { Bridge, BridgePort } from '../bridge/bridge.js';
import type { RateMeter } from '../bridge/rates.js';
import type { DropCount } from '../bridge/statistics.js';
import type { Bridge as BridgeMessage, BridgeStats, Drop, Flow, Port } from './messages.js';

export function bridgeView(bridge: Bridge): BridgeMessage {
  const { name, datapathId, failMode, managementSocket } = bridge;
  return {
    name,
    datapathId,
    failMode,
    controllers: bridge.controllers(),
    ports: bridge.ports().length,
    flows: BigInt(bridge.flowCount()),
    managementSocket,
    listening: bridge.listening(),
  };
}

export function portView(bridge: Bridge, port: BridgePort, rates: RateMeter): Port {
  const { name, number, spec, mac, state, counters } = port;
  return {
    bridge: bridge.name,
    name,
    number,
    kind: spec.kind,
    mac,
    state,
    vif: spec.kind === 'vif' ? { domid: spec.domid, handle: spec.handle, queues: spec.queues.length } : null,
    counters,
    rates: rates.of(number),
  };
}

export async function flowViews(
  bridge: Bridge,
  originOf: (cookie: bigint) => Pick<Flow, 'owner' | 'rule' | 'file' | 'line'>,
): Promise<Flow[]> {
  const flows = await bridge.flows();
  return flows.map(({ stats, text }) => ({
    bridge: bridge.name,
    table: stats.tableId,
    priority: stats.priority,
    cookie: stats.cookie,
    packets: stats.packetCount,
    bytes: stats.byteCount,
    durationMs: BigInt(stats.durationSec) * 1000n + BigInt(Math.floor(stats.durationNsec / 1_000_000)),
    idleTimeout: stats.idleTimeout,
    hardTimeout: stats.hardTimeout,
    text,
    ...originOf(stats.cookie),
  }));
}

export function statsView(bridge: Bridge): BridgeStats {
  const { version, rules, subtables, ruleBytes, upcalls, upcallsDropped, learned, learnsDropped, perWorker } =
    bridge.runtime();
  const ports = new Map<number, BridgePort>(bridge.ports().map((port) => [port.number, port]));
  return {
    bridge: bridge.name,
    version,
    rules,
    subtables,
    ruleMemoryBytes: ruleBytes,
    upcalls,
    upcallsDropped,
    workers: perWorker.map(({ busy, idle, batches, packets }) => ({ busyNs: busy, idleNs: idle, batches, packets })),
    drops: bridge.drops().map((drop) => dropView(drop, ports.get(drop.port))),
    learned,
    learnsDropped,
  };
}

function dropView({ port, direction, reason, packets }: DropCount, known: BridgePort | undefined): Drop {
  const ofGuest = known?.spec.kind === 'vif';
  const words = ofGuest ? { in: 'from guest', out: 'to guest' } : { in: 'in', out: 'out' };
  return { port: known?.name ?? String(port), direction: words[direction], reason, packets };
}
