/** Settings of a flow table as the operator writes them. */
import { parseSubfields, subfieldText } from 'node-openflow/text';
import { tables } from '../datapath/schema.gen.js';
import { evictionGroups, FLOWS_PER_TABLE_MAX, type TableChange, type TableState } from '../ofproto/index.js';
import type { SettingText } from './port-overrides.js';
import { Refusal } from './refusal.js';

/** Of a name in OpenFlow, without the NUL (1.3.5 §7.3.5.5). */
const NAME_BYTES_MAX = 31;
const NO_GROUPS = 'none';
const policies: readonly string[] = ['refuse', 'evict'];

const readers: Readonly<Record<string, (value: string) => TableChange | string>> = {
  limit(value) {
    const flows = /^\d{1,7}$/.test(value) ? Number(value) : Number.NaN;
    return flows <= FLOWS_PER_TABLE_MAX ? { maxEntries: flows } : `flows, 0 to ${FLOWS_PER_TABLE_MAX}`;
  },
  'overflow-policy': (value) => (policies.includes(value) ? { evicts: value === 'evict' } : policies.join(' or ')),
  groups(value) {
    const read = parseSubfields(value === NO_GROUPS ? '' : value);
    if (!read.ok) return `fields like NXM_OF_IN_PORT[],nw_src[8..31], or ${NO_GROUPS} (${read.error.message})`;
    return evictionGroups(read.value) === undefined ? 'fields that flows can match' : { groups: read.value };
  },
  name(value) {
    const fits = value !== '' && Buffer.byteLength(value) <= NAME_BYTES_MAX && !value.includes('\0');
    return fits ? { name: value } : `1 to ${NAME_BYTES_MAX} bytes`;
  },
};

/** Throws {@link Refusal} for a table, a name or a value that is none. */
export function tableChange(table: number, settings: readonly SettingText[]): TableChange {
  if (table >= tables) throw new Refusal('notFound', `there is no table ${table}: they are 0 to ${tables - 1}`);
  let change: TableChange = {};
  for (const { name, value } of settings) {
    const read = Object.hasOwn(readers, name) ? readers[name]!(value) : undefined;
    if (read === undefined) {
      throw new Refusal('invalid', `"${name}" is no setting of a table: ${Object.keys(readers).join(', ')}`);
    }
    if (typeof read === 'string') throw new Refusal('invalid', `${name}: expected ${read}, not "${value}"`);
    change = { ...change, ...read };
  }
  return change;
}

export function tableTexts({ maxEntries, evicts, groups, name }: TableState): readonly SettingText[] {
  return [
    { name: 'limit', value: `${maxEntries}` },
    { name: 'overflow-policy', value: evicts ? 'evict' : 'refuse' },
    { name: 'groups', value: groups.map((each) => subfieldText(each, each.bits)).join() || NO_GROUPS },
    { name: 'name', value: name },
  ];
}
