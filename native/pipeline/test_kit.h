// For the tests, benchmarks and fuzzers of this folder: binary actions and matches, frames, ports that remember.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "pipeline/pipeline.h"

namespace xvif::kit {

using Bytes = std::vector<std::uint8_t>;

template <typename T>
void put(Bytes& out, std::size_t at, T value) {
  std::memcpy(out.data() + at, &value, sizeof value);
}

inline Bytes record(std::uint8_t code, std::size_t bytes) {
  Bytes out((bytes + 7) & ~std::size_t{7}, 0);
  out[0] = code;
  put(out, 2, static_cast<std::uint16_t>(out.size()));
  return out;
}
/// An action whose parts follow the 32 bits of its head.
inline Bytes of_parts(Action code, const std::vector<Bytes>& parts, std::uint32_t head = 0) {
  Bytes body;
  for (const Bytes& part : parts) body.insert(body.end(), part.begin(), part.end());
  Bytes out = record(static_cast<std::uint8_t>(code), 8 + body.size());
  put(out, 4, head);
  std::copy(body.begin(), body.end(), out.begin() + 8);
  return out;
}
inline Bytes action(Action code, std::uint32_t body = 0) {
  const bool wide = code == Action::kOutput || code == Action::kGroup || code == Action::kSetQueue;
  Bytes out = record(static_cast<std::uint8_t>(code), wide ? 16 : 8);
  put(out, 4, body);
  return out;
}
inline Bytes output(std::uint32_t port, std::uint16_t max_len = 0xffff) {
  Bytes out = action(Action::kOutput, port);
  put(out, 8, max_len);
  return out;
}
inline Bytes output(ReservedPort port) { return output(static_cast<std::uint32_t>(port)); }
inline Bytes group(std::uint32_t id) { return action(Action::kGroup, id); }
inline Bytes set_field(Field field, std::uint64_t value) {
  const std::size_t width = field_bytes(field);
  Bytes out = record(static_cast<std::uint8_t>(Action::kSetField), 8 + width);
  out[4] = static_cast<std::uint8_t>(field);
  out[5] = static_cast<std::uint8_t>(width);
  for (std::size_t i = width; i-- > 0; value >>= 8) out[8 + i] = static_cast<std::uint8_t>(value);
  return out;
}

inline Bytes join(std::initializer_list<Bytes> parts) {
  Bytes out;
  for (const Bytes& part : parts) out.insert(out.end(), part.begin(), part.end());
  return out;
}
inline Bytes with_actions(Instruction code, std::initializer_list<Bytes> actions) {
  const Bytes list = join(actions);
  Bytes out = record(static_cast<std::uint8_t>(code), 8 + list.size());
  std::copy(list.begin(), list.end(), out.begin() + 8);
  return out;
}
inline Bytes apply(std::initializer_list<Bytes> actions) { return with_actions(Instruction::kApplyActions, actions); }
inline Bytes write(std::initializer_list<Bytes> actions) { return with_actions(Instruction::kWriteActions, actions); }
inline Bytes clear() { return record(static_cast<std::uint8_t>(Instruction::kClearActions), 8); }
inline Bytes go(std::uint8_t table) {
  Bytes out = record(static_cast<std::uint8_t>(Instruction::kGotoTable), 8);
  out[4] = table;
  return out;
}
inline Bytes meter(std::uint32_t id) {
  Bytes out = record(static_cast<std::uint8_t>(Instruction::kMeter), 8);
  put(out, 4, id);
  return out;
}
/// The stat_trigger instruction.
inline Bytes trigger(std::uint8_t flags, std::initializer_list<std::pair<Stat, std::uint64_t>> thresholds) {
  Bytes out = record(static_cast<std::uint8_t>(Instruction::kStatTrigger), 8 + 16 * thresholds.size());
  out[4] = flags;
  std::size_t at = 8;
  for (const auto& [stat, value] : thresholds) {
    out[at] = static_cast<std::uint8_t>(stat);
    put(out, at + 8, value);
    at += 16;
  }
  return out;
}
/// Set-field of the bits in `mask`.
inline Bytes set_masked(Field field, std::uint64_t value, std::uint64_t mask) {
  const std::size_t width = field_bytes(field);
  Bytes out = record(static_cast<std::uint8_t>(Action::kSetMasked), 8 + 2 * width);
  out[4] = static_cast<std::uint8_t>(field);
  out[5] = static_cast<std::uint8_t>(width);
  for (std::size_t i = width; i-- > 0; value >>= 8, mask >>= 8) {
    out[8 + i] = static_cast<std::uint8_t>(value);
    out[8 + width + i] = static_cast<std::uint8_t>(mask);
  }
  return out;
}
inline Bytes metadata(std::uint64_t value, std::uint64_t mask) {
  Bytes out = record(static_cast<std::uint8_t>(Instruction::kWriteMetadata), 24);
  store_be64(out.data() + 8, value);
  store_be64(out.data() + 16, mask);
  return out;
}

/// A match built field by field.
struct Match {
  FlowKey value{}, mask{};

