// The Toeplitz hash of receive side scaling, by tables: two look-ups per byte of input.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace xvif::netback {

/// Longest key: 40 bytes cover 36 bytes of input, IPv6 addresses and ports. Linux' limit too.
inline constexpr std::size_t kHashKeyMax = 40;

class Toeplitz {
 public:
  static constexpr std::size_t kInputMax = kHashKeyMax - 4;

  /// Key bytes that are not given are zero; at most kHashKeyMax count.
  explicit Toeplitz(std::span<const std::uint8_t> key);
  /// Of at most kInputMax bytes, in network order.
  std::uint32_t hash(std::span<const std::uint8_t> bytes) const {
    std::uint32_t value = 0;
    const std::size_t count = bytes.size() < kInputMax ? bytes.size() : kInputMax;
    for (std::size_t i = 0; i < count; ++i) {
      value ^= table_[2 * i][bytes[i] >> 4] ^ table_[2 * i + 1][bytes[i] & 15];
    }
    return value;
  }

 private:
  std::array<std::array<std::uint32_t, 16>, 2 * kInputMax> table_{};  // by half byte of input, high one first
};

}  // namespace xvif::netback
