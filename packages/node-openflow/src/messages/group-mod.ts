/** ofp_group_mod (OpenFlow 1.3.5 §7.3.4.2, 1.5.1 §7.3.4.3). */
import type { MessageCodec } from '../codec/protocol.js';
import { refuseOther, refuseProperties } from '../structures/expressible.js';
import { groupProperties } from '../structures/group-properties.js';
import { present } from '../structures/properties.js';
import type { GroupMod } from '../types/message.js';
import { EncodeError } from '../wire/error.js';

/** OFPG_BUCKET_ALL */
const allBuckets = 0xffffffff;

export const groupMod: MessageCodec<GroupMod> = {
  code: 15,
  type: 'group_mod',
  decode(r, { version, xid }, ctx) {
    const command = r.u16();
    const groupType = r.u8();
    r.skip(1);
    const groupId = r.u32();
    const buckets = ctx.protocol.buckets.decode(r, groupType, ctx);
    return { version, xid, type: 'group_mod', command, groupType, groupId, buckets };
  },
  encode(w, message, ctx) {
    refuseOther(message.commandBucketId, allBuckets, 'bucket ids', ctx);
    refuseProperties(message.properties, ctx, 'group property');
    w.u16(message.command);
    w.u8(message.groupType);
    w.zero(1);
    w.u32(message.groupId);
    ctx.protocol.buckets.encode(w, message.buckets, message.groupType, ctx);
  },
};

export const groupMod15: MessageCodec<GroupMod> = {
  code: 15,
  type: 'group_mod',
  decode(r, { version, xid }, ctx) {
    const command = r.u16();
    const groupType = r.u8();
    r.skip(1);
    const groupId = r.u32();
    const length = r.u16();
    r.skip(2);
    const commandBucketId = r.u32();
    const buckets = ctx.protocol.buckets.decode(r.sub(length), groupType, ctx);
    const properties = present(groupProperties.decode(r, ctx));
    return {
      ...{ version, xid, type: 'group_mod', command, groupType, groupId },
      ...{ buckets, commandBucketId, ...properties },
    };
  },
  encode(w, message, ctx) {
    w.u16(message.command);
    w.u8(message.groupType);
    w.zero(1);
    w.u32(message.groupId);
    const lengthAt = w.mark();
    w.zero(4);
    w.u32(message.commandBucketId ?? allBuckets);
    const start = w.mark();
    ctx.protocol.buckets.encode(w, message.buckets, message.groupType, ctx);
    const length = w.mark() - start;
    if (length > 0xffff) throw new EncodeError(`${length} bytes of buckets`);
    w.patchU16(lengthAt, length);
    groupProperties.encode(w, message.properties, ctx);
  },
};
