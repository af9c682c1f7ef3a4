// The controller action's pause (NXAST_CONTROLLER2 of Open vSwitch): the packet goes up with all that is left to be
// done with it, and comes back to have that done. What is left is gathered while lists of actions are left as after
// exit.
#include <cstring>
#include <deque>
#include <utility>

#include "actions/modify.h"
#include "pipeline/execution.h"

namespace xvif {

void Execution::pause(Lane& lane, const ActionView& action) {
  lane.paused = lane.exited = true;
  thread_.paused = {action.at(), lane.flow, lane.table};
  thread_.continuation.clear();
}

void Execution::keep_actions(const Lane& lane, std::span<const std::uint8_t> rest) {
  thread_.continuation.keep_actions(lane.table, lane.flow == nullptr ? kAnyCookie : lane.flow->cookie, rest);
}

void Execution::hold(Lane& lane, Packet*& packet, const FlowKey& key, bool top) {
  lane.paused = lane.exited = false;
  const std::size_t i = index_of(lane);
  std::vector<std::uint8_t> set;
  if (lane.set == SetUse::kHolds) {
    thread_.sets[i].for_each([&](const ActionView& each) {
      const auto bytes = each.bytes();
      set.insert(set.end(), bytes.begin(), bytes.end());
      return Verdict::kOk;
    });
  }
  // What comes back is taken for a frame.
  if (packet->bare) return give_up(lane, packet, Drop::kPacketType);
  const auto continuation = thread_.continuation.finish(
      top, lane.set == SetUse::kDone, std::span<const WideNumber>(thread_.stacks[i]).first(lane.stack), set);
  const ActionView action(thread_.paused.action);
  if (continuation.empty() || packet->size + action.userdata().size() + continuation.size() > kPausedBytesMax) {
    return give_up(lane, packet, Drop::kTooBig);
  }
  // As the flow with the action tells it, not one that led there.
  const Flow* const flow = std::exchange(lane.flow, thread_.paused.flow);
  const std::uint8_t table = std::exchange(lane.table, thread_.paused.table);
  packet_in(lane, *packet, key, static_cast<PacketInReason>(action.reason()), kControllerMaxLenNoBuffer,
            {action.controller_id(), action.controller_meter(), action.userdata(), continuation});
  lane.flow = flow;
  lane.table = table;
  packet->release();
  packet = nullptr;
}

void Execution::resume(Packet* packet, PortNo in_port, std::span<const std::uint8_t> fields,
                       const Continuation& continuation) {
  enter(0, packet, in_port, pipeline_.ports_.slot(in_port), 0);
  Lane& lane = thread_.lanes[0];
  FlowKey& key = thread_.keys[0];
  thread_.may_resubmit = !continuation.top;
  lane.packet = perform(lane, packet, key, fields, false);
  if (lane.packet != nullptr) {
    lane.stack = static_cast<std::uint8_t>(continuation.stack.size() / sizeof(WideNumber));
    for (std::size_t i = 0; i < lane.stack; ++i) {
      std::memcpy(thread_.stacks[0][i].data(), &continuation.stack[i * sizeof(WideNumber)], sizeof(WideNumber));
    }
    write_set(lane, key, continuation.set, false);
    if (continuation.set_done) lane.set = SetUse::kDone;
    go_on(lane, key, continuation);
  }
  pass_again(in_port);
}

void Execution::go_on(Lane& lane, FlowKey& key, const Continuation& continuation) {
  // Until the end, as the action set refers to them.
  std::deque<InstructionSet> sets;
  const std::span<const ContinuationFrame> frames(continuation.frames);
  for (std::size_t i = 0; i < frames.size(); ++i) {
    Flow flow;  // as far as packets ask for one
    flow.instructions = &sets.emplace_back(frames[i].instructions);
    flow.cookie = frames[i].cookie;
    flow.table = frames[i].table;
    flow.priority = 1;
    if (continuation.top && i + 1 == frames.size()) {
      execute(0, flow.table, flow);
      return drain();
    }
    lane.flow = &flow;
    lane.table = flow.table;
    ++thread_.resubmit_depth;
    const std::uint8_t next = carry_out(lane, lane.packet, key, flow, false);
    if (next != 0) pass_tables(lane, lane.packet, key, key.in_port(), next, false);
    --thread_.resubmit_depth;
    if (lane.packet != nullptr && lane.paused) {
      for (const ContinuationFrame& around : frames.subspan(i + 1)) thread_.continuation.keep_frame(around);
      hold(lane, lane.packet, key, continuation.top);
    }
    lane.flow = nullptr;
    if (lane.packet == nullptr) return;
    if (lane.exited) break;
  }
  finish(0);
}

}  // namespace xvif
