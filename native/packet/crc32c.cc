#include "packet/crc32c.h"

#include <array>
#include <cstring>

#ifdef __SSE4_2__
#include <nmmintrin.h>
#endif

namespace xvif {

namespace {

/// Castagnoli's polynomial, the coefficient of x^0 in the highest bit.
constexpr std::uint32_t kPolynomial = 0x82f63b78u;

/// The state times x, modulo the polynomial.
constexpr std::uint32_t times_x(std::uint32_t state) { return (state >> 1) ^ ((state & 1) != 0 ? kPolynomial : 0); }

constexpr std::uint32_t multiply(std::uint32_t a, std::uint32_t b) {
  std::uint32_t product = 0;
  for (std::uint32_t bit = 0x80000000u; bit != 0; bit >>= 1, b = times_x(b)) {
    if ((a & bit) != 0) product ^= b;
  }
  return product;
}

/// [n] = x^(8 * 2^n): 2^n zero bytes further.
constexpr auto kZeroBytes = [] {
  std::array<std::uint32_t, 32> powers{};
  powers[0] = 0x80000000u >> 8;
  for (std::size_t n = 1; n < powers.size(); ++n) powers[n] = multiply(powers[n - 1], powers[n - 1]);
  return powers;
}();

#ifndef __SSE4_2__
constexpr auto kTable = [] {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t byte = 0; byte < table.size(); ++byte) {
    std::uint32_t state = byte;
    for (int i = 0; i < 8; ++i) state = times_x(state);
    table[byte] = state;
  }
  return table;
}();
#endif

/// The register after `bytes`, without inversion at either end.
std::uint32_t advance(std::uint32_t state, std::span<const std::uint8_t> bytes) {
  const std::uint8_t* at = bytes.data();
  std::size_t left = bytes.size();
#ifdef __SSE4_2__
  for (; left >= 8; left -= 8, at += 8) {
    std::uint64_t word;
    std::memcpy(&word, at, sizeof word);
    state = static_cast<std::uint32_t>(_mm_crc32_u64(state, word));
  }
  for (; left != 0; --left) state = _mm_crc32_u8(state, *at++);
#else
  for (; left != 0; --left) state = (state >> 8) ^ kTable[(state ^ *at++) & 0xff];
#endif
  return state;
}

}  // namespace

std::uint32_t crc32c(std::uint32_t crc, std::span<const std::uint8_t> bytes) { return ~advance(~crc, bytes); }

std::uint32_t crc32c_change(std::uint32_t difference, std::size_t after) {
  std::uint8_t bytes[4];
  std::memcpy(bytes, &difference, sizeof bytes);
  std::uint32_t state = advance(0, bytes);
  for (std::size_t n = 0; after != 0 && n < kZeroBytes.size(); ++n, after >>= 1) {
    if ((after & 1) != 0) state = multiply(kZeroBytes[n], state);
  }
  return state;
}

}  // namespace xvif
