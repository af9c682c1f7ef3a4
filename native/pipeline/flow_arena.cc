#include "pipeline/flow_arena.h"

#include <sys/mman.h>

#include <cstdlib>

#include "base/assert.h"

#if defined(__SANITIZE_ADDRESS__)
#define XVIF_ARENA_MALLOC 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define XVIF_ARENA_MALLOC 1
#endif
#endif

namespace xvif {

FlowArena::~FlowArena() {
  for (void* piece : pieces_) std::free(piece);
}

#ifdef XVIF_ARENA_MALLOC

// So that the sanitizer sees each rule by itself.
void* FlowArena::take(std::size_t bytes) { return std::malloc(bytes); }
void FlowArena::give_back(void* memory, std::size_t) { std::free(memory); }

#else

void* FlowArena::take(std::size_t bytes) {
  XVIF_ASSERT(bytes <= kMax && bytes % 8 == 0);
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
  auto* const freed = static_cast<Free*>(memory);
  freed->next = free_[bytes / 8];
  free_[bytes / 8] = freed;
}

#endif

}  // namespace xvif
