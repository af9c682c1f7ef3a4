/** What the match, and the actions so far, say about the packet: whether an action or a field makes sense on it. */
import { TextFailure } from './error.js';
import { ETHERTYPE, isArp, isIp, isMpls, isNd, PROTOCOL } from './match-wire.js';
import type { OvsField, Prerequisite } from './ovs-fields.js';
import { type Slots, tagPresent } from './slots.js';

const nshType = 0x894f;
/** Bits of ct_state any of which says that the packet belongs to a connection. */
const ctMember = 0b1100_1111;
const ctTracked = 1 << 5;
const ctInvalid = 1 << 4;
/** Open vSwitch keeps two tags. */
const maxTags = 2;

const words: Readonly<Record<Prerequisite, string>> = {
  '': 'nothing',
  vlan: 'a VLAN tag',
  ip4: 'ip',
  ip6: 'ipv6',
  ip: 'ip or ipv6',
  arp: 'arp',
  mpls: 'mpls',
  tcp: 'tcp or tcp6',
  udp: 'udp or udp6',
  sctp: 'sctp or sctp6',
  icmp4: 'icmp',
  icmp6: 'icmp6',
  nd: 'icmp6 with icmp_type 135 or 136',
  nd_solicit: 'icmp6,icmp_type=135',
  nd_advert: 'icmp6,icmp_type=136',
  nsh: 'dl_type=0x894f',
  ct: 'a ct_state that is valid',
};

export class Known {
  readonly #slots: Slots;
  ethertype: number;
  protocol: number;
  tags: number;

  constructor(slots: Slots) {
    this.#slots = slots;
    this.ethertype = slots.ethertype;
    this.protocol = slots.protocol;
    this.tags = (slots.value('vlan_tci') & tagPresent) === 0n ? 0 : 1;
  }

  /** As it is now; changes to one do not reach the other. */
  copy(): Known {
    const copy = new Known(this.#slots);
    copy.ethertype = this.ethertype;
    copy.protocol = this.protocol;
    copy.tags = this.tags;
    return copy;
  }

  #nd(type?: number): boolean {
    return this.has('icmp6') && isNd(this.#slots) && (type === undefined || this.#slots.known('tp_src') === type);
  }

  get #laterFragment(): boolean {
    return (this.#slots.value('nw_frag') & 2n) !== 0n;
  }

  has(what: Prerequisite): boolean {
    const transport = (protocol: number): boolean =>
      isIp(this.ethertype) && this.protocol === protocol && !this.#laterFragment;
    switch (what) {
      case '':
        return true;
      case 'vlan':
        return this.tags > 0;
      case 'ip4':
        return this.ethertype === ETHERTYPE.ip;
      case 'ip6':
        return this.ethertype === ETHERTYPE.ipv6;
      case 'ip':
        return isIp(this.ethertype);
      case 'arp':
        return isArp(this.ethertype);
      case 'mpls':
        return isMpls(this.ethertype);
      case 'tcp':
        return transport(PROTOCOL.tcp);
      case 'udp':
        return transport(PROTOCOL.udp);
      case 'sctp':
        return transport(PROTOCOL.sctp);
      case 'icmp4':
        return this.ethertype === ETHERTYPE.ip && this.protocol === PROTOCOL.icmp;
      case 'icmp6':
        return this.ethertype === ETHERTYPE.ipv6 && this.protocol === PROTOCOL.icmp6;
      case 'nd':
        return this.#nd();
      case 'nd_solicit':
        return this.#nd(135);
      case 'nd_advert':
        return this.#nd(136);
      case 'nsh':
        return this.ethertype === nshType;
      case 'ct': {
        const [state, mask] = [Number(this.#slots.value('ct_state')), Number(this.#slots.mask('ct_state') & 0xffn)];
        return (
          (state & ctMember) !== 0 ||
          ((state & ctTracked) !== 0 && (mask & ctInvalid) !== 0 && (state & ctInvalid) === 0)
        );
      }
    }
  }

  pushTag(at: number): void {
    if (this.tags === maxTags) throw new TextFailure(`a packet has at most ${maxTags} VLAN tags`, at);
    this.tags++;
  }
}

export const prerequisiteText = (what: Prerequisite): string => words[what];

/** `what` must be so, where anything is known at all. */
export function requirePacket(known: Known | undefined, what: Prerequisite, name: string, at: number): void {
  if (known === undefined || known.has(what)) return;
  throw new TextFailure(`${name} needs a match on ${prerequisiteText(what)}`, at);
}

/** The field must exist in the packet. */
export function requireField(known: Known | undefined, field: OvsField, at: number): void {
  requirePacket(known, field.needs, field.name, at);
}
