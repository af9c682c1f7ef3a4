/** What the tables can do: all the same (OpenFlow 1.3.5 §7.3.5.5). */
import type { ActionId, InstructionId, OxmId, TableFeatureProperty, TableFeatures } from 'node-openflow';
import { type OxmFieldName, of13 } from 'node-openflow';
import { fields, tables } from '../datapath/schema.gen.js';
import { FLOWS_PER_TABLE_MAX } from './limits.js';

const ALL_BITS = 0xffffffffffffffffn;

const instructionNames = ['goto_table', 'write_metadata', 'write_actions', 'apply_actions', 'clear_actions', 'meter'];
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

/** Others are of later versions or extensions. */
const known: ReadonlySet<string> = new Set(of13.oxmFields.map(({ name }) => name));

function oxmIds(select: (name: string, settable: boolean) => boolean, masked: boolean): OxmId[] {
  return fields
    .filter(({ name, settable }) => known.has(name) && select(name, settable))
    .map(({ name }) => ({ field: name as OxmFieldName, hasMask: masked && isMaskable(name) }));
}

function isMaskable(name: string): boolean {
  return of13.oxmFields.find((facts) => facts.name === name)?.maskable ?? false;
}

function properties(table: number, everyField: Facts): TableFeatureProperty[] {
  const last = table === tables - 1;
  const instructions = everyField.instructions.filter(({ type }) => !last || type !== 'goto_table');
  const next = Array.from({ length: tables - 1 - table }, (_, i) => table + 1 + i);
  return [
    { type: 'instructions', ids: instructions },
    { type: 'next_tables', ids: next },
    { type: 'write_actions', ids: everyField.actions },
    { type: 'apply_actions', ids: everyField.actions },
    { type: 'match', ids: everyField.match },
    { type: 'wildcards', ids: everyField.wildcards },
    { type: 'write_setfield', ids: everyField.settable },
    { type: 'apply_setfield', ids: everyField.settable },
  ];
}

interface Facts {
  readonly instructions: readonly InstructionId[];
  readonly actions: readonly ActionId[];
  readonly match: readonly OxmId[];
  readonly wildcards: readonly OxmId[];
  readonly settable: readonly OxmId[];
}

/** One entry per table. The table-miss flow can do what every flow can, so the _miss properties are left away. */
export function* tableFeatures(): Generator<TableFeatures> {
  const facts: Facts = {
    instructions: instructionNames.map((type) => ({ type }) as InstructionId),
    actions: actionNames.map((type) => ({ type })),
    match: oxmIds(() => true, true),
    wildcards: oxmIds(() => true, false),
    settable: oxmIds((name, settable) => settable && name !== 'metadata', false),
  };
  for (let tableId = 0; tableId < tables; tableId++) {
    yield {
      tableId,
      name: `table${tableId}`,
      metadataMatch: ALL_BITS,
      metadataWrite: ALL_BITS,
      config: 0,
      maxEntries: FLOWS_PER_TABLE_MAX,
      properties: properties(tableId, facts),
    };
  }
}
