// Access to a ring page that another domain writes at the same time. Indices are atomics; slots are copied by words,
// each word loaded once (XSA-155), so that what was checked is what is used.
#pragma once

#include <atomic>
#include <cstdint>
#include <cstring>

#include "xen/guest_memory.h"
#include "xen/netif.h"

namespace xvif::xen {

/// Orders earlier stores before later loads (an index published before the peer's event index is read).
inline void full_barrier() {
#ifdef XVIF_TSAN
  std::atomic<int> here{0};  // ThreadSanitizer does not know fences
  here.exchange(1, std::memory_order_seq_cst);
#else
  std::atomic_thread_fence(std::memory_order_seq_cst);
#endif
}

#ifdef XVIF_RING_SEAM
/// For fuzzing: called before each word that is loaded from a ring page, so that a peer can act between two loads.
struct LoadSeam {
  virtual void before_load(void* page, std::size_t at) = 0;

 protected:
  ~LoadSeam() = default;
};
inline thread_local LoadSeam* load_seam = nullptr;
inline void before_load(void* page, std::size_t at) {
  if (load_seam != nullptr) load_seam->before_load(page, at);
}
#else
inline void before_load(void*, std::size_t) {}
#endif

/// A ring page. Copyable view, does not own the memory.
class RingPage {
 public:
  RingPage() = default;
  explicit RingPage(void* page) : page_(static_cast<std::uint8_t*>(page)) {}

  std::uint32_t load(std::size_t index, std::memory_order order) const {
    before_load(page_, index);
    return word(index).load(order);
  }
  void store(std::size_t index, std::uint32_t value, std::memory_order order) { word(index).store(value, order); }

  /// Copies a slot out. SlotBytes is that of the ring, T what lies at its start.
  template <std::size_t SlotBytes, typename T>
  T read(std::uint32_t index) const {
    static_assert(sizeof(T) <= SlotBytes && sizeof(T) % 4 == 0 && SlotBytes % 4 == 0);
    std::uint32_t words[sizeof(T) / 4];
    const std::size_t at = slot(index, SlotBytes);
    for (std::size_t i = 0; i < sizeof(T) / 4; ++i) words[i] = load(at + i * 4, std::memory_order_relaxed);
    T value;
    std::memcpy(&value, words, sizeof value);
    return value;
  }
  /// Overwrites what T takes of a slot. The rest stays as the peer wrote it: nothing of ours leaks (XSA-216).
  template <std::size_t SlotBytes, typename T>
  void write(std::uint32_t index, const T& value) {
    static_assert(sizeof(T) <= SlotBytes && sizeof(T) % 4 == 0 && SlotBytes % 4 == 0);
    std::uint32_t words[sizeof(T) / 4];
    std::memcpy(words, &value, sizeof value);
    const std::size_t at = slot(index, SlotBytes);
    for (std::size_t i = 0; i < sizeof(T) / 4; ++i) word(at + i * 4).store(words[i], std::memory_order_relaxed);
  }
  void* page() const { return page_; }

 private:
  static constexpr std::size_t slot(std::uint32_t index, std::size_t bytes) {
    return ring_at::kSlots + (index & (ring_slots(bytes) - 1)) * bytes;
  }
  std::atomic_ref<std::uint32_t> word(std::size_t at) const {
    return std::atomic_ref<std::uint32_t>(*reinterpret_cast<std::uint32_t*>(page_ + at));
  }

  std::uint8_t* page_ = nullptr;
};

/// Whether a producer that moved its index from `from` to `to` has to notify a peer that asked for `event`
/// (ring.h: event in (from, to]).
inline bool must_notify(std::uint32_t from, std::uint32_t to, std::uint32_t event) { return to - event < to - from; }

}  // namespace xvif::xen
