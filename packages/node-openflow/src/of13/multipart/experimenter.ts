/** ofp_experimenter_multipart_header (OpenFlow 1.3.5 §7.3.5.15): passed on as bytes. */
import type { BodyCodec, MultipartCodec } from '../../codec/protocol.js';
import type { ExperimenterMultipart } from '../../types/multipart.js';

const body: BodyCodec<ExperimenterMultipart> = {
  decode: (r) => ({ type: 'experimenter', experimenter: r.u32(), expType: r.u32(), data: r.rest() }),
  encode(w, { experimenter, expType, data }) {
    w.u32(experimenter);
    w.u32(expType);
    w.bytes(data);
  },
};

export const experimenterMultipart: MultipartCodec = {
  code: 0xffff,
  type: 'experimenter',
  request: body,
  reply: body,
};
