// Where packets leave.
#include "pipeline/execution.h"

namespace xvif {
namespace {

/// 01:80:c2:00:00:00 to 0f: never forwarded by a bridge (IEEE 802.1D table 7-10).
bool is_reserved(const std::uint8_t* mac) {
  return load_be32(mac) == 0x0180c200 && mac[4] == 0 && (mac[5] & 0xf0) == 0;
}

bool is_multicast(const std::uint8_t* mac) { return (mac[0] & 1) != 0; }

}  // namespace

void Execution::drop(Lane& lane, Drop reason) {
  lane.accounted = true;
  if (lane.in_slot == nullptr) return;
  PortCounters::add(lane.in_slot->port.counters[thread_.index].rx_dropped[static_cast<std::size_t>(reason)], 1);
}

bool Execution::output(Lane& lane, Packet* packet, const FlowKey& key, const ActionView& action, bool move) {
  const PortNo port = action.port();
  switch (static_cast<ReservedPort>(raw(port))) {
    case ReservedPort::kInPort:
      return send(lane, packet, lane.in_slot, move);
    case ReservedPort::kTable:
      return resubmit(lane, packet, move);
    case ReservedPort::kNormal:
      return normal(lane, packet, key, move);
    case ReservedPort::kFlood:
    case ReservedPort::kAll:
      return flood(lane, packet, move);
    case ReservedPort::kController: {
      const bool miss = thread_.group_depth == 0 && lane.flow != nullptr && lane.flow->is_table_miss();
      const auto reason = miss ? PacketInReason::kNoMatch : PacketInReason::kAction;
      packet_in(lane, *packet, key, reason, action.max_len());
      return false;
    }
    default:
      break;
  }
  // Section 5.12: back out of the port it came from only by IN_PORT.
  if (port == lane.in_port) {
    drop(lane, Drop::kLoop);
    return false;
  }
  return send(lane, packet, pipeline_.ports_.slot(port), move);
}

bool Execution::send(Lane& lane, Packet* packet, PortSlot* slot, bool move) {
  if (slot == nullptr) {
    drop(lane, Drop::kNoPort);
    return false;
  }
  if (++lane.copies > kClonesMax) {
    drop(lane, Drop::kNoRoom);
    return false;
  }
  const std::uint32_t config = slot->config.load(std::memory_order_relaxed);
  constexpr auto kBlocks =
      static_cast<std::uint32_t>(PortConfig::kDown) | static_cast<std::uint32_t>(PortConfig::kNoFwd);
  if ((config & kBlocks) != 0) [[unlikely]] {
    const bool down = (config & static_cast<std::uint32_t>(PortConfig::kDown)) != 0;
    const Drop reason = down ? Drop::kPortDown : Drop::kNoFwd;
    PortCounters::add(slot->port.counters[thread_.index].tx_dropped[static_cast<std::size_t>(reason)], 1);
    lane.accounted = true;
    return false;
  }
  Packet* const out = move ? packet : packet->clone();
  if (out == nullptr) {
    drop(lane, Drop::kNoMemory);
    return false;
  }
  TxBuffer& buffer = slot->tx[thread_.index];
  if (!buffer.dirty) {
    buffer.dirty = true;
    thread_.dirty.push_back(slot);
  }
  buffer.packets[buffer.count++] = out;
  lane.accounted = true;
  if (buffer.count == buffer.packets.size()) flush_port(*slot);
  return move;
}

void Execution::flush_port(PortSlot& slot) {
  TxBuffer& buffer = slot.tx[thread_.index];
  const std::span<Packet* const> packets(buffer.packets.data(), buffer.count);
  if (!packets.empty()) slot.port.transmit(thread_.index, packets);
  for (Packet* packet : packets) packet->release();
  buffer.count = 0;
}

bool Execution::flood(Lane& lane, Packet* packet, bool move) {
  PortSlot* before = nullptr;
  for (PortSlot* slot : pipeline_.ports_.all()) {
    if (slot == lane.in_slot || slot->configured(PortConfig::kDown) || slot->configured(PortConfig::kNoFwd)) continue;
    if (before != nullptr) send(lane, packet, before, false);
    before = slot;
  }
  return before != nullptr && send(lane, packet, before, move);
}

bool Execution::normal(Lane& lane, Packet* packet, const FlowKey& key, bool move) {
  const std::uint8_t* const to = key.at(key_at::kEthDst);
  const std::uint8_t* const from = key.at(key_at::kEthSrc);
  if (is_reserved(to)) {
    drop(lane, Drop::kReservedMac);
    return false;
  }
  const std::uint16_t vlan = key.be16(key_at::kVlanVid);
  if (!is_multicast(from) && lane.in_slot != nullptr) {
    pipeline_.macs_.learn(MacTable::station(vlan, from), lane.in_port, thread_.now_ns);
  }
  if (is_multicast(to)) return flood(lane, packet, move);
  const std::optional<PortNo> known = pipeline_.macs_.find(MacTable::station(vlan, to), thread_.now_ns);
  if (!known) return flood(lane, packet, move);
  if (*known == lane.in_port) {
    drop(lane, Drop::kLoop);
    return false;
  }
  return send(lane, packet, pipeline_.ports_.slot(*known), move);
}

bool Execution::resubmit(Lane& lane, Packet* packet, bool move) {
  if (!thread_.may_resubmit) {
    drop(lane, Drop::kNoPort);
    return false;
  }
  if (++lane.copies > kClonesMax) {
    drop(lane, Drop::kNoRoom);
    return false;
  }
  Packet* const again = move ? packet : packet->clone();
  if (again == nullptr) {
    drop(lane, Drop::kNoMemory);
    return false;
  }
  thread_.resubmitted.push_back({again, lane.copies});
  lane.accounted = true;
  return move;
}

}  // namespace xvif
