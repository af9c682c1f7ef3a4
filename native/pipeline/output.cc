// Where packets leave.
#include "packet/packet_of.h"
#include "pipeline/execution.h"

namespace xvif {

void Execution::drop(Lane& lane, Drop reason) {
  lane.accounted = true;
  if (thread_.trace != nullptr) [[unlikely]]
    return thread_.trace->drop(reason, std::nullopt);
  if (lane.in_slot == nullptr) return;
  PortCounters::add(lane.in_slot->port.counters[thread_.index].rx_dropped[static_cast<std::size_t>(reason)], 1);
}

PacketInReason Execution::output_reason(const Lane& lane) const {
  if (lane.flow == nullptr) return PacketInReason::kPacketOut;
  if (thread_.group_depth != 0) return PacketInReason::kGroup;
  if (lane.flow->is_table_miss()) return PacketInReason::kNoMatch;
  return lane.set == SetUse::kDone ? PacketInReason::kActionSet : PacketInReason::kAction;
}

bool Execution::output(Lane& lane, Packet* packet, const FlowKey& key, PortNo port, std::uint16_t max_len, bool move) {
  // Not lane.in_port: actions may write to in_port.
  const PortNo in_port = key.in_port();
  switch (static_cast<ReservedPort>(raw(port))) {
    case ReservedPort::kInPort:
      return send(lane, packet, key, in_port == lane.in_port ? lane.in_slot : pipeline_.ports_.slot(in_port), move);
    case ReservedPort::kTable:
      return output_to_tables(lane, packet, move);
    case ReservedPort::kNormal:
      return normal(lane, packet, key, move);
    case ReservedPort::kFlood:
      return flood(lane, packet, key, PortSlot::kSilent | PortSlot::kNoFlood, move);
    case ReservedPort::kAll:
      return flood(lane, packet, key, PortSlot::kSilent, move);
    case ReservedPort::kController: {
      packet_in(lane, *packet, key, output_reason(lane), max_len);
      return false;
    }
    default:
      break;
  }
  // Section 5.12: back out of the port it came from only by IN_PORT.
  if (port == in_port) {
    drop(lane, Drop::kLoop);
    return false;
  }
  return send(lane, packet, key, pipeline_.ports_.slot(port), move);
}

bool Execution::output_truncated(Lane& lane, Packet* packet, const FlowKey& key, const ActionView& action, bool move) {
  const std::uint32_t bytes = action.truncated_bytes();
  if (packet->size <= bytes) return output(lane, packet, key, action.port(), kControllerMaxLenNoBuffer, move);
  if (lane.copies >= kClonesMax) {
    drop(lane, Drop::kNoRoom);
    return false;
  }
  std::span<const std::uint8_t> frame(packet->data, packet->linear);
  const bool blank = packet->csum_blank && packet->csum_start + packet->csum_offset < bytes;
  if (blank || packet->linear < bytes) {
    // Whole: a checksum that was left to us is over all of it.
    if (thread_.frame.size() < packet->size) thread_.frame.resize(packet->size);
    if (!copy_frame(*packet, thread_.frame)) {
      drop(lane, Drop::kCopyFailed);
      return false;
    }
    frame = thread_.frame;
  }
  Packet* const cut = packet_of(*packet->pool, packet->in_port, frame.first(bytes));
  if (cut == nullptr) {
    drop(lane, Drop::kNoMemory);
    return false;
  }
  cut->bare = packet->bare;
  if (!output(lane, cut, key, action.port(), kControllerMaxLenNoBuffer, true)) cut->release();
  return false;
}

bool Execution::send(Lane& lane, Packet* packet, const FlowKey& key, PortSlot* slot, bool move) {
  if (slot == nullptr) {
    drop(lane, Drop::kNoPort);
    return false;
  }
  const std::uint8_t egress = pipeline_.first_egress_.load(std::memory_order_relaxed);
  if (egress != 0) [[unlikely]]
    return leave(lane, packet, key, slot, egress, move);
  return deliver(lane, packet, slot, move);
}

bool Execution::deliver(Lane& lane, Packet* packet, PortSlot* slot, bool move) {
  // Ports are for frames, as Open vSwitch's legacy_l2 ones.
  if (packet->bare) [[unlikely]] {
    drop(lane, Drop::kPacketType);
    return false;
  }
  if (++lane.copies > kClonesMax) {
    drop(lane, Drop::kNoRoom);
    return false;
  }
  const std::uint32_t config = slot->config.load(std::memory_order_relaxed);
  if ((config & PortSlot::kSilent) != 0) [[unlikely]] {
    const bool down = (config & PortSlot::kStopped) != 0;
    const Drop reason = down ? Drop::kPortDown : Drop::kNoFwd;
    lane.accounted = true;
    if (thread_.trace != nullptr) {
      thread_.trace->drop(reason, slot->number);
      return false;
    }
    PortCounters::add(slot->port.counters[thread_.index].tx_dropped[static_cast<std::size_t>(reason)], 1);
    return false;
  }
  if (thread_.trace != nullptr) [[unlikely]] {
    tell_output(*packet, slot->number);
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

bool Execution::flood(Lane& lane, Packet* packet, const FlowKey& key, std::uint32_t without, bool move) {
  PortSlot* before = nullptr;
  for (PortSlot* slot : pipeline_.ports_.all()) {
    // As for a single port: actions may write to in_port.
    if (slot->number == key.in_port() || slot->has(without) || leaves_by(slot->number)) continue;
    if (before != nullptr) send(lane, packet, key, before, false);
    before = slot;
  }
  return before != nullptr && send(lane, packet, key, before, move);
}

bool Execution::output_to_tables(Lane& lane, Packet* packet, bool move) {
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
