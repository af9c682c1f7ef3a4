/** Limits of this folder. The data plane has those of packets that come up (native/base/limits.h). */

/** So many at once, then so many a second. */
export interface Rate {
  readonly atOnce: number;
  readonly perSecond: number;
}
const rate = (atOnce: number, perSecond = atOnce): Rate => ({ atOnce, perSecond });

/**
 * Errors and resets that one receiver gets, that packets of one port bring about, and of all (RFC 4443 §2.4 (f), RFC 1812
 * §4.3.2.8). What a port is assured of is not part of what all share: others cannot use it up.
 */
export const ERRORS = { receiver: rate(10), assured: rate(5), port: rate(50), all: rate(500) };
/** Those that say how long packets may be, which nobody does without. */
export const TOO_BIG = { receiver: rate(10), assured: rate(5), port: rate(50), all: rate(500) };
/**
 * The longest packet makes some 120 of the smallest MTU, and twice as many where it is cut into segments first that are a little
 * too long. All of a packet goes or none: a port is assured of one of the longest, and then of few.
 */
export const FRAGMENTS = { assured: rate(250, 20), port: rate(400), all: rate(2000) };
/**
 * A frame of 64 KiB makes some 45 segments of an Ethernet link, and 123 of the shortest that TCP takes for granted (RFC 9293
 * §3.7.1): the same holds of them.
 */
export const SEGMENTS = { assured: rate(128, 50), port: rate(400), all: rate(2000) };
/** Receivers, each behind a port, and ports that are remembered for it. */
export const RECEIVERS_MAX = 4096;
export const PORTS_MAX = 4096;

/** Next hops of a router that are being asked for, and those that packets of one port ask for. */
export const ASKED_MAX = 1024;
export const ASKED_PER_PORT = 64;
/** Questions to all, one a second (RFC 4861 §10 MAX_MULTICAST_SOLICIT, RETRANS_TIMER). */
export const QUESTIONS = 3;
export const QUESTION_INTERVAL_MS = 1000;
/** Packets that wait for one next hop; then the oldest goes (RFC 4861 §7.2.2, RFC 1122 §2.3.2.2). */
export const PARKED_PER_HOP = 3;
/** Of longer ones, which are yet to be cut into segments, packets of one port may wait for all next hops, and of all ports. */
export const PARKED_FRAME_BYTES = 9018;
export const LONG_FRAMES_BYTES = { port: 192 * 1024, all: 8 * 1024 * 1024 };
/** Who has answered is remembered, for as long as neighbours are taken to be there: flows may have no room to learn it. */
export const REMEMBERED_MAX = 4096;

/** Learned neighbours are looked at this often; who is sent to and was not heard from for the second is asked (RFC 4861 §10). */
export const LOOK_INTERVAL_MS = 15_000;
export const REACHABLE_MS = 30_000;
/** Neighbours of a router that are watched, and parts of 64 KiB in which they are read. */
export const WATCHED_MAX = 16_384;
export const LOOK_PARTS_MAX = 64;
/** Neighbours that are asked at one look. */
export const PROBES_AT_ONCE = 64;
/** So often in a row one that did not answer is kept because packets of its port did not get through. */
export const KEPT_MAX = 3;
