/**
 * What a match and the actions before it say about a packet's headers: whether an action can apply at all
 * (OFPBAC_MATCH_INCONSISTENT, OpenFlow 1.3.5 §6.4).
 */
import type { Match, OxmKnown } from 'node-openflow';
import { fields } from '../datapath/schema.gen.js';
import { fieldIds, numberOf } from './translate-match.js';

const IP = [0x0800, 0x86dd];
const TCP = [6];
const MPLS = [0x8847, 0x8848];
const PBB = [0x88e7];
const NSH = [0x894f];
const ETHERNET = 0;
const ETHERNET_FIELDS: readonly string[] = ['eth_dst', 'eth_src', 'eth_type'];
const VLAN_PRESENT = 0x1000;

/** Exact values of the fields that others depend on. */
export class HeadersKnown {
  readonly #values = new Map<string, number>();
  #vlan = false;
  /** The packet begins with an Ethernet header. */
  #ethernet = true;
  /** The actions of a bucket run on packets of any flow: nothing can be said. */
  readonly #anything: boolean;

  constructor(match: Match | undefined) {
    this.#anything = match === undefined;
    for (const tlv of match ?? []) {
      if (tlv.field === 'vlan_vid') this.#seeVlan(tlv as OxmKnown);
      else if (tlv.field === 'packet_type') this.#seeType(numberOf((tlv as OxmKnown).value));
      else if (tlv.field === 'eth_type' || tlv.field === 'ip_proto' || tlv.field === 'icmpv6_type') {
        this.#values.set(tlv.field, numberOf((tlv as OxmKnown).value));
      }
    }
  }

  copy(): HeadersKnown {
    const copy = new HeadersKnown(this.#anything ? undefined : []);
    for (const [field, value] of this.#values) copy.#values.set(field, value);
    copy.#vlan = this.#vlan;
    copy.#ethernet = this.#ethernet;
    return copy;
  }

  #seeVlan({ value, mask }: OxmKnown): void {
    const bits = mask === undefined ? 0xffff : numberOf(mask);
    this.#vlan = (numberOf(value) & bits & VLAN_PRESENT) !== 0;
  }

  #seeType(type: number): void {
    this.#ethernet = type === ETHERNET;
    if (!this.#ethernet) this.#values.set('eth_type', type & 0xffff);
  }

  #is(field: string, values: readonly number[]): boolean {
    const value = this.#values.get(field);
    return this.#anything || (value !== undefined && values.includes(value));
  }

  get isIp(): boolean {
    return this.#is('eth_type', IP);
  }
  get isTcp(): boolean {
    return this.isIp && this.#is('ip_proto', TCP);
  }
  get isMpls(): boolean {
    return this.#is('eth_type', MPLS);
  }
  get isPbb(): boolean {
    return this.#is('eth_type', PBB);
  }
  get isNsh(): boolean {
    return this.#is('eth_type', NSH);
  }
  get hasVlan(): boolean {
    return this.#anything || this.#vlan;
  }

  /** The headers that a set_field of this field needs are there. */
  allows(field: string): boolean {
    if (field === 'vlan_vid' || field === 'vlan_pcp') return this.hasVlan;
    if (ETHERNET_FIELDS.includes(field)) return this.#anything || this.#ethernet;
    return fields[fieldIds.get(field)!]!.prerequisites.every(
      (wanted) => wanted.values.length === 0 || this.#is(wanted.field, wanted.values),
    );
  }

  pushVlan(): void {
    this.#vlan = true;
  }
  /** VLAN tags are behind it now. */
  pushPbb(): void {
    this.setEthertype(PBB[0]!);
    this.#vlan = false;
  }
  /** Nothing is known of the customer's frame. */
  popPbb(): void {
    this.#values.clear();
    this.#vlan = false;
  }
  /** `type`: packet type of the header. An Ethernet header goes in front of what is there. */
  encap(type: number): void {
    this.#ethernet = type === ETHERNET;
    if (this.#ethernet) return;
    this.#vlan = false;
    this.setEthertype(type & 0xffff);
  }
  /** What was behind another header than Ethernet's is not known. */
  decap(): void {
    if (!this.#ethernet) this.#values.clear();
    this.#ethernet = false;
    this.#vlan = false;
  }
  /** Another tag may be left: nothing is known of it. */
  popVlan(): void {
    this.#vlan = false;
  }
  /** The ethertype is another from here on, and nothing is known of what is behind it. */
  setEthertype(value: number): void {
    this.#values.clear();
    this.#values.set('eth_type', value);
  }
  set(field: string, value: number): void {
    if (field === 'eth_type') this.setEthertype(value);
    else if (field === 'ip_proto') {
      this.#values.delete('icmpv6_type');
      this.#values.set(field, value);
    } else if (field === 'icmpv6_type') this.#values.set(field, value);
  }
}
