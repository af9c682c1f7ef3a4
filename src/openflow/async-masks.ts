/** Which events a controller is told of (OpenFlow 1.3.5 §6.3.5, §7.3.10). */
import { type AsyncMasks, of13, of14, of15 } from 'node-openflow';
import { removalReason } from '../ofproto/versions.js';
import type { Role } from './roles.js';
import type { AsyncMessage } from './switch.js';

const bits = (...reasons: readonly number[]): number => reasons.reduce((mask, reason) => mask | (1 << reason), 0);
const { OFPPR, OFPR } = of13;
const { OFPRR, OFPTR } = of14;
const { OFPFSR } = of15;
const allPortChanges = bits(OFPPR.ADD, OFPPR.DELETE, OFPPR.MODIFY);

/** As Open vSwitch has them: an invalid TTL is told only to who asks for it, a slave hears of ports alone. */
export const defaultMasks: AsyncMasks = {
  packetInMask: [bits(OFPR.NO_MATCH, OFPR.ACTION), 0],
  portStatusMask: [allPortChanges, allPortChanges],
  flowRemovedMask: [bits(...Object.values(of13.OFPRR)), 0],
};

/** Of a controller before 1.3 that asked for packets whose TTL ran out. */
export const invalidTtlMasks: AsyncMasks = {
  ...defaultMasks,
  packetInMask: [bits(OFPR.NO_MATCH, OFPR.ACTION, OFPR.INVALID_TTL), 0],
};

/** Of 1.4 and later, which have more reasons and more events. */
export const defaultMasks14: AsyncMasks = {
  ...defaultMasks,
  flowRemovedMask: [bits(...Object.values(OFPRR)), 0],
  tableStatusMask: [bits(OFPTR.VACANCY_DOWN, OFPTR.VACANCY_UP), 0],
};

/** For a management connection, until it asks. */
export const noMasks: AsyncMasks = {
  packetInMask: [0, 0],
  portStatusMask: [0, 0],
  flowRemovedMask: [0, 0],
  tableStatusMask: [0, 0],
  flowStatsMask: [0, 0],
};

/** A pair of masks has one for masters and equals, and one for slaves. */
const indexOf = (role: Role): 0 | 1 => (role === 'slave' ? 1 : 0);

/** Whether a controller of that version is told. */
export function wants(masks: AsyncMasks, role: Role, version: number, message: AsyncMessage): boolean {
  return ((maskFor(masks, message.type)[indexOf(role)] >>> reasonFor(version, message)) & 1) === 1;
}

function reasonFor(version: number, message: AsyncMessage): number {
  if (message.type === 'multipart_reply') return OFPFSR.STAT_TRIGGER;
  return message.type === 'flow_removed' ? removalReason(version, message.reason) : message.reason;
}

/** Whether there is any packet that it would be told of. */
export function wantsPackets(masks: AsyncMasks, role: Role): boolean {
  return masks.packetInMask[indexOf(role)] !== 0;
}

function maskFor(masks: AsyncMasks, type: AsyncMessage['type']): AsyncMasks['packetInMask'] {
  switch (type) {
    case 'table_status':
      return masks.tableStatusMask ?? [0, 0];
    case 'packet_in':
      return masks.packetInMask;
    case 'flow_removed':
      return masks.flowRemovedMask;
    case 'port_status':
      return masks.portStatusMask;
    // In none of the masks until a controller of 1.5 sets it, since those of others have no place for it.
    case 'multipart_reply':
      return masks.flowStatsMask ?? [bits(OFPFSR.STAT_TRIGGER), 0];
  }
}
