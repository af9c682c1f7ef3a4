// Ids to versions of things. One writer, wait-free readers. T derives from Versioned and has `std::uint32_t id` and
// `std::atomic<T*> older`.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "base/epoch.h"
#include "classifier/hash.h"

namespace xvif {

template <typename T>
class VersionedMap {
 public:
  explicit VersionedMap(Epoch& epoch) : epoch_(epoch), slots_(new Slots(kFirst)) {}
  ~VersionedMap() { delete slots_.load(std::memory_order_relaxed); }
  VersionedMap(const VersionedMap&) = delete;
  VersionedMap& operator=(const VersionedMap&) = delete;

  /// Reader, wait-free. The thing with this id in `version`, or nullptr.
  T* find(std::uint32_t id, std::uint64_t version) const {
    const Slots& slots = *slots_.load(std::memory_order_acquire);
    for (std::size_t i = start(slots, id);; i = (i + 1) & slots.mask) {
      T* at = slots.at[i].load(std::memory_order_acquire);
      if (at == nullptr) return nullptr;
      if (slots.ids[i].load(std::memory_order_relaxed) != id) continue;
      for (; at != nullptr; at = at->older.load(std::memory_order_acquire)) {
        if (at == tombstone()) return nullptr;
        if (at->visible(version)) return at;
      }
      return nullptr;
    }
  }
  /// Control: the newest one, if it is live.
  T* live(std::uint32_t id) const {
    const std::size_t i = slot_of(id);
    const Slots& slots = *slots_.load(std::memory_order_relaxed);
    T* at = slots.at[i].load(std::memory_order_relaxed);
    return at != nullptr && at != tombstone() && at->live() ? at : nullptr;
  }
  /// Control: makes `thing` the newest of its id.
  void link(T& thing) {
    if ((used_ + 1) * 2 > slots_.load(std::memory_order_relaxed)->mask) rebuild();
    const Slots& slots = *slots_.load(std::memory_order_relaxed);
    const std::size_t i = slot_of(thing.id);
    T* const newest = slots.at[i].load(std::memory_order_relaxed);
    if (newest == nullptr) ++used_;
    thing.older.store(newest == tombstone() ? nullptr : newest, std::memory_order_relaxed);
    slots.ids[i].store(thing.id, std::memory_order_relaxed);
    slots.at[i].store(&thing, std::memory_order_release);
  }
  /// Control: takes `thing` out. Readers may hold it until one grace period later.
  void unlink(T& thing) {
    const Slots& slots = *slots_.load(std::memory_order_relaxed);
    const std::size_t i = slot_of(thing.id);
    T* const older = thing.older.load(std::memory_order_relaxed);
    T* at = slots.at[i].load(std::memory_order_relaxed);
    if (at == &thing) {
      slots.at[i].store(older == nullptr ? tombstone() : older, std::memory_order_release);
      return;
    }
    while (at->older.load(std::memory_order_relaxed) != &thing) at = at->older.load(std::memory_order_relaxed);
    at->older.store(older, std::memory_order_release);
  }

 private:
  static constexpr std::size_t kFirst = 16;
  struct Slots {
    explicit Slots(std::size_t count)
        : mask(count - 1), ids(new std::atomic<std::uint32_t>[count]()), at(new std::atomic<T*>[count]()) {}
    std::size_t mask;
    // The id of a slot never changes once it is set.
    std::unique_ptr<std::atomic<std::uint32_t>[]> ids;
    std::unique_ptr<std::atomic<T*>[]> at;
  };

  /// Keeps probe sequences whole where nothing is left of an id.
  static T* tombstone() { return reinterpret_cast<T*>(alignof(T)); }
  static std::size_t start(const Slots& slots, std::uint32_t id) { return mix64(id) & slots.mask; }

  std::size_t slot_of(std::uint32_t id) const {
    const Slots& slots = *slots_.load(std::memory_order_relaxed);
    std::size_t i = start(slots, id);
    while (slots.at[i].load(std::memory_order_relaxed) != nullptr &&
           slots.ids[i].load(std::memory_order_relaxed) != id) {
      i = (i + 1) & slots.mask;
    }
    return i;
  }
  void rebuild() {
    Slots* const old = slots_.load(std::memory_order_relaxed);
    std::size_t linked = 0;
    for (std::size_t i = 0; i <= old->mask; ++i) {
      const T* at = old->at[i].load(std::memory_order_relaxed);
      linked += at != nullptr && at != tombstone();
    }
    std::size_t count = kFirst;
    while (count < (linked + 1) * 4) count *= 2;
    auto* const fresh = new Slots(count);
    for (std::size_t i = 0; i <= old->mask; ++i) {
      T* const at = old->at[i].load(std::memory_order_relaxed);
      if (at == nullptr || at == tombstone()) continue;
      std::size_t to = start(*fresh, at->id);
      while (fresh->at[to].load(std::memory_order_relaxed) != nullptr) to = (to + 1) & fresh->mask;
      fresh->ids[to].store(at->id, std::memory_order_relaxed);
      fresh->at[to].store(at, std::memory_order_relaxed);
    }
    used_ = linked;
    slots_.store(fresh, std::memory_order_release);
    epoch_.retire([](void*, void* slots) { delete static_cast<Slots*>(slots); }, nullptr, old);
  }

  Epoch& epoch_;
  std::atomic<Slots*> slots_;  // control: rw, readers: ro
  std::size_t used_ = 0;       // slots with an id, control
};

}  // namespace xvif
