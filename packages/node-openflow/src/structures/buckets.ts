/** ofp_bucket (OpenFlow 1.3.5 §7.3.4.2, OpenFlow 1.5.1 §7.3.4.3). */
import { decodeActions, encodeActions } from '../codec/lists.js';
import type { Buckets, Codec } from '../codec/protocol.js';
import { OFPG, OFPGT, OFPP } from '../of13/constants.js';
import { OFPET, OFPGMFC } from '../of13/errors.js';
import type { AnyProperty } from '../types/property.js';
import type { Bucket } from '../types/structures.js';
import { EncodeError } from '../wire/error.js';
import { refuseProperties } from './expressible.js';
import { experimenterProperty, once, present, propertyList } from './properties.js';

/** Anything wrong with a bucket is BAD_BUCKET, with its actions BAD_ACTION. */
export const buckets11: Buckets = {
  decode(r, _, ctx) {
    const buckets: Bucket[] = [];
    while (r.remaining > 0) {
      const bucket = r.sized(0, OFPET.GROUP_MOD_FAILED, OFPGMFC.BAD_BUCKET);
      bucket.skip(2);
      const weight = bucket.u16();
      const watchPort = bucket.u32();
      const watchGroup = bucket.u32();
      bucket.skip(4);
      buckets.push({ weight, watchPort, watchGroup, actions: decodeActions(bucket, ctx) });
    }
    return buckets;
  },
  encode(w, buckets, _, ctx) {
    for (const bucket of buckets) {
      refuseProperties(bucket.properties, ctx, 'bucket property');
      const start = w.mark();
      w.u16(0);
      w.u16(bucket.weight);
      w.u32(bucket.watchPort);
      w.u32(bucket.watchGroup);
      w.zero(4);
      encodeActions(w, bucket.actions, ctx);
      w.patchLength(start, 0);
    }
  },
};

type Field = 'weight' | 'watchPort' | 'watchGroup';
type FieldProperty = { readonly type: Field; readonly value: number };

const weight: Codec<FieldProperty> = {
  code: 0,
  type: 'weight',
  decode(r) {
    const value = r.u16();
    r.skip(2);
    return { type: 'weight', value };
  },
  encode(w, property) {
    w.u16(property.value);
    w.zero(2);
  },
};

function watch(code: number, type: 'watchPort' | 'watchGroup'): Codec<FieldProperty> {
  return {
    code,
    type,
    decode: (r) => ({ type, value: r.u32() }),
    encode: (w, property) => w.u32(property.value),
  };
}

type WireProperty = FieldProperty | AnyProperty;
const properties = propertyList<WireProperty>('bucket', [
  weight,
  watch(1, 'watchPort'),
  watch(2, 'watchGroup'),
  experimenterProperty,
] as Codec<WireProperty>[]);

const isField = (property: WireProperty): property is FieldProperty => 'value' in property;

/** What a bucket has that says nothing of it; a bucket of a select group weighs 1 then, as in Open vSwitch. */
const absent = (groupType: number): Readonly<Record<Field, number>> => ({
  weight: groupType === OFPGT.SELECT ? 1 : 0,
  watchPort: OFPP.ANY,
  watchGroup: OFPG.ANY,
});

export const buckets15: Buckets = {
  decode(r, groupType, ctx) {
    const buckets: Bucket[] = [];
    while (r.remaining > 0) {
      const bucket = r.sized(0, OFPET.GROUP_MOD_FAILED, OFPGMFC.BAD_BUCKET);
      bucket.skip(2);
      const actionsLength = bucket.u16();
      const bucketId = bucket.u32();
      const actions = decodeActions(bucket.sub(actionsLength), ctx);
      const list = once(properties.decode(bucket, ctx));
      const fields = { ...absent(groupType) };
      for (const property of list) if (isField(property)) fields[property.type] = property.value;
      const rest = list.filter((property): property is AnyProperty => !isField(property));
      buckets.push({ ...fields, actions, bucketId, ...present(rest) });
    }
    return buckets;
  },
  encode(w, buckets, groupType, ctx) {
    const neutral = absent(groupType);
    for (const [index, bucket] of buckets.entries()) {
      const start = w.mark();
      w.zero(4);
      w.u32(bucket.bucketId ?? index);
      const actionsStart = w.mark();
      encodeActions(w, bucket.actions, ctx);
      const actionsLength = w.mark() - actionsStart;
      if (actionsLength > 0xffff) throw new EncodeError(`${actionsLength} bytes of actions`);
      w.patchU16(start + 2, actionsLength);
      const fields = (['weight', 'watchPort', 'watchGroup'] as const)
        .filter((type) => bucket[type] !== neutral[type])
        .map((type) => ({ type, value: bucket[type] }));
      properties.encode(w, [...fields, ...(bucket.properties ?? [])], ctx);
      w.patchLength(start, 0);
    }
  },
};
