/** What kind of netfront a guest has: which features it asks for, and in which words it says so. */

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
  /** False: writes no feature key, as unikernels do; the protocol then lets the backend assume little. */
  readonly writesFeatures: boolean;
  /** Writes multi-queue-num-queues=1 although its keys are flat (Unikraft). */
  readonly announcesOneQueue: boolean;
}

/** As Linux' netfront. */
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
  writesFeatures: true,
  announcesOneQueue: false,
};

/** As NetBSD's xennet: one queue, one channel, no segmentation. */
export const netbsdPersonality: Personality = {
  ...linuxPersonality,
  queues: 1,
  splitEventChannels: false,
  gsoTcpv4: false,
  gsoTcpv6: false,
};

/** As Mini-OS: one page per packet, says nothing about itself. */
export const miniOsPersonality: Personality = {
  ...netbsdPersonality,
  sg: false,
  csumOffload: false,
  ipv6CsumOffload: false,
  rxNotify: false,
  writesFeatures: false,
};
