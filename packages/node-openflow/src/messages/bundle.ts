/** Bundles and forwarded requests (OpenFlow 1.4.1 §7.3.9, §7.4.6): messages inside messages, passed on as bytes. */
import type { Codec, Extension, MessageCodec } from '../codec/protocol.js';
import { ONF } from '../errors/older.js';
import { OFPBFC, OFPET } from '../of14/errors.js';
import {
  decodeTime,
  encodeTime,
  experimenterProperty,
  once,
  type PropertyList,
  present,
  propertyList,
} from '../structures/properties.js';
import type {
  BundleAddMessage,
  BundleControl,
  FlowMonitorCancel,
  FlowMonitorSignal,
  RequestForward,
} from '../types/message.js';
import type { BundleProperty } from '../types/property.js';
import { EncodeError, WireError } from '../wire/error.js';
import type { WireReader } from '../wire/reader.js';
import { roleStatus } from './role.js';

type Time = Extract<BundleProperty, { readonly type: 'time' }>;

const time: Codec<Time> = {
  code: 1,
  type: 'time',
  decode(r) {
    r.skip(4);
    return { type: 'time', scheduledTime: decodeTime(r) };
  },
  encode(w, property) {
    w.zero(4);
    encodeTime(w, property.scheduledTime);
  },
};

const properties14 = propertyList<BundleProperty>('bundle', [experimenterProperty] as Codec<BundleProperty>[]);
const properties15 = propertyList<BundleProperty>('bundle', [experimenterProperty, time] as Codec<BundleProperty>[]);

function control(properties: PropertyList<BundleProperty>): MessageCodec<BundleControl> {
  return {
    code: 33,
    type: 'bundle_control',
    decode(r, { version, xid }, ctx) {
      const [bundleId, controlType, flags] = [r.u32(), r.u16(), r.u16()];
      const head = { version, xid, type: 'bundle_control', bundleId, controlType, flags } as const;
      return { ...head, ...present(once(properties.decode(r, ctx))) };
    },
    encode(w, message, ctx) {
      w.u32(message.bundleId);
      w.u16(message.controlType);
      w.u16(message.flags);
      properties.encode(w, message.properties, ctx);
    },
  };
}

const headerLength = 8;

/** A whole message, whose length its own header says. */
function innerMessage(r: WireReader): Uint8Array {
  const inner = r.sized(2, OFPET.BUNDLE_FAILED, OFPBFC.MSG_BAD_LEN).rest();
  if (inner.length < headerLength) {
    throw new WireError(OFPET.BUNDLE_FAILED, OFPBFC.MSG_BAD_LEN, `a message of ${inner.length} bytes`);
  }
  return inner;
}

function checkInner(bytes: Uint8Array): void {
  const length = bytes.length < headerLength ? -1 : (bytes[2]! << 8) | bytes[3]!;
  if (length !== bytes.length) throw new EncodeError(`${bytes.length} bytes are no whole message`);
}

function addMessage(properties: PropertyList<BundleProperty>): MessageCodec<BundleAddMessage> {
  return {
    code: 34,
    type: 'bundle_add_message',
    decode(r, { version, xid }, ctx) {
      const bundleId = r.u32();
      r.skip(2);
      const flags = r.u16();
      const message = innerMessage(r);
      const head = { version, xid, type: 'bundle_add_message', bundleId, flags, message } as const;
      // Padding stands only between the message and properties.
      if (r.remaining === 0) return head;
      r.skip(Math.min(-message.length & 7, r.remaining));
      return { ...head, ...present(once(properties.decode(r, ctx))) };
    },
    encode(w, message, ctx) {
      checkInner(message.message);
      w.u32(message.bundleId);
      w.zero(2);
      w.u16(message.flags);
      const start = w.mark();
      w.bytes(message.message);
      if ((message.properties?.length ?? 0) === 0) return;
      w.padTo8(start);
      properties.encode(w, message.properties, ctx);
    },
  };
}

export const bundleControl14 = control(properties14);
export const bundleControl15 = control(properties15);
export const bundleAddMessage14 = addMessage(properties14);
export const bundleAddMessage15 = addMessage(properties15);

export const requestForward: MessageCodec<RequestForward> = {
  code: 32,
  type: 'requestforward',
  decode: (r, { version, xid }) => ({ version, xid, type: 'requestforward', request: innerMessage(r) }),
  encode(w, message) {
    checkInner(message.request);
    w.bytes(message.request);
  },
};

function signal(type: FlowMonitorSignal['type']): MessageCodec<FlowMonitorSignal> {
  return { code: 4, type, decode: (_, { version, xid }) => ({ version, xid, type }), encode() {} };
}

const monitorCancel: MessageCodec<FlowMonitorCancel> = {
  code: 4,
  type: 'flow_monitor_cancel',
  decode: (r, { version, xid }) => ({ version, xid, type: 'flow_monitor_cancel', monitorId: r.u32() }),
  encode: (w, message) => w.u32(message.monitorId),
};

const onf = (expType: number, codec: MessageCodec): Extension<MessageCodec> => ({ experimenter: ONF, expType, codec });

/** What 1.4 has as messages, 1.3 has as ONF extensions 187, 191, 230 and 235. */
export const onfMessages: readonly Extension<MessageCodec>[] = [
  onf(1870, monitorCancel),
  onf(1871, signal('flow_monitor_paused')),
  onf(1872, signal('flow_monitor_resumed')),
  onf(1911, roleStatus),
  onf(2300, bundleControl14),
  onf(2301, bundleAddMessage14),
  onf(2350, requestForward),
];
