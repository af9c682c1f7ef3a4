#include "pipeline/upcall_queue.h"

#include <algorithm>

namespace xvif {

UpcallQueue::UpcallQueue(std::size_t capacity) : capacity_(capacity), buffer_(new std::uint8_t[capacity]) {}

std::uint8_t* UpcallQueue::reserve(std::size_t length, std::size_t spare) {
  const std::uint64_t tail = tail_.load(std::memory_order_acquire);
  const std::size_t rest = capacity_ - at(write_);
  const std::size_t skipped = length > rest ? rest : 0;
  if (write_ + skipped + length + spare - tail > capacity_) return nullptr;
  if (skipped > 0) {
    // The consumer has passed the previous wrap, or what it has not read would fill the ring and more.
    wrap_.store(write_, std::memory_order_relaxed);
    write_ += skipped;
  }
  return buffer_.get() + at(write_);
}

void UpcallQueue::commit(std::size_t length) {
  write_ += length;
  head_.store(write_, std::memory_order_release);
}

std::uint64_t UpcallQueue::round() {
  if (tail_.load(std::memory_order_acquire) >= round_end_) {
    ++round_;
    round_end_ = write_;
  }
  return round_;
}

std::span<const std::uint8_t> UpcallQueue::front() {
  std::uint64_t tail = tail_.load(std::memory_order_relaxed);
  const std::uint64_t head = head_.load(std::memory_order_acquire);
  if (tail == head) return {};
  const std::uint64_t wrap = wrap_.load(std::memory_order_relaxed);
  if (tail == wrap) {
    tail += capacity_ - at(tail);
    tail_.store(tail, std::memory_order_release);
  }
  std::uint64_t end = std::min(head, tail + (capacity_ - at(tail)));
  if (wrap > tail && wrap < end) end = wrap;
  return {buffer_.get() + at(tail), static_cast<std::size_t>(end - tail)};
}

void UpcallQueue::pop(std::size_t bytes) {
  tail_.store(tail_.load(std::memory_order_relaxed) + bytes, std::memory_order_release);
}

}  // namespace xvif
