/** ofp_queue_prop_* (OpenFlow 1.0.2 §5.2.2, 1.3.5 §7.2.2): what follows the property and length of each. */
import { type Codec, tableOf } from '../codec/protocol.js';
import type { ExperimenterQueueProperty, QueueProperty, RateQueueProperty } from '../types/structures.js';
import { refuseOther } from './expressible.js';

function rate(code: number, type: RateQueueProperty['type']): Codec<RateQueueProperty> {
  return {
    code,
    type,
    decode(r) {
      r.skip(4);
      const value = r.u16();
      r.skip(6);
      return { type, rate: value };
    },
    encode(w, property) {
      w.zero(4);
      w.u16(property.rate);
      w.zero(6);
    },
  };
}

const experimenter: Codec<ExperimenterQueueProperty> = {
  code: 0xffff,
  type: 'experimenter',
  decode(r) {
    r.skip(4);
    const id = r.u32();
    r.skip(4);
    return { type: 'experimenter', experimenter: id, data: r.rest() };
  },
  encode(w, property, ctx) {
    refuseOther(property.expType, 0, 'type of an experimenter queue property', ctx);
    w.zero(4);
    w.u32(property.experimenter);
    w.zero(4);
    w.bytes(property.data);
  },
};

/** 1.0 and 1.1; OFPQT_NONE is no property. */
export const queueProperties10 = tableOf<Codec<QueueProperty>>([rate(1, 'min_rate')]);
export const queueProperties13 = tableOf<Codec<QueueProperty>>([
  rate(1, 'min_rate'),
  rate(2, 'max_rate'),
  experimenter,
]);
