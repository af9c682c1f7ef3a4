/**
 * Which asynchronous messages a controller wants, per role: three pairs of masks in 1.3 (OpenFlow 1.3.5 §7.3.10), a
 * property for each mask since 1.4 (OpenFlow 1.4.1 §7.3.10), where an absent one leaves the mask as it is.
 */
import type { Codec, Context, MessageCodec } from '../codec/protocol.js';
import { OFPACFC, OFPBPC, OFPET } from '../of14/errors.js';
import { refuseOther, refuseProperties } from '../structures/expressible.js';
import { once, type PropertyList, present, propertyList } from '../structures/properties.js';
import type { AsyncChanges, AsyncMaskChange, AsyncMasks, GetAsyncReply, SetAsync } from '../types/message.js';
import type { AsyncProperty } from '../types/property.js';
import { EncodeError, WireError } from '../wire/error.js';
import type { WireReader } from '../wire/reader.js';

type MaskName = Exclude<keyof AsyncMasks, 'properties'>;
const names13 = ['packetInMask', 'portStatusMask', 'flowRemovedMask'] as const;
/** In the order of the property types: 2n is a slave's, 2n+1 a master's and equals'. */
const names14: readonly MaskName[] = [...names13, 'roleStatusMask', 'tableStatusMask', 'requestforwardMask'];
const names15: readonly MaskName[] = [...names14, 'flowStatsMask', 'controllerStatusMask'];

function asyncConfig13<M extends GetAsyncReply | SetAsync>(code: number, type: M['type']): MessageCodec<M> {
  return {
    code,
    type,
    decode: (r, { version, xid }) =>
      ({
        version,
        xid,
        type,
        packetInMask: [r.u32(), r.u32()],
        portStatusMask: [r.u32(), r.u32()],
        flowRemovedMask: [r.u32(), r.u32()],
      }) as const as unknown as M,
    encode(w, message, ctx) {
      for (const name of names15.slice(names13.length)) {
        const [master, slave] = message[name] ?? [];
        refuseOther(master, 0, name, ctx);
        refuseOther(slave, 0, name, ctx);
      }
      refuseProperties(message.properties, ctx);
      for (const name of names13) {
        const [master, slave] = message[name] ?? [];
        if (master === undefined || slave === undefined) throw new EncodeError(`OpenFlow 1.3 needs the whole ${name}`);
        w.u32(master);
        w.u32(slave);
      }
    },
  };
}

export const getAsyncReply = asyncConfig13<GetAsyncReply>(27, 'get_async_reply');
export const setAsync = asyncConfig13<SetAsync>(28, 'set_async');

type MaskProperty = {
  readonly type: `${MaskName}/${0 | 1}`;
  readonly name: MaskName;
  readonly index: 0 | 1;
  readonly mask: number;
};
type WireProperty = MaskProperty | AsyncProperty;

function maskProperty(code: number, name: MaskName, index: 0 | 1): Codec<MaskProperty> {
  const type = `${name}/${index}` as const;
  return {
    code,
    type,
    decode: (r) => ({ type, name, index, mask: r.u32() }),
    encode: (w, property) => w.u32(property.mask),
  };
}

type Vendor = Extract<AsyncProperty, { readonly experimenter: number }>;
function vendor(code: number, type: Vendor['type']): Codec<Vendor> {
  return {
    code,
    type,
    decode: (r) => ({ type, experimenter: r.u32(), expType: r.u32(), data: r.rest() }),
    encode(w, property) {
      w.u32(property.experimenter);
      w.u32(property.expType);
      w.bytes(property.data);
    },
  };
}

function propertiesOf(names: readonly MaskName[]): PropertyList<WireProperty> {
  return propertyList<WireProperty>('async', [
    ...names.flatMap((name, i) => [maskProperty(2 * i, name, 1), maskProperty(2 * i + 1, name, 0)]),
    vendor(0xfffe, 'experimenter_slave'),
    vendor(0xffff, 'experimenter_master'),
  ] as Codec<WireProperty>[]);
}

const isMask = (property: WireProperty): property is MaskProperty => 'mask' in property;

/** A type of property that is unknown has an error of its own here (OpenFlow 1.4.1 §7.5.4.16). */
function decodeProperties(
  properties: PropertyList<WireProperty>,
  r: WireReader,
  ctx: Context,
): readonly WireProperty[] {
  try {
    return once(properties.decode(r, ctx));
  } catch (error) {
    if (!(error instanceof WireError && error.type === OFPET.BAD_PROPERTY && error.code === OFPBPC.BAD_TYPE))
      throw error;
    throw new WireError(OFPET.ASYNC_CONFIG_FAILED, OFPACFC.UNSUPPORTED, error.message);
  }
}

function asyncConfig14<M extends GetAsyncReply | SetAsync>(
  code: number,
  type: M['type'],
  names: readonly MaskName[],
  absent: number | undefined,
): MessageCodec<M> {
  const properties = propertiesOf(names);
  return {
    code,
    type,
    decode(r, { version, xid }, ctx) {
      const list = decodeProperties(properties, r, ctx);
      const masks: Partial<Record<MaskName, [number | undefined, number | undefined]>> = {};
      if (absent !== undefined) for (const name of names) masks[name] = [absent, absent];
      for (const property of list) {
        if (!isMask(property)) continue;
        const pair = masks[property.name] ?? [undefined, undefined];
        pair[property.index] = property.mask;
        masks[property.name] = pair;
      }
      const rest = list.filter((property): property is AsyncProperty => !isMask(property));
      return { version, xid, type, ...masks, ...present(rest) } as unknown as M;
    },
    encode(w, message, ctx) {
      for (const name of names15.filter((each) => !names.includes(each))) {
        for (const mask of message[name] ?? []) refuseOther(mask, 0, name, ctx);
      }
      const list = names.flatMap((name) =>
        ([1, 0] as const).flatMap((index) => {
          const mask = (message as AsyncChanges)[name]?.[index];
          return mask === undefined ? [] : [{ type: `${name}/${index}` as const, name, index, mask }];
        }),
      );
      properties.encode(w, [...list, ...(message.properties ?? [])], ctx);
    },
  };
}

export const getAsyncReply14 = asyncConfig14<GetAsyncReply>(27, 'get_async_reply', names14, 0);
export const setAsync14 = asyncConfig14<SetAsync>(28, 'set_async', names14, undefined);
export const getAsyncReply15 = asyncConfig14<GetAsyncReply>(27, 'get_async_reply', names15, 0);
export const setAsync15 = asyncConfig14<SetAsync>(28, 'set_async', names15, undefined);

/** The masks after a set_async: what the change does not name stays. */
export function applyAsync(masks: AsyncMasks, change: AsyncChanges): AsyncMasks {
  const merged: Partial<Record<MaskName, AsyncMaskChange>> = {};
  for (const name of names15) {
    const [old, wanted] = [masks[name], change[name]];
    if (old === undefined && wanted === undefined) continue;
    merged[name] = [wanted?.[0] ?? old?.[0] ?? 0, wanted?.[1] ?? old?.[1] ?? 0];
  }
  const properties = change.properties ?? masks.properties;
  return { ...merged, ...(properties === undefined ? {} : { properties }) } as AsyncMasks;
}
