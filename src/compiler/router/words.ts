/** What a router's tables have in common: registers, and pieces of flows in the words of ovs-ofctl. */
import type { At } from '../at.js';
import type { RouterTable } from '../schema/router.js';
import { type Address, addressText, type Family } from './prefix.js';
import type { Attachment, Route, Subnet } from './resolve.js';
import type { ErrorMode, SlowPath } from './slow-path.js';

export interface RouterFlow {
  readonly table: RouterTable;
  readonly priority: number;
  readonly match: readonly string[];
  readonly actions: readonly string[];
  readonly at: At;
  readonly name: string;
}

/** What the tables are made from. */
export interface RouterPlan {
  readonly spec: At;
  readonly subnets: readonly Subnet[];
  readonly routes: readonly Route[];
  readonly table: (name: RouterTable) => number;
  readonly next: string;
  readonly errors: ErrorMode;
  /** What becomes of what flows cannot do. */
  readonly slow: (what: SlowPath) => readonly string[];
  /** Number of the group that sends to all of a subnet. */
  readonly flood: (subnet: Subnet) => number;
  /** From a port of a subnet; undefined: nothing is learned. */
  readonly learned: ((subnet: Subnet, attachment: Attachment) => Learned) | undefined;
}
export interface Learned {
  readonly limit: number;
  /** Seconds. */
  readonly age: number;
  readonly cookie: bigint;
}

/** The next hop: an IPv4 address in reg0, an IPv6 address in the four from reg0 on. */
export const hopRegister: Readonly<Record<Family, string>> = { 4: 'NXM_NX_REG0[]', 6: 'NXM_NX_XXREG0[]' };
/** The subnet that a packet is in. */
export const subnetRegister = 'NXM_NX_REG4[]';
/** The port that it leaves by, 16 bits as in NXM; 0: not known. */
export const portRegister = 'NXM_NX_REG5[0..15]';

/** The port of the packet that an agent's own packet is about. */
export const ABOUT_REGISTER = 7;
export const about = (port: number): string => `load:${port}->NXM_NX_REG${ABOUT_REGISTER}[]`;

export const inSubnet = ({ number }: Subnet): string => `reg4=${number}`;
export const enter = ({ number }: Pick<Subnet, 'number'>): string => `load:${number}->${subnetRegister}`;
export const leaveBy = (port: number): string => `load:${port & 0xffff}->${portRegister}`;
export const leavesBy = (port: number): string => `reg5=${port & 0xffff}`;

export const ipWord: Readonly<Record<Family, string>> = { 4: 'ip', 6: 'ipv6' };
export const ethertypes: Readonly<Record<Family, string>> = { 4: '0x0800', 6: '0x86dd' };
const ipFields: Readonly<Record<Family, { readonly src: string; readonly dst: string }>> = {
  4: { src: 'NXM_OF_IP_SRC[]', dst: 'NXM_OF_IP_DST[]' },
  6: { src: 'NXM_NX_IPV6_SRC[]', dst: 'NXM_NX_IPV6_DST[]' },
};
export const to = (family: Family, what: string): string => `${family === 4 ? 'nw_dst' : 'ipv6_dst'}=${what}`;
export const from = (family: Family, what: string): string => `${family === 4 ? 'nw_src' : 'ipv6_src'}=${what}`;

export const hopIs = (address: Address): string =>
  `${address.family === 4 ? 'reg0' : 'xxreg0'}=0x${address.value.toString(16)}`;
export const hopFromPacket = (family: Family): string => `move:${ipFields[family].dst}->${hopRegister[family]}`;
export const setHop = ({ family, value }: Address): string =>
  `set_field:0x${value.toString(16)}->${family === 4 ? 'reg0' : 'xxreg0'}`;

const swapped = (a: string, b: string): readonly string[] => [`push:${a}`, `push:${b}`, `pop:${a}`, `pop:${b}`];
/** The answer goes to whom the question came from. */
export const swapMacs: readonly string[] = swapped('NXM_OF_ETH_SRC[]', 'NXM_OF_ETH_DST[]');
export const swapIps = (family: Family): readonly string[] => swapped(ipFields[family].src, ipFields[family].dst);
export const ipBackTo = (family: Family): string => `move:${ipFields[family].src}->${ipFields[family].dst}`;
export const setSource = (address: Address): string =>
  `set_field:${addressText(address)}->${address.family === 4 ? 'ip_src' : 'ipv6_src'}`;
export const fromMac = (mac: string): string => `set_field:${mac}->eth_src`;
export const macBack = 'move:NXM_OF_ETH_SRC[]->NXM_OF_ETH_DST[]';

/** A packet never leaves by the port that it came in by, unless that is forgotten. */
export const forgetPort = 'load:0->NXM_OF_IN_PORT[]';
/** Out of the port that it came in by. */
export const backByPort: readonly string[] = [`move:NXM_OF_IN_PORT[]->${portRegister}`, forgetPort];

/** What is known beforehand; what is learned has less. */
export const KNOWN_PRIORITY = 200;

/** Looks into the table of stations, then sends. */
export const deliver = ({ table }: RouterPlan): readonly string[] => [
  `resubmit(,${table('stations')})`,
  `goto_table:${table('egress')}`,
];
