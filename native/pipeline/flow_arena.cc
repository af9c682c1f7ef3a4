#include "pipeline/flow_arena.h"

#include <sys/mman.h>

#include <cstdlib>
#include <new>

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

/// `bytes`, a power of two and a multiple of the page size, aligned to itself; nullptr when there are no more.
void* map_aligned(std::size_t bytes) {
  void* const mapped = mmap(nullptr, 2 * bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) return nullptr;
  auto* const first = static_cast<std::uint8_t*>(mapped);
  const std::size_t before = -reinterpret_cast<std::uintptr_t>(mapped) & (bytes - 1);
  if (before > 0) munmap(first, before);
  munmap(first + before + bytes, bytes - before);
  return first + before;
}

}  // namespace

FlowArena::~FlowArena() {
  // What was given out is its owners'; they have given it back, so no other piece is left.
  XVIF_ASSERT(pieces_ == (open_ == nullptr ? 0 : 1) && (open_ == nullptr || open_->used == 0));
  if (open_ != nullptr) munmap(open_, kPiece);
}

void* FlowArena::take(std::size_t bytes) {
  XVIF_ASSERT(bytes <= kMax && bytes % 8 == 0);
  if constexpr (kByMalloc) return std::malloc(bytes);
  const std::size_t size = bytes / 8;
  if (Piece* const piece = with_free_[size]) {
    Shelf& shelf = piece->shelves[size];
    Free* const taken = shelf.first;
    shelf.first = taken->next;
    if (shelf.first == nullptr) delist(piece, size);
    ++piece->used;
    return taken;
  }
  if (left_ < bytes && !open_piece()) return nullptr;
  void* const taken = reinterpret_cast<std::uint8_t*>(open_) + kPiece - left_;
  left_ -= bytes;
  ++open_->used;
  return taken;
}

void FlowArena::give_back(void* memory, std::size_t bytes) {
  if constexpr (kByMalloc) return std::free(memory);
  const std::size_t size = bytes / 8;
  Piece* const piece = piece_of(memory);
  Shelf& shelf = piece->shelves[size];
  auto* const freed = static_cast<Free*>(memory);
  freed->next = shelf.first;
  shelf.first = freed;
  if (freed->next == nullptr) enlist(piece, size);
  if (--piece->used == 0 && piece != open_) close_piece(piece);
}

bool FlowArena::open_piece() {
  void* const memory = map_aligned(kPiece);
  if (memory == nullptr) return false;
  madvise(memory, kPiece, MADV_HUGEPAGE);
  ++pieces_;
  // What is left of the last piece is lost until it goes: at most kMax bytes of 2 MiB.
  Piece* const last = open_;
  open_ = new (memory) Piece;
  left_ = kPiece - sizeof(Piece);
  if (last != nullptr && last->used == 0) close_piece(last);
  return true;
}

void FlowArena::close_piece(Piece* piece) {
  for (std::size_t size = 0; size < kSizes; ++size) {
    if (piece->shelves[size].first != nullptr) delist(piece, size);
  }
  munmap(piece, kPiece);
  --pieces_;
}

void FlowArena::enlist(Piece* piece, std::size_t size) {
  Shelf& shelf = piece->shelves[size];
  shelf.before = nullptr;
  shelf.after = with_free_[size];
  if (shelf.after != nullptr) shelf.after->shelves[size].before = piece;
  with_free_[size] = piece;
}

void FlowArena::delist(Piece* piece, std::size_t size) {
  Shelf& shelf = piece->shelves[size];
  (shelf.before == nullptr ? with_free_[size] : shelf.before->shelves[size].after) = shelf.after;
  if (shelf.after != nullptr) shelf.after->shelves[size].before = shelf.before;
}

}  // namespace xvif
