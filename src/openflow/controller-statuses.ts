/** Controllers as 1.5 tells of them (OpenFlow 1.5.1 §7.3.5.19, §7.4.7). */
import { type ControllerStatus, of15 } from 'node-openflow';
import type { Channel } from './channel.js';
import { roleNumber } from './roles.js';

const { OFPCT_STATUS, OFPCID_UNDEFINED } = of15;

/** With the scheme that the specification has for TLS (1.5.1 §6.3.1). */
const uriOf = (name: string): string => name.replace(/^(p?)ssl:/, '$1tls:');

/** `channel`: undefined while there is no connection. `reason`: OFPCSR_*. */
export function statusOf(name: string, channel: Channel | undefined, reason: number): ControllerStatus {
  return {
    shortId: channel?.state.shortId ?? OFPCID_UNDEFINED,
    role: roleNumber(channel?.state.role ?? 'equal'),
    reason,
    channelStatus: channel?.connected === true ? OFPCT_STATUS.UP : OFPCT_STATUS.DOWN,
    properties: [{ type: 'uri', uri: uriOf(name) }],
  };
}
