/** The toolstack's `bridge` key, in the form of Xen's vif-openvswitch script: `name[.tag][:trunk:trunk…]`. */
import { parseDecimal } from '../base/decimal.js';
import type { PortSettings } from '../datapath/datapath.js';

const VLAN_MIN = 1;
const VLAN_MAX = 4094;

export interface BridgeKey {
  readonly name: string;
  /** Access VLAN; undefined: none. */
  readonly tag: number | undefined;
  /** VLANs carried tagged; empty: all. */
  readonly trunks: readonly number[];
}

/** Undefined when malformed or a VLAN is not within 1..4094. */
export function parseBridgeKey(text: string): BridgeKey | undefined {
  const match = /^([A-Za-z0-9_-]{1,32})(?:\.(\d+))?((?::\d+)*)$/.exec(text);
  if (match === null) return undefined;
  const [, name, tagText, trunkText] = match;
  const vlan = (digits: string) => parseDecimal(digits, VLAN_MIN, VLAN_MAX);
  const tag = tagText === undefined ? undefined : vlan(tagText);
  const trunks = trunkText!.split(':').slice(1).map(vlan);
  if ((tagText !== undefined && tag === undefined) || trunks.includes(undefined)) return undefined;
  return { name: name!, tag, trunks: trunks as number[] };
}

/**
 * The VLANs of a port, as ovs-vsctl makes them from the same key: with a tag an access port, whatever trunks there
 * are; undefined, a trunk of all VLANs, when the key says nothing.
 */
export function vlanOf(key: BridgeKey | undefined): PortSettings['vlan'] {
  if (key?.tag !== undefined) return { tag: key.tag, trunks: [] };
  return key === undefined || key.trunks.length === 0 ? undefined : { tag: undefined, trunks: key.trunks };
}
