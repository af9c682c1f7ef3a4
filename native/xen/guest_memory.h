// Copies from and to memory that a guest may write at any moment. The race is intended and harmless: whoever uses
// the copy validates the copy. ThreadSanitizer is told so; its memcpy interceptor would not be, hence the loop.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#if defined(__SANITIZE_THREAD__)
#define XVIF_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define XVIF_TSAN 1
#endif
#endif

namespace xvif::xen {

#ifdef XVIF_TSAN
__attribute__((no_sanitize("thread"), noinline)) inline void copy_shared(void* to, const void* from,
                                                                         std::size_t bytes) {
  auto* out = static_cast<volatile std::uint8_t*>(to);
  const auto* in = static_cast<const volatile std::uint8_t*>(from);
  for (std::size_t i = 0; i < bytes; ++i) out[i] = in[i];
}
#else
inline void copy_shared(void* to, const void* from, std::size_t bytes) { std::memcpy(to, from, bytes); }
#endif

}  // namespace xvif::xen
