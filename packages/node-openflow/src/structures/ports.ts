/** ofp_phy_port and ofp_port: what a port is, in three layouts (OpenFlow 1.0.2 §5.2.1, 1.3.5 §7.2.1, 1.4.1 §7.2.1). */
import { decodeOxmId, encodeOxmId } from '../codec/oxm.js';
import { ports16 } from '../codec/port-numbers.js';
import type { Codec, Structure } from '../codec/protocol.js';
import type {
  AnyProperty,
  OpticalPortDesc,
  PipelinePortDesc,
  PortDescProperty,
  RecirculatePortDesc,
} from '../types/property.js';
import type { PortDesc } from '../types/structures.js';
import { experimenterProperty, type PropertyList, present, propertyList } from './properties.js';

export const macLength = 6;
const portNameLength = 16;

/** Bits 0 to 6 are the same in 1.0, which has no speeds above 10 Gb/s and the media right behind them. */
const sameFeatures = 0x7f;
const mediaShift = 4;
export const features10 = {
  toNeutral: (bits: number): number => (bits & sameFeatures) | ((bits & 0xf80) << mediaShift),
  fromNeutral: (bits: number): number => (bits & sameFeatures) | ((bits >>> mediaShift) & 0xf80),
};

/** OFPPS_LINK_DOWN and the two bits of spanning tree. */
const states10 = 0x301;

export const port10: Structure<PortDesc> = {
  decode(r) {
    const portNo = ports16.decode(r);
    const hwAddr = r.bytes(macLength);
    const name = r.text(portNameLength);
    const config = r.u32();
    const state = r.u32();
    const features = (): number => features10.toNeutral(r.u32());
    const [curr, advertised, supported, peer] = [features(), features(), features(), features()];
    return { portNo, hwAddr, name, config, state, curr, advertised, supported, peer, currSpeed: 0, maxSpeed: 0 };
  },
  encode(w, port) {
    ports16.encode(w, port.portNo);
    w.exactly(port.hwAddr, macLength);
    w.text(port.name, portNameLength);
    w.u32(port.config);
    w.u32(port.state & states10);
    for (const bits of [port.curr, port.advertised, port.supported, port.peer]) w.u32(features10.fromNeutral(bits));
  },
};

export const port11: Structure<PortDesc> = {
  decode(r) {
    const portNo = r.u32();
    r.skip(4);
    const hwAddr = r.bytes(macLength);
    r.skip(2);
    return {
      portNo,
      hwAddr,
      name: r.text(portNameLength),
      config: r.u32(),
      state: r.u32(),
      curr: r.u32(),
      advertised: r.u32(),
      supported: r.u32(),
      peer: r.u32(),
      currSpeed: r.u32(),
      maxSpeed: r.u32(),
    };
  },
  encode(w, port) {
    w.u32(port.portNo);
    w.zero(4);
    w.exactly(port.hwAddr, macLength);
    w.zero(2);
    w.text(port.name, portNameLength);
    w.u32(port.config);
    w.u32(port.state);
    for (const number of ethernetFields.map((name) => port[name])) w.u32(number);
  },
};

/** What the property OFPPDPT_ETHERNET holds, in order. */
const ethernetFields = ['curr', 'advertised', 'supported', 'peer', 'currSpeed', 'maxSpeed'] as const;
type Ethernet = { readonly type: 'ethernet' } & Pick<PortDesc, (typeof ethernetFields)[number]>;

const ethernet: Codec<Ethernet> = {
  code: 0,
  type: 'ethernet',
  decode(r) {
    r.skip(4);
    const [curr, advertised, supported] = [r.u32(), r.u32(), r.u32()];
    return { type: 'ethernet', curr, advertised, supported, peer: r.u32(), currSpeed: r.u32(), maxSpeed: r.u32() };
  },
  encode(w, property) {
    w.zero(4);
    for (const name of ethernetFields) w.u32(property[name]);
  },
};

const optical: Codec<OpticalPortDesc> = {
  code: 1,
  type: 'optical',
  decode(r) {
    r.skip(4);
    return {
      type: 'optical',
      supported: r.u32(),
      txMinFreqLmda: r.u32(),
      txMaxFreqLmda: r.u32(),
      txGridFreqLmda: r.u32(),
      rxMinFreqLmda: r.u32(),
      rxMaxFreqLmda: r.u32(),
      rxGridFreqLmda: r.u32(),
      txPwrMin: r.u16(),
      txPwrMax: r.u16(),
    };
  },
  encode(w, property) {
    w.zero(4);
    w.u32(property.supported);
    w.u32(property.txMinFreqLmda);
    w.u32(property.txMaxFreqLmda);
    w.u32(property.txGridFreqLmda);
    w.u32(property.rxMinFreqLmda);
    w.u32(property.rxMaxFreqLmda);
    w.u32(property.rxGridFreqLmda);
    w.u16(property.txPwrMin);
    w.u16(property.txPwrMax);
  },
};

function pipeline(code: number, type: PipelinePortDesc['type']): Codec<PipelinePortDesc> {
  return {
    code,
    type,
    decode(r, ctx) {
      const ids = [];
      while (r.remaining > 0) ids.push(decodeOxmId(r, ctx));
      return { type, ids };
    },
    encode(w, property, ctx) {
      for (const id of property.ids) encodeOxmId(w, id, ctx);
    },
  };
}

const recirculate: Codec<RecirculatePortDesc> = {
  code: 4,
  type: 'recirculate',
  decode(r) {
    const portNos = [];
    while (r.remaining > 0) portNos.push(r.u32());
    return { type: 'recirculate', portNos };
  },
  encode(w, property) {
    for (const portNo of property.portNos) w.u32(portNo);
  },
};

type WireProperty = Ethernet | PortDescProperty;
const common = [ethernet, optical, experimenterProperty as Codec<AnyProperty>] as Codec<WireProperty>[];
const properties14 = propertyList<WireProperty>('port', common);
const properties15 = propertyList<WireProperty>('port', [
  ...common,
  ...([pipeline(2, 'pipeline_input'), pipeline(3, 'pipeline_output'), recirculate] as Codec<WireProperty>[]),
]);

const noEthernet = { curr: 0, advertised: 0, supported: 0, peer: 0, currSpeed: 0, maxSpeed: 0 };

function portWith(properties: PropertyList<WireProperty>): Structure<PortDesc> {
  return {
    decode(whole, ctx) {
      const r = whole.sized(4);
      const portNo = r.u32();
      r.skip(4);
      const hwAddr = r.bytes(macLength);
      r.skip(2);
      const name = r.text(portNameLength);
      const [config, state] = [r.u32(), r.u32()];
      const list = properties.decode(r, ctx);
      const { type: _, ...speeds } = list.find((property) => property.type === 'ethernet') ?? {
        type: 'ethernet',
        ...noEthernet,
      };
      const rest = list.filter((property) => property.type !== 'ethernet');
      return { portNo, hwAddr, name, config, state, ...speeds, ...present(rest) };
    },
    encode(w, port, ctx) {
      const start = w.mark();
      w.u32(port.portNo);
      w.zero(4);
      w.exactly(port.hwAddr, macLength);
      w.zero(2);
      w.text(port.name, portNameLength);
      w.u32(port.config);
      w.u32(port.state);
      const isEthernet = ethernetFields.some((name) => port[name] !== 0);
      const own: WireProperty[] = isEthernet ? [{ ...port, type: 'ethernet' }] : [];
      properties.encode(w, [...own, ...(port.properties ?? [])], ctx);
      w.patchLength(start, 4);
    },
  };
}

export const port14 = portWith(properties14);
export const port15 = portWith(properties15);
