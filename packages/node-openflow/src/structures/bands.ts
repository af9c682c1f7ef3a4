/** ofp_meter_band_* (OpenFlow 1.3.5 §7.3.4.4.1): what follows the type and length of each band. */
import { type Codec, tableOf } from '../codec/protocol.js';
import { OFPMBT } from '../of13/constants.js';
import type { DropBand, DscpRemarkBand, ExperimenterBand, MeterBand } from '../types/structures.js';

const drop: Codec<DropBand> = {
  code: OFPMBT.DROP,
  type: 'drop',
  decode(r) {
    const rate = r.u32();
    const burstSize = r.u32();
    r.skip(4);
    return { type: 'drop', rate, burstSize };
  },
  encode(w, band) {
    w.u32(band.rate);
    w.u32(band.burstSize);
    w.zero(4);
  },
};

const dscpRemark: Codec<DscpRemarkBand> = {
  code: OFPMBT.DSCP_REMARK,
  type: 'dscp_remark',
  decode(r) {
    const rate = r.u32();
    const burstSize = r.u32();
    const precLevel = r.u8();
    r.skip(3);
    return { type: 'dscp_remark', rate, burstSize, precLevel };
  },
  encode(w, band) {
    w.u32(band.rate);
    w.u32(band.burstSize);
    w.u8(band.precLevel);
    w.zero(3);
  },
};

const experimenter: Codec<ExperimenterBand> = {
  code: OFPMBT.EXPERIMENTER,
  type: 'experimenter',
  decode: (r) => ({
    type: 'experimenter',
    rate: r.u32(),
    burstSize: r.u32(),
    experimenter: r.u32(),
    data: r.rest(),
  }),
  encode(w, band) {
    w.u32(band.rate);
    w.u32(band.burstSize);
    w.u32(band.experimenter);
    w.bytes(band.data);
  },
};

export const bands13 = tableOf<Codec<MeterBand>>([drop, dscpRemark, experimenter]);
