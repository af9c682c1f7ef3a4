/**
 * Egress tables (OpenFlow 1.5.1 §5.1): those from the first on, which table features name (§7.3.5.18), are passed by
 * what leaves by a port. Every table can be either.
 */
import { of15, type TableFeatures } from 'node-openflow';
import { type OfError, tableFeaturesFailed } from './of-error.js';

const { OFPTFF, OFPTFFC } = of15;
const FLAGS_KNOWN = OFPTFF.INGRESS_TABLE | OFPTFF.EGRESS_TABLE | OFPTFF.FIRST_EGRESS;

/** Of a table, where `first` is the first egress table, 0: there is none. */
export function tableFlags(tableId: number, first: number): number {
  if (first === 0) return tableId === 0 ? OFPTFF.INGRESS_TABLE : OFPTFF.INGRESS_TABLE | OFPTFF.EGRESS_TABLE;
  if (tableId < first) return OFPTFF.INGRESS_TABLE;
  return tableId === first ? OFPTFF.EGRESS_TABLE | OFPTFF.FIRST_EGRESS : OFPTFF.EGRESS_TABLE;
}

/** Which table a request makes the first egress table, 0: none, or why it is refused. `first`: what it was until now. */
export function firstEgressAsked(entries: readonly TableFeatures[], first: number): number | OfError {
  const flagsOf = ({ features = 0 }: TableFeatures) => features;
  if (entries.some((entry) => (flagsOf(entry) & ~FLAGS_KNOWN) !== 0)) return tableFeaturesFailed(OFPTFFC.BAD_FEATURES);
  const named = entries.filter((entry) => (flagsOf(entry) & OFPTFF.FIRST_EGRESS) !== 0).map(({ tableId }) => tableId);
  if (named.length > 1 || named[0] === 0) return tableFeaturesFailed(OFPTFFC.BAD_FEATURES);
  return named[0] ?? (entries.some(({ tableId }) => tableId === first) ? 0 : first);
}
