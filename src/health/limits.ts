/** Limits of this folder. How often is asked, and how many answers are heard, the compiler's limits say. */

/** Times of probes through an instance that are remembered. */
export const LATENCIES_KEPT = 32;
/** The first checks of a bridge's instances are spread over this, milliseconds, or over their interval. */
export const FIRST_CHECK_SPREAD_MS = 1000;
export const FIRST_CHECK_STEP_MS = 37;
/** An instance that is down by counters is looked at this often at least, as the others may be gone meanwhile. */
export const LOOK_WHILE_DOWN_MS = 1000;
/** A group that could not be changed is tried again after this, then after twice that, and so on. */
export const WRITE_RETRY_MS = { firstMs: 500, maxMs: 30_000 };
