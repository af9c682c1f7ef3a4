/**
 * Packets of a bridge for the daemon's own agents: what flows send to `controller(id=0x5856,userdata=…)`, no controller is told of,
 * and what agents send into the tables. The first byte of the userdata says which agent is meant. The data plane sends
 * each of them a bounded number a second, of each port and of all (native/base/limits.h).
 */
import { type Action, errorName, type Match, type Message, of13 } from 'node-openflow';
import type { LocalAgent } from '../compiler/index.js';
import type { Datapath } from '../datapath/datapath.js';
import type { LocalPacketIn, Ofproto } from '../ofproto/index.js';
import { OF13 } from '../ofproto/versions.js';
import { Collector } from './collector.js';
import { readUpcallsLost } from './statistics.js';

export type { LocalPacketIn };
export type LocalListener = (packet: LocalPacketIn) => void;

export interface LocalPackets {
  /** Calls back for each packet of this agent, until the returned function is called. One listener for each agent. */
  listen(agent: LocalAgent, listener: LocalListener): () => void;
  /**
   * Runs actions, tables included, on a frame of 14 bytes or more that comes in by the reserved port CONTROLLER.
   * Returns the name of OpenFlow's error where it is refused.
   */
  send(frame: Uint8Array, actions: readonly Action[]): string | undefined;
  /** Packets of each port that did not go up for want of room or budget, so far. */
  lost(): ReadonlyMap<number, bigint>;
}

export function localPackets(ofproto: Ofproto, datapath: Datapath): LocalPackets {
  const listeners = new Map<number, LocalListener>();
  ofproto.onLocalPacketIn((packet) => listeners.get(packet.userdata[0] ?? 0)?.(packet));
  return {
    listen(agent, listener) {
      if (listeners.has(agent)) throw new Error(`bug: agent ${agent} has a listener already`);
      listeners.set(agent, listener);
      return () => listeners.delete(agent);
    },
    send(data, actions) {
      const view = new Collector();
      const inPort = of13.OFPP.CONTROLLER;
      const bufferId = of13.OFP_NO_BUFFER;
      const match: Match = [];
      const message = { type: 'packet_out', version: OF13, xid: 0, bufferId, inPort, match, actions, data };
      ofproto.handle(view, message as Message);
      const [refused] = view.received;
      return refused?.type === 'error' ? errorName(refused.errorType, refused.errorCode) : undefined;
    },
    lost: () => readUpcallsLost(datapath),
  };
}
