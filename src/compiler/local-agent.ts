/** Flows that hand packets to an agent of the daemon's own, where one runs. */
import { controllerMaxLenNoBuffer, LocalAgent, localController } from '../datapath/schema.gen.js';

export { LocalAgent };

/**
 * Bytes of a frame that are enough for an agent: errors quote no more than 1280 bytes (RFC 4443 §2.4 (c)), answers to health
 * checks have Ethernet, IPv4 and TCP headers of at most 134. Others get all.
 */
const enough: Partial<Record<LocalAgent, number>> = {
  [LocalAgent.errors]: 14 + 1280,
  [LocalAgent.health]: 14 + 60 + 60,
};

const hexByte = (byte: number): string => byte.toString(16).padStart(2, '0');

/** The action in the words of ovs-ofctl; `bytes`, 0..255 each, are for the agent, behind its own number. */
export const toLocalAgent = (agent: LocalAgent, ...bytes: readonly number[]): string => {
  const userdata = [agent, ...bytes].map(hexByte).join('.');
  return `controller(max_len=${enough[agent] ?? controllerMaxLenNoBuffer},id=${localController},userdata=${userdata})`;
};
