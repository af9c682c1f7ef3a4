/**
 * Egress tables (OpenFlow 1.5.1 §5.1): those from the first on, which table features name (§7.3.5.18), are passed by
 * what leaves by a port. Every table can be either; nothing else of a table can be changed here.
 */
import { of15, type TableFeatures } from 'node-openflow';
import { tables } from '../datapath/schema.gen.js';
import { type OfError, tableFeaturesFailed } from './of-error.js';

const { OFPTFF, OFPTFC, OFPTFFC } = of15;
const FLAGS_KNOWN = OFPTFF.INGRESS_TABLE | OFPTFF.EGRESS_TABLE | OFPTFF.FIRST_EGRESS;

/** Of a table, where `first` is the first egress table, 0: there is none. */
export function tableFlags(tableId: number, first: number): number {
  if (first === 0) return tableId === 0 ? OFPTFF.INGRESS_TABLE : OFPTFF.INGRESS_TABLE | OFPTFF.EGRESS_TABLE;
  if (tableId < first) return OFPTFF.INGRESS_TABLE;
  return tableId === first ? OFPTFF.EGRESS_TABLE | OFPTFF.FIRST_EGRESS : OFPTFF.EGRESS_TABLE;
}

const text = (value: unknown): string => JSON.stringify(value, (_, v) => (typeof v === 'bigint' ? `${v}n` : v));

/** Nothing but flags is asked to be otherwise. Without properties the request says nothing of them. */
function staysAsItIs(asked: TableFeatures, is: TableFeatures): boolean {
  const of = ({ properties }: TableFeatures) => text(properties);
  return asked.properties.length === 0 || of(asked) === of(is);
}

/**
 * Which table a request makes the first egress table, 0: none, or why it is refused. `current`: the features as they are,
 * by table; `first`: the first egress table until now.
 */
export function firstEgressAsked(
  entries: readonly TableFeatures[],
  current: readonly TableFeatures[],
  first: number,
): number | OfError {
  let asked = first;
  const named: number[] = [];
  for (const entry of entries) {
    const { tableId, command = OFPTFC.REPLACE, features = 0 } = entry;
    if (tableId >= tables) return tableFeaturesFailed(OFPTFFC.BAD_TABLE);
    if (command > OFPTFC.DISABLE) return tableFeaturesFailed(OFPTFFC.BAD_COMMAND);
    // A table cannot be taken away, neither by name nor by being left out.
    const takesAway = command === OFPTFC.DISABLE || (command === OFPTFC.REPLACE && entries.length < tables);
    if (takesAway || !staysAsItIs(entry, current[tableId]!)) return tableFeaturesFailed(OFPTFFC.EPERM);
    if ((features & ~FLAGS_KNOWN) !== 0) return tableFeaturesFailed(OFPTFFC.BAD_FEATURES);
    if ((features & OFPTFF.FIRST_EGRESS) !== 0) named.push(tableId);
    else if (tableId === first) asked = 0;
  }
  if (named.length > 1 || named[0] === 0) return tableFeaturesFailed(OFPTFFC.BAD_FEATURES);
  return named[0] ?? asked;
}
