/** ofp_controller_status_header (OpenFlow 1.5.1 §7.4.7). */
import type { MessageCodec } from '../codec/protocol.js';
import { controllerStatus as structure } from '../multipart/controller-status.js';
import type { ControllerStatusMessage } from '../types/message.js';

export const controllerStatus: MessageCodec<ControllerStatusMessage> = {
  code: 35,
  type: 'controller_status',
  decode: (r, { version, xid }, ctx) => ({ version, xid, type: 'controller_status', status: structure.decode(r, ctx) }),
  encode: (w, message, ctx) => structure.encode(w, message.status, ctx),
};
