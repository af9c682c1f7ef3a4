/** NXAST_CONTROLLER and NXAST_CONTROLLER2: a packet-in with more to say than that of output:CONTROLLER. */
import { OFPBAC, OFPET } from '../../of13/errors.js';
import { WireError } from '../../wire/error.js';
import type { WireReader } from '../../wire/reader.js';
import type { WireWriter } from '../../wire/writer.js';
import type { NxController, NxController2 } from '../action-types.js';
import { expectZeros } from '../subfield.js';
import type { NiciraCodec } from './codec.js';

const controller: NiciraCodec<NxController> = {
  subtype: 20,
  type: 'nx_controller',
  decode(r) {
    const maxLen = r.u16();
    const controllerId = r.u16();
    const reason = r.u8();
    r.skip(1);
    return { type: 'nx_controller', maxLen, controllerId, reason };
  },
  encode(w, action) {
    w.u16(action.maxLen);
    w.u16(action.controllerId);
    w.u8(action.reason);
    w.zero(1);
  },
};

/** nx_action_controller2_prop_type */
const property = { maxLen: 0, controllerId: 1, reason: 2, userdata: 3, pause: 4, meterId: 5 } as const;

function decodeProperty(r: WireReader, type: number): Partial<NxController2> {
  switch (type) {
    case property.maxLen:
      return { maxLen: r.u16() };
    case property.controllerId:
      return { controllerId: r.u16() };
    case property.reason:
      return { reason: r.u8() };
    case property.userdata:
      return { userdata: r.rest() };
    case property.pause:
      return { pause: true };
    case property.meterId:
      return { meterId: r.u32() };
    default:
      throw new WireError(OFPET.BAD_ACTION, OFPBAC.BAD_ARGUMENT, `controller property ${type}`);
  }
}

function put(w: WireWriter, type: number, write: () => void): void {
  const start = w.mark();
  w.u16(type);
  w.u16(0);
  write();
  w.patchLength(start, 2);
  w.padTo8(start);
}

const controller2: NiciraCodec<NxController2> = {
  subtype: 37,
  type: 'nx_controller2',
  decode(r) {
    expectZeros(r, 6);
    let action: NxController2 = { type: 'nx_controller2' };
    while (r.remaining > 0) {
      const item = r.sized(2);
      const length = item.remaining;
      const type = item.u16();
      item.skip(2);
      action = { ...action, ...decodeProperty(item, type) };
      item.expectEnd();
      r.skip(-length & 7);
    }
    return action;
  },
  encode(w, { maxLen, controllerId, reason, userdata, pause, meterId }) {
    w.zero(6);
    if (maxLen !== undefined) put(w, property.maxLen, () => w.u16(maxLen));
    if (controllerId !== undefined) put(w, property.controllerId, () => w.u16(controllerId));
    if (reason !== undefined) put(w, property.reason, () => w.u8(reason));
    if (userdata !== undefined) put(w, property.userdata, () => w.bytes(userdata));
    if (pause) put(w, property.pause, () => {});
    if (meterId !== undefined) put(w, property.meterId, () => w.u32(meterId));
  },
};

export const controllerActions: readonly NiciraCodec[] = [controller, controller2] as readonly NiciraCodec[];
