/** What would become of a packet in the tables of a bridge, told with the names of its documents. */
import type { Bridges } from '../bridge/bridges.js';
import { Refusal } from '../bridge/refusal.js';
import type { AllDocuments } from '../documents/documents.js';
import { knownPort } from '../documents/known-ports.js';
import { PacketError } from '../simulator/frame.js';
import { traceLivePacket } from '../simulator/trace.js';
import type { TraceReply, TraceRequest } from './messages.js';

/** Rejects with {@link Refusal}. */
export async function tracePacket(
  bridges: Bridges,
  all: AllDocuments,
  { bridge: name, packet }: TraceRequest,
): Promise<TraceReply> {
  const bridge = name === '' ? bridges.only() : bridges.get(name);
  const documents = all.of(bridge.name);
  const live = {
    ports: bridge.identities().map(knownPort),
    program: documents?.program,
    origin: (cookie: bigint) => documents?.origin(cookie),
    trace: bridge.trace.bind(bridge),
  };
  try {
    return { report: JSON.stringify(await traceLivePacket(live, packet)) };
  } catch (error) {
    if (error instanceof PacketError) throw new Refusal('invalid', error.message);
    throw error;
  }
}
