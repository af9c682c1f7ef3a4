// Packet and byte counts of flows, groups, buckets, meters and bands, one copy per data plane thread, summed when
// read. An id is good for one thing from allocate() to release().
//
// Threads: add() by thread n on its own copy; all else control.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/limits.h"

namespace xvif {

using CounterId = std::uint32_t;
inline constexpr CounterId kNoCounter = ~CounterId{0};

struct Count {
  std::atomic<std::uint64_t> packets;  // one thread: rw, control: ro
  std::atomic<std::uint64_t> bytes;
  std::atomic<std::uint64_t> used_ns;  // last add(), 0 never
};

struct CountSum {
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;
  std::uint64_t used_ns = 0;  // latest of any thread
};

class Counters {
 public:
  explicit Counters(std::size_t threads);
  ~Counters();
  Counters(const Counters&) = delete;
  Counters& operator=(const Counters&) = delete;

  /// A zero counter, kNoCounter when there are no more.
  CounterId allocate();
  /// No thread adds to it any more.
  void release(CounterId id);
  CountSum read(CounterId id) const;
  /// Gives a fresh counter, unknown to any other thread, a time of last use.
  void restore_used(CounterId id, std::uint64_t used_ns) { add(0, id, 0, 0, used_ns); }

  Count* at(std::size_t thread, CounterId id) { return &threads_[thread][id / kChunk][id % kChunk]; }
  void add(std::size_t thread, CounterId id, std::uint64_t packets, std::uint64_t bytes, std::uint64_t now_ns) {
    Count& count = *at(thread, id);
    count.packets.store(count.packets.load(std::memory_order_relaxed) + packets, std::memory_order_relaxed);
    count.bytes.store(count.bytes.load(std::memory_order_relaxed) + bytes, std::memory_order_relaxed);
    count.used_ns.store(now_ns, std::memory_order_relaxed);
  }

 private:
  static constexpr std::size_t kChunk = 65536;
  static constexpr std::size_t kChunks = kCountersMax / kChunk;
  /// Memory is reserved when ids come into use and taken from the system when a thread first counts there.
  using Thread = std::array<Count*, kChunks>;

  bool grow();

  std::vector<Thread> threads_;  // an element is written before an id of its chunk is published
  std::size_t chunks_ = 0;
  std::vector<CounterId> free_;
};

}  // namespace xvif
