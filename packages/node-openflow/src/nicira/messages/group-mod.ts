/** NXT_GROUP_MOD: OpenFlow 1.5's group_mod for 1.0, which has none (ofp-msgs.h of Open vSwitch). */
import type { Extension, MessageCodec } from '../../codec/protocol.js';
import { groupMod15 } from '../../messages/group-mod.js';
import { NX_VENDOR_ID } from '../constants.js';

/** Reads and writes `group_mod`, so that nothing above it has to know how 1.0 says it. */
export const niciraGroupMod: Extension<MessageCodec> = {
  experimenter: NX_VENDOR_ID,
  expType: 31,
  codec: groupMod15 as MessageCodec,
};
