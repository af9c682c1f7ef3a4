/** ofp_controller_status and bundle features (OpenFlow 1.5.1 §7.3.5.19, §7.3.5.20). */
import type { BodyCodec, Codec, MultipartCodec, Structure } from '../codec/protocol.js';
import { decodeTime, encodeTime, experimenterProperty, propertyList } from '../structures/properties.js';
import type {
  BundleFeaturesReply,
  BundleFeaturesRequest,
  ControllerStatus,
  ControllerStatusReply,
} from '../types/multipart.js';
import type { BundleFeaturesProperty, ControllerStatusProperty } from '../types/property.js';
import { emptyBody, listBody } from './body.js';

type Uri = Extract<ControllerStatusProperty, { readonly type: 'uri' }>;

const uri: Codec<Uri> = {
  code: 0,
  type: 'uri',
  decode: (r) => ({ type: 'uri', uri: r.text(r.remaining) }),
  encode: (w, property) => w.bytes(Buffer.from(property.uri, 'utf8')),
};

const properties = propertyList<ControllerStatusProperty>('controller status', [
  uri,
  experimenterProperty,
] as Codec<ControllerStatusProperty>[]);

export const controllerStatus: Structure<ControllerStatus> = {
  decode(whole, ctx) {
    const r = whole.sized(0);
    r.skip(2);
    const shortId = r.u16();
    const [role, reason, channelStatus] = [r.u32(), r.u8(), r.u8()];
    r.skip(6);
    return { shortId, role, reason, channelStatus, properties: properties.decode(r, ctx) };
  },
  encode(w, status, ctx) {
    const start = w.mark();
    w.u16(0);
    w.u16(status.shortId);
    w.u32(status.role);
    w.u8(status.reason);
    w.u8(status.channelStatus);
    w.zero(6);
    properties.encode(w, status.properties, ctx);
    w.patchLength(start, 0);
  },
};

export const controllerStatuses: MultipartCodec = {
  code: 18,
  type: 'controller_status',
  request: emptyBody('controller_status'),
  reply: listBody<ControllerStatusReply>(
    'controller_status',
    (r, ctx) => controllerStatus.decode(r, ctx),
    (w, status, ctx) => controllerStatus.encode(w, status, ctx),
  ),
};

type Time = Extract<BundleFeaturesProperty, { readonly type: 'time_capability' }>;

const time: Codec<Time> = {
  code: 1,
  type: 'time_capability',
  decode(r) {
    r.skip(4);
    const [schedAccuracy, schedMaxFuture] = [decodeTime(r), decodeTime(r)];
    return {
      type: 'time_capability',
      schedAccuracy,
      schedMaxFuture,
      schedMaxPast: decodeTime(r),
      timestamp: decodeTime(r),
    };
  },
  encode(w, property) {
    w.zero(4);
    for (const each of [property.schedAccuracy, property.schedMaxFuture, property.schedMaxPast, property.timestamp]) {
      encodeTime(w, each);
    }
  },
};

const featureProperties = propertyList<BundleFeaturesProperty>('bundle features', [
  time,
  experimenterProperty,
] as Codec<BundleFeaturesProperty>[]);

const request: BodyCodec<BundleFeaturesRequest> = {
  decode(r, ctx) {
    const featureRequestFlags = r.u32();
    r.skip(4);
    return { type: 'bundle_features', featureRequestFlags, properties: featureProperties.decode(r, ctx) };
  },
  encode(w, body, ctx) {
    w.u32(body.featureRequestFlags);
    w.zero(4);
    featureProperties.encode(w, body.properties, ctx);
  },
};

const reply: BodyCodec<BundleFeaturesReply> = {
  decode(r, ctx) {
    const capabilities = r.u16();
    r.skip(6);
    return { type: 'bundle_features', capabilities, properties: featureProperties.decode(r, ctx) };
  },
  encode(w, body, ctx) {
    w.u16(body.capabilities);
    w.zero(6);
    featureProperties.encode(w, body.properties, ctx);
  },
};

export const bundleFeatures: MultipartCodec = { code: 19, type: 'bundle_features', request, reply };
