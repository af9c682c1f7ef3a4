// Packets for the controller, as upcall records (docs/native-boundary.md).
#include <algorithm>
#include <cstring>

#include "packet/checksum.h"
#include "pipeline/execution.h"

namespace xvif {
namespace {

constexpr std::size_t kHeaderBytes = 56;
constexpr std::uint32_t kFrameBytesMax = 65535;

constexpr std::size_t padded(std::size_t bytes) { return (bytes + 7) & ~std::size_t{7}; }

template <typename T>
void put(std::uint8_t* record, std::size_t at, T value) {
  std::memcpy(record + at, &value, sizeof value);
}

}  // namespace

std::uint8_t* Execution::reserve_upcall(Lane& lane, std::size_t length) {
  if (lane.in_slot != nullptr) {
    // A port may not fill the queue for the others.
    TxBuffer& share = lane.in_slot->tx[thread_.index];
    const std::uint64_t round = thread_.upcalls.round();
    if (share.upcall_round != round) {
      share.upcall_round = round;
      share.upcall_bytes = 0;
    }
    if (share.upcall_bytes + length > kUpcallBytesPerPort) return nullptr;
    share.upcall_bytes += length;
  }
  return thread_.upcalls.reserve(length);
}

bool Execution::copy_frame(const Packet& packet, std::span<std::uint8_t> out) {
  if (packet.payload == nullptr) {
    std::memcpy(out.data(), packet.data, packet.size);
  } else if (thread_.linearizer != nullptr) {
    if (!thread_.linearizer->copy_out(packet, out)) return false;
  } else if (!packet.read(0, out.first(packet.size))) {
    return false;
  }
  if (packet.csum_blank) fill_checksum(out.first(packet.size), packet.csum_start, packet.csum_offset);
  return true;
}

void Execution::packet_in(Lane& lane, const Packet& packet, const FlowKey& key, PacketInReason reason,
                          std::uint16_t max_len) {
  if (lane.in_slot != nullptr && lane.in_slot->configured(PortConfig::kNoPacketIn)) {
    lane.accounted = true;
    return;
  }
  const std::size_t room = kHeaderBytes + padded(packet.size);
  std::uint8_t* record = nullptr;
  if (pipeline_.controller_.load(std::memory_order_relaxed)) record = reserve_upcall(lane, room);
  if (record == nullptr) {
    PortCounters::add(thread_.upcall_drops, 1);
    drop(lane, Drop::kUpcallFull);
    return;
  }
  if (!copy_frame(packet, {record + kHeaderBytes, room - kHeaderBytes})) {
    drop(lane, Drop::kCopyFailed);
    return;
  }
  const std::uint32_t frame = std::min(packet.size, kFrameBytesMax);
  const std::size_t length = kHeaderBytes + padded(frame);
  std::memset(record, 0, kHeaderBytes);
  std::memset(record + kHeaderBytes + frame, 0, padded(frame) - frame);
  put(record, 0, static_cast<std::uint8_t>(Upcall::kPacketIn));
  put(record, 1, static_cast<std::uint8_t>(reason));
  put(record, 2, lane.table);
  put(record, 4, static_cast<std::uint32_t>(length));
  put(record, 8, lane.flow == nullptr ? ~std::uint64_t{0} : lane.flow->cookie);
  put(record, 16, raw(lane.in_port));
  put(record, 20, max_len);
  put(record, 24, packet.size);
  put(record, 28, frame);
  std::memcpy(record + 32, key.at(key_at::kMetadata), 8);
  std::memcpy(record + 40, key.at(key_at::kTunnelId), 8);
  put(record, 48, key.be32(key_at::kInPhyPort));
  thread_.upcalls.commit(length);
  thread_.upcalled = true;
  PortCounters::add(thread_.upcall_count, 1);
  lane.accounted = true;
}

}  // namespace xvif
