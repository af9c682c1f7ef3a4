// The actions that change a packet. Each changes the frame and the flow key together, so that afterwards the key is
// what parse() would find, keeps header offsets and csum_start right, and updates checksums for what changed only:
// a wrong checksum stays wrong, for the receiver to see.
//
// A field that the packet does not have is left alone, and so is a packet without the header an action needs.
#pragma once

#include <cstdint>

#include "actions/iterate.h"
#include "packet/flow_key.h"
#include "packet/packet.h"

namespace xvif {

/// What becomes of the packet.
enum class Verdict : std::uint8_t {
  kOk,
  kInvalidTtl,  // a TTL would reach 0: not decremented; a packet-in with reason invalid_ttl, or drop
  kNoRoom,      // no headroom for another header: drop
  kPacketType,  // the action cannot be done to packets of this type: drop
};

/// Carries out one valid action on a packet that parse() has been through, with its key. Output, group, set_queue
/// and Nicira's actions but encap, decap and dec_nsh_ttl are the pipeline's: nothing happens here.
///
/// Where OpenFlow 1.3.5 section 5.12 leaves room:
/// - push_vlan puts the tag before all others. push_mpls puts the entry after VLAN tags and before the network
///   header or the first label stack entry ("outermost valid location"). TTL of the first entry: IP TTL or hop limit,
///   0 for anything else.
/// - pop_mpls makes the given ethertype that of the frame and parses what is there now.
/// - push_pbb puts a second Ethernet header and the I-TAG before the frame, VLAN tags included: addresses are those
///   of the frame, the priority that of its outermost VLAN tag, the I-SID that of an outer I-TAG there was; else 0.
///   pop_pbb takes them away; VLAN tags before the I-TAG stay.
/// - A frame of 60 bytes or more does not become shorter than that by a pop: zeros are put behind it.
/// - copy_ttl_out and copy_ttl_in act between the first two label stack entries, or between the only one and the IP
///   header after it. IP to IP does not occur: inner IP headers are not parsed.
/// - dec_nw_ttl and dec_mpls_ttl give kInvalidTtl for a TTL of 0 or 1.
/// - set_field of vlan_vid or vlan_pcp needs a tag. icmpv6_type, ip_proto and eth_type change what follows: the rest
///   of the key is parsed anew. SCTP's CRC32c is updated without looking at the payload, except in fragments.
/// - Packets without an Ethernet header have none that could be changed, and get no tags: encap and decap are for them.
Verdict modify(Packet& packet, FlowKey& key, const ActionView& action);

/// Set-field alone: `value` has field_bytes(field) bytes in network order.
void set_packet_field(Packet& packet, FlowKey& key, Field field, const std::uint8_t* value);

/// The write_metadata instruction.
inline void write_metadata(FlowKey& key, std::uint64_t value, std::uint64_t mask) {
  store_be64(key.at(key_at::kMetadata), (key.be64(key_at::kMetadata) & ~mask) | (value & mask));
}

/// DSCP remark band of a meter: raises the drop precedence of an assured-forwarding packet (RFC 2597) by `levels`,
/// at most to 3. Other packets are left alone.
void remark_dscp(Packet& packet, FlowKey& key, unsigned levels);

}  // namespace xvif
