// Where NORMAL has seen stations: (VLAN, MAC) to port. Bounded, shared by all threads without locks.
//
// A guest that floods invented addresses takes only free places and its own: in a full bucket a place is taken from the
// port that holds most of the table, if that is more than the newcomer's port holds, else from the newcomer's own.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>

#include "base/ids.h"
#include "base/limits.h"
#include "base/schema.gen.h"

namespace xvif {

class MacTable {
 public:
  explicit MacTable(std::uint64_t seed);
  MacTable(const MacTable&) = delete;
  MacTable& operator=(const MacTable&) = delete;

  /// VLAN id (0 untagged) and MAC address, in one number.
  static std::uint64_t station(std::uint16_t vlan, const std::uint8_t* mac);

  /// Any thread. The station was just seen on `port`.
  void learn(std::uint64_t station, PortNo port, std::uint64_t now_ns);
  /// Any thread. nullopt: unknown, or not seen for kAgeNs.
  std::optional<PortNo> find(std::uint64_t station, std::uint64_t now_ns) const;
  /// Control: forgets everything about a port.
  void forget(PortNo port);
  /// Stations held on behalf of a port.
  std::uint32_t held(PortNo port) const;

  static constexpr std::uint64_t kAgeNs = 300'000'000'000;

 private:
  static constexpr std::size_t kWays = 4;
  struct Entry {
    std::atomic<std::uint64_t> station{0};  // any: rw; 0 free
    std::atomic<std::uint64_t> value{0};    // any: rw; see Value
  };
  struct alignas(64) Bucket {
    std::array<Entry, kWays> entries;
  };
  struct Value;

  std::uint64_t hash(std::uint64_t station) const;
  void take(Entry& entry, std::uint64_t station, std::uint64_t hash, std::uint32_t port, std::uint32_t now);
  static std::size_t index(PortNo port);

  const std::uint64_t seed_;
  std::unique_ptr<Bucket[]> buckets_;
  std::array<std::atomic<std::uint32_t>, kPortsMax + 1> held_{};  // any: rw; about how many
};

}  // namespace xvif
