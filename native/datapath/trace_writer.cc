#include "datapath/trace_writer.h"

#include <algorithm>
#include <cstring>

#include "actions/learn.h"
#include "actions/subfield.h"
#include "datapath/read.h"
#include "pipeline/flow.h"
#include "pipeline/group_table.h"
#include "pipeline/meter_table.h"

namespace xvif {
namespace {

constexpr std::uint32_t kNoPort = static_cast<std::uint32_t>(ReservedPort::kAny);
constexpr std::size_t kRegisterBytes = 64;
constexpr std::uint32_t kMatched = 1, kEgress = 2;

/// Network order; zero where the packet does not have the field.
struct FieldValue {
  FieldValue(const FlowKey& key, Field field) {
    if (has_field(key, field)) get_field(key, field, bytes.data());
  }
  bool operator==(const FieldValue&) const = default;

  std::array<std::uint8_t, 16> bytes{};
};

template <typename Visit>
void for_each_field(Visit visit) {
  for (const FieldPlace& place : std::span(kFieldPlaces).first(kMatchFields)) visit(static_cast<Field>(place.id));
}

}  // namespace

template <typename Body>
void TraceWriter::record(const Head& head, Body&& body) {
  if (cut_) return;
  cut_ = bytes_.size() >= kTraceBytes;
  const std::size_t start = out_.at();
  out_.put<std::uint8_t>(static_cast<std::uint8_t>(cut_ ? TraceStep::kCut : head.kind));
  out_.put<std::uint8_t>(static_cast<std::uint8_t>(head.depth));
  out_.put<std::uint16_t>(head.detail);
  out_.put<std::uint32_t>(0);
  out_.put<std::uint32_t>(head.id);
  out_.put<std::uint32_t>(head.count);
  if (!cut_) body();
  out_.align();
  out_.patch<std::uint32_t>(start + 4, static_cast<std::uint32_t>(out_.at() - start));
}

void TraceWriter::record(const Head& head) {
  record(head, [] {});
}

void TraceWriter::begin(FlowKey& key) {
  std::memcpy(key.at(key_at::kMetadata), carried_.at(key_at::kMetadata), 8);
  std::memcpy(key.at(key_at::kTunnelId), carried_.at(key_at::kTunnelId), 8);
  std::memcpy(key.at(key_at::kReg), carried_.at(key_at::kReg), kRegisterBytes);
}

void TraceWriter::put_fields(const FlowKey& key) {
  for_each_field([&](Field field) {
    const FieldValue value(key, field);
    if (std::ranges::all_of(value.bytes, [](std::uint8_t byte) { return byte == 0; })) return;
    const std::size_t width = field_bytes(field);
    out_.put<std::uint8_t>(static_cast<std::uint8_t>(field));
    out_.put<std::uint8_t>(static_cast<std::uint8_t>(width));
    out_.zero(2);
    out_.put_bytes(std::span(value.bytes).first(width));
  });
}

void TraceWriter::put_changes(const FlowKey& before, const FlowKey& after) {
  for_each_field([&](Field field) {
    const FieldValue was(before, field), is(after, field);
    if (was == is) return;
    const std::size_t width = field_bytes(field);
    out_.put<std::uint8_t>(static_cast<std::uint8_t>(field));
    out_.put<std::uint8_t>(static_cast<std::uint8_t>(width));
    out_.zero(2);
    out_.put_bytes(std::span(was.bytes).first(width));
    out_.put_bytes(std::span(is.bytes).first(width));
  });
}

void TraceWriter::table(const TableStep& step) {
  const Flow* const flow = step.flow;
  Head head{.kind = TraceStep::kTable, .depth = step.depth, .id = static_cast<std::uint32_t>(step.table)};
  head.count = (flow != nullptr ? kMatched : 0) | (step.egress ? kEgress : 0);
  if (flow != nullptr) head.detail = flow->priority;
  record(head, [&] {
    FlowKey value{}, mask{};
    std::span<const std::uint8_t> instructions;
    if (flow != nullptr) {
      Table::match_of(*flow, value, mask);
      instructions = flow->instructions->bytes();
    }
    out_.put<std::uint64_t>(flow == nullptr ? 0 : flow->cookie);
    const std::size_t lengths = out_.at();
    out_.put<std::uint32_t>(0);
    out_.put<std::uint32_t>(static_cast<std::uint32_t>(instructions.size()));
    out_.put<std::uint32_t>(0);
    out_.put<std::uint32_t>(0);
    out_.patch<std::uint32_t>(lengths, static_cast<std::uint32_t>(write_match(out_, value, mask)));
    out_.align();
    out_.put_bytes(instructions);
    const std::size_t fields = out_.at();
    put_fields(step.key);
    out_.patch<std::uint32_t>(lengths + 8, static_cast<std::uint32_t>(out_.at() - fields));
  });
}

void TraceWriter::action(unsigned depth, const ActionView& action) {
  record({.kind = TraceStep::kAction, .depth = depth}, [&] { out_.put_bytes({action.at(), action.length()}); });
}

void TraceWriter::changes(unsigned depth, const FlowKey& before, const FlowKey& after) {
  record({.kind = TraceStep::kChanges, .depth = depth}, [&] {
    const std::size_t length = out_.at();
    out_.put<std::uint32_t>(0);
    out_.put<std::uint32_t>(0);
    put_changes(before, after);
    out_.patch<std::uint32_t>(length, static_cast<std::uint32_t>(out_.at() - length - 8));
  });
}

void TraceWriter::instructions(unsigned depth) { record({.kind = TraceStep::kInstructions, .depth = depth}); }

void TraceWriter::action_set(unsigned depth) { record({.kind = TraceStep::kActionSet, .depth = depth}); }

void TraceWriter::group(unsigned depth, const Group& group, std::span<const BucketState> buckets) {
  groups_[depth] = &group;
  const Head head{.kind = TraceStep::kGroup,
                  .depth = depth,
                  .detail = static_cast<std::uint16_t>(group.type),
                  .id = group.id,
                  .count = static_cast<std::uint32_t>(buckets.size())};
  record(head, [&] {
    for (const auto& [live, chosen] : buckets) {
      out_.put<std::uint8_t>(static_cast<std::uint8_t>((live ? 1 : 0) | (chosen ? 2 : 0)));
    }
  });
}

void TraceWriter::bucket(unsigned depth, const Bucket& bucket) {
  const Group& group = *groups_[depth];
  record({.kind = TraceStep::kBucket,
          .depth = depth,
          .id = group.id,
          .count = static_cast<std::uint32_t>(&bucket - group.buckets.data())});
}

void TraceWriter::meter(std::uint32_t meter, const Band* band) {
  record({.kind = TraceStep::kMeter, .detail = band == nullptr ? std::uint16_t{0} : band->mod.type, .id = meter});
}

void TraceWriter::normal(std::uint16_t vlan, std::optional<PortNo> to) {
  record({.kind = TraceStep::kNormal, .detail = vlan, .id = to ? raw(*to) : kNoPort});
}

void TraceWriter::output(PortNo port, std::span<const std::uint8_t> frame) {
  record({.kind = TraceStep::kOutput, .id = raw(port), .count = static_cast<std::uint32_t>(frame.size())},
         [&] { out_.put_bytes(frame); });
}

void TraceWriter::drop(Drop reason, std::optional<PortNo> port) {
  record({.kind = TraceStep::kDrop, .detail = static_cast<std::uint16_t>(reason), .id = port ? raw(*port) : kNoPort});
}

void TraceWriter::packet_in(const PacketInStep& step) {
  record({.kind = TraceStep::kPacketIn,
          .detail = static_cast<std::uint16_t>(step.reason),
          .id = step.controller,
          .count = step.table | static_cast<std::uint32_t>(step.max_len) << 16});
}

void TraceWriter::learn(const ActionView& action, const LearnedFlow& flow, LearnVerdict verdict) {
  record({.kind = TraceStep::kLearn,
          .detail = action.learn_priority(),
          .id = action.learn_table(),
          .count = static_cast<std::uint32_t>(verdict)},
         [&] {
           out_.put<std::uint64_t>(action.learn_cookie());
           const std::size_t length = out_.at();
           out_.put<std::uint32_t>(0);
           out_.put<std::uint32_t>(static_cast<std::uint32_t>(flow.instructions.size()));
           out_.put<std::uint16_t>(action.idle_timeout());
           out_.put<std::uint16_t>(action.hard_timeout());
           out_.put<std::uint32_t>(0);
           out_.patch<std::uint32_t>(length, static_cast<std::uint32_t>(write_match(out_, flow.value, flow.mask)));
           out_.align();
           out_.put_bytes(flow.instructions);
         });
}

}  // namespace xvif
