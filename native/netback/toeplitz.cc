#include "netback/toeplitz.h"

#include <algorithm>

namespace xvif::netback {

Toeplitz::Toeplitz(std::span<const std::uint8_t> key) {
  std::array<std::uint8_t, kHashKeyMax> bytes{};
  std::copy_n(key.begin(), std::min(key.size(), bytes.size()), bytes.begin());
  // The 32 key bits that an input bit adds begin at the place of that bit.
  const auto window = [&](std::size_t bit) {
    std::uint64_t five = 0;
    for (std::size_t i = 0; i < 5; ++i) five = five << 8 | (bit / 8 + i < bytes.size() ? bytes[bit / 8 + i] : 0u);
    return static_cast<std::uint32_t>(five >> (8 - bit % 8));
  };
  for (std::size_t half = 0; half < table_.size(); ++half) {
    for (std::size_t value = 1; value < 16; ++value) {
      for (std::size_t bit = 0; bit < 4; ++bit) {
        if ((value & (8u >> bit)) != 0) table_[half][value] ^= window(half * 4 + bit);
      }
    }
  }
}

}  // namespace xvif::netback