  Match& with(Field field, std::uint64_t number, std::uint64_t bits = ~std::uint64_t{0}) {
    place(value, field, number & bits);
    place(mask, field, bits);
    return *this;
  }

 private:
  static void place(FlowKey& key, Field field, std::uint64_t number) {
    std::array<std::uint8_t, 16> bytes{};
    const std::size_t width = field_bytes(field);
    const std::size_t bits = kFieldPlaces[static_cast<std::size_t>(field)].bits;
    if (bits < 64) number &= (std::uint64_t{1} << bits) - 1;
    for (std::size_t i = width; i-- > 0; number >>= 8) bytes[i] = static_cast<std::uint8_t>(number);
    set_field_of(key, field, bytes.data());
  }
  static void set_field_of(FlowKey& key, Field field, const std::uint8_t* bytes) { xvif::set_field(key, field, bytes); }
};
inline Match any() { return {}; }
inline Match on_port(std::uint32_t port) { return Match().with(Field::kInPort, port); }
inline Match to_ipv4(std::uint32_t address, std::uint32_t bits = ~std::uint32_t{0}) {
  return Match().with(Field::kEthType, 0x0800).with(Field::kIpv4Dst, address, bits);
}

inline FlowMod add(std::uint8_t table, std::uint16_t priority, const Match& match, const Bytes& instructions) {
  FlowMod mod;
  mod.table = table;
  mod.priority = priority;
  mod.value = match.value;
  mod.mask = match.mask;
  mod.instructions = instructions;
  return mod;
}

/// An Ethernet frame of UDP over IPv4; checksums are zero. MAC addresses end in the given bytes.
struct Udp {
  std::uint32_t source = 0x0a000001, destination = 0x0a000002;
  std::uint16_t source_port = 1000, destination_port = 2000;
  std::uint8_t source_mac = 1, destination_mac = 2;
  std::uint8_t ttl = 64;
  std::size_t bytes = 60;

  Bytes frame() const {
    Bytes out(bytes, 0);
    out[0] = out[6] = 0x02;
    out[5] = destination_mac;
    out[11] = source_mac;
    store_be16(&out[12], 0x0800);
    out[14] = 0x45;
    store_be16(&out[16], static_cast<std::uint16_t>(bytes - 14));
    out[22] = ttl;
    out[23] = 17;
    store_be32(&out[26], source);
    store_be32(&out[30], destination);
    store_be16(&out[34], source_port);
    store_be16(&out[36], destination_port);
    store_be16(&out[38], static_cast<std::uint16_t>(bytes - 34));
    return out;
  }
};

inline Packet* make_packet(PacketPool& pool, std::uint32_t port, std::span<const std::uint8_t> frame) {
  Packet* const packet = pool.take();
  if (packet == nullptr) return nullptr;
  std::memcpy(packet->data, frame.data(), frame.size());
  packet->linear = packet->size = static_cast<std::uint32_t>(frame.size());
  packet->in_port = PortNo{port};
  return packet;
}

/// Remembers what it sent.
class FakePort final : public Port {
 public:
  std::span<PortQueue* const> queues() override { return {}; }
  void transmit(std::size_t, std::span<Packet* const> packets) override {
    for (const Packet* packet : packets) sent.emplace_back(packet->data, packet->data + packet->linear);
  }
  bool link_up() const override { return up; }
  void close() override {}
  std::uint64_t dropped(Drop reason) const {
    std::uint64_t sum = 0;
    for (const PortCounters& one : counters) sum += one.rx_dropped[static_cast<std::size_t>(reason)];
    return sum;
  }
  std::uint64_t tx_dropped(Drop reason) const {
    std::uint64_t sum = 0;
    for (const PortCounters& one : counters) sum += one.tx_dropped[static_cast<std::size_t>(reason)];
    return sum;
  }

