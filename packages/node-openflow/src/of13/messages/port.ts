/** ofp_port_status and ofp_port_mod (OpenFlow 1.3.5 §7.4.3, §7.3.4.3). */
import type { MessageCodec } from '../../codec/protocol.js';
import type { PortMod, PortStatus } from '../../types/message.js';
import { decodePort, encodePort, macLength } from '../structures.js';

export const portStatus: MessageCodec<PortStatus> = {
  code: 12,
  type: 'port_status',
  decode(r, { version, xid }) {
    const reason = r.u8();
    r.skip(7);
    return { version, xid, type: 'port_status', reason, port: decodePort(r) };
  },
  encode(w, message) {
    w.u8(message.reason);
    w.zero(7);
    encodePort(w, message.port);
  },
};

export const portMod: MessageCodec<PortMod> = {
  code: 16,
  type: 'port_mod',
  decode(r, { version, xid }) {
    const portNo = r.u32();
    r.skip(4);
    const hwAddr = r.bytes(macLength);
    r.skip(2);
    const config = r.u32();
    const mask = r.u32();
    const advertise = r.u32();
    r.skip(4);
    return { version, xid, type: 'port_mod', portNo, hwAddr, config, mask, advertise };
  },
  encode(w, message) {
    w.u32(message.portNo);
    w.zero(4);
    w.exactly(message.hwAddr, macLength);
    w.zero(2);
    w.u32(message.config);
    w.u32(message.mask);
    w.u32(message.advertise);
    w.zero(4);
  },
};
