/** Flows that hand packets to an agent of the daemon's own, where one runs. */
import { localController } from '../datapath/schema.gen.js';

/** First byte of the userdata: which agent is meant. */
export const LocalAgent = { router: 1, health: 2 } as const;
export type LocalAgent = (typeof LocalAgent)[keyof typeof LocalAgent];

const hexByte = (byte: number): string => byte.toString(16).padStart(2, '0');

/** The action in the words of ovs-ofctl; `bytes`, 0..255 each, are for the agent. */
export const toLocalAgent = (agent: LocalAgent, ...bytes: readonly number[]): string =>
  `controller(id=${localController},userdata=${[agent, ...bytes].map(hexByte).join('.')})`;
