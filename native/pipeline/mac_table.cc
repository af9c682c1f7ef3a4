#include "pipeline/mac_table.h"

#include <cstring>

#include "classifier/hash.h"

namespace xvif {

/// What an entry says beside its station: port index (13 bits), seconds of the monotonic clock (32 bits), and bits of
/// the station's hash. Station and value are two words, so a reader can meet one of each of two stations: then the
/// hash bits differ, but for one case in 2^19.
struct MacTable::Value {
  static constexpr std::uint64_t kCheckMask = 0x7ffff;
  static_assert(kPortsMax < (1u << 13));

  explicit Value(std::uint64_t word) : word_(word) {}
  Value(std::uint32_t port, std::uint32_t seconds, std::uint64_t hash)
      : word_(std::uint64_t{port} << 51 | std::uint64_t{seconds} << 19 | (hash >> 45)) {}
  std::uint32_t port() const { return static_cast<std::uint32_t>(word_ >> 51); }
  std::uint32_t seconds() const { return static_cast<std::uint32_t>(word_ >> 19); }
  bool belongs_to(std::uint64_t hash) const { return (word_ & kCheckMask) == hash >> 45; }
  std::uint64_t word() const { return word_; }

 private:
  std::uint64_t word_;
};

namespace {

constexpr std::size_t kBuckets = kMacsMax / 4;
constexpr std::uint64_t kSecond = 1'000'000'000;
/// Set in every station, so that none is 0.
constexpr std::uint64_t kUsed = std::uint64_t{1} << 63;

/// Clocks of threads differ: a station may have been seen in the future.
bool is_old(std::uint32_t seen, std::uint32_t now) {
  return static_cast<std::int32_t>(now - seen) >= static_cast<std::int32_t>(MacTable::kAgeNs / kSecond);
}

std::uint32_t seconds(std::uint64_t ns) { return static_cast<std::uint32_t>(ns / kSecond); }

PortNo number_of(std::uint32_t index) {
  return index == kPortsMax ? PortNo{static_cast<std::uint32_t>(ReservedPort::kLocal)} : PortNo{index};
}

}  // namespace

MacTable::MacTable(std::uint64_t seed) : seed_(seed), buckets_(new Bucket[kBuckets]) {}

std::uint64_t MacTable::station(std::uint16_t vlan, const std::uint8_t* mac) {
  std::uint64_t address = 0;
  std::memcpy(&address, mac, 6);
  return kUsed | std::uint64_t{vlan & 0xfffu} << 48 | address;
}

std::size_t MacTable::index(PortNo port) {
  return port == PortNo{static_cast<std::uint32_t>(ReservedPort::kLocal)} ? kPortsMax : raw(port) % kPortsMax;
}

std::uint64_t MacTable::hash(std::uint64_t station) const { return mix64(station ^ seed_); }

void MacTable::take(Entry& entry, std::uint64_t station, std::uint64_t hash, std::uint32_t port, std::uint32_t now) {
  const std::uint64_t before = entry.station.load(std::memory_order_relaxed);
  if (before != 0) held_[Value(entry.value.load(std::memory_order_relaxed)).port()].fetch_sub(1);
  held_[port].fetch_add(1, std::memory_order_relaxed);
  entry.value.store(Value(port, now, hash).word(), std::memory_order_relaxed);
  entry.station.store(station, std::memory_order_release);
}

void MacTable::learn(std::uint64_t station, PortNo from, std::uint64_t now_ns) {
  const std::uint64_t h = hash(station);
  const auto port = static_cast<std::uint32_t>(index(from));
  const std::uint32_t now = seconds(now_ns);
  Entry* free = nullptr;
  Entry* own = nullptr;
  Entry* richest = nullptr;
  std::int32_t most = static_cast<std::int32_t>(held_[port].load(std::memory_order_relaxed));
  for (Entry& entry : buckets_[h % kBuckets].entries) {
    const std::uint64_t there = entry.station.load(std::memory_order_acquire);
    const Value value(entry.value.load(std::memory_order_relaxed));
    if (there == station) {
      // Written only when it says something new: threads that see the same stations do not fight for the line.
      if (value.port() == port && value.seconds() == now && value.belongs_to(h)) return;
      held_[value.port()].fetch_sub(1, std::memory_order_relaxed);
      held_[port].fetch_add(1, std::memory_order_relaxed);
      entry.value.store(Value(port, now, h).word(), std::memory_order_relaxed);
      return;
    }
    const auto held = static_cast<std::int32_t>(held_[value.port()].load(std::memory_order_relaxed));
    if (there == 0 || is_old(value.seconds(), now)) {
      free = &entry;
    } else if (value.port() == port) {
      if (own == nullptr || value.seconds() < Value(own->value.load(std::memory_order_relaxed)).seconds()) own = &entry;
    } else if (held > most) {
      richest = &entry;
      most = held;
    }
  }
  Entry* const chosen = free != nullptr ? free : richest != nullptr ? richest : own;
  if (chosen != nullptr) take(*chosen, station, h, port, now);
}

std::optional<PortNo> MacTable::find(std::uint64_t station, std::uint64_t now_ns) const {
  const std::uint64_t h = hash(station);
  for (const Entry& entry : buckets_[h % kBuckets].entries) {
    if (entry.station.load(std::memory_order_acquire) != station) continue;
    const Value value(entry.value.load(std::memory_order_relaxed));
    if (!value.belongs_to(h) || is_old(value.seconds(), seconds(now_ns))) return std::nullopt;
    return number_of(value.port());
  }
  return std::nullopt;
}

void MacTable::forget(PortNo port) {
  const std::size_t gone = index(port);
  for (std::size_t b = 0; b < kBuckets; ++b) {
    for (Entry& entry : buckets_[b].entries) {
      if (entry.station.load(std::memory_order_relaxed) == 0) continue;
      if (Value(entry.value.load(std::memory_order_relaxed)).port() != gone) continue;
      entry.station.store(0, std::memory_order_relaxed);
      held_[gone].fetch_sub(1, std::memory_order_relaxed);
    }
  }
}

std::uint32_t MacTable::held(PortNo port) const { return held_[index(port)].load(std::memory_order_relaxed); }

}  // namespace xvif
