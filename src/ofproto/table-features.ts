/** What the tables can do: all the same (OpenFlow 1.3.5 §7.3.5.5). */
import type { ActionId, InstructionId, OxmId, TableFeatureProperty, TableFeatures, TableStats } from 'node-openflow';
import { type OxmFieldName, of10, of11, of13, of14, of15 } from 'node-openflow';
import { fields, tables } from '../datapath/schema.gen.js';
import { tableFlags } from './egress-tables.js';
import { missConfig, type TableSetting, type TableSettings } from './table-settings.js';
import { OF14, OF15 } from './versions.js';

const { OFPTC } = of14;
const ALL_BITS = 0xffffffffffffffffn;

const instructionNames = [
  'goto_table',
  'write_metadata',
  'write_actions',
  'apply_actions',
  'clear_actions',
  'meter',
  'stat_trigger',
];
const actionNames = [
  'output',
  'copy_ttl_out',
  'copy_ttl_in',
  'set_mpls_ttl',
  'dec_mpls_ttl',
  'push_vlan',
  'pop_vlan',
  'push_mpls',
  'pop_mpls',
  'push_pbb',
  'pop_pbb',
  'set_queue',
  'group',
  'set_nw_ttl',
  'dec_nw_ttl',
  'set_field',
] as const;

/** By name. Others are of later versions or extensions. */
const known = (version: number): ReadonlyMap<string, { readonly maskable: boolean; readonly settable: boolean }> =>
  new Map((version >= OF15 ? of15 : of13).oxmFields.map((facts) => [facts.name, facts] as const));

function oxmIds(version: number, settableOnly: boolean, masked: boolean): OxmId[] {
  const facts = known(version);
  const asked = ({ name, settable }: { readonly name: string; readonly settable: boolean }) =>
    facts.has(name) && (!settableOnly || (settable && facts.get(name)!.settable && name !== 'metadata'));
  return fields
    .filter(asked)
    .map(({ name }) => ({ field: name as OxmFieldName, hasMask: masked && facts.get(name)!.maskable }));
}

/** What 1.5 asks tables beside. */
function newProperties({ settable }: Facts): TableFeatureProperty[] {
  return [
    { type: 'write_copyfield', ids: [] },
    { type: 'apply_copyfield', ids: settable },
    { type: 'packet_types', oxms: [{ field: 'packet_type', value: new Uint8Array(4) }] },
  ];
}

/** From an ingress table none leads into the egress tables, whose action sets keep their port (1.5.1 §5.1, §5.6). */
function properties(table: number, version: number, everyField: Facts, firstEgress: number): TableFeatureProperty[] {
  const end = table < firstEgress ? firstEgress : tables;
  const next = Array.from({ length: end - 1 - table }, (_, i) => table + 1 + i);
  const instructions = everyField.instructions.filter(({ type }) => next.length > 0 || type !== 'goto_table');
  const isEgress = firstEgress > 0 && table >= firstEgress;
  const written = everyField.actions.filter(({ type }) => !isEgress || (type !== 'output' && type !== 'group'));
  return [
    { type: 'instructions', ids: instructions },
    { type: 'next_tables', ids: next },
    { type: 'write_actions', ids: written },
    { type: 'apply_actions', ids: everyField.actions },
    { type: 'match', ids: everyField.match },
    { type: 'wildcards', ids: everyField.wildcards },
    { type: 'write_setfield', ids: everyField.settable },
    { type: 'apply_setfield', ids: everyField.settable },
    ...(version >= OF15 ? newProperties(everyField) : []),
  ];
}

interface Facts {
  readonly instructions: readonly InstructionId[];
  readonly actions: readonly ActionId[];
  /** Those that no action set holds. */
  readonly match: readonly OxmId[];
  readonly wildcards: readonly OxmId[];
  readonly settable: readonly OxmId[];
}

/** Numbers of ofp_action_type in 1.2 that table statistics name: output, TTLs, tags, queue, group, set_field. */
const actionBits12 = [0, 11, 12, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25];
/** Those of 1.1: output, every set_*, TTLs, tags, queue, group. */
const actionBits11 = Array.from({ length: 25 }, (_, n) => n);
const instructionBits = [1, 2, 3, 4, 5];
const bits = (numbers: readonly number[]): number => numbers.reduce((all, n) => (all | (1 << n)) >>> 0, 0);

/** What statistics of tables say before 1.3, which says it in table features (1.0.2 §5.3.5, 1.1.0 §A.3.6.3, 1.2 §A.3.6.3). */
export function legacyTableAbilities(version: number, { maxEntries, miss }: TableSetting): Partial<TableStats> {
  switch (version) {
    case 1:
      return { wildcards: BigInt(of10.OFPFW.ALL), maxEntries };
    case 2: {
      const all = BigInt(bits(Object.values(of11.OFPFMF).map(Math.log2)));
      const actions = bits(actionBits11);
      const can = { instructions: bits(instructionBits), writeActions: actions, applyActions: actions };
      return { match: all, wildcards: all, ...can, config: missConfig(miss), maxEntries };
    }
    case 3: {
      const has12 = ({ id }: { readonly id: number }) => id <= LAST_FIELD_12;
      const fieldBits = (ids: readonly { readonly id: number }[]) =>
        ids.filter(has12).reduce((all, { id }) => all | (1n << BigInt(id)), 0n);
      const settable = fieldBits(fields.filter(({ name, settable }) => settable && name !== 'metadata'));
      const actions = bits(actionBits12);
      return {
        match: fieldBits(fields),
        wildcards: fieldBits(fields),
        writeActions: actions,
        applyActions: actions,
        writeSetfields: settable,
        applySetfields: settable,
        metadataMatch: ALL_BITS,
        metadataWrite: ALL_BITS,
        instructions: bits(instructionBits),
        config: missConfig(miss),
        maxEntries,
      };
    }
    default:
      return {};
  }
}

/** OFPXMT_OFB_MPLS_TC */
const LAST_FIELD_12 = 35;

/**
 * One entry for each of these tables. The table-miss flow can do what every flow can, so the _miss properties are left
 * away. `firstEgress`: what they can do as ingress and egress tables; 0: what they could be asked for.
 */
export function* tableFeatures(
  version: number,
  settings: TableSettings,
  ids: readonly number[] = settings.ids(),
  firstEgress = version >= OF15 ? settings.firstEgress : 0,
): Generator<TableFeatures> {
  const metersByAction = version >= OF15;
  const facts: Facts = {
    instructions: instructionNames
      .filter((type) => type !== (metersByAction ? 'meter' : 'stat_trigger'))
      .map((type) => ({ type }) as InstructionId),
    actions: [
      ...actionNames.map((type) => ({ type })),
      ...(metersByAction ? ([{ type: 'meter' }, { type: 'copy_field' }] as const) : []),
    ],
    match: oxmIds(version, false, true),
    wildcards: oxmIds(version, false, false),
    settable: oxmIds(version, true, false),
  };
  for (const tableId of ids) {
    const { name, maxEntries, config } = settings.of(tableId);
    yield {
      tableId,
      name,
      metadataMatch: ALL_BITS,
      metadataWrite: ALL_BITS,
      // In 1.5 what it can do, in 1.4 what is in force.
      config: version >= OF15 ? OFPTC.EVICTION | OFPTC.VACANCY_EVENTS : version >= OF14 ? config : 0,
      maxEntries,
      properties: properties(tableId, version, facts, firstEgress),
      ...(version >= OF15 ? { features: tableFlags(tableId, settings.firstEgress) } : {}),
    };
  }
}
