// Memory of rules: many, small, of few sizes. Cut from large pieces (which the system can back with huge pages),
// without a header for each; freed ones are used again for the same size, and a piece of which nothing is in use goes
// back to the system.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace xvif {

class FlowArena {
 public:
  FlowArena() = default;
  ~FlowArena();
  FlowArena(const FlowArena&) = delete;
  FlowArena& operator=(const FlowArena&) = delete;

  /// At most kMax bytes, aligned to 8; nullptr when the system has no more.
  void* take(std::size_t bytes);
  /// What take() gave, and its size.
  void give_back(void* memory, std::size_t bytes);
  /// Taken from the system.
  std::size_t bytes() const { return pieces_ * kPiece; }

  static constexpr std::size_t kMax = 512;

 private:
  static constexpr std::size_t kPiece = 2 * 1024 * 1024;
  static constexpr std::size_t kSizes = kMax / 8 + 1;  // by words
  struct Free {
    Free* next;
  };
  struct Piece;
  /// What is free of one size in a piece; the piece is in the list of that size while there is any.
  struct Shelf {
    Free* first = nullptr;
    Piece* before = nullptr;
    Piece* after = nullptr;
  };
  /// Lies at the beginning of the piece.
  struct Piece {
    std::size_t used = 0;  // given out
    std::array<Shelf, kSizes> shelves{};
  };

  static Piece* piece_of(void* memory) {
    return reinterpret_cast<Piece*>(reinterpret_cast<std::uintptr_t>(memory) & ~(kPiece - 1));
  }
  bool open_piece();
  void close_piece(Piece* piece);
  void enlist(Piece* piece, std::size_t size);
  void delist(Piece* piece, std::size_t size);

  std::array<Piece*, kSizes> with_free_{};  // of each size, a piece that has some
  std::size_t pieces_ = 0;
  Piece* open_ = nullptr;  // what is cut up; it stays
  std::size_t left_ = 0;   // at its end
};

}  // namespace xvif
