/**
 * Actions of experimenters as a table of codecs, for any version of OpenFlow: its actions table is its own list and
 * `experimenterActions(version)` behind it.
 *
 * What the table does not have stays an `experimenter` value; an unknown subtype of Nicira's, or of ONF's, is refused
 * with OFPBAC_BAD_EXP_TYPE where unknown things are.
 */
import type { Codec } from '../../codec/protocol.js';
import { OFPBAC, OFPET } from '../../of13/errors.js';
import type { Action, ExperimenterAction } from '../../types/action.js';
import { WireError } from '../../wire/error.js';
import type { NiciraAction } from '../action-types.js';
import { NX_VENDOR_ID, ONF_VENDOR_ID } from '../constants.js';
import { UnknownFieldError } from '../subfield.js';
import { balanceActions } from './balance.js';
import type { NiciraCodec } from './codec.js';
import { nestingActions } from './conntrack.js';
import { controllerActions } from './controller.js';
import { encapActions } from './encap.js';
import { learnActions } from './learn.js';
import { nat } from './nat.js';
import { plainActions } from './plain.js';
import { move, registerActions } from './registers.js';
import { sampleActions } from './sample.js';
import { smallActions } from './small.js';

const nicira: readonly NiciraCodec[] = [
  ...plainActions,
  ...smallActions,
  ...registerActions,
  ...learnActions,
  ...balanceActions,
  ...nestingActions,
  nat as NiciraCodec,
  ...sampleActions,
  ...encapActions,
  ...controllerActions,
];

/** ONF's extension 320 for OpenFlow 1.3; from 1.5 on copy_field is an action of its own. */
const onf: readonly NiciraCodec[] = [{ ...move(3200, 'onf_copy_field', [2, 2]), since: 4 } as NiciraCodec];

/** OFPAT_EXPERIMENTER, in OpenFlow 1.0 OFPAT_VENDOR. */
const experimenterCode = 0xffff;

const inVersion =
  (version: number) =>
  (codec: NiciraCodec): boolean =>
    version >= (codec.since ?? 0) && version <= (codec.until ?? 0xff);

function coded(vendor: number, codec: NiciraCodec): Codec<Action> {
  return {
    code: experimenterCode,
    type: codec.type,
    decode: (r, ctx) => codec.decode(r, ctx),
    encode(w, action, ctx) {
      w.u32(vendor);
      w.u16(codec.subtype);
      codec.encode(w, action as NiciraAction, ctx);
    },
  };
}

/** The entries of a version's action table that have code 0xffff; the last one decodes them all. */
export function experimenterActions(version: number): readonly Codec<Action>[] {
  const vendors = [
    { id: NX_VENDOR_ID, codecs: nicira.filter(inVersion(version)) },
    { id: ONF_VENDOR_ID, codecs: onf.filter(inVersion(version)) },
  ].map(({ id, codecs }) => ({ id, codecs, bySubtype: new Map(codecs.map((codec) => [codec.subtype, codec])) }));
  const dispatch: Codec<ExperimenterAction> = {
    code: experimenterCode,
    type: 'experimenter',
    decode(r, ctx) {
      const ahead = r.fork();
      const experimenter = ahead.u32();
      const opaque = (): ExperimenterAction => {
        r.skip(4);
        return { type: 'experimenter', experimenter, data: r.rest() };
      };
      const vendor = vendors.find(({ id }) => id === experimenter);
      if (vendor === undefined) return opaque();
      const subtype = ahead.u16();
      const codec = vendor.bySubtype.get(subtype);
      if (codec === undefined) {
        if (ctx.keepUnknown) return opaque();
        throw new WireError(
          OFPET.BAD_ACTION,
          OFPBAC.BAD_EXP_TYPE,
          `unknown action ${subtype} of vendor ${experimenter}`,
        );
      }
      try {
        const action = codec.decode(ahead, ctx);
        ahead.expectEnd();
        r.skip(r.remaining);
        return action as unknown as ExperimenterAction;
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
  return [...vendors.flatMap(({ id, codecs }) => codecs.map((codec) => coded(id, codec))), dispatch as Codec<Action>];
}
