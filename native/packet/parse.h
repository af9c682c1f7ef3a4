#pragma once

#include "packet/flow_key.h"
#include "packet/packet.h"

namespace xvif {

/// Fills every packet field of `key` from the linear bytes, and the header offsets of `packet`. Leaves in_port,
/// in_phy_port, metadata, tunnel_id and the registers as they are; all other fields are overwritten (zero when
/// absent). A truncated or malformed header counts as absent, as do all that would follow it. Never reads beyond
/// `packet.linear`.
///
/// eth_type is the innermost after VLAN tags; of several tags the outermost is matched; of an MPLS stack the first
/// entry. 802.3 with SNAP gives the SNAP ethertype, other 802.3 frames 0x05ff. L4 fields of later fragments are
/// zero. ipv6_exthdr as OpenFlow 1.3.5 table 15 (OFPIEH_*); ip_proto of IPv6 is what the last extension header that is
/// there names.
///
/// An IP header is there when its version, length fields and all its bytes are; what lies behind the IP packet's own
/// length is padding. ARP is there for Ethernet and IPv4 addresses. An L4 header is there when its fixed part is (TCP
/// 20, UDP 8, SCTP 12, ICMP 4 bytes); neighbour discovery needs code 0, and the first option of its type counts.
/// Beneath a label stack or an I-TAG (PBB) nothing is parsed: l3 and l4 are 0. An I-TAG is there with all of the
/// customer's Ethernet header. A service header (NSH) is there when all of it is, and of version 0; nothing is parsed
/// beneath it, and context headers of MD type 1 only.
void parse(Packet& packet, FlowKey& key);

}  // namespace xvif
