/** What would become of a packet in the tables of a bridge, told with the names of its documents. */
import type { Bridges } from '../bridge/bridges.js';
import { Refusal } from '../bridge/refusal.js';
import type { AllDocuments } from '../documents/documents.js';
import { knownPort } from '../documents/known-ports.js';
import { PacketError } from '../simulator/frame.js';
import { type LiveSwitch, traceLivePacket } from '../simulator/trace.js';
import { traceLiveChains } from '../simulator/trace-chain.js';
import type { ApiHandlers, TraceReply, TraceRequest } from './messages.js';

/** A bridge with the words of its documents. */
function liveSwitch(bridges: Bridges, all: AllDocuments, name: string): LiveSwitch {
  const bridge = name === '' ? bridges.only() : bridges.get(name);
  const documents = all.of(bridge.name);
  return {
    ports: bridge.identities().map(knownPort),
    program: documents?.program,
    origin: (cookie) => documents?.origin(cookie),
    trace: bridge.trace.bind(bridge),
  };
}

const traceCall =
  (bridges: Bridges, all: AllDocuments, trace: (live: LiveSwitch, packet: string) => Promise<object>) =>
  async ({ bridge, packet }: TraceRequest): Promise<TraceReply> => {
    try {
      return { report: JSON.stringify(await trace(liveSwitch(bridges, all, bridge), packet)) };
    } catch (error) {
      if (error instanceof PacketError) throw new Refusal('invalid', error.message);
      throw error;
    }
  };

export const traceHandlers = (bridges: Bridges, all: AllDocuments): Pick<ApiHandlers, 'trace' | 'traceChains'> => ({
  trace: traceCall(bridges, all, traceLivePacket),
  traceChains: traceCall(bridges, all, traceLiveChains),
});
