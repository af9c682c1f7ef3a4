/** ofp_meter_mod (OpenFlow 1.3.5 §7.3.4.4). */
import { decodeBands, encodeBands } from '../codec/lists.js';
import type { MessageCodec } from '../codec/protocol.js';
import type { MeterMod } from '../types/message.js';

export const meterMod: MessageCodec<MeterMod> = {
  code: 29,
  type: 'meter_mod',
  decode: (r, { version, xid }, ctx) => ({
    version,
    xid,
    type: 'meter_mod',
    command: r.u16(),
    flags: r.u16(),
    meterId: r.u32(),
    bands: decodeBands(r, ctx),
  }),
  encode(w, message, ctx) {
    w.u16(message.command);
    w.u16(message.flags);
    w.u32(message.meterId);
    encodeBands(w, message.bands, ctx);
  },
};
