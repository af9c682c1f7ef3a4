/** Limits of this folder. The data plane has those of packets that come up (native/base/limits.h). */

/** Errors and resets that one receiver gets: so many at once, then so many a second (RFC 4443 §2.4 (f), RFC 1812 §4.3.2.8). */
export const ERRORS_AT_ONCE = 10;
export const ERRORS_PER_SECOND = 10;
/** Receivers that are remembered for it; the one that was not heard of for longest goes. */
export const RECEIVERS_MAX = 4096;

/** Next hops of a router that are being asked for, and those that packets of one port ask for. */
export const ASKED_MAX = 1024;
export const ASKED_PER_PORT = 64;
/** Questions to all, one a second (RFC 4861 §10 MAX_MULTICAST_SOLICIT, RETRANS_TIMER). */
export const QUESTIONS = 3;
export const QUESTION_INTERVAL_MS = 1000;
/** Packets that wait for one next hop; then the oldest goes (RFC 4861 §7.2.2, RFC 1122 §2.3.2.2). */
export const PARKED_PER_HOP = 3;
/** Longer frames do not wait: those that a guest's segmentation offload made cannot be sent on from here. */
export const PARKED_FRAME_BYTES = 9018;

/** Learned neighbours are looked at this often; who is sent to and was not heard from for the second is asked (RFC 4861 §10). */
export const LOOK_INTERVAL_MS = 15_000;
export const REACHABLE_MS = 30_000;
/** Neighbours of a router that are watched. */
export const WATCHED_MAX = 16_384;
/** Neighbours that are asked at one look. */
export const PROBES_AT_ONCE = 256;
