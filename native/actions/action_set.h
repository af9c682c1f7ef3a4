// The action set of a packet (OpenFlow 1.3.5 section 5.10): at most one action of each type, set_field counting as one
// type per field, carried out in a fixed order whatever the order in which they were written.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "actions/iterate.h"
#include "actions/modify.h"

namespace xvif {

/// Keeps pointers to the actions: flows and buckets they come from must outlive the packet's way through the tables.
class ActionSet {
 public:
  void clear() {
    slots_used_ = 0;
    fields_used_.fill(0);
  }
  bool empty() const { return (slots_used_ | fields_used_[0] | fields_used_[1]) == 0; }

  /// The write_actions instruction: replaces actions of the same type.
  void write(std::span<const std::uint8_t> actions);

  /// Calls visit(ActionView) in the order of section 5.10: copy TTL in, pop, decap, encap, push MPLS, push PBB, push
  /// VLAN, copy TTL out, decrement TTL, set (load and set_masked count as that), meter, set_queue, then the first there
  /// is of group, output and resubmit. Stops at the first that does not return Verdict::kOk, and returns what it
  /// returned.
  template <typename Visit>
  Verdict for_each(Visit&& visit) const {
    for (std::uint32_t left = slots_used_ & kBeforeFields; left != 0; left &= left - 1) {
      if (Verdict v = visit(ActionView(slots_[std::countr_zero(left)])); v != Verdict::kOk) return v;
    }
    for (std::size_t word = 0; word < kFieldWords; ++word) {
      for (std::uint64_t left = fields_used_[word]; left != 0; left &= left - 1) {
        const std::uint8_t* const at = fields_[word * 64 + static_cast<std::size_t>(std::countr_zero(left))];
        if (Verdict v = visit(ActionView(at)); v != Verdict::kOk) return v;
      }
    }
    std::uint32_t last = slots_used_ & ~kBeforeFields;
    if ((last & bit(kGroup)) != 0) last &= ~bit(kOutput);
    if ((last & (bit(kGroup) | bit(kOutput))) != 0) last &= ~bit(kResubmit);
    for (; last != 0; last &= last - 1) {
      if (Verdict v = visit(ActionView(slots_[std::countr_zero(last)])); v != Verdict::kOk) return v;
    }
    return Verdict::kOk;
  }

  std::optional<ActionView> output() const { return slot(kOutput); }
  std::optional<ActionView> group() const { return slot(kGroup); }
  std::optional<ActionView> queue() const { return slot(kQueue); }

 private:
  /// In the order of execution. Of the pops VLAN comes first, being the outermost; "set" holds the TTL setters too.
  enum Slot : unsigned {
    kCopyTtlIn,
    kPopVlan,
    kPopMpls,
    kPopPbb,
    kDecap,
    kEncap,
    kPushMpls,
    kPushPbb,
    kPushVlan,
    kCopyTtlOut,
    kDecMplsTtl,
    kDecNwTtl,
    kDecNshTtl,
    kSetMplsTtl,
    kSetNwTtl,
    kMeter,
    kQueue,
    kGroup,
    kOutput,
    kResubmit,
    kSlots,
  };
  static constexpr std::uint32_t bit(Slot slot) { return 1u << slot; }
  static constexpr std::uint32_t kBeforeFields = (1u << kMeter) - 1;
  static Slot slot_of(Action action);
  std::optional<ActionView> slot(Slot which) const {
    if ((slots_used_ & bit(which)) == 0) return std::nullopt;
    return ActionView(slots_[which]);
  }

  // Only places whose bit is set hold a pointer, so that clear() costs two stores.
  std::uint32_t slots_used_ = 0;
  static constexpr std::size_t kFieldWords = (kFields + 63) / 64;
  static_assert(kFieldWords == 2);
  std::array<std::uint64_t, kFieldWords> fields_used_{};
  std::array<const std::uint8_t*, kSlots> slots_;
  std::array<const std::uint8_t*, kFields> fields_;
};

/// Valid actions brought into the order and uniqueness of an action set. Group buckets hold action sets: done once
/// when the group is made, a bucket is then carried out as a plain list.
std::vector<std::uint8_t> ordered_as_set(std::span<const std::uint8_t> actions);

}  // namespace xvif
