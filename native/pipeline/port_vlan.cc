#include "pipeline/port_vlan.h"

#include "base/bytes.h"
#include "packet/gap.h"
#include "packet/headers.h"

namespace xvif {
namespace {

constexpr std::size_t kTpidAt = 12;
constexpr std::size_t kTciAt = 14;
constexpr std::size_t kNextTpidAt = 16;
constexpr std::uint16_t kVidBits = 0x0fff;

bool carries(const VlanMembership& trunk, std::uint16_t vlan) { return trunk.trunks.none() || trunk.trunks[vlan]; }

void move_offsets(Packet& packet, int by) {
  for (std::uint16_t* offset : {&packet.mpls, &packet.l3, &packet.l4}) {
    if (*offset != 0) *offset = static_cast<std::uint16_t>(*offset + by);
  }
}

}  // namespace

FrameVlan frame_vlan(const Packet& packet, const FlowKey& key) {
  const std::uint16_t container = key.be16(key_at::kVlanVid);
  const bool tagged = (container & kVlanPresent) != 0;
  const std::size_t next = tagged ? kNextTpidAt : kTpidAt;
  const bool odd = packet.linear >= next + 2 && ethertype::is_vlan(load_be16(packet.data + next));
  return {static_cast<std::uint16_t>(container & kVidBits), tagged, odd, false};
}

std::optional<FrameVlan> vlan_in(const VlanMembership& port, const FrameVlan& frame) {
  if (port.tag != 0) {
    if (frame.vlan != 0 || frame.odd) return std::nullopt;
    return FrameVlan{port.tag, frame.tagged, false, true};
  }
  const bool cut = !frame.tagged && frame.odd;
  return cut || !carries(port, frame.vlan) ? std::nullopt : std::optional(frame);
}

std::optional<TagChange> vlan_out(const VlanMembership* port, const FrameVlan& frame) {
  if (port != nullptr && port->tag != 0) {
    if (frame.vlan != port->tag || frame.odd) return std::nullopt;
    return frame.tagged ? TagChange::kPop : TagChange::kNone;
  }
  const bool cut = !frame.tagged && frame.odd;
  if (port != nullptr && (cut || !carries(*port, frame.vlan))) return std::nullopt;
  if (!frame.implied) return TagChange::kNone;
  return frame.tagged ? TagChange::kSetVlan : TagChange::kPush;
}

bool change_tag(Packet& packet, TagChange change, std::uint16_t vlan) {
  switch (change) {
    case TagChange::kNone:
      return true;
    case TagChange::kPop:
      take_out(packet, kTpidAt, kVlanBytes);
      move_offsets(packet, -static_cast<int>(kVlanBytes));
      return true;
    case TagChange::kSetVlan: {
      std::uint8_t* const tci = packet.data + kTciAt;
      store_be16(tci, static_cast<std::uint16_t>((load_be16(tci) & ~kVidBits) | vlan));
      return true;
    }
    case TagChange::kPush:
      if (!open_gap(packet, kTpidAt, kVlanBytes)) return false;
      store_be16(packet.data + kTpidAt, ethertype::kVlan);
      store_be16(packet.data + kTciAt, vlan);
      move_offsets(packet, kVlanBytes);
      return true;
  }
  return true;
}

}  // namespace xvif
