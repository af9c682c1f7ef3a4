/** ofp_role_request, also the reply's form, and ofp_role_status (OpenFlow 1.3.5 §7.3.9, 1.4.1 §7.4.4, 1.5.1 §7.3.8). */
import type { MessageCodec } from '../codec/protocol.js';
import { refuseOther } from '../structures/expressible.js';
import { present, vendorProperties } from '../structures/properties.js';
import type { RoleReply, RoleRequest, RoleStatus } from '../types/message.js';

function role<M extends RoleRequest | RoleReply>(code: number, type: M['type']): MessageCodec<M> {
  return {
    code,
    type,
    decode(r, { version, xid }) {
      const wanted = r.u32();
      r.skip(4);
      return { version, xid, type, role: wanted, generationId: r.u64() } as M;
    },
    encode(w, message, ctx) {
      refuseOther(message.shortId, 0, 'short id of controllers', ctx);
      w.u32(message.role);
      w.zero(4);
      w.u64(message.generationId);
    },
  };
}

function role15<M extends RoleRequest | RoleReply>(code: number, type: M['type']): MessageCodec<M> {
  return {
    code,
    type,
    decode(r, { version, xid }) {
      const [wanted, shortId] = [r.u32(), r.u16()];
      r.skip(2);
      return { version, xid, type, role: wanted, generationId: r.u64(), shortId } as M;
    },
    encode(w, message) {
      w.u32(message.role);
      w.u16(message.shortId ?? 0);
      w.zero(2);
      w.u64(message.generationId);
    },
  };
}

export const roleRequest = role<RoleRequest>(24, 'role_request');
export const roleReply = role<RoleReply>(25, 'role_reply');
export const roleRequest15 = role15<RoleRequest>(24, 'role_request');
export const roleReply15 = role15<RoleReply>(25, 'role_reply');

const properties = vendorProperties('role');

export const roleStatus: MessageCodec<RoleStatus> = {
  code: 30,
  type: 'role_status',
  decode(r, { version, xid }, ctx) {
    const now = r.u32();
    const reason = r.u8();
    r.skip(3);
    const head = { version, xid, type: 'role_status', role: now, reason, generationId: r.u64() } as const;
    return { ...head, ...present(properties.decode(r, ctx)) };
  },
  encode(w, message, ctx) {
    w.u32(message.role);
    w.u8(message.reason);
    w.zero(3);
    w.u64(message.generationId);
    properties.encode(w, message.properties, ctx);
  },
};
