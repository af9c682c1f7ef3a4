// Which RX queue a frame takes, as its frontend asked on the control ring: a hash over its addresses and ports, and a
// table from hash to queue.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/limits.h"
#include "netback/rx_hash.h"
#include "netback/toeplitz.h"
#include "packet/packet.h"

namespace xvif::netback {

/// Entries of the mapping. Linux' limit too.
inline constexpr std::size_t kHashMappingMax = 128;

/// Never changes once published.
struct Steering {
  /// From the header offsets that parse() left. Fragments, and IP that is not TCP, hash by addresses; frames of no
  /// type that was asked for have none.
  RxHash hash(const Packet& packet) const;
  /// Frames without a hash go where hash 0 goes, as with Linux.
  std::size_t queue(const RxHash& hash) const {
    return entries == 0 ? hash.value % queues : mapping[hash.value % entries];
  }

  std::shared_ptr<const Toeplitz> toeplitz;             // of one key, also in later ones
  std::uint32_t types;                                  // mask of xen::ctrl::hash_type, not 0
  std::uint32_t queues;                                 // of the vif, not 0
  std::uint32_t entries = 0;                            // of mapping in use; 0: none
  std::array<std::uint8_t, kHashMappingMax> mapping{};  // each < queues
};

/// One writer replaces a Steering while data plane threads use it. Each thread marks what it uses, so it costs a
/// store per batch and nobody waits; what was replaced is freed by a later replacement, when nobody marks it.
class PublishedSteering {
 public:
  PublishedSteering() = default;
  ~PublishedSteering() { delete current_.load(std::memory_order_relaxed); }
  PublishedSteering(const PublishedSteering&) = delete;
  PublishedSteering& operator=(const PublishedSteering&) = delete;

  class Use {
   public:
    Use(PublishedSteering& published, std::size_t thread)
        : mark_(published.marks_[thread].pointer), steering_(published.mark(mark_)) {}
    ~Use() {
      if (steering_ != nullptr) mark_.store(nullptr, std::memory_order_release);
    }
    Use(const Use&) = delete;
    Use& operator=(const Use&) = delete;
    /// nullptr: the frontend did not ask for any.
    const Steering* get() const { return steering_; }

   private:
    std::atomic<const Steering*>& mark_;
    const Steering* const steering_;
  };

  /// The writer. nullptr ends steering.
  void publish(std::unique_ptr<const Steering> next);
  /// The writer. Replaced and not yet freed: at most one per thread and one more.
  std::size_t retired() const { return retired_.size(); }

 private:
  struct alignas(64) Mark {
    std::atomic<const Steering*> pointer{nullptr};  // its thread: wo; writer: ro
  };
  const Steering* mark(std::atomic<const Steering*>& mark);

  std::atomic<const Steering*> current_{nullptr};  // writer: wo; data plane threads: ro
  std::array<Mark, kThreadsMax> marks_;
  std::vector<std::unique_ptr<const Steering>> retired_;  // writer
};

}  // namespace xvif::netback
