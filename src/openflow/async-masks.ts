/** Which events a controller is told of (OpenFlow 1.3.5 §6.3.5, §7.3.10; 1.4.1 §7.3.10; 1.5.1 §7.3.10). */
import { type AsyncChanges, type AsyncMask, type AsyncMasks, of13, of14, of15 } from 'node-openflow';
import type { AsyncEvent } from '../ofproto/async-events.js';
import { reasonIn } from '../ofproto/event-forms.js';
import { OF14, OF15, removalReason } from '../ofproto/versions.js';
import type { Role } from './roles.js';

type MaskName = Exclude<keyof AsyncMasks, 'properties'>;

const bits = (...reasons: readonly number[]): number => reasons.reduce((mask, reason) => mask | (1 << reason), 0);
const { OFPPR, OFPR } = of13;
const { OFPTR } = of14;
const { OFPFSR } = of15;
const allOf = (table: Readonly<Record<string, number>>): number => bits(...Object.values(table));
const allPortChanges = allOf(OFPPR);

/** As Open vSwitch has them: an invalid TTL is told only to who asks for it, a slave hears of ports alone. */
const default13: AsyncMasks = {
  packetInMask: [bits(OFPR.NO_MATCH, OFPR.ACTION), 0],
  portStatusMask: [allPortChanges, allPortChanges],
  flowRemovedMask: [bits(...Object.values(of13.OFPRR)), 0],
};

/** Who asks for a role is told when it goes. */
const roleStatusMask = [allOf(of14.OFPCRR), allOf(of14.OFPCRR)] as const;
/** Of 1.4, which has more reasons and more events. */
const default14: AsyncMasks = {
  ...default13,
  packetInMask: [allOf(of14.OFPR) & ~bits(OFPR.INVALID_TTL), 0],
  flowRemovedMask: [allOf(of14.OFPRR), 0],
  roleStatusMask,
  tableStatusMask: [allOf(OFPTR), 0],
};
/** Of 1.5: before there is no place for statistics that were not asked for. */
const default15: AsyncMasks = { ...default14, flowStatsMask: [allOf(OFPFSR), 0] };
export function defaultMasks(version: number): AsyncMasks {
  if (version >= OF15) return default15;
  return version >= OF14 ? default14 : default13;
}

const none13: AsyncMasks = { packetInMask: [0, 0], portStatusMask: [0, 0], flowRemovedMask: [0, 0] };
const none14: AsyncMasks = { ...none13, roleStatusMask };
/** For a connection that came to us, until it asks. */
export function noMasks(version: number): AsyncMasks {
  return version >= OF14 ? none14 : none13;
}

/** Packets whose TTL ran out, which controllers before 1.3 ask for by OFPT_SET_CONFIG. */
export function withInvalidTtl(masks: AsyncMasks): AsyncMasks {
  const [master, slave] = masks.packetInMask;
  return { ...masks, packetInMask: [master | bits(OFPR.INVALID_TTL), slave] };
}

/** The reasons that 1.4 and 1.5 have for each kind of message. */
const known14: Readonly<Record<string, number>> = {
  packetInMask: allOf(of14.OFPR),
  portStatusMask: allPortChanges,
  flowRemovedMask: allOf(of14.OFPRR),
  roleStatusMask: allOf(of14.OFPCRR),
  tableStatusMask: allOf(of14.OFPTR),
  requestforwardMask: allOf(of14.OFPRFR),
};
const known15: Readonly<Record<string, number>> = {
  ...known14,
  flowStatsMask: allOf(of15.OFPFSR),
  controllerStatusMask: allOf(of15.OFPCSR),
};

/** Whether each bit is a reason that there is; before 1.4 nobody cares about the others. */
export function isKnown(version: number, change: AsyncChanges): boolean {
  if (version < OF14) return true;
  const known = version >= OF15 ? known15 : known14;
  return Object.entries(change).every(([name, masks]) => {
    if (!name.endsWith('Mask')) return true;
    const legal = known[name] ?? 0;
    return (masks as readonly (number | undefined)[]).every((mask) => ((mask ?? 0) & ~legal) === 0);
  });
}

/** A pair of masks has one for masters and equals, and one for slaves. */
const indexOf = (role: Role): 0 | 1 => (role === 'slave' ? 1 : 0);

/** Whether the mask of this name lets messages of that reason through. */
export function lets(mask: AsyncMask | undefined, role: Role, reason: number): boolean {
  return (((mask?.[indexOf(role)] ?? 0) >>> reason) & 1) === 1;
}

export function wants(masks: AsyncMasks, role: Role, version: number, event: AsyncEvent): boolean {
  const [name, reason] = kindOf(version, event);
  return lets(masks[name], role, reason);
}

/** Whether there is any packet that it would be told of. */
export function wantsPackets(masks: AsyncMasks, role: Role): boolean {
  return masks.packetInMask[indexOf(role)] !== 0;
}

/** The mask that is about such events, and the reason as the version says it. */
function kindOf(version: number, event: AsyncEvent): readonly [MaskName, number] {
  switch (event.type) {
    case 'packet_in':
      return ['packetInMask', reasonIn(version, event)];
    case 'flow_removed':
      return ['flowRemovedMask', removalReason(version, event.reason)];
    case 'port_status':
      return ['portStatusMask', event.reason];
    case 'table_status':
      return ['tableStatusMask', event.reason];
    case 'multipart_reply':
      return ['flowStatsMask', OFPFSR.STAT_TRIGGER];
    case 'requestforward':
      return ['requestforwardMask', event.reason];
  }
}
