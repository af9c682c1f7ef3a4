/**
 * Where stations are, as far as a chain has heard them: table `learn` writes to table `places`. Ports are dealt out to
 * shares by their numbers, and each has a limit of its own, so that who makes up addresses fills only the share of its port.
 */
import { CHAIN_LEARN_SHARES, CHAIN_STATIONS_MAX } from '../limits.js';
import { PLACE } from './classifiers.js';

/** A station that is not heard for so long is forgotten. */
const PLACE_SECONDS = 300;
const PORT = 'NXM_NX_REG7[0..15]';
const PORT_FIELD = 'reg7';

/** Actions that have the packet's sender learned, by the table `learn`. */
export const learnActions = (learn: number): string => `move:NXM_OF_IN_PORT[]->${PORT},resubmit(,${learn})`;

/** The match, in the table `learn`, of what came in by a port. */
export const ofPort = (port: number): string => `${PORT_FIELD}=${port & 0xffff}/0xffff`;

export interface LearnFlow {
  readonly match: string;
  readonly actions: string;
}

/** Flows of the table `learn`. `cookieOf` a share: that of the flows that it learns. */
export function learnFlows(places: number, cookieOf: (share: number) => bigint): LearnFlow[] {
  return Array.from({ length: CHAIN_LEARN_SHARES }, (_, share) => {
    const settings = [
      `table=${places}`,
      `hard_timeout=${PLACE_SECONDS}`,
      'priority=1',
      `cookie=0x${cookieOf(share).toString(16)}`,
      `limit=${CHAIN_STATIONS_MAX}`,
      'delete_learned',
    ];
    const station = ['NXM_OF_VLAN_TCI[0..11]', 'NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[]', `load:NXM_OF_IN_PORT[]->${PLACE}`];
    return {
      match: `${PORT_FIELD}=${share}/${CHAIN_LEARN_SHARES - 1}`,
      actions: `learn(${[...settings, ...station].join(',')})`,
    };
  });
}
