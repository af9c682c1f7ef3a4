// Bytes from one data plane thread to the control thread: whole records with their length at byte 4, bounded.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "base/limits.h"

namespace xvif {

class UpcallQueue {
 public:
  /// `capacity`: in bytes, a multiple of 8.
  explicit UpcallQueue(std::size_t capacity = kUpcallBytes);
  UpcallQueue(const UpcallQueue&) = delete;
  UpcallQueue& operator=(const UpcallQueue&) = delete;

  /// Producer: room for a record of `length` bytes (a multiple of 8) that leaves `spare` bytes, nullptr when there is
  /// none.
  std::uint8_t* reserve(std::size_t length, std::size_t spare = 0);
  /// Producer: the reserved record is complete.
  void commit(std::size_t length);
  /// Producer: a number that advances when all that was written before the round began has been taken. So what
  /// waits was written in two rounds at most.
  std::uint64_t round();

  /// Producer: what follows is written from here on; whether what was written at a position still waits.
  std::uint64_t position() const { return write_; }
  bool waits(std::uint64_t position) const { return position >= tail_.load(std::memory_order_acquire); }

  /// Consumer: the next whole records, contiguous; empty when there are none.
  std::span<const std::uint8_t> front();
  /// Consumer: done with front()'s first `bytes` (whole records).
  void pop(std::size_t bytes);

 private:
  // Positions count bytes without end; the buffer is a ring. A record never wraps: the rest of the
  // ring is skipped instead, from `wrap_` on.
  std::size_t at(std::uint64_t position) const { return position % capacity_; }

  const std::size_t capacity_;
  std::unique_ptr<std::uint8_t[]> buffer_;
  alignas(64) std::atomic<std::uint64_t> head_{0};      // producer: rw, consumer: ro
  std::uint64_t write_ = 0;                             // producer
  std::uint64_t round_ = 0;                             // producer
  std::uint64_t round_end_ = 0;                         // producer
  std::atomic<std::uint64_t> wrap_{~std::uint64_t{0}};  // producer: wo, consumer: ro
  alignas(64) std::atomic<std::uint64_t> tail_{0};      // consumer: rw, producer: ro
};

}  // namespace xvif
