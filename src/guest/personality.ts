/** What kind of netfront a guest has: which features it asks for, in which words, how it uses rings and states. */
import type { RingRules } from '../datapath/native-addon.js';
import {
  type Conduct,
  freebsdConduct,
  linuxConduct,
  netbsdConduct,
  unikernelConduct,
  windowsConduct,
} from './conduct.js';

export interface Personality {
  /** Most queues it uses. */
  readonly queues: number;
  readonly splitEventChannels: boolean;
  readonly sg: boolean;
  readonly gsoTcpv4: boolean;
  readonly gsoTcpv6: boolean;
  /** False: writes feature-no-csum-offload=1, if it writes features at all. */
  readonly csumOffload: boolean;
  readonly ipv6CsumOffload: boolean;
  readonly rxNotify: boolean;
  /** Brings a control ring where the backend takes one. */
  readonly controlRing: boolean;
  /** Spreads what it receives over its queues by hashes, asked for on the control ring before it has a carrier. */
  readonly scalesReceiving: boolean;
  /** Where that can be changed while connected: gets only the multicast that its stack listens to (not with a TAP). */
  readonly multicastControl: boolean;
  /** False: writes no feature key, as unikernels do; the protocol then lets the backend assume little. */
  readonly writesFeatures: boolean;
  /** Writes multi-queue-num-queues=1 although its keys are flat (Unikraft). */
  readonly announcesOneQueue: boolean;
  /** Keys with a value of their own, written along with the features. */
  readonly furtherKeys: Readonly<Record<string, string>>;
  readonly rules: RingRules;
  readonly conduct: Conduct;
}

/** As Linux' netfront: pairs RX responses by their slot, goes by 5 s steps when it closes. */
export const linuxPersonality: Personality = {
  queues: 8,
  splitEventChannels: true,
  sg: true,
  gsoTcpv4: true,
  gsoTcpv6: true,
  csumOffload: true,
  ipv6CsumOffload: true,
  rxNotify: true,
  controlRing: false,
  scalesReceiving: false,
  multicastControl: false,
  writesFeatures: true,
  announcesOneQueue: false,
  furtherKeys: {},
  rules: { rxPairing: 'slot' },
  conduct: linuxConduct,
};

const GSO = 1;
const HASH = 4;

/**
 * As Windows' xenvif: asserts that an RX id is its slot, and that extra infos, of which it knows two, are in order; TX
 * ids go to 0x3ff. It spreads frames over its queues, sends hashes, and asks for its multicast.
 */
export const windowsPersonality: Personality = {
  ...linuxPersonality,
  controlRing: true,
  scalesReceiving: true,
  multicastControl: true,
  furtherKeys: { 'feature-gso-tcpv4-prefix': '1', 'feature-gso-tcpv6-prefix': '1' },
  rules: {
    rxPairing: 'slot-asserted',
    rxExtras: [GSO, HASH],
    extrasAsserted: true,
    txHash: true,
    txIdFirst: 3,
    txIdStep: 4,
  },
  conduct: windowsConduct,
};

/** As FreeBSD's xn, with LRO: TX ids begin at 1. */
export const freebsdPersonality: Personality = {
  ...linuxPersonality,
  gsoTcpv6: false,
  ipv6CsumOffload: false,
  rules: { rxPairing: 'slot', rxExtras: [GSO], txIdFirst: 1 },
  conduct: freebsdConduct,
};

/** As NetBSD's xennet: one queue, one channel, no segmentation, requests from a free list. */
export const netbsdPersonality: Personality = {
  ...linuxPersonality,
  queues: 1,
  splitEventChannels: false,
  gsoTcpv4: false,
  gsoTcpv6: false,
  rules: { rxPairing: 'id', rxIdXor: 0x5a, rxExtras: [] },
  conduct: netbsdConduct,
};

/** As Mini-OS: one page per packet, says nothing about itself, checks every sum, waits without end. */
export const miniOsPersonality: Personality = {
  ...netbsdPersonality,
  sg: false,
  csumOffload: false,
  ipv6CsumOffload: false,
  rxNotify: false,
  writesFeatures: false,
  rules: { rxPairing: 'id', rxExtras: [], rxChains: false, ignoresRxFlags: true, txSlotsMax: 1 },
  conduct: unikernelConduct,
};

/** As Unikraft: several queues, takes the TX names for the RX flags, and dies over an RX status of 1 or less. */
export const unikraftPersonality: Personality = {
  ...miniOsPersonality,
  queues: 2,
  splitEventChannels: true,
  announcesOneQueue: true,
  rules: {
    rxPairing: 'id',
    rxStatusMin: 2,
    rxExtras: [],
    rxChains: false,
    swapsRxFlags: true,
    txSlotsMax: 1,
    notifiesRx: false,
  },
  // It reads the backend's features first.
  conduct: { ...unikernelConduct, announcesEarly: false },
};

export const personalities = {
  linux: linuxPersonality,
  windows: windowsPersonality,
  freebsd: freebsdPersonality,
  netbsd: netbsdPersonality,
  'mini-os': miniOsPersonality,
  unikraft: unikraftPersonality,
} as const;
