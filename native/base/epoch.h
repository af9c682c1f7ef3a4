// Reclamation for structures with one writer and readers that never wait (quiescent-state based). A reader says
// between two batches that it holds no pointer into them; what was unlinked before every reader has said so is freed.
//
// Threads: one control thread (all of retire(), reclaim(), synchronize()) and readers 0..kThreadsMax-1, each calling
// online/quiescent/offline with its own index. A reader that sleeps is offline and holds up nobody.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>

#include "base/limits.h"

namespace xvif {

class Epoch {
 public:
  using Action = void (*)(void* owner, void* object);

  Epoch() = default;
  ~Epoch();
  Epoch(const Epoch&) = delete;
  Epoch& operator=(const Epoch&) = delete;

  /// Reader: from here on it may hold pointers. Sees everything unlinked before the last reclaim().
  void online(std::size_t reader);
  /// Reader, online: it holds no pointer now. A load and a compare when the writer did nothing.
  void quiescent(std::size_t reader) {
    const std::uint64_t now = now_.load(std::memory_order_acquire);
    std::atomic<std::uint64_t>& seen = readers_[reader].seen;
    if (seen.load(std::memory_order_relaxed) != now) seen.store(now, std::memory_order_release);
  }
  void offline(std::size_t reader) { readers_[reader].seen.store(kOffline, std::memory_order_release); }

  /// Control thread: runs action(owner, object) when every reader that is online now has been quiescent or offline.
  void retire(Action action, void* owner, void* object);
  /// The same; it runs before all that was retired otherwise, and counts for no limit.
  void retire_first(Action action, void* owner, void* object);
  /// Control thread: runs what is due, `limit` of it at most, never waits; actions may retire more. Returns how many
  /// ran.
  std::size_t reclaim(std::size_t limit = ~std::size_t{0});
  /// Control thread: waits until every reader that is online now was quiescent or offline. The time is that of the
  /// longest batch.
  void synchronize();
  /// Control thread: waits until everything retired, and what that retires, has run. Before its owners go.
  void drain();
  /// Retired and not yet run. Control thread.
  std::size_t pending() const { return first_.size() + retired_.size(); }

 private:
  static constexpr std::uint64_t kOffline = ~std::uint64_t{0};
  struct Retired {
    std::uint64_t epoch;  // of retire(); due when every reader has seen a later one
    Action action;
    void* owner;
    void* object;
  };
  struct alignas(64) Reader {
    std::atomic<std::uint64_t> seen{kOffline};  // reader: rw, control: ro
  };

  static std::size_t run(std::deque<Retired>& list, std::uint64_t due, std::size_t limit);
  /// Smallest epoch an online reader has seen.
  std::uint64_t oldest() const;

  std::atomic<std::uint64_t> now_{1};  // control: rw, readers: ro
  std::array<Reader, kThreadsMax> readers_;
  std::deque<Retired> first_;    // control; epochs ascend, as those of the next
  std::deque<Retired> retired_;  // control
};

}  // namespace xvif
