// NORMAL: what a learning switch does with a packet, VLAN by VLAN.
#include "packet/reserved_mac.h"
#include "pipeline/execution.h"

namespace xvif {
namespace {

constexpr std::uint16_t kVidBits = 0x0fff;

bool is_multicast(const std::uint8_t* mac) { return (mac[0] & 1) != 0; }

}  // namespace

bool Execution::normal(Lane& lane, Packet* packet, const FlowKey& key, bool move) {
  const std::uint8_t* const to = key.at(key_at::kEthDst);
  const std::uint8_t* const from = key.at(key_at::kEthSrc);
  if (packet->bare) [[unlikely]] {
    drop(lane, Drop::kPacketType);
    return false;
  }
  if (is_reserved_mac(to)) {
    drop(lane, Drop::kReservedMac);
    return false;
  }
  std::uint16_t vlan = key.be16(key_at::kVlanVid) & kVidBits;
  const VlanMembership* const in = lane.in_slot == nullptr ? nullptr : lane.in_slot->vlan();
  std::optional<FrameVlan> of_port;
  if (in != nullptr) [[unlikely]] {
    of_port = vlan_in(*in, frame_vlan(*packet, key));
    if (!of_port) {
      drop(lane, Drop::kVlan);
      return false;
    }
    vlan = of_port->vlan;
  }
  if (!is_multicast(from) && lane.in_slot != nullptr && thread_.trace == nullptr) {
    pipeline_.macs_.learn(MacTable::station(vlan, from), lane.in_port, thread_.now_ns);
  }
  std::optional<PortNo> known;
  if (!is_multicast(to)) known = pipeline_.macs_.find(MacTable::station(vlan, to), thread_.now_ns);
  if (thread_.trace != nullptr) [[unlikely]]
    known = tell_normal(lane, key, vlan, known);
  if (!known) return normal_flood(lane, packet, key, of_port ? *of_port : frame_vlan(*packet, key), move);
  if (*known == lane.in_port) {
    drop(lane, Drop::kLoop);
    return false;
  }
  PortSlot* const slot = pipeline_.ports_.slot(*known);
  if (slot == nullptr || (!of_port && !slot->has(slot_bit::kVlan))) [[likely]]
    return send(lane, packet, key, slot, move);
  return send_in_vlan(lane, packet, key, slot, of_port ? *of_port : frame_vlan(*packet, key), move);
}

bool Execution::normal_flood(Lane& lane, Packet* packet, const FlowKey& key, const FrameVlan& frame, bool move) {
  PortSlot* before = nullptr;
  for (PortSlot* slot : pipeline_.ports_.all()) {
    if (slot == lane.in_slot || slot->has(PortSlot::kSilent | PortSlot::kNoFlood) || !vlan_out(slot->vlan(), frame) ||
        leaves_by(slot->number))
      continue;
    if (before != nullptr) send_in_vlan(lane, packet, key, before, frame, false);
    before = slot;
  }
  return before != nullptr && send_in_vlan(lane, packet, key, before, frame, move);
}

bool Execution::send_in_vlan(Lane& lane, Packet* packet, const FlowKey& key, PortSlot* slot, const FrameVlan& frame,
                             bool move) {
  const std::optional<TagChange> change = vlan_out(slot->vlan(), frame);
  if (!change) {
    drop(lane, Drop::kVlan);
    return false;
  }
  if (*change == TagChange::kNone) return send(lane, packet, key, slot, move);
  // The others get it as it is.
  Packet* const own = move ? packet : packet->clone();
  if (own == nullptr) {
    drop(lane, Drop::kNoMemory);
    return false;
  }
  const bool fits = change_tag(*own, *change, frame.vlan);
  if (!fits) drop(lane, Drop::kNoRoom);
  const bool taken = fits && send(lane, own, key, slot, true);
  if (!move && !taken) own->release();
  return move && taken;
}

}  // namespace xvif
