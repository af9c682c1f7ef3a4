/** Nicira's actions as extensions, for any version of OpenFlow. */
import type { Codec, Extension } from '../../codec/protocol.js';
import type { Action } from '../../types/action.js';
import type { NiciraAction } from '../action-types.js';
import { NX_VENDOR_ID } from '../constants.js';
import { balanceActions } from './balance.js';
import type { NiciraCodec } from './codec.js';
import { nestingActions } from './conntrack.js';
import { controllerActions } from './controller.js';
import { encapActions } from './encap.js';
import { learnActions } from './learn.js';
import { nat } from './nat.js';
import { plainActions } from './plain.js';
import { registerActions } from './registers.js';
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

/** OFPAT_EXPERIMENTER, in OpenFlow 1.0 OFPAT_VENDOR. */
const experimenterCode = 0xffff;

/** Nicira's actions of a version; the walker has read or writes the vendor id and the subtype. */
export function niciraActions(version: number): readonly Extension<Codec<Action>>[] {
  return nicira
    .filter(({ since = 0, until = 0xff }) => version >= since && version <= until)
    .map((codec) => ({
      experimenter: NX_VENDOR_ID,
      expType: codec.subtype,
      codec: {
        code: experimenterCode,
        type: codec.type,
        decode: (r, ctx) => codec.decode(r, ctx),
        encode: (w, action, ctx) => codec.encode(w, action as NiciraAction, ctx),
      },
    }));
}
