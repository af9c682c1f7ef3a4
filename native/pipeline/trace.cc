#include "pipeline/trace.h"

#include <algorithm>
#include <array>
#include <bit>
#include <memory>
#include <vector>

#include "pipeline/execution.h"

namespace xvif {
namespace {

/// They tell by themselves what they lead to.
bool leads_on(Action code) { return code == Action::kResubmit || code == Action::kClone || code == Action::kGroup; }

}  // namespace

void Execution::tell_tables(std::size_t table, std::uint64_t lanes) {
  for (; lanes != 0; lanes &= lanes - 1) {
    const auto i = static_cast<std::size_t>(std::countr_zero(lanes));
    const auto* const flow = static_cast<const Flow*>(thread_.found[i]);
    thread_.trace->table({depth(), table, in_egress(), flow, thread_.keys[i]});
  }
}

void Execution::traced_step(Lane& lane, Packet*& packet, FlowKey& key, const ActionView& action) {
  const unsigned at = depth();
  const FlowKey before = key;
  thread_.trace->action(at, action);
  step(lane, packet, key, action, false);
  if (!leads_on(action.code()) && key != before) thread_.trace->changes(at, before, key);
}

void Execution::tell_group(const Group& group, const Bucket* chosen) {
  const bool one = group.type == GroupType::kSelect || group.type == GroupType::kFf;
  std::vector<TraceSink::BucketState> buckets;
  const std::vector<bool> live = pipeline_.groups_.liveness(group, thread_.version);
  for (std::size_t i = 0; i < live.size(); ++i) buckets.push_back({live[i], !one || &group.buckets[i] == chosen});
  thread_.trace->group(depth(), group, buckets);
}

std::optional<PortNo> Execution::tell_normal(const Lane& lane, const FlowKey& key, std::uint16_t vlan,
                                             std::optional<PortNo> known) {
  constexpr std::size_t kMacBytes = 6;
  const std::uint8_t* const from = key.at(key_at::kEthSrc);
  const bool learns = (from[0] & 1) == 0 && lane.in_slot != nullptr;
  if (learns && std::equal(from, from + kMacBytes, key.at(key_at::kEthDst))) known = lane.in_port;
  thread_.trace->normal(vlan, known);
  return known;
}

void Execution::tell_output(const Packet& packet, PortNo port) {
  std::vector<std::uint8_t> frame(packet.size);
  if (copy_frame(packet, frame)) return thread_.trace->output(port, frame);
  thread_.trace->drop(Drop::kCopyFailed, port);
}

const Band* Execution::charge(Meter& meter, const Packet& packet) {
  if (thread_.trace == nullptr) [[likely]]
    return pipeline_.meters_.pass(meter, thread_.index, packet.size, thread_.now_ns);
  const Band* const band = pipeline_.meters_.peek(meter, packet.size, thread_.now_ns);
  thread_.trace->meter(meter.id, band);
  return band;
}

Status Pipeline::trace(std::size_t thread, std::uint64_t now_ns, Packet* packet, TraceSink& sink) {
  if (ports_.slot(packet->in_port) == nullptr) {
    packet->release();
    return Status::kBadPort;
  }
  // What threads keep for themselves is lost with it.
  const auto context = std::make_unique<ThreadContext>(thread, 0);
  context->linearizer = threads_[thread]->linearizer;
  context->trace = &sink;
  const std::array<Packet*, 1> packets{packet};
  Execution(*this, *context, now_ns).receive(packets);
  return Status::kOk;
}

}  // namespace xvif
