// What makes a batch of changes visible to every packet at once. Things carry the version in which they appear and
// disappear; a batch marks everything with the version after the published one, and publishing is one store.
//
// Threads: published() any; all else control.
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "base/assert.h"
#include "base/epoch.h"

namespace xvif {

/// Base of what is replaced as a whole: groups, meters.
struct Versioned {
  static constexpr std::uint64_t kNever = ~std::uint64_t{0};
  std::atomic<std::uint64_t> added{kNever};    // control: rw, readers: ro
  std::atomic<std::uint64_t> removed{kNever};  // control: rw, readers: ro
  bool visible(std::uint64_t version) const {
    return added.load(std::memory_order_relaxed) <= version && version < removed.load(std::memory_order_relaxed);
  }
  bool live() const { return removed.load(std::memory_order_relaxed) == kNever; }
};

class Versions {
 public:
  using Undo = void (*)(void* owner, void* first, void* second);

  explicit Versions(Epoch& epoch) : epoch_(epoch) {}

  std::uint64_t published() const { return published_.load(std::memory_order_acquire); }
  /// The version the open batch will be published as.
  std::uint64_t working() const { return published_.load(std::memory_order_relaxed) + 1; }
  bool open() const { return open_; }

  void begin(bool atomic) {
    XVIF_ASSERT(!open_);
    open_ = true;
    atomic_ = atomic;
  }
  /// Within a batch: how to take the change back that was just made.
  void on_rollback(Undo undo, void* owner, void* first, void* second = nullptr) {
    if (atomic_) undo_.push_back({undo, owner, first, second});
  }
  /// Within a batch: runs when the batch was published and no reader uses an older version.
  void after_publication(Epoch::Action action, void* owner, void* object) { after_.push_back({action, owner, object}); }
  /// The same, for what somebody waits for: before all else.
  void first_after_publication(Epoch::Action action, void* owner, void* object) {
    first_after_.push_back({action, owner, object});
  }
  void publish();
  /// Atomic batches only.
  void rollback();

 private:
  struct Undone {
    Undo undo;
    void* owner;
    void* first;
    void* second;
  };
  struct After {
    Epoch::Action action;
    void* owner;
    void* object;
  };

  Epoch& epoch_;
  std::atomic<std::uint64_t> published_{1};  // control: rw, readers: ro
  bool open_ = false;
  bool atomic_ = false;
  std::vector<Undone> undo_;
  std::vector<After> first_after_;
  std::vector<After> after_;
};

}  // namespace xvif
