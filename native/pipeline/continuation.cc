#include "pipeline/continuation.h"

#include <algorithm>
#include <cstring>

#include "actions/validate.h"
#include "base/limits.h"

namespace xvif {
namespace {

constexpr std::size_t kHead = 8;
constexpr std::size_t kFrameHead = 16;
constexpr std::size_t kListHead = 8;
constexpr std::uint8_t kTop = 1;
constexpr std::uint8_t kSetDone = 2;

template <typename T>
void put(std::vector<std::uint8_t>& out, std::size_t at, T value) {
  std::memcpy(out.data() + at, &value, sizeof value);
}

void append(std::vector<std::uint8_t>& out, std::span<const std::uint8_t> bytes) {
  out.insert(out.end(), bytes.begin(), bytes.end());
}

std::optional<ContinuationFrame> take_frame(std::span<const std::uint8_t>& bytes) {
  if (bytes.size() < kFrameHead) return std::nullopt;
  const std::size_t length = load_host<std::uint32_t>(bytes.data());
  if (length < kFrameHead || length % 8 != 0 || length > bytes.size()) return std::nullopt;
  const ContinuationFrame frame{bytes[4], load_host<std::uint64_t>(bytes.data() + 8),
                                bytes.subspan(kFrameHead, length - kFrameHead)};
  const bool zero = std::all_of(bytes.begin() + 5, bytes.begin() + 8, [](std::uint8_t byte) { return byte == 0; });
  if (!zero || frame.table >= kTables || validate_instructions(frame.instructions) != Status::kOk) return std::nullopt;
  bytes = bytes.subspan(length);
  return frame;
}

}  // namespace

std::optional<Continuation> read_continuation(std::span<const std::uint8_t> bytes) {
  if (bytes.size() < kHead || bytes.size() > kContinuationMax || bytes.size() % 8 != 0) return std::nullopt;
  const std::uint8_t flags = bytes[0];
  const std::size_t stack = bytes[1] * sizeof(WideNumber), set = load_host<std::uint32_t>(bytes.data() + 4);
  if (flags > (kTop | kSetDone) || bytes[1] > kStackMax || bytes[2] != 0 || bytes[3] != 0) return std::nullopt;
  std::span<const std::uint8_t> rest = bytes.subspan(kHead);
  if (set % 8 != 0 || set > rest.size() || stack > rest.size() - set) return std::nullopt;
  Continuation found{.top = (flags & kTop) != 0,
                     .set_done = (flags & kSetDone) != 0,
                     .stack = rest.first(stack),
                     .set = rest.subspan(stack, set),
                     .frames = {}};
  if (validate_action_set(found.set) != Status::kOk) return std::nullopt;
  for (rest = rest.subspan(stack + set); !rest.empty();) {
    const auto frame = take_frame(rest);
    if (!frame) return std::nullopt;
    found.frames.push_back(*frame);
  }
  return found;
}

void ContinuationWriter::clear() {
  frames_.clear();
  frame_ = 0;
}

void ContinuationWriter::keep_actions(std::uint8_t table, std::uint64_t cookie, std::span<const std::uint8_t> rest) {
  frame_ = frames_.size();
  // Beyond the limit it will not be used.
  if (frames_.size() > kContinuationMax) return;
  frames_.resize(frame_ + kFrameHead);
  frames_[frame_ + 4] = table;
  put(frames_, frame_ + 8, cookie);
  if (!rest.empty()) {
    const std::size_t at = frames_.size();
    frames_.resize(at + kListHead);
    frames_[at] = static_cast<std::uint8_t>(Instruction::kApplyActions);
    put(frames_, at + 2, static_cast<std::uint16_t>(kListHead + rest.size()));
    append(frames_, rest);
  }
  put(frames_, frame_, static_cast<std::uint32_t>(frames_.size() - frame_));
}

void ContinuationWriter::keep_instructions(const InstructionSet& set) {
  if (frames_.size() > kContinuationMax) return;
  for (const InstructionView instruction : Instructions(set.bytes())) {
    const Instruction code = instruction.code();
    const bool ahead = code > Instruction::kApplyActions && code <= Instruction::kGotoTable;
    if (ahead) append(frames_, {instruction.at(), instruction.length()});
  }
  put(frames_, frame_, static_cast<std::uint32_t>(frames_.size() - frame_));
}

void ContinuationWriter::keep_frame(const ContinuationFrame& frame) {
  keep_actions(frame.table, frame.cookie, {});
  if (frames_.size() > kContinuationMax) return;
  append(frames_, frame.instructions);
  put(frames_, frame_, static_cast<std::uint32_t>(frames_.size() - frame_));
}

std::span<const std::uint8_t> ContinuationWriter::finish(bool top, bool set_done, std::span<const WideNumber> stack,
                                                         std::span<const std::uint8_t> set) {
  whole_.assign(kHead, 0);
  whole_[0] = static_cast<std::uint8_t>((top ? kTop : 0) | (set_done ? kSetDone : 0));
  whole_[1] = static_cast<std::uint8_t>(stack.size());
  put(whole_, 4, static_cast<std::uint32_t>(set.size()));
  for (const WideNumber& value : stack) append(whole_, value);
  append(whole_, set);
  append(whole_, frames_);
  if (whole_.size() > kContinuationMax) whole_.clear();
  return whole_;
}

}  // namespace xvif
