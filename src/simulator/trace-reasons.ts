/** Numbers of the datapath in words. */
import { Drop, PacketInReason } from '../datapath/schema.gen.js';

const drops: Readonly<Record<Drop, string>> = {
  [Drop.none]: 'for no reason',
  [Drop.tableMiss]: 'no rule of the table matches',
  [Drop.noOutput]: 'the egress tables took its output away',
  [Drop.meter]: 'a meter drops it',
  [Drop.portDown]: 'the port is down',
  [Drop.noRecv]: 'the port is not to receive (no_recv)',
  [Drop.noFwd]: 'the port is not to send (no_fwd)',
  [Drop.noPort]: 'there is no such port',
  [Drop.ttl]: 'its TTL is over',
  [Drop.groupNoBucket]: 'the group has no live bucket',
  [Drop.groupDepth]: 'too many groups in each other',
  [Drop.frag]: 'it is a fragment',
  [Drop.malformed]: 'it is malformed',
  [Drop.guestError]: 'the guest broke the protocol',
  [Drop.copyFailed]: 'it could not be copied',
  [Drop.backlogFull]: 'too much waits for the port',
  [Drop.noMemory]: 'no memory',
  [Drop.tooBig]: 'it is too long for the port',
  [Drop.upcallFull]: 'no controller takes it',
  [Drop.ioError]: 'the device failed',
  [Drop.reservedMac]: 'its destination is reserved for the bridge (802.1D)',
  [Drop.loop]: 'it would go back to where it came from',
  [Drop.linkDown]: 'the link is down',
  [Drop.noRoom]: 'too many copies or headers',
  [Drop.vlan]: 'the port does not carry its VLAN',
  [Drop.spoofed]: "its source is not the port's",
  [Drop.multicastFilter]: 'the guest did not ask for the group',
  [Drop.resubmitLimit]: 'too many resubmits',
  [Drop.stackFull]: 'too much is on its stack',
  [Drop.packetType]: 'it is not of a packet type for that',
};

const packetIns: Readonly<Record<PacketInReason, string>> = {
  [PacketInReason.noMatch]: 'no_match',
  [PacketInReason.action]: 'action',
  [PacketInReason.invalidTtl]: 'invalid_ttl',
  [PacketInReason.actionSet]: 'action_set',
  [PacketInReason.group]: 'group',
  [PacketInReason.packetOut]: 'packet_out',
};

export const dropReason = (reason: number): string => drops[reason as Drop];
export const packetInReason = (reason: number): string => packetIns[reason as PacketInReason] ?? String(reason);
/** Nothing was wrong, and nothing was done with it. */
export const NO_ACTIONS = 'nothing sends it anywhere';
