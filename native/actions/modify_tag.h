// VLAN tags, the MPLS label stack and I-TAGs (PBB). Parts of modify().
#pragma once

#include "actions/modify.h"

namespace xvif {

bool has_vlan_tag(const FlowKey& key);
Verdict push_vlan(Packet& packet, FlowKey& key, std::uint16_t ethertype);
void pop_vlan(Packet& packet, FlowKey& key);
Verdict push_mpls(Packet& packet, FlowKey& key, std::uint16_t ethertype);
void pop_mpls(Packet& packet, FlowKey& key, std::uint16_t ethertype);
Verdict push_pbb(Packet& packet, FlowKey& key);
void pop_pbb(Packet& packet, FlowKey& key);

void set_mpls_ttl(Packet& packet, std::uint8_t ttl);
Verdict dec_mpls_ttl(Packet& packet);
/// From the entry (or IP header) behind the outermost one to the outermost.
void copy_ttl_out(Packet& packet);
void copy_ttl_in(Packet& packet);

void set_vlan(Packet& packet, FlowKey& key, Field field, const std::uint8_t* value);
void set_mpls(Packet& packet, FlowKey& key, Field field, const std::uint8_t* value);
/// pbb_isid, pbb_uca
void set_pbb(Packet& packet, FlowKey& key, Field field, const std::uint8_t* value);
void set_eth_type(Packet& packet, FlowKey& key, const std::uint8_t* value);

}  // namespace xvif
