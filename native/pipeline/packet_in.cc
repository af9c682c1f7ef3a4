// Packets for the controller, as upcall records (docs/native-boundary.md).
#include <algorithm>
#include <cstring>

#include "actions/modify.h"
#include "packet/checksum.h"
#include "pipeline/execution.h"

namespace xvif {
namespace {

constexpr std::size_t kHeaderBytes = 64;
constexpr std::uint32_t kFrameBytesMax = 65535;

constexpr std::size_t padded(std::size_t bytes) { return (bytes + 7) & ~std::size_t{7}; }

template <typename T>
void put(std::uint8_t* record, std::size_t at, T value) {
  std::memcpy(record + at, &value, sizeof value);
}

constexpr std::size_t kRegisters = 16;
constexpr std::size_t kRegisterBytes = 4;

/// Those that are not 0, in network order.
struct Registers {
  std::uint16_t set = 0;  // bit n: register n
  std::size_t count = 0;
  std::array<std::uint8_t, kRegisters * kRegisterBytes> values;
};

Registers registers_of(const FlowKey& key, bool used) {
  Registers registers;
  for (std::size_t i = 0; used && i < kRegisters; ++i) {
    const std::uint8_t* const at = key.at(key_at::kReg + i * kRegisterBytes);
    if (load_be32(at) == 0) continue;
    registers.set = static_cast<std::uint16_t>(registers.set | 1u << i);
    std::memcpy(registers.values.data() + registers.count++ * kRegisterBytes, at, kRegisterBytes);
  }
  return registers;
}

/// Behind the frame: data for the controller, registers, what a paused packet has to go, each padded.
void put_tail(std::uint8_t* at, const ControllerData& data, const Registers& registers) {
  const auto& [id, meter, userdata, continuation] = data;
  const std::size_t bytes = registers.count * kRegisterBytes;
  std::memset(at, 0, padded(userdata.size()) + padded(bytes));
  if (!userdata.empty()) std::memcpy(at, userdata.data(), userdata.size());
  at += padded(userdata.size());
  std::memcpy(at, registers.values.data(), bytes);
  if (!continuation.empty()) std::memcpy(at + padded(bytes), continuation.data(), continuation.size());
}

}  // namespace

std::uint8_t* Execution::reserve(Lane& lane, UpcallQueue& queue, QueueShare TxBuffer::*which, std::size_t most,
                                 std::size_t length, std::size_t spare) {
  if (lane.in_slot != nullptr) {
    QueueShare& share = lane.in_slot->tx[thread_.index].*which;
    const std::uint64_t round = queue.round();
    if (share.round != round) share = {round, 0};
    if (share.bytes + length > most) return nullptr;
    std::uint8_t* const record = queue.reserve(length, spare);
    // A port does not pay for others who filled the queue.
    if (record != nullptr) share.bytes += length;
    return record;
  }
  return queue.reserve(length, spare);
}

bool Execution::passes_meter(Lane& lane, const Packet& packet, std::uint32_t id) {
  if (id == kNoMeter) return true;
  Meter* const meter = pipeline_.meters_.find(id, thread_.version);
  if (meter == nullptr) return true;
  const Band* const band = charge(*meter, packet);
  if (band == nullptr || band->mod.type != static_cast<unsigned>(MeterBandType::kDrop)) return true;
  drop(lane, Drop::kMeter);
  return false;
}

std::uint8_t* Execution::reserve_local(Lane& lane, std::size_t agent, std::size_t length) {
  const auto& [all, port] = kLocalBudgets[agent];
  // What comes from no port, as the agents' own packets do, is as that of one more.
  const LocalShares shares(all, pipeline_.ports_.all().size() + 1);
  const bool has_port = lane.in_slot != nullptr;
  PacketRate& own = has_port ? lane.in_slot->local_rates[agent] : pipeline_.portless_rates_[agent];
  const auto before = own.count(thread_.now_ns, has_port ? port : shares.common());
  if (!before) return nullptr;
  const bool assured = *before < shares.assured();
  if (!assured && !pipeline_.common_rates_[agent].count(thread_.now_ns, shares.common())) return nullptr;
  const std::size_t spare = assured ? 0 : kLocalUpcallBytes / 2;
  return reserve(lane, thread_.upcalls, &TxBuffer::local, kLocalUpcallBytesPerPort, length, spare);
}

bool Execution::copy_start(const Packet& packet, std::span<std::uint8_t> out) {
  if (packet.linear >= out.size() || thread_.linearizer == nullptr) return packet.read(0, out);
  if (thread_.frame.size() < packet.size) thread_.frame.resize(packet.size);
  if (!thread_.linearizer->copy_out(packet, thread_.frame)) return false;
  std::memcpy(out.data(), thread_.frame.data(), out.size());
  return true;
}

bool Execution::copy_frame(const Packet& packet, std::span<std::uint8_t> out) {
  if (out.size() < packet.size) return copy_start(packet, out);
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

void Execution::packet_in(Lane& lane, Packet& packet, const FlowKey& key, PacketInReason reason, std::uint16_t max_len,
                          const ControllerData& data) {
  if (lane.in_slot != nullptr && lane.in_slot->configured(PortConfig::kNoPacketIn)) {
    lane.accounted = true;
    return;
  }
  if (!passes_meter(lane, packet, data.meter)) return;
  // One that the action names takes the place of the controller's.
  const bool to_controllers = data.meter == kNoMeter && data.id != kLocalController;
  Meter* const meter = to_controllers ? pipeline_.meters_.find(kMeterController, thread_.version) : nullptr;
  if (meter == nullptr || !pipeline_.controller_.load(std::memory_order_relaxed)) [[likely]] {
    return tell(lane, packet, key, reason, max_len, data);
  }
  const Band* const band = charge(*meter, packet);
  if (band == nullptr) return tell(lane, packet, key, reason, max_len, data);
  if (band->mod.type == static_cast<unsigned>(MeterBandType::kDrop)) return drop(lane, Drop::kMeter);
  // The packet itself goes on as it is.
  Packet* const own = packet.clone();
  if (own == nullptr) return drop(lane, Drop::kNoMemory);
  FlowKey own_key = key;
  remark_dscp(*own, own_key, band->mod.prec_level);
  tell(lane, *own, own_key, reason, max_len, data);
  own->release();
}

void Execution::tell(Lane& lane, const Packet& packet, const FlowKey& key, PacketInReason reason, std::uint16_t max_len,
                     const ControllerData& data) {
  const bool local = data.id == kLocalController;
  const std::size_t agent = data.userdata.empty() ? kLocalBudgets.size() : data.userdata[0] - 1u;
  const bool heard = local ? agent < kLocalBudgets.size() : pipeline_.controller_.load(std::memory_order_relaxed);
  if (thread_.trace != nullptr) [[unlikely]] {
    if (!heard) return drop(lane, Drop::kUpcallFull);
    lane.accounted = true;
    return thread_.trace->packet_in({reason, lane.table, data.id, max_len});
  }
  const Registers registers = registers_of(key, (thread_.registers_used >> index_of(lane) & 1) != 0);
  const std::size_t tail =
      padded(data.userdata.size()) + padded(registers.count * kRegisterBytes) + data.continuation.size();
  // An agent says how much of the packet it needs.
  const std::uint32_t wanted = local && max_len != kControllerMaxLenNoBuffer
                                   ? std::min<std::uint32_t>(packet.size, packet.before() + max_len)
                                   : packet.size;
  const std::size_t room = kHeaderBytes + padded(wanted) + tail;
  std::uint8_t* record = nullptr;
  if (heard && local) {
    record = reserve_local(lane, agent, room);
  } else if (heard) {
    record = reserve(lane, thread_.upcalls, &TxBuffer::upcalls, kUpcallBytesPerPort, room, kLocalUpcallBytes);
  }
  if (record == nullptr) {
    PortCounters::add(thread_.upcall_drops, 1);
    drop(lane, Drop::kUpcallFull);
    return;
  }
  if (!copy_frame(packet, {record + kHeaderBytes, wanted})) {
    drop(lane, Drop::kCopyFailed);
    return;
  }
  // A packet without an Ethernet header goes without the one that stands for it.
  const std::uint32_t size = packet.size - packet.before();
  if (packet.bare) [[unlikely]]
    std::memmove(record + kHeaderBytes, record + kHeaderBytes + packet.before(), wanted - packet.before());
  const std::uint32_t frame = std::min(wanted - packet.before(), kFrameBytesMax);
  const std::size_t frame_end = kHeaderBytes + padded(frame);
  const std::size_t length = frame_end + tail;
  std::memset(record, 0, kHeaderBytes);
  std::memset(record + kHeaderBytes + frame, 0, padded(frame) - frame);
  if (tail != 0) put_tail(record + frame_end, data, registers);
  put(record, 0, static_cast<std::uint8_t>(Upcall::kPacketIn));
  put(record, 1, static_cast<std::uint8_t>(reason));
  put(record, 2, lane.table);
  const unsigned paused = data.continuation.empty() ? 0 : 1;
  put(record, 3, static_cast<std::uint8_t>(paused));
  put(record, 4, static_cast<std::uint32_t>(length));
  put(record, 8, lane.flow == nullptr ? ~std::uint64_t{0} : lane.flow->cookie);
  put(record, 16, raw(key.in_port()));
  put(record, 20, max_len);
  put(record, 22, data.id);
  put(record, 24, size);
  put(record, 28, frame);
  std::memcpy(record + 32, key.at(key_at::kMetadata), 8);
  std::memcpy(record + 40, key.at(key_at::kTunnelId), 8);
  put(record, 48, key.be32(key_at::kInPhyPort));
  put(record, 52, static_cast<std::uint16_t>(data.userdata.size()));
  put(record, 54, registers.set);
  put(record, 56, key.packet_type());
  put(record, 60, packet.gso == Gso::kNone ? std::uint16_t{0} : packet.gso_size);
  thread_.upcalls.commit(length);
  thread_.upcalled = true;
  PortCounters::add(thread_.upcall_count, 1);
  lane.accounted = true;
}

}  // namespace xvif
