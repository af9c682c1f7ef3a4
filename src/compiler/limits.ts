/** Limits of this folder: what a file may ask of us. */

/** Bytes of one file. */
export const FILE_BYTES_MAX = 64 * 1024 * 1024;
export const DOCUMENTS_MAX = 1000;
/** Collections in collections. */
export const NESTING_MAX = 64;
/** What aliases may make of a document, as a multiple; see `maxAliasCount` of the yaml package. */
export const ALIAS_FACTOR_MAX = 100;
/** What is said of one run; the rest is counted. */
export const DIAGNOSTICS_MAX = 200;
/** Flows that lists and ranges of one rule may become. */
export const RULE_FLOWS_MAX = 4096;
export const FLOWS_MAX = 1_000_000;
/** Values of a range of a field that has no masks. */
export const RANGE_VALUES_MAX = 4096;
/** OpenFlow tables 0..253 (254 is not used, 255 means all). */
export const TABLE_ID_MAX = 253;
/** Rules of a table whose priority comes from their order. */
export const ORDERED_RULES_MAX = 5999;
/** Characters of a line that are shown in an excerpt. */
export const EXCERPT_WIDTH_MAX = 160;
/** Distinct combinations of masks that the search for shadowed rules looks at in one table. */
export const LINT_MASKS_MAX = 2000;
/** Hosts at a port of a subnet that a router learns unless it is told otherwise, and at most; stations there as many. */
export const LEARNED_DEFAULT = 1024;
export const LEARNED_MAX = 65_536;
/** Hops of a chain, and instances of a hop. */
export const CHAIN_HOPS_MAX = 32;
export const CHAIN_INSTANCES_MAX = 64;
export const CHAIN_WEIGHT_MAX = 100;
/** Stations that a chain remembers: ports whose numbers have the same remainder share what is remembered for them. */
export const CHAIN_LEARN_SHARES = 64;
export const CHAIN_STATIONS_MAX = 4096;
/** Different lists of ports that its classifiers look for destinations at: each has a bit of a register. */
export const CHAIN_PORT_LISTS_MAX = 16;
/** Shares that instances of a hop may have together, where both directions must find the same one. */
export const CHAIN_SLOTS_MAX = 256;
/** Probes of health that all chains of a bridge make; how many answers come up, the data plane says. */
export const HEALTH_PROBES_PER_SECOND_MAX = 500;
/** Seconds between two probes. */
export const HEALTH_INTERVAL_MIN = 0.1;
export const HEALTH_INTERVAL_MAX = 3600;
