// A flow entry: a rule with instructions, cookie, timeouts and counters.
#pragma once

#include <atomic>
#include <cstdint>

#include "classifier/rule.h"
#include "classifier/table.h"
#include "pipeline/counters.h"
#include "pipeline/instructions.h"
#include "pipeline/mods.h"

namespace xvif {

/// All but what Rule says otherwise is immutable once published: a modified flow is a new Flow which shares the
/// counter.
struct Flow : Rule {
  const InstructionSet* instructions = nullptr;
  CounterId counter = kNoCounter;
  std::uint32_t timer = 0;     // control; serial of its entry in Expiry, 0 none
  std::uint32_t eviction = 0;  // control; serial of its entry in Eviction, 0 none
  std::uint64_t cookie = 0;
  std::uint64_t created_ns = 0;
  std::uint64_t changed_ns = 0;    // when it was modified last, or made
  std::uint64_t born = 0;          // version in which it appeared; `added` is that of its last change
  std::uint16_t idle_timeout = 0;  // control: rw, s; others by timeouts()
  std::uint16_t hard_timeout = 0;
  std::uint16_t flags = 0;
  std::uint16_t importance = 0;
  bool shares_counter = false;  // control; its counter went on to the flow that replaced it
  /// The hard timeout counts from so many of these steps after the flow was made. Any thread.
  static constexpr std::uint64_t kRefreshStepNs = 64'000'000;
  mutable std::atomic<std::uint32_t> refreshed{0};

  struct Timeouts {
    std::uint16_t idle;
    std::uint16_t hard;
  };
  /// Any data plane thread.
  Timeouts timeouts() const;
  /// Control thread: neither is longer than asked, 0 asking nothing. False: they were not anyway.
  bool shorten(std::uint16_t idle, std::uint16_t hard);
  /// Any thread: what a learn action would have made is there already.
  void refresh(std::uint64_t now_ns) const;
  std::uint64_t refreshed_ns() const { return created_ns + refreshed.load(std::memory_order_relaxed) * kRefreshStepNs; }

  bool has(FlowFlag flag) const { return (flags & static_cast<unsigned>(flag)) != 0; }
  /// Filters of modify, delete and statistics; ports and groups: any.
  bool passes(std::uint64_t filter_cookie, std::uint64_t cookie_mask, std::uint32_t out_port,
              std::uint32_t out_group) const;
  /// Priority 0 and no match (section 5.4).
  bool is_table_miss() const { return priority == 0 && words == 0; }
};

/// A flow as it is read out.
struct FlowView {
  const Flow& flow;
  std::uint64_t packets;  // 0 when the flow does not count them
  std::uint64_t bytes;
  std::uint64_t duration_ns;
  std::uint64_t idle_ns;       // since the last packet, or since it was made
  std::uint64_t unchanged_ns;  // since it was modified, or made
  FlowKey value;
  FlowKey mask;
  std::span<const std::uint8_t> instructions() const { return flow.instructions->bytes(); }
};

/// What to read: the whole of one table or of all, filtered.
struct FlowFilter {
  std::uint8_t table = kAllTables;
  std::uint64_t cookie = 0;
  std::uint64_t cookie_mask = 0;
  std::uint32_t out_port = static_cast<std::uint32_t>(ReservedPort::kAny);
  std::uint32_t out_group = kGroupAny;
  std::uint64_t since = 0;  // only what appeared or changed after this version
  FlowKey value{};
  FlowKey mask{};
};

/// Told about removed flows that asked for it, and flows that passed a threshold, on the control thread.
class FlowRemovedSink {
 public:
  /// Removed flows wait for it.
  virtual bool has_room() const { return true; }
  virtual void flow_removed(const FlowView& flow, FlowRemovedReason reason) = 0;
  /// Its statistics passed a threshold of its stat_trigger.
  virtual void flow_triggered(const FlowView&) {}

 protected:
  ~FlowRemovedSink() = default;
};

/// Told about every change while it is made, on the control thread.
class FlowChangeSink {
 public:
  /// `before`: the flow that a modified one replaces. A batch that is rolled back has told of what did not happen.
  virtual void flow_changed(const FlowView& flow, FlowChange event, FlowRemovedReason reason, const Flow* before) = 0;

 protected:
  ~FlowChangeSink() = default;
};

}  // namespace xvif
