// The one description of everything that crosses the native boundary: field numbers and their place in the
// flow key, batch record kinds, action codes, statuses. `npm run schema` writes it out for both sides
// (src/datapath/schema.gen.ts, native/base/schema.gen.h); neither file is edited by hand.

/**
 * Fields of the flow key.
 * [name, id, bits, byte offset of the container in FlowKey, container bytes, shift of the field in the container,
 *  settable by a set-field action, prerequisites]
 * Containers hold network byte order. Ids 0..39 equal the OpenFlow basic OXM field number. Two fields may share a container when their prerequisites exclude each other.
 * A prerequisite is a list of alternatives "field=value" that must all stand in the match.
 */
const ip = 'eth_type=0x0800|0x86dd';
const ip4 = 'eth_type=0x0800';
const ip6 = 'eth_type=0x86dd';
const arp = 'eth_type=0x0806';
const mpls = 'eth_type=0x8847|0x8848';
const pbb = 'eth_type=0x88e7';
const tcp = [ip, 'ip_proto=6'];
const neighbour = [ip6, 'ip_proto=58', 'icmpv6_type=135|136'];
const nsh = ['eth_type=0x894f'];
const registers = 16;
/** Registers as numbers of `words` times 32 bits: Nicira's xreg and xxreg. */
const registerViews = (name, words, first) =>
  Array.from({ length: registers / words }, (_, i) => [
    `${name}${i}`,
    first + i,
    32 * words,
    136 + 4 * words * i,
    4 * words,
    0,
    false,
    [],
  ]);
