/** Limits of this folder. Those of the data plane are in native/base/limits.h. */

/** Packets kept for a controller that got their beginning only. */
export const BUFFERS_MAX = 256;
/** A batch of flow_mods is handed to the datapath when it has grown to this. */
export const BATCH_FLOW_MODS_MAX = 1024;
export const BATCH_BYTES_MAX = 256 * 1024;
/**
 * Bytes of the longest flow or group that is taken, as a record. A statistics reply puts more before it than the message it
 * came in, and a modify can give long instructions to a flow with a long match: what is taken must still fit into a reply.
 */
export const ENTRY_BYTES_MAX = 64_000;
/** Bytes of a packet, and of data for the controller, that fit into a packet-in beside all fields it can have. */
export const PACKET_IN_BYTES_MAX = 65_200;
/** Bytes of one answer taken from the datapath at a time, so that a long dump never holds the loop for long. */
export const READ_PART_BYTES = 128 * 1024;
/** What table features promise (kFlowsPerTableMax of native/base/limits.h). */
export const FLOWS_PER_TABLE_MAX = 4_000_000;
/** Lists of instructions that are kept as bytes while flows are dumped. */
export const DUMP_INSTRUCTIONS_KEPT = 1024;
/** Flow monitors of one controller. */
export const MONITORS_MAX = 256;
/** Tables that a request for table features may name, in all its parts. */
export const TABLE_FEATURES_MAX = 254;
/** Ticks, of which there are ten a second, until the next message of a request in several messages has to be there. */
export const MULTIPART_WAIT_TICKS = 100;
export const GROUPS_MAX = 65_536;
export const METERS_MAX = 65_536;
export const BANDS_MAX = 16;
/** Bytes of a packet sent up where no action says how many (OpenFlow 1.3.5 §7.3.2). */
export const MISS_SEND_LEN_DEFAULT = 128;
/** Of the table of tunnel options: what Open vSwitch promises (TUN_METADATA_NUM_OPTS, TUN_METADATA_TOT_OPT_SIZE). */
export const TLV_FIELDS_MAX = 64;
export const TLV_SPACE_MAX = 256;
export const TLV_OPTION_BYTES_MAX = 124;
/** Shortest frame that can be one: addresses and ethertype. */
export const FRAME_BYTES_MIN = 14;
