// A packet whose way through the tables was interrupted (the controller action's pause), as bytes that stand alone:
// they refer to no flow, so that the packet goes on whatever became of those.
//
// Layout, in host order; sections follow each other, each a multiple of 8 bytes:
//   0 flags u8 (kTop, kSetDone), 1 values on the stack u8, 2 zero u16, 4 bytes of the action set u32
//   stack: 16 bytes each, the lowest first; action set: actions; then frames, the innermost first:
//     0 length u32, 4 table u8, 5 zero[3], 8 cookie u64, 16 instructions: what is left of the flow's
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "actions/subfield.h"
#include "pipeline/instructions.h"

namespace xvif {

struct ContinuationFrame {
  std::uint8_t table;
  std::uint64_t cookie;
  std::span<const std::uint8_t> instructions;
};

/// Views of the bytes.
struct Continuation {
  bool top = false;       // the last frame is of a flow that no action led to: its goto is not a resubmit
  bool set_done = false;  // the action set is being carried out, or there is none for the packet
  std::span<const std::uint8_t> stack;
  std::span<const std::uint8_t> set;
  std::vector<ContinuationFrame> frames;
};

/// nullopt: not one.
std::optional<Continuation> read_continuation(std::span<const std::uint8_t> bytes);

/// Writes one from the inside out, while lists of actions are left.
class ContinuationWriter {
 public:
  void clear();
  /// What is left of a list of actions.
  void keep_actions(std::uint8_t table, std::uint64_t cookie, std::span<const std::uint8_t> rest);
  /// And of the instructions of the flow whose list that is.
  void keep_instructions(const InstructionSet& set);
  /// A list around these that was left before.
  void keep_frame(const ContinuationFrame& frame);
  /// Those bytes; empty when there were too many. Valid until the next call of any function.
  std::span<const std::uint8_t> finish(bool top, bool set_done, std::span<const WideNumber> stack,
                                       std::span<const std::uint8_t> set);

 private:
  std::vector<std::uint8_t> frames_;
  std::vector<std::uint8_t> whole_;
  std::size_t frame_ = 0;  // where the last begins
};

}  // namespace xvif