export const fields = [
  ['in_port', 0, 32, 0, 4, 0, false, []],
  ['in_phy_port', 1, 32, 128, 4, 0, false, ['in_port']],
  ['metadata', 2, 64, 48, 8, 0, true, []],
  ['eth_dst', 3, 48, 8, 6, 0, true, []],
  ['eth_src', 4, 48, 16, 6, 0, true, []],
  ['eth_type', 5, 16, 4, 2, 0, true, []],
  // vlan_vid is 13 bits: OFPVID_PRESENT (0x1000) and the VLAN id; the container is pcp(3) present(1) vid(12).
  ['vlan_vid', 6, 13, 6, 2, 0, true, []],
  ['vlan_pcp', 7, 3, 6, 2, 13, true, ['vlan_vid']],
  ['ip_dscp', 8, 6, 15, 1, 2, true, [ip]],
  ['ip_ecn', 9, 2, 15, 1, 0, true, [ip]],
  ['ip_proto', 10, 8, 14, 1, 0, true, [ip]],
  ['ipv4_src', 11, 32, 24, 4, 0, true, [ip4]],
  ['ipv4_dst', 12, 32, 28, 4, 0, true, [ip4]],
  ['tcp_src', 13, 16, 32, 2, 0, true, [ip, 'ip_proto=6']],
  ['tcp_dst', 14, 16, 34, 2, 0, true, [ip, 'ip_proto=6']],
  ['udp_src', 15, 16, 32, 2, 0, true, [ip, 'ip_proto=17']],
  ['udp_dst', 16, 16, 34, 2, 0, true, [ip, 'ip_proto=17']],
  ['sctp_src', 17, 16, 32, 2, 0, true, [ip, 'ip_proto=132']],
  ['sctp_dst', 18, 16, 34, 2, 0, true, [ip, 'ip_proto=132']],
  ['icmpv4_type', 19, 8, 32, 2, 0, true, [ip4, 'ip_proto=1']],
  ['icmpv4_code', 20, 8, 34, 2, 0, true, [ip4, 'ip_proto=1']],
  ['arp_op', 21, 16, 32, 2, 0, true, [arp]],
  ['arp_spa', 22, 32, 24, 4, 0, true, [arp]],
  ['arp_tpa', 23, 32, 28, 4, 0, true, [arp]],
  ['arp_sha', 24, 48, 112, 6, 0, true, [arp]],
  ['arp_tha', 25, 48, 120, 6, 0, true, [arp]],
  ['ipv6_src', 26, 128, 64, 16, 0, true, [ip6]],
  ['ipv6_dst', 27, 128, 80, 16, 0, true, [ip6]],
  ['ipv6_flabel', 28, 20, 44, 4, 0, true, [ip6]],
  ['icmpv6_type', 29, 8, 32, 2, 0, true, [ip6, 'ip_proto=58']],
  ['icmpv6_code', 30, 8, 34, 2, 0, true, [ip6, 'ip_proto=58']],
  ['ipv6_nd_target', 31, 128, 96, 16, 0, true, neighbour],
  ['ipv6_nd_sll', 32, 48, 112, 6, 0, true, [ip6, 'ip_proto=58', 'icmpv6_type=135']],
  ['ipv6_nd_tll', 33, 48, 120, 6, 0, true, [ip6, 'ip_proto=58', 'icmpv6_type=136']],
  ['mpls_label', 34, 20, 40, 4, 12, true, [mpls]],
  ['mpls_tc', 35, 3, 40, 4, 9, true, [mpls]],
  ['mpls_bos', 36, 1, 40, 4, 8, true, [mpls]],
  // The container is the I-TAG TCI (IEEE 802.1ah): pcp(3) dei(1) uca(1) reserved(3) isid(24); only the two fields are kept.
  ['pbb_isid', 37, 24, 40, 4, 0, true, [pbb]],
  ['tunnel_id', 38, 64, 56, 8, 0, true, []],
  ['ipv6_exthdr', 39, 9, 38, 2, 0, false, [ip6]],
  ['pbb_uca', 40, 1, 40, 4, 27, true, [pbb]],
  ['tcp_flags', 41, 12, 36, 2, 0, true, tcp],
  ['nw_ttl', 42, 8, 22, 1, 0, true, [ip]],
  ['ip_frag', 43, 2, 23, 1, 0, false, [ip]], // FRAG_*
  ['conj_id', 44, 32, 200, 4, 0, false, []],
  // The port that the action set outputs to, ReservedPort.unset for none; in egress tables the port that is left by.
  ['actset_output', 45, 32, 204, 4, 0, false, []],
  // Open vSwitch's: what stands before the target (R, S and O in the upper bits), and the type of the link-layer address option.
  ['icmpv6_nd_reserved', 46, 32, 24, 4, 0, true, neighbour],
  ['icmpv6_nd_options_type', 47, 8, 36, 2, 0, true, neighbour],
  // Namespace (16 bits) and type (OpenFlow 1.5.1 section 7.2.3.11): 0 Ethernet, else 1 and the ethertype.
  ['packet_type', 48, 32, 132, 4, 0, false, []],
  // RFC 8300, with the widths that Open vSwitch gives them; bits that the header does not have are dropped.
  ['nsh_flags', 49, 8, 28, 1, 0, true, nsh],
  ['nsh_ttl', 50, 8, 29, 1, 0, true, nsh],
  ['nsh_mdtype', 51, 8, 30, 1, 0, false, nsh],
  ['nsh_np', 52, 8, 31, 1, 0, false, nsh],
  ['nsh_spi', 53, 24, 24, 4, 8, true, nsh],
  ['nsh_si', 54, 8, 24, 4, 0, true, nsh],
  ['nsh_c1', 55, 32, 64, 4, 0, true, nsh],
  ['nsh_c2', 56, 32, 68, 4, 0, true, nsh],
  ['nsh_c3', 57, 32, 72, 4, 0, true, nsh],
  ['nsh_c4', 58, 32, 76, 4, 0, true, nsh],
  ...registerViews('reg', 1, 59),
  // Not in matches: there they are the registers that they are made of.
  ...registerViews('xreg', 2, 75),
  ...registerViews('xxreg', 4, 83),
].map(([name, id, bits, offset, bytes, shift, settable, prereqs]) => ({
  name,
  id,
  bits,
  offset,
  bytes,
  shift,
  settable,
  prereqs,
}));

/**
 * Bytes of the flow key by other names: name, offset, bytes. reg: sixteen 32-bit registers.
 */
export const keyExtras = [
  ['ttl', 22, 1],
  ['frag', 23, 1], // FRAG_*
  ['reg', 136, 64],
];
export const keyBytes = 208;

