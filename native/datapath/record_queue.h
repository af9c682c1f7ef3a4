// Upcall records that wait for JavaScript.
#pragma once

#include <cstdint>
#include <cstring>
#include <vector>

namespace xvif {

/// Whole records, each with its length at byte 4 (docs/native-boundary.md). Not thread-safe.
class RecordQueue {
 public:
  /// Where a RecordWriter appends.
  std::vector<std::uint8_t>& bytes() { return bytes_; }
  /// Bytes that wait.
  std::size_t size() const { return bytes_.size() - taken_; }

  /// Moves whole records to the end of `out` until `limit` bytes are reached. True when more wait.
  bool take(std::vector<std::uint8_t>& out, std::size_t limit) {
    std::size_t end = taken_;
    while (end < bytes_.size() && end - taken_ < limit) {
      std::uint32_t length;
      std::memcpy(&length, bytes_.data() + end + 4, sizeof length);
      end += length;
    }
    const auto at = [this](std::size_t position) { return bytes_.begin() + static_cast<std::ptrdiff_t>(position); };
    out.insert(out.end(), at(taken_), at(end));
    taken_ = end;
    if (taken_ * 2 >= bytes_.size()) {  // so a byte is moved once at most, on average
      bytes_.erase(bytes_.begin(), at(taken_));
      taken_ = 0;
    }
    return !bytes_.empty();
  }

 private:
  std::vector<std::uint8_t> bytes_;
  std::size_t taken_ = 0;
};

}  // namespace xvif
