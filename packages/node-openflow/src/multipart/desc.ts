/** ofp_desc (OpenFlow 1.3.5 §7.3.5.1). */
import type { BodyCodec, MultipartCodec } from '../codec/protocol.js';
import type { DescReply } from '../types/multipart.js';
import { emptyBody } from './body.js';

const descriptionLength = 256;
const serialNumberLength = 32;

const reply: BodyCodec<DescReply> = {
  decode: (r) => ({
    type: 'desc',
    mfrDesc: r.text(descriptionLength),
    hwDesc: r.text(descriptionLength),
    swDesc: r.text(descriptionLength),
    serialNum: r.text(serialNumberLength),
    dpDesc: r.text(descriptionLength),
  }),
  encode(w, body) {
    w.text(body.mfrDesc, descriptionLength);
    w.text(body.hwDesc, descriptionLength);
    w.text(body.swDesc, descriptionLength);
    w.text(body.serialNum, serialNumberLength);
    w.text(body.dpDesc, descriptionLength);
  },
};

export const desc: MultipartCodec = { code: 0, type: 'desc', request: emptyBody('desc'), reply };
