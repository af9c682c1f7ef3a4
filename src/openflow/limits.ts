/** Limits of this folder. */

/** Port of OpenFlow (IANA). */
export const DEFAULT_PORT = 6653;
/** A controller that is silent this long gets an echo request, and as long again to answer. */
export const KEEP_ALIVE_MS = 5_000;
/** For the hello of whoever is connected. */
export const HANDSHAKE_MS = 10_000;
/** Between attempts to reach a controller. */
export const REDIAL_FIRST_MS = 250;
export const REDIAL_MAX_MS = 1_000;
export const DIAL_TIMEOUT_MS = 5_000;
/** After a change of a TLS file, for the others to change too. */
export const TLS_SETTLE_MS = 200;
/** Controllers connected to one listener. */
export const CONNECTIONS_MAX = 64;
/** Bytes that a controller may leave unread before its further requests wait for it to read their answers. */
export const UNREAD_ANSWER_BYTES = 256 * 1024;
/** Bytes that a controller may leave unread before packet-ins for it are dropped. */
export const UNREAD_PACKET_IN_BYTES = 1024 * 1024;
/** Bytes that a controller may leave unread before it is disconnected. */
export const UNREAD_BYTES_MAX = 16 * 1024 * 1024;
/** How long an answer waits for a controller to read before it is disconnected. */
export const STALL_MS = 30_000;
/** A switch without a controller falls back to being a learning switch after this many silent keep-alive times. */
export const STANDALONE_AFTER = 3;
/** What the kernel's `sun_path` holds of a socket's path, without the NUL. A longer one would be cut without a word. */
export const UNIX_PATH_BYTES_MAX = 107;
/** Bundles that one controller may have open. */
export const BUNDLES_MAX = 16;
/** Bytes that all bundles of one controller take: some two million flow_mods of the usual kind. */
export const BUNDLE_BYTES_MAX = 256 * 1024 * 1024;
/** And those of all. */
export const ALL_BUNDLES_BYTES_MAX = 1024 * 1024 * 1024;
/** A bundle that nothing is said about for this long is discarded (Open vSwitch's default). */
export const BUNDLE_IDLE_MS = 10_000;
/** How far ahead and how late a bundle may be scheduled, unless the controller says otherwise. */
export const SCHED_FUTURE_MS = 60_000;
export const SCHED_PAST_MS = 1_000;
/** What a controller may make of these. */
export const SCHED_MS_MAX = 24 * 3600 * 1000;
/** How exactly the time of a scheduled bundle is kept. */
export const SCHED_ACCURACY_MS = 10;
/** Bytes of a packet sent up where no action says how many (OpenFlow 1.3.5 §7.3.2). */
export const MISS_SEND_LEN_DEFAULT = 128;
/** Auxiliary connections to one controller. */
export const AUXILIARY_MAX = 15;
