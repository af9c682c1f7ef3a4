#include "actions/modify.h"

#include <algorithm>

#include "actions/modify_ip.h"
#include "actions/modify_tag.h"
#include "actions/modify_type.h"
#include "packet/headers.h"

namespace xvif {

namespace {

void set_eth_address(Packet& packet, FlowKey& key, Field field, const std::uint8_t* value) {
  if (packet.linear < kEthernetBytes || packet.bare) return;
  std::memcpy(packet.data + (field == Field::kEthDst ? 0 : 6), value, 6);
  set_field(key, field, value);
}

void set_arp(Packet& packet, FlowKey& key, Field field, const std::uint8_t* value) {
  if (packet.l3 == 0 || key.eth_type() != ethertype::kArp) return;
  std::size_t at = 6;  // arp_op
  if (field == Field::kArpSha) at = 8;
  if (field == Field::kArpSpa) at = 14;
  if (field == Field::kArpTha) at = 18;
  if (field == Field::kArpTpa) at = 24;
  std::memcpy(packet.data + packet.l3 + at, value, field_bytes(field));
  set_field(key, field, value);
}

}  // namespace

void set_packet_field(Packet& packet, FlowKey& key, Field field, const std::uint8_t* value) {
  switch (field) {
    case Field::kInPort:
    case Field::kMetadata:
    case Field::kTunnelId:
      return set_field(key, field, value);
    case Field::kEthDst:
    case Field::kEthSrc:
      return set_eth_address(packet, key, field, value);
    case Field::kEthType:
      return set_eth_type(packet, key, value);
    case Field::kVlanVid:
    case Field::kVlanPcp:
      return set_vlan(packet, key, field, value);
    case Field::kIpDscp:
    case Field::kIpEcn:
      return set_traffic_class(packet, key, field, value);
    case Field::kIpProto:
      return set_ip_proto(packet, key, value[0]);
    case Field::kIpv4Src:
    case Field::kIpv4Dst:
    case Field::kIpv6Src:
    case Field::kIpv6Dst:
      return set_ip_address(packet, key, field, value);
    case Field::kTcpSrc:
    case Field::kTcpDst:
    case Field::kUdpSrc:
    case Field::kUdpDst:
    case Field::kSctpSrc:
    case Field::kSctpDst:
      return set_l4_port(packet, key, field, value);
    case Field::kIcmpv4Type:
    case Field::kIcmpv4Code:
    case Field::kIcmpv6Type:
    case Field::kIcmpv6Code:
      return set_icmp(packet, key, field, value[0]);
    case Field::kArpOp:
    case Field::kArpSpa:
    case Field::kArpTpa:
    case Field::kArpSha:
    case Field::kArpTha:
      return set_arp(packet, key, field, value);
    case Field::kIpv6Flabel:
      return set_flow_label(packet, key, value);
    case Field::kIpv6NdTarget:
    case Field::kIpv6NdSll:
    case Field::kIpv6NdTll:
    case Field::kIcmpv6NdReserved:
    case Field::kIcmpv6NdOptionsType:
      return set_neighbour(packet, key, field, value);
    case Field::kMplsLabel:
    case Field::kMplsTc:
    case Field::kMplsBos:
      return set_mpls(packet, key, field, value);
    case Field::kPbbIsid:
    case Field::kPbbUca:
      return set_pbb(packet, key, field, value);
    case Field::kTcpFlags:
      return set_tcp_flags(packet, key, value);
    case Field::kNwTtl:
      return set_nw_ttl(packet, key, value[0]);
    case Field::kNshFlags:
    case Field::kNshTtl:
    case Field::kNshSpi:
    case Field::kNshSi:
    case Field::kNshC1:
    case Field::kNshC2:
    case Field::kNshC3:
    case Field::kNshC4:
      return set_nsh(packet, key, field, value);
    case Field::kInPhyPort:
    case Field::kIpv6Exthdr:
    case Field::kIpFrag:
    case Field::kConjId:
    case Field::kActsetOutput:
    case Field::kPacketType:
    case Field::kNshMdtype:
    case Field::kNshNp:
      return;
    default:
      return set_field(key, field, value);  // registers
  }
}

Verdict modify(Packet& packet, FlowKey& key, const ActionView& action) {
  switch (action.code()) {
    case Action::kSetField:
      set_packet_field(packet, key, action.field(), action.value());
      return Verdict::kOk;
    case Action::kDecNwTtl:
      return dec_nw_ttl(packet, key);
    case Action::kSetNwTtl:
      set_nw_ttl(packet, key, action.ttl());
      return Verdict::kOk;
    case Action::kPushVlan:
      if (action.only_untagged() && has_vlan_tag(key)) return Verdict::kOk;
      return push_vlan(packet, key, action.ethertype());
    case Action::kPopVlan:
      pop_vlan(packet, key);
      return Verdict::kOk;
    case Action::kPushMpls:
      return push_mpls(packet, key, action.ethertype());
    case Action::kPopMpls:
      pop_mpls(packet, key, action.ethertype());
      return Verdict::kOk;
    case Action::kPushPbb:
      return push_pbb(packet, key);
    case Action::kPopPbb:
      pop_pbb(packet, key);
      return Verdict::kOk;
    case Action::kSetMplsTtl:
      set_mpls_ttl(packet, action.ttl());
      return Verdict::kOk;
    case Action::kDecMplsTtl:
      return dec_mpls_ttl(packet);
    case Action::kCopyTtlOut:
      copy_ttl_out(packet);
      return Verdict::kOk;
    case Action::kCopyTtlIn:
      copy_ttl_in(packet);
      return Verdict::kOk;
    case Action::kEncap:
      return encap(packet, key, action);
    case Action::kDecap:
      return decap(packet, key, action.packet_type());
    case Action::kDecNshTtl:
      return dec_nsh_ttl(packet, key);
    default:
      return Verdict::kOk;
  }
  return Verdict::kOk;
}

void remark_dscp(Packet& packet, FlowKey& key, unsigned levels) {
  // AFxy: class x (1..4) in the upper three bits, drop precedence y (1..3) in the next two, then 0.
  const unsigned dscp = *key.at(key_at::kIpDscp) >> 2;
  const unsigned af_class = dscp >> 3;
  const unsigned precedence = dscp >> 1 & 3;
  if ((dscp & 1) != 0 || af_class < 1 || af_class > 4 || precedence == 0) return;
  const unsigned raised = std::min(precedence + std::min(levels, 3u), 3u);
  const auto value = static_cast<std::uint8_t>(af_class << 3 | raised << 1);
  set_packet_field(packet, key, Field::kIpDscp, &value);
}

}  // namespace xvif
