/** Actions that only 1.0 and 1.1 have, as records and back (OpenFlow 1.0.2 §5.2.4, 1.1.0 §A.2.5). */
import type { Action } from 'node-openflow';
import type { ActionRecord } from '../datapath/records.js';
import { fieldIds } from './translate-match.js';

const VLAN_TYPE = 0x8100;
const VLAN_PRESENT = 0x1000;
/** "Insert a tag first, where there is none": what 1.0's set_vlan_vid and set_vlan_pcp do and set_field does not. */
const tagIfNone: ActionRecord = { kind: 'push_vlan', ethertype: VLAN_TYPE, onlyUntagged: true };

const set = (field: string, value: number): ActionRecord => {
  return { kind: 'set_field', field: fieldIds.get(field)!, value: BigInt(value) };
};
const setVid = (vid: number) => set('vlan_vid', vid | VLAN_PRESENT);

/** Transport ports: a field that a packet does not have is left alone, so that all three can be set. */
const transports = (direction: 'src' | 'dst') => ['tcp', 'udp', 'sctp'].map((name) => `${name}_${direction}`);

/** The records of such an action; undefined for all others. */
export function legacyRecords(action: Action): readonly ActionRecord[] | undefined {
  switch (action.type) {
    case 'set_vlan_vid':
      return [tagIfNone, setVid(action.vlanVid)];
    case 'set_vlan_pcp':
      return [tagIfNone, set('vlan_pcp', action.vlanPcp)];
    case 'enqueue':
      return [
        { kind: 'set_queue', queue: action.queueId },
        { kind: 'output', port: action.port, maxLen: 0 },
      ];
    case 'set_tp_src':
      return transports('src').map((field) => set(field, action.port));
    case 'set_tp_dst':
      return transports('dst').map((field) => set(field, action.port));
    default:
      return undefined;
  }
}

/** Actions of records among which may be such that insert a tag where there is none. */
export function liftLegacy(records: readonly ActionRecord[], lift: (record: ActionRecord) => Action): Action[] {
  const actions: Action[] = [];
  for (let i = 0; i < records.length; i++) {
    const [record, next] = [records[i]!, records[i + 1]];
    const conditional = record.kind === 'push_vlan' && record.onlyUntagged === true;
    if (conditional && next?.kind === 'set_field') {
      const value = Number(next.value);
      const isVid = next.field === fieldIds.get('vlan_vid');
      actions.push(isVid ? { type: 'set_vlan_vid', vlanVid: value & 0xfff } : { type: 'set_vlan_pcp', vlanPcp: value });
      i++;
    } else actions.push(lift(record));
  }
  return actions;
}
