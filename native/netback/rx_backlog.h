// Frames for a guest that has too few buffers posted, in private memory, so that nobody's pages are held. Bounded.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>

#include "base/limits.h"
#include "netback/rx_frame.h"

namespace xvif::netback {

class RxBacklog {
 public:
  bool empty() const { return entries_.empty(); }
  bool room(std::uint32_t bytes) const { return entries_.size() < kBacklogPackets && bytes_ + bytes <= kBacklogBytes; }
  /// False when the bytes could not be fetched. Only where there is room().
  bool add(xen::GrantTable& grants, const RxFrame& frame, std::uint64_t now_ns) {
    auto bytes = std::make_unique_for_overwrite<std::uint8_t[]>(frame.size);
    if (!gather(grants, frame, bytes.get())) return false;
    RxFrame kept = frame;
    kept.head = {bytes.get(), frame.size};
    kept.body = {};
    kept.segments = {};
    bytes_ += frame.size;
    entries_.push_back({std::move(bytes), kept, now_ns});
    return true;
  }
  /// From the oldest, number 0.
  const RxFrame& at(std::size_t number) const { return entries_[number].frame; }
  const RxFrame& front() const { return entries_.front().frame; }
  std::uint64_t front_ns() const { return entries_.front().since_ns; }
  void pop() {
    bytes_ -= entries_.front().frame.size;
    entries_.pop_front();
  }
  std::size_t size() const { return entries_.size(); }
  /// Takes frames out. Returns how many.
  template <typename Condition>
  std::size_t erase_if(Condition condition) {
    return std::erase_if(entries_, [&](const Entry& entry) {
      if (!condition(entry.frame)) return false;
      bytes_ -= entry.frame.size;
      return true;
    });
  }

 private:
  struct Entry {
    std::unique_ptr<std::uint8_t[]> bytes;
    RxFrame frame;  // of bytes
    std::uint64_t since_ns;
  };
  std::deque<Entry> entries_;
  std::size_t bytes_ = 0;
};

}  // namespace xvif::netback
