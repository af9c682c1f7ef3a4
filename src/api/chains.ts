/** The call about service chains. */
import type { Bridges } from '../bridge/bridges.js';
import type { AllDocuments } from '../documents/documents.js';
import type { ChainLine } from '../health/bridge-health.js';
import type { ApiHandlers, ChainInstance } from './messages.js';

export function chainHandlers(documents: AllDocuments, bridges: Bridges): Pick<ApiHandlers, 'listChains'> {
  return {
    listChains: async ({ bridge }) => {
      const lists = bridges.select(bridge).map(async ({ name }) => {
        const lines = (await documents.health(name)?.lines()) ?? [];
        return lines.map((line) => view(name, line));
      });
      return { instances: (await Promise.all(lists)).flat() };
    },
  };
}

function view(bridge: string, line: ChainLine): ChainInstance {
  const { packetsOut, lost, port: _port, checks: _checks, state = '', sinceMs, latency = null, ...rest } = line;
  const returned = packetsOut === undefined || lost === undefined ? null : { packetsOut, lost };
  return { ...rest, bridge, returned, state, sinceMs: BigInt(sinceMs), latency };
}
