// Unaligned loads and stores in network order. The caller has checked the bounds.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

namespace xvif {

static_assert(std::endian::native == std::endian::little, "record layouts and rings assume a little-endian host");

inline std::uint16_t load_be16(const void* at) {
  std::uint16_t v;
  std::memcpy(&v, at, sizeof v);
  return __builtin_bswap16(v);
}
inline std::uint32_t load_be32(const void* at) {
  std::uint32_t v;
  std::memcpy(&v, at, sizeof v);
  return __builtin_bswap32(v);
}
inline std::uint64_t load_be64(const void* at) {
  std::uint64_t v;
  std::memcpy(&v, at, sizeof v);
  return __builtin_bswap64(v);
}
inline void store_be16(void* at, std::uint16_t v) {
  v = __builtin_bswap16(v);
  std::memcpy(at, &v, sizeof v);
}
inline void store_be32(void* at, std::uint32_t v) {
  v = __builtin_bswap32(v);
  std::memcpy(at, &v, sizeof v);
}
inline void store_be64(void* at, std::uint64_t v) {
  v = __builtin_bswap64(v);
  std::memcpy(at, &v, sizeof v);
}

}  // namespace xvif
