/**
 * What differs in meaning between the versions of OpenFlow: the one place for it. Everything else of ofproto is written
 * for 1.3, whose values the codec gives for all versions. Sections are those of the version that is named.
 */
import {
  type Action,
  EncodeError,
  encodeMessage,
  type FlowMod,
  type FlowStats,
  type GroupDesc,
  type Head,
  type Message,
  type MultipartReplyBody,
  type MultipartReplySource,
  of10,
  of13,
  of15,
  type PortDesc,
  type PortMod,
} from 'node-openflow';
import { flowModFailed, type OfError } from './of-error.js';

export const OF10 = 1;
export const OF11 = 2;
export const OF12 = 3;
export const OF13 = 4;
export const OF14 = 5;
export const OF15 = 6;

const { OFPC, OFPFF, OFPFMFC, OFPRR, OFPFC, OFPTT } = of13;

/** ofp_capabilities: 1.0 has no groups (1.0.2 §5.3.1), 1.5 says whether there are bundles and monitors (1.5.1 §7.3.1). */
export function capabilities(version: number): number {
  const always = OFPC.FLOW_STATS | OFPC.TABLE_STATS | OFPC.PORT_STATS;
  if (version === OF10) return always | of10.OFPC.ARP_MATCH_IP;
  return always | OFPC.GROUP_STATS | (version >= OF15 ? of15.OFPC.BUNDLES | of15.OFPC.FLOW_MONITORING : 0);
}

/** Bits of 1.0's actions: all but the vendors' (1.0.2 §5.2.4). */
export const ACTIONS_10 = 0xfff;

/** How many ports a features reply has room for, in every version that lists them. */
export const FEATURES_PORTS_MAX = 1000;

/** Bits of a port's configuration that only 1.0 has (1.0.2 §5.2.1). */
const PORT_CONFIG_10 = of10.OFPPC.NO_STP | of10.OFPPC.NO_RECV_STP | of10.OFPPC.NO_FLOOD;

/**
 * A port_mod in 1.0's bits; undefined when it has others than its version's. NO_RECV of 1.0 leaves frames of the
 * spanning tree to NO_RECV_STP (1.0.2 §5.2.1), later there is one bit for all. Without a spanning tree protocol of its
 * own the switch has no use for NO_STP.
 */
export function legacyPortMod(mod: PortMod): PortMod | undefined {
  if (mod.version === OF10) {
    const { NO_STP } = of10.OFPPC;
    return { ...mod, config: mod.config & ~NO_STP, mask: mod.mask & ~NO_STP };
  }
  if (((mod.config | mod.mask) & PORT_CONFIG_10) !== 0) return undefined;
  return { ...mod, config: withStp(mod.config), mask: withStp(mod.mask) };
}

function withStp(bits: number): number {
  return (bits & of10.OFPPC.NO_RECV) === 0 ? bits : bits | of10.OFPPC.NO_RECV_STP;
}

/** A port as a version says it. */
export function legacyPort(version: number, port: PortDesc): PortDesc {
  return version === OF10 ? port : { ...port, config: port.config & ~PORT_CONFIG_10 };
}

/** Groups have numbered buckets and say how they choose: in 1.5, and in 1.0, whose groups are Nicira's in 1.5's form. */
export const hasBucketIds = (version: number): boolean => version >= OF15 || version === OF10;

/** Features replies list the ports (1.0.2 §5.3.1, 1.2 §A.3.1); since 1.3 a multipart does. */
export const listsPortsInFeatures = (version: number): boolean => version <= OF12;

/**
 * A packet that no flow of a table matches goes to the controller (1.0.2 §3.4, 1.1.0 §4.1.1, 1.2 §5.1); since 1.3 it is
 * dropped (1.3.5 §5.4).
 */
export const sendsMisses = (version: number): boolean => version <= OF12;

/**
 * OFPC_INVALID_TTL_TO_CONTROLLER of a switch configuration: packets whose TTL ran out go to the controller that set it
 * (1.1.0 §A.3.2, 1.2 §A.3.2; in 1.0 as an extension of Open vSwitch's). Since 1.3 the mask of packet-ins says it.
 */
export const INVALID_TTL_TO_CONTROLLER = 1 << 2;
export const hasInvalidTtlFlag = (version: number): boolean => version <= OF12;

/** An action that a flow's packets can have no header for is refused since 1.1; in 1.0 it does nothing. */
export const checksConsistency = (version: number): boolean => version > OF10;

const FLAGS_10 = OFPFF.SEND_FLOW_REM | OFPFF.CHECK_OVERLAP;
const FLAGS_12 = FLAGS_10 | OFPFF.RESET_COUNTS;
const FLAGS_13 = FLAGS_12 | OFPFF.NO_PKT_COUNTS | OFPFF.NO_BYT_COUNTS;

