/** ofp_table_feature_prop_* (OpenFlow 1.3.5 §7.3.5.5.2, 1.5.1 §7.3.5.18.2): lists of ids, without arguments. */
import { decodeOxm, decodeOxmId, encodeOxm, encodeOxmId, matchFailures } from '../codec/oxm.js';
import { type Codec, type Protocol, type Table, tableOf } from '../codec/protocol.js';
import type { ActionId, InstructionId, TableFeatureProperty, TypeId } from '../types/structures.js';
import { EncodeError } from '../wire/error.js';
import type { WireReader } from '../wire/reader.js';
import type { WireWriter } from '../wire/writer.js';

const experimenterCode = 0xffff;

type Named = { readonly code: number; readonly type: string };
type Tables = (protocol: Protocol) => Table<Named>;
type Property<T extends TableFeatureProperty['type']> = Extract<TableFeatureProperty, { readonly type: T }>;
type Miss<T extends string> = T | `${T}_miss`;

/** An action's or an instruction's id, before it is said which. */
type Id =
  | { readonly type: 'experimenter'; readonly experimenter: number; readonly data: Uint8Array }
  | { readonly type: 'unknown'; readonly code: number; readonly data: Uint8Array }
  | { readonly type: 'known'; readonly entry: Named };

/** An id is a structure's type and length and nothing else, except that experimenters say who they are. */
function decodeId(r: WireReader, table: Table<Named>): Id {
  const item = r.sized(2);
  const code = item.u16();
  item.skip(2);
  if (code === experimenterCode) return { type: 'experimenter', experimenter: item.u32(), data: item.rest() };
  const entry = table.byCode.get(code);
  if (entry === undefined) return { type: 'unknown', code, data: item.rest() };
  item.expectEnd();
  return { type: 'known', entry };
}

function decodeIds<Name extends string>(r: WireReader, table: Table<Named>): TypeId<Name>[] {
  const ids: TypeId<Name>[] = [];
  while (r.remaining > 0) {
    const id = decodeId(r, table);
    ids.push(id.type === 'known' ? ({ type: id.entry.type } as TypeId<Name>) : id);
  }
  return ids;
}

function encodeId(w: WireWriter, id: ActionId | InstructionId, table: Table<Named>): void {
  const start = w.mark();
  const code = id.type === 'unknown' ? id.code : table.byType.get(id.type)?.code;
  if (code === undefined) throw new EncodeError(`no id is known for ${id.type}`);
  w.u16(code);
  w.u16(0);
  if (id.type === 'experimenter') w.u32(id.experimenter);
  if (id.type === 'experimenter' || id.type === 'unknown') w.bytes(id.data);
  w.patchLength(start, 2);
}

type IdProperty = Property<Miss<'instructions'> | Miss<'write_actions' | 'apply_actions'>>;

function typeIds(code: number, type: IdProperty['type'], tables: Tables): Codec<IdProperty> {
  return {
    code,
    type,
    decode: (r, ctx) => ({ type, ids: decodeIds(r, tables(ctx.protocol)) }) as IdProperty,
    encode(w, property, ctx) {
      for (const id of property.ids) encodeId(w, id, tables(ctx.protocol));
    },
  };
}

type TablesProperty = Property<Miss<'next_tables'> | 'table_sync_from'>;

function tableIds(code: number, type: TablesProperty['type']): Codec<TablesProperty> {
  return {
    code,
    type,
    decode: (r) => ({ type, ids: [...r.rest()] }),
    encode(w, property) {
      for (const id of property.ids) w.u8(id);
    },
  };
}

type SetField = Miss<'write_setfield' | 'apply_setfield' | 'write_copyfield' | 'apply_copyfield'>;
type OxmProperty = Property<'match' | 'wildcards' | SetField>;

function oxmIds(code: number, type: OxmProperty['type']): Codec<OxmProperty> {
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

type PacketTypes = Property<'packet_types'>;

const packetTypes: Codec<PacketTypes> = {
  code: 22,
  type: 'packet_types',
  decode(r, ctx) {
    const oxms = [];
    while (r.remaining > 0) oxms.push(decodeOxm(r, ctx, matchFailures));
    return { type: 'packet_types', oxms };
  },
  encode(w, property, ctx) {
    for (const tlv of property.oxms) encodeOxm(w, tlv, ctx);
  },
};

type Vendor = Property<'experimenter' | 'experimenter_miss'>;

function experimenter(code: number, type: Vendor['type']): Codec<Vendor> {
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

const instructions: Tables = (protocol) => protocol.instructions;
const actions: Tables = (protocol) => protocol.actions;

const since13: readonly Codec<TableFeatureProperty>[] = [
  typeIds(0, 'instructions', instructions),
  typeIds(1, 'instructions_miss', instructions),
  tableIds(2, 'next_tables'),
  tableIds(3, 'next_tables_miss'),
  typeIds(4, 'write_actions', actions),
  typeIds(5, 'write_actions_miss', actions),
  typeIds(6, 'apply_actions', actions),
  typeIds(7, 'apply_actions_miss', actions),
  oxmIds(8, 'match'),
  oxmIds(10, 'wildcards'),
  oxmIds(12, 'write_setfield'),
  oxmIds(13, 'write_setfield_miss'),
  oxmIds(14, 'apply_setfield'),
  oxmIds(15, 'apply_setfield_miss'),
  experimenter(0xfffe, 'experimenter'),
  experimenter(0xffff, 'experimenter_miss'),
];
const since14: readonly Codec<TableFeatureProperty>[] = [...since13, tableIds(16, 'table_sync_from')];

export const tableFeatureProperties13 = tableOf<Codec<TableFeatureProperty>>(since13);
export const tableFeatureProperties14 = tableOf<Codec<TableFeatureProperty>>(since14);
export const tableFeatureProperties15 = tableOf<Codec<TableFeatureProperty>>([
  ...since14,
  oxmIds(18, 'write_copyfield'),
  oxmIds(19, 'write_copyfield_miss'),
  oxmIds(20, 'apply_copyfield'),
  oxmIds(21, 'apply_copyfield_miss'),
  packetTypes,
]);
