/** Port numbers on the wire: 32 bits since 1.1, 16 bits in 1.0, whose reserved ones are translated. */
import { EncodeError } from '../wire/error.js';
import type { PortNumbers } from './protocol.js';

/** 0xff00 and up are reserved in 1.0; 0xffffff00 and up since (OpenFlow 1.0.2 §5.2.1, 1.1.0 §A.2.1). */
const firstReserved16 = 0xff00;
const offset = 0xffff0000;

export const ports16: PortNumbers = {
  padding: 6,
  decode(r) {
    const port = r.u16();
    return port < firstReserved16 ? port : port + offset;
  },
  encode(w, port) {
    if (port < firstReserved16) w.u16(port);
    else if (port >= firstReserved16 + offset) w.u16(port - offset);
    else throw new EncodeError(`port ${port} has no number in OpenFlow 1.0`);
  },
};

export const ports32: PortNumbers = {
  padding: 4,
  decode: (r) => r.u32(),
  encode: (w, port) => w.u32(port),
};