  std::vector<Bytes> sent;
  bool up = true;
};

/// A pipeline with ports 1..kPorts, used by one thread; its packets must all be back in the pool at the end.
class Switch {
 public:
  static constexpr std::size_t kPorts = 6;
  static constexpr std::uint64_t kSecond = 1'000'000'000;

  Switch() {
    for (std::uint32_t i = 1; i <= kPorts; ++i) pipeline.attach(PortNo{i}, port(i), now);
  }

  FakePort& port(std::uint32_t number) { return ports_[number - 1]; }
  Status flow(const FlowMod& mod) {
    pipeline.begin(now, false);
    const Status status = pipeline.flow_mod(mod);
    pipeline.publish();
    return status;
  }
  Status flow(std::uint8_t table, std::uint16_t priority, const Match& match, const Bytes& instructions) {
    return flow(add(table, priority, match, instructions));
  }
  /// Buckets without ids get them by their order.
  Status group(ModCommand command, std::uint32_t id, GroupType type, std::vector<BucketMod> buckets,
               std::uint32_t place = kAllBuckets, const Selection& selection = {}) {
    const bool named = std::any_of(buckets.begin(), buckets.end(), [](const BucketMod& one) { return one.id != 0; });
    for (std::size_t i = 0; !named && i < buckets.size(); ++i) buckets[i].id = static_cast<std::uint32_t>(i);
    pipeline.begin(now, false);
    const Status status =
        pipeline.group_mod({command, static_cast<std::uint8_t>(type), id, std::move(buckets), place, selection});
    pipeline.publish();
    return status;
  }
  Status meter(ModCommand command, std::uint32_t id, std::uint16_t flags, std::vector<BandMod> bands) {
    pipeline.begin(now, false);
    const Status status = pipeline.meter_mod({command, id, flags, std::move(bands)});
    pipeline.publish();
    return status;
  }
  void receive(std::uint32_t in_port, const Bytes& frame) { receive(in_port, std::vector<Bytes>{frame}); }
  void receive(std::uint32_t in_port, const std::vector<Bytes>& frames) {
    std::vector<Packet*> packets;
    for (const Bytes& frame : frames) packets.push_back(make_packet(pool, in_port, frame));
    pipeline.process(0, now, packets);
  }
  /// Frames that left each port since the last call, in the order of ports.
  std::vector<std::size_t> sent() {
    std::vector<std::size_t> counts;
    for (FakePort& one : ports_) {
      counts.push_back(one.sent.size());
      one.sent.clear();
    }
    return counts;
  }
  Bytes upcalls() {
    Bytes out;
    while (
        pipeline.take_upcalls(1 << 20, [&](auto records) { out.insert(out.end(), records.begin(), records.end()); })) {
    }
    return out;
  }
  std::vector<FlowView> flows(const FlowFilter& filter = {}) const {
    std::vector<FlowView> out;
    std::uint64_t cursor = 0;
    pipeline.flows().read(filter, now, cursor, [&](const FlowView& view) {
      out.push_back(view);
      return true;
    });
    return out;
  }

  Epoch epoch;
  PacketPool pool{1024};
  std::uint64_t now = kSecond;
  Pipeline pipeline{epoch, 2, 7};

 private:
  std::array<FakePort, kPorts> ports_;
};

}  // namespace xvif::kit
