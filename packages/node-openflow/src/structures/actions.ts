/** ofp_action_* since 1.1 (OpenFlow 1.3.5 §7.2.5): what follows the type and length of each action. */
import { bytesOf } from '../codec/legacy-match.js';
import { decodeOxm, decodeOxmId, encodeOxm, encodeOxmId, setFieldFailures } from '../codec/oxm.js';
import { type Codec, type Context, type Extension, tableOf } from '../codec/protocol.js';
import { ONF } from '../errors/older.js';
import { UnknownFieldError } from '../nicira/subfield.js';
import { OFPVID } from '../of13/constants.js';
import { OFPBAC, OFPET } from '../of13/errors.js';
import type {
  Action,
  CopyFieldAction,
  EthertypeAction,
  ExperimenterAction,
  GroupAction,
  MeterAction,
  OutputAction,
  PlainAction,
  SetFieldAction,
  SetQueueAction,
  SetVlanPcpAction,
  SetVlanVidAction,
  TtlAction,
} from '../types/action.js';
import { EncodeError, WireError } from '../wire/error.js';
import type { WireReader } from '../wire/reader.js';
import type { WireWriter } from '../wire/writer.js';

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
export function plain(code: number, type: PlainAction['type']): Codec<PlainAction> {
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

/** ofp_action_set_field: one OXM, before 1.5 without mask, then padding that the action's length does count. */
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
      if (oxm.mask !== undefined && !ctx.protocol.setFieldMask) {
        throw new WireError(OFPET.BAD_ACTION, OFPBAC.BAD_SET_ARGUMENT, `set_field of ${oxm.field} with a mask`);
      }
    }
    // The type and length take the first 4 of a multiple of 8 bytes; all behind the OXM up to the next one is padding.
    r.skip(-(4 + before - r.remaining) & 7);
    return { type: 'set_field', oxm };
  },
  encode(w, action, ctx) {
    const start = w.mark() - 4;
    if ('mask' in action.oxm && action.oxm.mask !== undefined && !ctx.protocol.setFieldMask) {
      throw new EncodeError(`set_field of ${action.oxm.field} with a mask came with OpenFlow 1.5`);
    }
    encodeOxm(w, action.oxm, ctx);
    w.padTo8(start);
  },
};

const experimenter: Codec<ExperimenterAction> = {
  code: 0xffff,
  type: 'experimenter',
  decode(r, ctx) {
    const id = r.u32();
    const opaque = (): ExperimenterAction => ({ type: 'experimenter', experimenter: id, data: r.rest() });
    const { actions } = ctx.protocol.extensions;
    if (!actions.knows(id)) return opaque();
    // Nicira and ONF have a type of 16 bits behind the id.
    const body = r.fork();
    const expType = body.u16();
    const known = actions.find(id, expType);
    if (known === undefined) {
      if (ctx.keepUnknown) return opaque();
      throw new WireError(OFPET.BAD_ACTION, OFPBAC.BAD_EXP_TYPE, `unknown action ${expType} of ${id}`);
    }
    try {
      const action = known.decode(body, ctx);
      body.expectEnd();
      r.skip(r.remaining);
      return action as ExperimenterAction;
    } catch (error) {
      if (error instanceof UnknownFieldError && ctx.keepUnknown) return opaque();
      throw error;
    }
  },
  encode(w, action) {
    w.u32(action.experimenter);
    w.bytes(action.data);
  },
};

/** set_vlan_vid and set_vlan_pcp of 1.0 in the nearest words that later versions have. */
const vlanVid: Codec<SetVlanVidAction> = {
  code: setField.code,
  type: 'set_vlan_vid',
  decode: onlyWritten,
  encode: (w, action, ctx) =>
    setField.encode(w, setFieldOf('vlan_vid', bytesOf(action.vlanVid | OFPVID.PRESENT, 2)), ctx),
};
const vlanPcp: Codec<SetVlanPcpAction> = {
  code: setField.code,
  type: 'set_vlan_pcp',
  decode: onlyWritten,
  encode: (w, action, ctx) => setField.encode(w, setFieldOf('vlan_pcp', bytesOf(action.vlanPcp, 1)), ctx),
};

function onlyWritten(): never {
  throw new Error('unreachable: only written');
}
const setFieldOf = (field: 'vlan_vid' | 'vlan_pcp', value: Uint8Array): SetFieldAction => ({
  type: 'set_field',
  oxm: { field, value },
});

function decodeCopy(r: WireReader, ctx: Context): CopyFieldAction {
  const [nBits, srcOffset, dstOffset] = [r.u16(), r.u16(), r.u16()];
  r.skip(2);
  const [src, dst] = [decodeOxmId(r, ctx), decodeOxmId(r, ctx)];
  return { type: 'copy_field', nBits, srcOffset, dstOffset, src, dst };
}

function encodeCopy(w: WireWriter, action: CopyFieldAction, ctx: Context): void {
  w.u16(action.nBits);
  w.u16(action.srcOffset);
  w.u16(action.dstOffset);
  w.zero(2);
  encodeOxmId(w, action.src, ctx);
  encodeOxmId(w, action.dst, ctx);
}

/** ofp_action_copy_field (OpenFlow 1.5.1 §7.2.6.8): two OXM ids, then padding that the action's length counts. */
const copyField: Codec<CopyFieldAction> = {
  code: 28,
  type: 'copy_field',
  decode(r, ctx) {
    const before = r.remaining;
    const action = decodeCopy(r, ctx);
    r.skip(-(4 + before - r.remaining) & 7);
    return action;
  },
  encode(w, action, ctx) {
    const start = w.mark() - 4;
    encodeCopy(w, action, ctx);
    w.padTo8(start);
  },
};

/** ONF extension 320: the same behind an experimenter, a 16-bit type and two bytes of padding. */
export const onfCopyField: Extension<Codec<CopyFieldAction>> = {
  experimenter: ONF,
  expType: 3200,
  codec: {
    code: experimenter.code,
    type: 'copy_field',
    decode(r, ctx) {
      const before = r.remaining;
      r.skip(2);
      const action = decodeCopy(r, ctx);
      r.skip(-(10 + before - r.remaining) & 7);
      return action;
    },
    encode(w, action, ctx) {
      const start = w.mark() - 10;
      w.zero(2);
      encodeCopy(w, action, ctx);
      w.padTo8(start);
    },
  },
};

const meter: Codec<MeterAction> = {
  code: 29,
  type: 'meter',
  decode: (r) => ({ type: 'meter', meterId: r.u32() }),
  encode: (w, action) => w.u32(action.meterId),
};

/** 1.1 to 1.5; codes 1 to 10, 13 and 14 are 1.1's alone. */
export const sharedActions: readonly Codec<Action>[] = [
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
  experimenter,
];
export const vendorAction = experimenter;

const since12: readonly Codec<Action>[] = [...sharedActions, setField];
const since13: readonly Codec<Action>[] = [...since12, ethertype(26, 'push_pbb'), plain(27, 'pop_pbb')];

export const actions12 = tableOf<Codec<Action>>(since12, [vlanVid, vlanPcp]);
export const actions13 = tableOf<Codec<Action>>(since13, [vlanVid, vlanPcp]);
export const actions15 = tableOf<Codec<Action>>([...since13, copyField, meter], [vlanVid, vlanPcp]);
