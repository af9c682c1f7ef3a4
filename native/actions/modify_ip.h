// IPv4, IPv6 and what they carry. Parts of modify().
#pragma once

#include "actions/modify.h"

namespace xvif {

/// TTL of the IPv4 header at `l3`, or hop limit; the header checksum follows.
void write_ipv4_ttl(std::uint8_t* l3, std::uint8_t ttl);
inline void write_ipv6_hop_limit(std::uint8_t* l3, std::uint8_t limit) { l3[7] = limit; }

void set_nw_ttl(Packet& packet, FlowKey& key, std::uint8_t ttl);
Verdict dec_nw_ttl(Packet& packet, FlowKey& key);

/// ip_dscp, ip_ecn: the six or two bits of the traffic class.
void set_traffic_class(Packet& packet, FlowKey& key, Field field, const std::uint8_t* value);
void set_flow_label(Packet& packet, FlowKey& key, const std::uint8_t* value);
void set_ip_address(Packet& packet, FlowKey& key, Field field, const std::uint8_t* value);
void set_ip_proto(Packet& packet, FlowKey& key, std::uint8_t proto);

/// tcp_*, udp_*, sctp_*
void set_l4_port(Packet& packet, FlowKey& key, Field field, const std::uint8_t* value);
void set_tcp_flags(Packet& packet, FlowKey& key, const std::uint8_t* value);
/// icmpv4_*, icmpv6_*
void set_icmp(Packet& packet, FlowKey& key, Field field, std::uint8_t value);
/// ipv6_nd_target, _sll, _tll, icmpv6_nd_reserved, icmpv6_nd_options_type (of the first option, where it is of 8 bytes)
void set_neighbour(Packet& packet, FlowKey& key, Field field, const std::uint8_t* value);

}  // namespace xvif
