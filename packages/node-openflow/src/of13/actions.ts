/** ofp_action_* (OpenFlow 1.3.5 §7.2.5): what follows the type and length of each action. */
import { decodeOxm, encodeOxm, setFieldFailures } from '../codec/oxm.js';
import { type Codec, tableOf } from '../codec/protocol.js';
import { experimenterActions } from '../nicira/actions/index.js';
import type {
  Action,
  EthertypeAction,
  GroupAction,
  OutputAction,
  PlainAction,
  SetFieldAction,
  SetQueueAction,
  TtlAction,
} from '../types/action.js';
import { WireError } from '../wire/error.js';
import { OFPBAC, OFPET } from './errors.js';

const output: Codec<OutputAction> = {
  code: 0,
  type: 'output',
  decode(r) {
    const port = r.u32();
    const maxLen = r.u16();
    r.skip(6);
    return { type: 'output', port, maxLen };
  },
  encode(w, action) {
    w.u32(action.port);
    w.u16(action.maxLen);
    w.zero(6);
  },
};

const group: Codec<GroupAction> = {
  code: 22,
  type: 'group',
  decode: (r) => ({ type: 'group', groupId: r.u32() }),
  encode: (w, action) => w.u32(action.groupId),
};

const setQueue: Codec<SetQueueAction> = {
  code: 21,
  type: 'set_queue',
  decode: (r) => ({ type: 'set_queue', queueId: r.u32() }),
  encode: (w, action) => w.u32(action.queueId),
};

function ttl(code: number, type: TtlAction['type']): Codec<TtlAction> {
  return {
    code,
    type,
    decode(r) {
      const value = r.u8();
      r.skip(3);
      return { type, ttl: value };
    },
    encode(w, action) {
      w.u8(action.ttl);
      w.zero(3);
    },
  };
}

/** Actions without arguments: four bytes of padding. */
function plain(code: number, type: PlainAction['type']): Codec<PlainAction> {
  return {
    code,
    type,
    decode(r) {
      r.skip(4);
      return { type };
    },
    encode: (w) => w.zero(4),
  };
}

function ethertype(code: number, type: EthertypeAction['type']): Codec<EthertypeAction> {
  return {
    code,
    type,
    decode(r) {
      const value = r.u16();
      r.skip(2);
      return { type, ethertype: value };
    },
    encode(w, action) {
      w.u16(action.ethertype);
      w.zero(2);
    },
  };
}

/** ofp_action_set_field: one OXM without mask, then padding that the action's length does count. */
const setField: Codec<SetFieldAction> = {
  code: 25,
  type: 'set_field',
  decode(r, ctx) {
    const before = r.remaining;
    const oxm = decodeOxm(r, ctx, setFieldFailures);
    if (oxm.field !== 'raw' && oxm.field !== 'experimenter') {
      if (!ctx.keepUnknown && ctx.protocol.oxm.byName.get(oxm.field)?.settable !== true) {
        throw new WireError(OFPET.BAD_ACTION, OFPBAC.BAD_SET_TYPE, `${oxm.field} cannot be set`);
      }
      if (oxm.mask !== undefined) {
        throw new WireError(OFPET.BAD_ACTION, OFPBAC.BAD_SET_ARGUMENT, `set_field of ${oxm.field} with a mask`);
      }
    }
    // The type and length take the first 4 of a multiple of 8 bytes; all behind the OXM up to the next one is padding.
    r.skip(-(4 + before - r.remaining) & 7);
    return { type: 'set_field', oxm };
  },
  encode(w, action, ctx) {
    const start = w.mark() - 4;
    encodeOxm(w, action.oxm, ctx);
    w.padTo8(start);
  },
};

export const actions13 = tableOf<Codec<Action>>([
  output,
  plain(11, 'copy_ttl_out'),
  plain(12, 'copy_ttl_in'),
  ttl(15, 'set_mpls_ttl'),
  plain(16, 'dec_mpls_ttl'),
  ethertype(17, 'push_vlan'),
  plain(18, 'pop_vlan'),
  ethertype(19, 'push_mpls'),
  ethertype(20, 'pop_mpls'),
  setQueue,
  group,
  ttl(23, 'set_nw_ttl'),
  plain(24, 'dec_nw_ttl'),
  setField,
  ethertype(26, 'push_pbb'),
  plain(27, 'pop_pbb'),
  ...experimenterActions(4),
]);
