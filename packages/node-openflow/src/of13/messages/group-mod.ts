/** ofp_group_mod (OpenFlow 1.3.5 §7.3.4.2). */
import type { MessageCodec } from '../../codec/protocol.js';
import type { GroupMod } from '../../types/message.js';
import { decodeBuckets, encodeBuckets } from '../structures.js';

export const groupMod: MessageCodec<GroupMod> = {
  code: 15,
  type: 'group_mod',
  decode(r, { version, xid }, ctx) {
    const command = r.u16();
    const groupType = r.u8();
    r.skip(1);
    const groupId = r.u32();
    return { version, xid, type: 'group_mod', command, groupType, groupId, buckets: decodeBuckets(r, ctx) };
  },
  encode(w, message, ctx) {
    w.u16(message.command);
    w.u8(message.groupType);
    w.zero(1);
    w.u32(message.groupId);
    encodeBuckets(w, message.buckets, ctx);
  },
};
