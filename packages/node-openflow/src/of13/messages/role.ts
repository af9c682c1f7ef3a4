/** ofp_role_request, also the reply's form (OpenFlow 1.3.5 §7.3.9). */
import type { MessageCodec } from '../../codec/protocol.js';
import type { RoleReply, RoleRequest } from '../../types/message.js';

function role<M extends RoleRequest | RoleReply>(code: number, type: M['type']): MessageCodec<M> {
  return {
    code,
    type,
    decode(r, { version, xid }) {
      const wanted = r.u32();
      r.skip(4);
      return { version, xid, type, role: wanted, generationId: r.u64() } as M;
    },
    encode(w, message) {
      w.u32(message.role);
      w.zero(4);
      w.u64(message.generationId);
    },
  };
}

export const roleRequest = role<RoleRequest>(24, 'role_request');
export const roleReply = role<RoleReply>(25, 'role_reply');