/** ofp_flow_mod_flags that the version has. */
function flagsKnown(version: number): number {
  if (version <= OF11) return FLAGS_10;
  return version === OF12 ? FLAGS_12 : FLAGS_13;
}

/** What is wrong with the flags. An emergency flow has no table to go to, and may not time out (1.0.2 §5.3.3). */
export function checkFlags({ version, flags, idleTimeout, hardTimeout }: FlowMod): OfError | undefined {
  if (version === OF10 && (flags & of10.OFPFF.EMERG) !== 0) {
    return flowModFailed(idleTimeout === 0 && hardTimeout === 0 ? OFPFMFC.TABLE_FULL : OFPFMFC.BAD_TIMEOUT);
  }
  return (flags & ~flagsKnown(version)) === 0 ? undefined : flowModFailed(OFPFMFC.BAD_FLAGS);
}

/** Adding a flow that is there already clears its counters (1.0.2 §4.6, 1.1.0 §4.6); since 1.2 by a flag. */
export function flagsInForce({ version, flags, command }: FlowMod): number {
  return version <= OF11 && command === OFPFC.ADD ? flags | OFPFF.RESET_COUNTS : flags;
}

/** Modifying what is not there adds it (1.0.2 §4.6; in 1.1 unless it names cookies); since 1.2 nothing happens. */
export function modifyMayAdd({ version, command, cookieMask }: FlowMod): boolean {
  const modifies = command === OFPFC.MODIFY || command === OFPFC.MODIFY_STRICT;
  return modifies && version <= OF11 && cookieMask === 0n;
}

/** Without a table of its own a modify of 1.0 is about all of them, as with Open vSwitch. */
export function modifyReachesAll({ version, command, tableId }: FlowMod): boolean {
  const modifies = command === OFPFC.MODIFY || command === OFPFC.MODIFY_STRICT;
  return modifies && version === OF10 && tableId === OFPTT.ALL;
}

/** A reason of flow_removed, which are those of 1.4, in a version that may not have it (1.4.1 §7.4.2). */
export function removalReason(version: number, reason: number): number {
  const last = version === OF10 ? OFPRR.DELETE : version <= OF13 ? OFPRR.GROUP_DELETE : Number.POSITIVE_INFINITY;
  return reason <= last ? reason : OFPRR.DELETE;
}

/** As `encodeMessage`; undefined where the version has no words for it (an IPv6 match in 1.0). */
export function tryEncode(message: Message): Uint8Array | undefined {
  try {
    return encodeMessage(message);
  } catch (error) {
    if (error instanceof EncodeError) return undefined;
    throw error;
  }
}

/**
 * What of a list the version has words for: a flow of 1.3 that 1.0 cannot say is left out of 1.0's answers, as Open
 * vSwitch leaves out its groups and meters. What 1.3 and 1.4 cannot say is 1.5's meter as an action.
 */
export function sayable<Source extends MultipartReplySource>({ version, xid }: Head, list: Source): Source {
  const entries = list.entries as Iterable<unknown>;
  const canBeSaid = (entry: unknown): boolean => {
    const body = { type: list.type, entries: [entry] } as MultipartReplyBody;
    return tryEncode({ version, xid, type: 'multipart_reply', flags: 0, body }) !== undefined;
  };
  if (version >= OF15) {
    // Of Nicira's actions not all are there any more.
    const said = (entry: unknown) => !actionsOf(entry).some(isExtension) || canBeSaid(entry);
    return mayMeter(list) ? { ...list, entries: filtered(entries, said) } : list;
  }
  if (version >= OF13)
    return mayMeter(list) ? { ...list, entries: filtered(entries, (each) => !hasMeterAction(each)) } : list;
  return { ...list, entries: filtered(entries, canBeSaid) };
}

const mayMeter = ({ type }: MultipartReplySource): boolean => type === 'flow' || type === 'group_desc';

/** Of a flow or a group. */
function actionsOf(entry: unknown): readonly Action[] {
  const { instructions = [], buckets = [] } = entry as Partial<FlowStats & GroupDesc>;
  return [
    ...instructions.flatMap((each) => ('actions' in each ? each.actions : [])),
    ...buckets.flatMap((b) => b.actions),
  ];
}
const isExtension = ({ type }: Action): boolean => type.startsWith('nx_');

/** A meter that is not the first thing to happen. */
function hasMeterAction(entry: unknown): boolean {
  const meters = (action: Action): boolean =>
    action.type === 'meter' || (action.type === 'nx_clone' && action.actions.some(meters));
  return actionsOf(entry).some(meters);
}

function* filtered<Item>(items: Iterable<Item>, keep: (item: Item) => boolean): Generator<Item> {
  for (const item of items) if (keep(item)) yield item;
}
