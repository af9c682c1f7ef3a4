// XVIF_ASSERT states what only a bug of ours can break; it stays on in release. Nothing that a guest, a controller
// or a file contains may decide its outcome.
#pragma once

#include <cstdio>
#include <cstdlib>

#define XVIF_ASSERT(condition)                                                               \
  do {                                                                                       \
    if (!(condition)) [[unlikely]] {                                                         \
      std::fprintf(stderr, "%s:%d: broken invariant: %s\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                                          \
    }                                                                                        \
  } while (false)