/** Named numbers, each group one enum on both sides. */
export const enums = {
  /** IP fragment state: bit 0 any fragment, bit 1 not the first. */
  Frag: { none: 0, first: 1, later: 3 },
  /** Reserved port numbers (equal to OFPP_*). */
  ReservedPort: {
    max: 0xffffff00,
    unset: 0xfffffff7,
    in_port: 0xfffffff8,
    table: 0xfffffff9,
    normal: 0xfffffffa,
    flood: 0xfffffffb,
    all: 0xfffffffc,
    controller: 0xfffffffd,
    local: 0xfffffffe,
    any: 0xffffffff,
  },
  /** Records of an apply batch. */
  Op: {
    flow_mod: 1,
    group_mod: 2,
    meter_mod: 3,
    port_config: 4,
    set_config: 5,
    controller_state: 6,
    table_config: 7,
    watch_flows: 8,
  },
  /** What becomes of a packet that no flow of a table matches; default: up if controllers want that, else dropped. */
  TableMiss: { default: 0, controller: 1, continue: 2, drop: 3 },
  /** What chooses the flow that makes room in a full table, equal to OFPTMPEF_*; 0: none does. */
  EvictionFlag: { other: 1, importance: 2, lifetime: 4 },
  FlowCommand: { add: 0, modify: 1, modify_strict: 2, delete: 3, delete_strict: 4 },
  /** Flow flags, equal to OFPFF_*. */
  FlowFlag: {
    send_flow_rem: 1,
    check_overlap: 2,
    reset_counts: 4,
    no_pkt_counts: 8,
    no_byt_counts: 16,
    // Our own, of a modify: the flows get its cookie.
    set_cookie: 0x4000,
    // Our own, of a delete: no flow_removed for what it removes.
    silent: 0x8000,
  },
  /** Of groups and meters; the last two of groups only, numbers equal to OFPGC_*. */
  ModCommand: { add: 0, modify: 1, delete: 2, insert_bucket: 3, remove_bucket: 5 },
  GroupType: { all: 0, select: 1, indirect: 2, ff: 3 },
  /** What a select group chooses by: all that makes a flow, in a way of the switch's own or mixed with a parameter. */
  SelectionMethod: { default: 0, hash: 1, dp_hash: 2 },
  MeterBandType: { drop: 1, dscp_remark: 2 },
  /** Meter flags, equal to OFPMF_*. */
  MeterFlag: { kbps: 1, pktps: 2, burst: 4, stats: 8 },
  /** Port configuration bits, equal to OFPPC_* of 1.0: no_recv is about all frames but those of the spanning tree. */
  PortConfig: { down: 1, no_recv: 4, no_recv_stp: 8, no_flood: 16, no_fwd: 32, no_packet_in: 64 },
  /** Port state bits, equal to OFPPS_*. */
  PortState: { link_down: 1, blocked: 2, live: 4 },
  /** Result of each record of a batch; the caller turns it into the error of its own protocol. */
  Status: {
    ok: 0,
    malformed: 1,
    bad_table: 2,
    table_full: 3,
    overlap: 4,
    unknown_group: 5,
    unknown_meter: 6,
    bad_port: 7,
    group_exists: 8,
    group_loop: 9,
    chained_group: 10,
    out_of_groups: 11,
    out_of_buckets: 12,
    meter_exists: 13,
    out_of_meters: 14,
    bad_watch: 15,
    no_memory: 16,
    bad_field: 17,
    bad_action: 18,
    bad_group_type: 19,
    bad_meter: 20,
    meter_full: 21,
    port_exists: 22,
    bad_weight: 23,
    unknown_bucket: 24,
    bucket_exists: 25,
    bad_bucket: 26,
  },
  /**
   * Actions. Each is `code u8, zero u8, length u16 (whole action, a multiple of 8), body` (docs/native-boundary.md).
   */
  Action: {
    output: 1,
    group: 2,
    set_queue: 3,
    push_vlan: 4,
    pop_vlan: 5,
    push_mpls: 6,
    pop_mpls: 7,
    set_mpls_ttl: 8,
    dec_mpls_ttl: 9,
    copy_ttl_out: 10,
    copy_ttl_in: 11,
    set_nw_ttl: 12,
    dec_nw_ttl: 13,
    set_field: 14,
    push_pbb: 15,
    pop_pbb: 16,
    load: 17,
    move: 18,
    output_reg: 19,
    resubmit: 20,
    stack_push: 21,
    stack_pop: 22,
    conjunction: 23,
    clone: 24,
    exit: 25,
    controller: 26,
    dec_nw_ttl_ids: 27,
    note: 28,
    multipath: 29,
    bundle: 30,
    check_pkt_larger: 31,
    fin_timeout: 32,
    sample: 33,
    learn: 34,
    meter: 35,
    set_masked: 36,
    output_trunc: 37,
    encap: 38,
    decap: 39,
    dec_nsh_ttl: 40,
  },
  /**
   * Instructions: `code u8, zero u8, length u16 (multiple of 8), body`, in this order, each at most once;
   * bodies: meter id u32 | apply, write: actions | clear: none | metadata: zero u32, value u64, mask u64 (network
   * order) | goto table u8, zero | trigger flags u8, zero, thresholds. Without a body the length is 8.
   */
  Instruction: {
    meter: 1,
    apply_actions: 2,
    clear_actions: 3,
    write_actions: 4,
    write_metadata: 5,
    goto_table: 6,
    stat_trigger: 7,
  },
  /** What a stat_trigger watches, equal to OFPXST_OFB_*; times in nanoseconds. */
  Stat: { duration: 0, idle_time: 1, packet_count: 4, byte_count: 5 },
  /** Equal to OFPSTF_*. */
  StatTriggerFlag: { periodic: 1, only_first: 2 },
  /** What read() can be asked for. */
  Query: {
    flows: 1,
    aggregate: 2,
    tables: 3,
    groups: 4,
    meters: 5,
    ports: 6,
    queues: 7,
    drops: 8,
    runtime: 9,
    samples: 10,
  },
  /** Records handed to onUpcall. */
  Upcall: { packet_in: 1, flow_removed: 2, port_state: 3, port_output: 4, flow_change: 7, flow_statistics: 8 },
  /** Why a packet went up, equal to OFPR_*. */
  PacketInReason: { no_match: 0, action: 1, invalid_ttl: 2, action_set: 3, group: 4, packet_out: 5 },
  /** What a learn action asks for, equal to NX_LEARN_F_*. */
  LearnFlag: { send_flow_rem: 1, delete_learned: 2, write_result: 4 },
  /** What a specification of a learn action adds to the flow that it makes. */
  LearnUse: { match: 0, load: 1, output: 2 },
  /** Why a flow went, equal to OFPRR_*. */
  FlowRemovedReason: { idle_timeout: 0, hard_timeout: 1, delete: 2, group_delete: 3, meter_delete: 4, eviction: 5 },
  /** What happened to a flow, equal to OFPFME_*; lost: changes were too many to be told. */
  FlowChange: { lost: 0, added: 1, removed: 2, modified: 3 },
  /** IP fragment handling, equal to OFPC_FRAG_*. */
  FragMode: { normal: 0, drop: 1 },
  /** Why a packet was dropped. Counted per port and direction. */
  Drop: {
    none: 0,
    table_miss: 1,
    no_output: 2,
    meter: 3,
    port_down: 4,
    no_recv: 5,
    no_fwd: 6,
    no_port: 7,
    ttl: 8,
    group_no_bucket: 9,
    group_depth: 10,
    frag: 11,
    malformed: 12,
    guest_error: 13,
    copy_failed: 14,
    backlog_full: 15,
    no_memory: 16,
    too_big: 17,
    upcall_full: 18,
    io_error: 19,
    reserved_mac: 20,
    loop: 21,
    link_down: 22,
    no_room: 23,
    vlan: 24,
    spoofed: 25,
    multicast_filter: 26,
    resubmit_limit: 27,
    stack_full: 28,
    packet_type: 29,
  },
  /** What a traced packet meets; cut: the rest was too much to be told. */
  TraceStep: {
    table: 1,
    action: 2,
    changes: 3,
    instructions: 4,
    action_set: 5,
    group: 6,
    bucket: 7,
    meter: 8,
    normal: 9,
    output: 10,
    drop: 11,
    packet_in: 12,
    learn: 13,
    cut: 14,
  },
  /**
   * Whom a packet for `localController` is meant for: the first byte of the userdata. Each has a budget of its own: errors of
   * routers, answers to health checks, who told where it is, next hops that are not known, what has to be fragmented.
   */
  LocalAgent: { errors: 1, health: 2, neighbours: 3, unresolved: 4, fragments: 5 },
  /** What would become of a flow that a traced packet asks for: made, there as it is, or kept out by its limit. */
  LearnVerdict: { asked: 0, there: 1, full: 2 },
};

/** Fixed-size numbers both sides need. */
export const constants = {
  // Tables 0..253 (OFPTT_MAX is 254); 255 means all in a delete.
  tables: 254,
  allTables: 255,
  /** Fields below it can stand in a match. */
  matchFields: 75,
  /** reg0; the others, and their views, follow. */
  firstRegister: 59,
  noCookieMask: 0,
  /** Of a decap: the type that the header taken off names. */
  packetTypeNext: 0xfffe,
  portsMax: 4096, // port numbers 1..portsMax-1, and LOCAL
  noMeter: 0,
  meterController: 0xfffffffe, // OFPM_CONTROLLER: what goes up as packet_in passes it
  bucketIdMax: 0xffffff00,
  firstBucket: 0xfffffffd,
  lastBucket: 0xfffffffe,
  allBuckets: 0xffffffff,
  controllerMaxLenNoBuffer: 0xffff,
  localController: 0x5856, // controller id of the daemon's own agents: not of those that are connected
};
