/** ofp_table_mod_prop_* and ofp_table_desc (OpenFlow 1.4.1 §7.3.3, §7.3.5.8). */
import type { Codec, Structure } from '../codec/protocol.js';
import type { AnyProperty, TableModProperty } from '../types/property.js';
import type { TableDesc } from '../types/structures.js';
import { experimenterProperty, propertyList } from './properties.js';

type Eviction = Extract<TableModProperty, { readonly type: 'eviction' }>;
type Vacancy = Extract<TableModProperty, { readonly type: 'vacancy' }>;

const eviction: Codec<Eviction> = {
  code: 2,
  type: 'eviction',
  decode: (r) => ({ type: 'eviction', flags: r.u32() }),
  encode: (w, property) => w.u32(property.flags),
};

const vacancy: Codec<Vacancy> = {
  code: 3,
  type: 'vacancy',
  decode(r) {
    const [vacancyDown, vacancyUp, now] = [r.u8(), r.u8(), r.u8()];
    r.skip(1);
    return { type: 'vacancy', vacancyDown, vacancyUp, vacancy: now };
  },
  encode(w, property) {
    w.u8(property.vacancyDown);
    w.u8(property.vacancyUp);
    w.u8(property.vacancy);
    w.zero(1);
  },
};

export const tableProperties = propertyList<TableModProperty>('table', [
  eviction,
  vacancy,
  experimenterProperty as Codec<AnyProperty>,
] as Codec<TableModProperty>[]);

export const tableDesc: Structure<TableDesc> = {
  decode(whole, ctx) {
    const r = whole.sized(0);
    r.skip(2);
    const tableId = r.u8();
    r.skip(1);
    return { tableId, config: r.u32(), properties: tableProperties.decode(r, ctx) };
  },
  encode(w, desc, ctx) {
    const start = w.mark();
    w.u16(0);
    w.u8(desc.tableId);
    w.zero(1);
    w.u32(desc.config);
    tableProperties.encode(w, desc.properties, ctx);
    w.patchLength(start, 0);
  },
};
