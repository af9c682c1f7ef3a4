// Steps of a trace as records (docs/native-boundary.md).
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "base/limits.h"
#include "datapath/records.h"
#include "pipeline/trace.h"

namespace xvif {

class TraceWriter final : public TraceSink {
 public:
  /// `carried`: pipeline fields that the packet brings along. Appends to `out`, some kTraceBytes at most.
  TraceWriter(const FlowKey& carried, std::vector<std::uint8_t>& out) : carried_(carried), bytes_(out), out_(out) {}

  void begin(FlowKey& key) override;
  void table(const TableStep& step) override;
  void action(unsigned depth, const ActionView& action) override;
  void changes(unsigned depth, const FlowKey& before, const FlowKey& after) override;
  void instructions(unsigned depth) override;
  void action_set(unsigned depth) override;
  void group(unsigned depth, const Group& group, std::span<const BucketState> buckets) override;
  void bucket(unsigned depth, const Bucket& bucket) override;
  void meter(std::uint32_t meter, const Band* band) override;
  void normal(std::uint16_t vlan, std::optional<PortNo> to) override;
  void output(PortNo port, std::span<const std::uint8_t> frame) override;
  void drop(Drop reason, std::optional<PortNo> port) override;
  void packet_in(const PacketInStep& step) override;
  void learn(const ActionView& action, const LearnedFlow& flow, LearnVerdict verdict) override;

 private:
  struct Head {
    TraceStep kind;
    unsigned depth = 0;
    std::uint16_t detail = 0;
    std::uint32_t id = 0;
    std::uint32_t count = 0;
  };
  /// Writes the head and what `body` does, unless there is no room any more.
  template <typename Body>
  void record(const Head& head, Body&& body);
  void record(const Head& head);
  void put_fields(const FlowKey& key);
  void put_changes(const FlowKey& before, const FlowKey& after);

  static constexpr std::size_t kDepthsMax = kResubmitDepthMax + kGroupDepthMax + 2;

  const FlowKey carried_;
  std::vector<std::uint8_t>& bytes_;
  RecordWriter out_;
  std::array<const Group*, kDepthsMax> groups_{};  // by depth
  bool cut_ = false;
};

}  // namespace xvif
