/** Statistics as TLVs, OXS (OpenFlow 1.5.1 §7.2.4). */
export type OxsTlv =
  | { readonly field: 'duration'; readonly sec: number; readonly nsec: number }
  | { readonly field: 'idle_time'; readonly sec: number; readonly nsec: number }
  | { readonly field: 'flow_count'; readonly count: number }
  | { readonly field: 'packet_count'; readonly count: bigint }
  | { readonly field: 'byte_count'; readonly count: bigint }
  | {
      readonly field: 'experimenter';
      readonly experimenter: number;
      readonly oxsField: number;
      readonly data: Uint8Array;
    }
  /** Of another class, or, where unknown things are kept, of an unknown number. */
  | { readonly field: 'raw'; readonly oxsClass: number; readonly oxsField: number; readonly data: Uint8Array };

/** ofp_stats */
export type OxsStats = readonly OxsTlv[];
