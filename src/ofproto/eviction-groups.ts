/**
 * By what the flows of a table form groups, of the largest of which one makes room (Open vSwitch's
 * ovs-vswitchd.conf.db(5), Flow_Table, groups).
 */
import type { Subfield } from 'node-openflow';
import type { SelectionRecord } from '../datapath/records.js';
import { matchFields } from '../datapath/schema.gen.js';
import { fieldIds } from './translate-match.js';
import { toSubfield } from './translate-nicira.js';

/** In Nicira's TCI, "there is a tag". */
const TCI_PRESENT = 12;
/** In Nicira's type of service those below are of ECN, and 0 in every match. */
const TOS_DSCP = 2;

/** The bits of the data plane's fields, ascending; undefined: one is of a field that flows cannot match. */
export function evictionGroups(subfields: readonly Subfield[]): SelectionRecord['fields'] | undefined {
  const masks = new Map<number, bigint>();
  for (const { field, offset, bits } of subfields) {
    for (let bit = offset; bit < offset + bits; bit++) {
      if (field === 'ip_tos' && bit < TOS_DSCP) continue;
      const present = field === 'vlan_tci' && bit === TCI_PRESENT;
      const found = present
        ? { field: fieldIds.get('vlan_vid')!, offset: TCI_PRESENT }
        : toSubfield({ field, offset: bit }, 1);
      if (found === undefined || found.field >= matchFields) return undefined;
      masks.set(found.field, (masks.get(found.field) ?? 0n) | (1n << BigInt(found.offset)));
    }
  }
  return [...masks].map(([field, mask]) => ({ field, mask })).sort((a, b) => a.field - b.field);
}
