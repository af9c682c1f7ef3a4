#include "pipeline/flow_arena.h"

#include <sys/mman.h>

#include <cstdlib>

#include "base/assert.h"

#ifdef __has_feature
#define XVIF_HAS_FEATURE(x) __has_feature(x)
#else
#define XVIF_HAS_FEATURE(x) 0
#endif

namespace xvif {
namespace {

/// So that the address sanitizer sees each rule by itself.
#if defined(__SANITIZE_ADDRESS__) || XVIF_HAS_FEATURE(address_sanitizer)
constexpr bool kByMalloc = true;
#else
constexpr bool kByMalloc = false;
#endif

}  // namespace

FlowArena::~FlowArena() {
  for (void* piece : pieces_) std::free(piece);
}

void* FlowArena::take(std::size_t bytes) {
  XVIF_ASSERT(bytes <= kMax && bytes % 8 == 0);
  if constexpr (kByMalloc) return std::malloc(bytes);
  Free*& first = free_[bytes / 8];
  if (first != nullptr) {
    Free* const taken = first;
    first = taken->next;
    return taken;
  }
  if (left_ < bytes) {
    // What is left of the last piece is lost: at most kMax bytes of 2 MiB.
    void* const piece = std::aligned_alloc(kPiece, kPiece);
    if (piece == nullptr) return nullptr;
    madvise(piece, kPiece, MADV_HUGEPAGE);
    pieces_.push_back(piece);
    piece_ = static_cast<std::uint8_t*>(piece);
    left_ = kPiece;
  }
  void* const taken = piece_;
  piece_ += bytes;
  left_ -= bytes;
  return taken;
}

void FlowArena::give_back(void* memory, std::size_t bytes) {
  if constexpr (kByMalloc) return std::free(memory);
  auto* const freed = static_cast<Free*>(memory);
  freed->next = free_[bytes / 8];
  free_[bytes / 8] = freed;
}

}  // namespace xvif
