// Memory of rules: many, small, of few sizes. Cut from large pieces (which the system can back with huge pages),
// without a header for each; freed ones are used again for the same size.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace xvif {

class FlowArena {
 public:
  FlowArena() = default;
  ~FlowArena();
  FlowArena(const FlowArena&) = delete;
  FlowArena& operator=(const FlowArena&) = delete;

  /// At most kMax bytes, aligned to 8; nullptr when the system has no more.
  void* take(std::size_t bytes);
  void give_back(void* memory, std::size_t bytes);
  /// Taken from the system.
  std::size_t bytes() const { return pieces_.size() * kPiece; }

  static constexpr std::size_t kMax = 512;

 private:
  static constexpr std::size_t kPiece = 2 * 1024 * 1024;
  struct Free {
    Free* next;
  };

  std::array<Free*, kMax / 8 + 1> free_{};  // by size in words
  std::vector<void*> pieces_;
  std::uint8_t* piece_ = nullptr;  // the rest of the last one
  std::size_t left_ = 0;
};

}  // namespace xvif
