// Typed views of binary actions and instructions (native/schema/schema.mjs). What they look at has passed
// validate_actions() or validate_instructions(), so nothing is checked again.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/schema.gen.h"

namespace xvif {

/// Actions and instructions begin alike: code, zero, length of the whole in host order.
inline constexpr std::size_t kActionHeader = 4;

template <typename T>
T load_host(const std::uint8_t* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

/// Bits `offset` to `offset + bits - 1` of a field, the lowest being 0.
struct Subfield {
  Field field;
  std::uint16_t offset;
  std::uint16_t bits;
};

/// A specification of a learn action: what it makes of the packet for the flow that is learned.
class LearnSpecView {
 public:
  explicit LearnSpecView(const std::uint8_t* at) : at_(at) {}

  LearnUse use() const { return static_cast<LearnUse>(at_[0]); }
  bool immediate() const { return at_[1] != 0; }
  /// match, load
  Subfield destination() const { return subfield_at(8); }
  /// Not immediate
  Subfield source() const { return subfield_at(16); }
  /// Immediate: ceil(destination().bits/8) bytes in network order
  const std::uint8_t* value() const { return at_ + 16; }
  std::size_t length() const { return immediate() ? 16 + (destination().bits + 63u) / 64 * 8 : 24u; }

 private:
  Subfield subfield_at(std::size_t offset) const {
    return {static_cast<Field>(at_[offset]), load_host<std::uint16_t>(at_ + offset + 2),
            load_host<std::uint16_t>(at_ + offset + 4)};
  }

  const std::uint8_t* at_;
};

class ActionView {
 public:
  explicit ActionView(const std::uint8_t* at) : at_(at) {}

  Action code() const { return static_cast<Action>(at_[0]); }
  std::uint16_t length() const { return load_host<std::uint16_t>(at_ + 2); }
  std::span<const std::uint8_t> bytes() const { return {at_, length()}; }

  /// output
  PortNo port() const { return PortNo{load_host<std::uint32_t>(at_ + 4)}; }
  std::uint16_t max_len() const { return load_host<std::uint16_t>(at_ + 8); }
  /// group
  std::uint32_t group() const { return load_host<std::uint32_t>(at_ + 4); }
  /// set_queue
  std::uint32_t queue() const { return load_host<std::uint32_t>(at_ + 4); }
  /// push_vlan, push_mpls, push_pbb, pop_mpls
  std::uint16_t ethertype() const { return load_host<std::uint16_t>(at_ + 4); }
  /// push_vlan: a packet that has a tag is left alone
  bool only_untagged() const { return at_[6] != 0; }
  /// set_mpls_ttl, set_nw_ttl
  std::uint8_t ttl() const { return at_[4]; }
  /// set_field: the value has field_bytes(field()) bytes, in network order
  Field field() const { return static_cast<Field>(at_[4]); }
  const std::uint8_t* value() const { return at_ + 8; }

  /// load, output_reg, stack_push, stack_pop, check_pkt_larger; the source of move
  Subfield subfield() const { return subfield_at(8); }
  /// The destination of move, multipath, bundle (bits 0: none)
  Subfield destination() const { return subfield_at(16); }
  /// load: ceil(bits/8) bytes in network order
  const std::uint8_t* load_value() const { return at_ + 16; }
  /// resubmit: the ingress port that the look-up sees, ReservedPort::kInPort for the packet's own
  PortNo resubmit_port() const { return port(); }
  /// resubmit: kAllTables for the one that the action is in
  std::uint8_t resubmit_table() const { return at_[8]; }
  /// output_reg, controller
  std::uint16_t controller_max_len() const { return load_host<std::uint16_t>(at_ + 4); }
  /// clone
  std::span<const std::uint8_t> nested() const { return {at_ + 8, length() - 8u}; }
  /// controller
  std::uint16_t controller_id() const { return load_host<std::uint16_t>(at_ + 6); }
  std::uint8_t reason() const { return at_[8]; }
  /// controller: the packet stops here until it is resumed
  bool pauses() const { return at_[9] != 0; }
  std::span<const std::uint8_t> userdata() const { return {at_ + 16, load_host<std::uint16_t>(at_ + 10)}; }
  /// dec_nw_ttl_ids, bundle: how many ids or ports
  std::uint16_t count() const { return load_host<std::uint16_t>(at_ + 4); }
  /// dec_nw_ttl_ids
  std::uint16_t id(std::size_t i) const { return load_host<std::uint16_t>(at_ + 8 + 2 * i); }
  /// check_pkt_larger
  std::uint16_t packet_length() const { return load_host<std::uint16_t>(at_ + 4); }
  /// multipath, bundle: NX_HASH_FIELDS and basis
  std::uint16_t hash_fields() const { return load_host<std::uint16_t>(at_ + 8); }
  std::uint16_t hash_basis() const { return load_host<std::uint16_t>(at_ + 10); }
  /// multipath: number of links; bundle: NX_BD_ALG
  std::uint32_t links() const { return load_host<std::uint16_t>(at_ + 4) + 1u; }
  /// NX_MP_ALG, NX_BD_ALG
  std::uint16_t algorithm() const { return load_host<std::uint16_t>(at_ + 6); }
  std::uint32_t multipath_argument() const { return load_host<std::uint32_t>(at_ + 12); }
  /// bundle
  PortNo member(std::size_t i) const { return PortNo{load_host<std::uint32_t>(at_ + 24 + 4 * i)}; }

  /// meter
  std::uint32_t meter() const { return load_host<std::uint32_t>(at_ + 4); }
  /// set_masked: behind the value
  const std::uint8_t* mask() const { return value() + at_[5]; }

  /// controller: 0 none
  std::uint32_t controller_meter() const { return load_host<std::uint32_t>(at_ + 12); }
  /// output_trunc
  std::uint32_t truncated_bytes() const { return load_host<std::uint32_t>(at_ + 8); }
  /// fin_timeout, learn: s, 0 none
  std::uint16_t idle_timeout() const { return load_host<std::uint16_t>(at_ + 4); }
  std::uint16_t hard_timeout() const { return load_host<std::uint16_t>(at_ + 6); }
  /// sample: in 65535ths
  std::uint16_t probability() const { return load_host<std::uint16_t>(at_ + 4); }
  std::uint32_t collector_set() const { return load_host<std::uint32_t>(at_ + 8); }
  /// learn
  std::uint64_t learn_cookie() const { return load_host<std::uint64_t>(at_ + 8); }
  std::uint16_t learn_priority() const { return load_host<std::uint16_t>(at_ + 16); }
  bool learn_has(LearnFlag flag) const {
    return (load_host<std::uint16_t>(at_ + 18) & static_cast<unsigned>(flag)) != 0;
  }
  std::uint16_t fin_idle_timeout() const { return load_host<std::uint16_t>(at_ + 20); }
  std::uint16_t fin_hard_timeout() const { return load_host<std::uint16_t>(at_ + 22); }
  /// learn: most flows that the table may hold with the cookie, 0 any number
  std::uint32_t learn_limit() const { return load_host<std::uint32_t>(at_ + 24); }
  std::uint8_t learn_table() const { return at_[28]; }
  Subfield learn_result() const { return subfield_at(32); }
  std::span<const std::uint8_t> learn_specs() const { return {at_ + 40, length() - 40u}; }

  /// encap, decap
  std::uint32_t packet_type() const { return load_host<std::uint32_t>(at_ + 4); }
  /// encap with NSH: 0 for the default; context headers as they are on the wire
  std::uint8_t md_type() const { return at_[8]; }
  std::span<const std::uint8_t> context() const { return {at_ + 16, load_host<std::uint16_t>(at_ + 10)}; }

  /// conjunction
  std::uint32_t conjunction() const { return load_host<std::uint32_t>(at_ + 4); }
  unsigned clause() const { return at_[8]; }
  unsigned clauses() const { return at_[9]; }

  const std::uint8_t* at() const { return at_; }

 private:
  Subfield subfield_at(std::size_t offset) const {
    return {static_cast<Field>(at_[offset]), load_host<std::uint16_t>(at_ + offset + 2),
            load_host<std::uint16_t>(at_ + offset + 4)};
  }

  const std::uint8_t* at_;
};

class InstructionView {
 public:
  explicit InstructionView(const std::uint8_t* at) : at_(at) {}

  Instruction code() const { return static_cast<Instruction>(at_[0]); }
  std::uint16_t length() const { return load_host<std::uint16_t>(at_ + 2); }

  /// meter
  std::uint32_t meter() const { return load_host<std::uint32_t>(at_ + 4); }
  /// apply_actions, write_actions
  std::span<const std::uint8_t> actions() const { return {at_ + kActionHeader + 4, length() - kActionHeader - 4u}; }
  /// write_metadata
  std::uint64_t metadata() const { return load_be64(at_ + 8); }
  std::uint64_t metadata_mask() const { return load_be64(at_ + 16); }
  /// goto_table
  std::uint8_t table() const { return at_[4]; }
  /// stat_trigger: StatTriggerFlag; thresholds of what and at which value
  std::uint8_t trigger_flags() const { return at_[4]; }
  std::size_t thresholds() const { return (length() - 8u) / 16; }
  Stat threshold_stat(std::size_t i) const { return static_cast<Stat>(at_[8 + 16 * i]); }
  std::uint64_t threshold_value(std::size_t i) const { return load_host<std::uint64_t>(at_ + 16 + 16 * i); }

  const std::uint8_t* at() const { return at_; }

 private:
  const std::uint8_t* at_;
};

/// `for (ActionView action : Actions(bytes))`, and the same with Instructions.
template <typename View>
class ViewRange {
 public:
  explicit ViewRange(std::span<const std::uint8_t> bytes) : begin_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  class Iterator {
   public:
    explicit Iterator(const std::uint8_t* at) : at_(at) {}
    View operator*() const { return View(at_); }
    Iterator& operator++() {
      at_ += View(at_).length();
      return *this;
    }
    bool operator==(const Iterator&) const = default;

   private:
    const std::uint8_t* at_;
  };
  Iterator begin() const { return Iterator(begin_); }
  Iterator end() const { return Iterator(end_); }
  bool empty() const { return begin_ == end_; }

 private:
  const std::uint8_t* begin_;
  const std::uint8_t* end_;
};
using Actions = ViewRange<ActionView>;
using Instructions = ViewRange<InstructionView>;
using LearnSpecs = ViewRange<LearnSpecView>;

}  // namespace xvif
