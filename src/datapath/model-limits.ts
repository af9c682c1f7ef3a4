/** Limits and numbers of the model's pipeline, those of native/base/limits.h. */

/** kGroupDepthMax and kClonesMax. */
export const GROUP_DEPTH_MAX = 8;
export const CLONES_MAX = 512;
/** kEgressDepthMax */
export const EGRESS_DEPTH_MAX = 8;
/** kResubmitDepthMax, kResubmitsMax and kStackMax. */
export const RESUBMIT_DEPTH_MAX = 64;
export const RESUBMITS_MAX = 4096;
export const STACK_MAX = 64;
/** Frames leave padded to the shortest Ethernet frame (without its checksum). */
export const FRAME_BYTES_MIN = 60;
