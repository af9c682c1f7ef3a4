/** ofp_port_status and ofp_port_mod (OpenFlow 1.0.2 §5.4.3, §5.3.3; 1.3.5 §7.4.3, §7.3.4.3; 1.4.1 §7.3.4.3). */
import { ports16 } from '../codec/port-numbers.js';
import type { Codec, MessageCodec } from '../codec/protocol.js';
import { refuseProperties } from '../structures/expressible.js';
import { features10, macLength } from '../structures/ports.js';
import { experimenterProperty, once, present, propertyList } from '../structures/properties.js';
import type { PortMod, PortStatus } from '../types/message.js';
import type { OpticalPortMod, PortModProperty } from '../types/property.js';

export const portStatus: MessageCodec<PortStatus> = {
  code: 12,
  type: 'port_status',
  decode(r, { version, xid }, ctx) {
    const reason = r.u8();
    r.skip(7);
    return { version, xid, type: 'port_status', reason, port: ctx.protocol.port.decode(r, ctx) };
  },
  encode(w, message, ctx) {
    w.u8(message.reason);
    w.zero(7);
    ctx.protocol.port.encode(w, message.port, ctx);
  },
};

export const portMod10: MessageCodec<PortMod> = {
  code: 15,
  type: 'port_mod',
  decode(r, { version, xid }) {
    const portNo = ports16.decode(r);
    const hwAddr = r.bytes(macLength);
    const config = r.u32();
    const mask = r.u32();
    const advertise = features10.toNeutral(r.u32());
    r.skip(4);
    return { version, xid, type: 'port_mod', portNo, hwAddr, config, mask, advertise };
  },
  encode(w, message, ctx) {
    refuseProperties(message.properties, ctx);
    ports16.encode(w, message.portNo);
    w.exactly(message.hwAddr, macLength);
    w.u32(message.config);
    w.u32(message.mask);
    w.u32(features10.fromNeutral(message.advertise));
    w.zero(4);
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
  encode(w, message, ctx) {
    refuseProperties(message.properties, ctx);
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

type Ethernet = { readonly type: 'ethernet'; readonly advertise: number };

const ethernet: Codec<Ethernet> = {
  code: 0,
  type: 'ethernet',
  decode: (r) => ({ type: 'ethernet', advertise: r.u32() }),
  encode: (w, property) => w.u32(property.advertise),
};

const optical: Codec<OpticalPortMod> = {
  code: 1,
  type: 'optical',
  decode: (r) => ({
    type: 'optical',
    configure: r.u32(),
    freqLmda: r.u32(),
    flOffset: r.u32() | 0,
    gridSpan: r.u32(),
    txPwr: r.u32(),
  }),
  encode(w, property) {
    w.u32(property.configure);
    w.u32(property.freqLmda);
    w.u32(property.flOffset < 0 ? property.flOffset + 2 ** 32 : property.flOffset);
    w.u32(property.gridSpan);
    w.u32(property.txPwr);
  },
};

type WireProperty = Ethernet | PortModProperty;
const properties = propertyList<WireProperty>('port', [
  ethernet,
  optical,
  experimenterProperty,
] as Codec<WireProperty>[]);

export const portMod14: MessageCodec<PortMod> = {
  code: 16,
  type: 'port_mod',
  decode(r, { version, xid }, ctx) {
    const portNo = r.u32();
    r.skip(4);
    const hwAddr = r.bytes(macLength);
    r.skip(2);
    const config = r.u32();
    const mask = r.u32();
    const list = once(properties.decode(r, ctx));
    const own = list.find((property) => property.type === 'ethernet');
    const advertise = own?.type === 'ethernet' ? own.advertise : 0;
    const rest = list.filter((property) => property.type !== 'ethernet');
    return { version, xid, type: 'port_mod', portNo, hwAddr, config, mask, advertise, ...present(rest) };
  },
  encode(w, message, ctx) {
    w.u32(message.portNo);
    w.zero(4);
    w.exactly(message.hwAddr, macLength);
    w.zero(2);
    w.u32(message.config);
    w.u32(message.mask);
    const { advertise } = message;
    const own: WireProperty[] = advertise === 0 ? [] : [{ type: 'ethernet', advertise }];
    properties.encode(w, [...own, ...(message.properties ?? [])], ctx);
  },
};
