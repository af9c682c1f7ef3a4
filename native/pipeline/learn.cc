// What the control thread is asked to do with flows. A packet that would learn what is there already asks for nothing.
#include "actions/learn.h"

#include <algorithm>
#include <cstring>
#include <string_view>

#include "classifier/hash.h"
#include "pipeline/execution.h"

namespace xvif {
namespace {

constexpr std::uint16_t kFinOrReset = 1 | 4;

/// Of the flow that a request is about. Keyed: guests write parts of the match.
std::uint64_t hash_of_match(std::uint64_t key, const FlowRequest& request) {
  std::uint64_t hash = mix64(key ^ request.table ^ std::uint64_t{request.priority} << 8);
  for (const std::uint64_t word : request.value.words) hash = mix64(hash ^ word);
  for (const std::uint64_t word : request.mask.words) hash = mix64(hash ^ word);
  return hash;
}

/// And of what is asked for.
std::uint64_t hash_of(std::uint64_t match, const FlowRequest& request, std::span<const std::uint8_t> instructions) {
  const std::string_view bytes(reinterpret_cast<const char*>(instructions.data()), instructions.size());
  const std::uint64_t hash = mix64(match ^ std::hash<std::string_view>{}(bytes));
  const std::uint64_t timeouts = std::uint64_t{request.idle_timeout} << 16 | request.hard_timeout;
  return mix64(mix64(hash ^ request.cookie) ^ timeouts << 8 ^ request.kind);
}

}  // namespace

void Execution::learn(Lane& lane, Packet* packet, FlowKey& key, const ActionView& action) {
  LearnedFlow& learned = thread_.learned;
  learn_from(key, action, learned);
  const std::uint16_t priority = action.learn_priority();
  const std::uint64_t cookie = action.learn_cookie();
  const Table* const table = pipeline_.flows_.table(action.learn_table());
  const auto* const there =
      table == nullptr
          ? nullptr
          : static_cast<const Flow*>(table->find_visible(learned.value, learned.mask, priority, thread_.version));
  LearnVerdict verdict = LearnVerdict::kThere;
  bool done = true;
  if (there != nullptr && (cookie == there->cookie || cookie == kAnyCookie) &&
      std::ranges::equal(there->instructions->bytes(), learned.instructions)) {
    if (thread_.trace == nullptr) [[likely]] {
      there->refresh(thread_.now_ns);
      pipeline_.counters_.add(thread_.index, there->counter, 0, 0, thread_.now_ns);
    }
  } else {
    const auto* const effect = lane.flow == nullptr ? nullptr : lane.flow->instructions->effect_of(action);
    const bool full = there == nullptr && effect != nullptr && effect->learned != nullptr &&
                      effect->learned->load(std::memory_order_relaxed) >= action.learn_limit();
    FlowRequest request{.kind = FlowRequest::kLearn,
                        .table = action.learn_table(),
                        .priority = priority,
                        .length = 0,
                        .cookie = cookie,
                        .limit = action.learn_limit(),
                        .flags = 0,
                        .idle_timeout = action.idle_timeout(),
                        .hard_timeout = action.hard_timeout(),
                        .of_flow = lane.flow != nullptr,
                        .owned = lane.flow != nullptr && action.learn_has(LearnFlag::kDeleteLearned),
                        .instructions = 0,
                        .value = learned.value,
                        .mask = learned.mask};
    if (action.learn_has(LearnFlag::kSendFlowRem)) request.flags = static_cast<std::uint16_t>(FlowFlag::kSendFlowRem);
    done = !full && ask(lane, request, learned.instructions);
    verdict = full ? LearnVerdict::kFull : LearnVerdict::kAsked;
  }
  if (thread_.trace != nullptr) [[unlikely]]
    thread_.trace->learn(action, learned, verdict);
  if (!action.learn_has(LearnFlag::kWriteResult)) return;
  WideNumber result{};
  result.back() = done;
  write(lane, packet, key, action.learn_result(), result);
}

void Execution::fin_timeout(Lane& lane, const FlowKey& key, const ActionView& action) {
  const Flow* const flow = lane.flow;
  // What goes on after a pause is carried out for no flow of a table. The place of the flags is another field's in
  // neighbour discovery.
  if (flow == nullptr || flow->subtable == nullptr || *key.at(key_at::kIpProto) != ip_proto::kTcp) return;
  if ((key.be16(key_at::kTcpFlags) & kFinOrReset) == 0) return;
  const Flow::Timeouts now = flow->timeouts();
  const auto shortens = [](std::uint16_t timeout, std::uint16_t most) {
    return most != 0 && (timeout == 0 || timeout > most);
  };
  if (!shortens(now.idle, action.idle_timeout()) && !shortens(now.hard, action.hard_timeout())) return;
  FlowRequest request{};
  request.kind = FlowRequest::kShorten;
  request.table = flow->table;
  request.priority = flow->priority;
  request.born = flow->born;
  request.idle_timeout = action.idle_timeout();
  request.hard_timeout = action.hard_timeout();
  Table::match_of(*flow, request.value, request.mask);
  ask(lane, request, {});
}

bool Execution::ask(Lane& lane, FlowRequest& request, std::span<const std::uint8_t> instructions) {
  if (thread_.trace != nullptr) [[unlikely]]
    return true;
  UpcallQueue& queue = thread_.requests;
  // By the flow: what was asked for last is what counts.
  const std::uint64_t match = hash_of_match(pipeline_.flows_.seed(), request);
  const std::uint64_t hash = hash_of(match, request, instructions);
  ThreadContext::Asked& asked = thread_.asked[match % thread_.asked.size()];
  if (asked.hash == hash && queue.waits(asked.position)) return true;
  request.instructions = static_cast<std::uint32_t>(instructions.size());
  request.length = static_cast<std::uint32_t>(sizeof request + instructions.size());
  std::uint8_t* const record = reserve(lane, queue, &TxBuffer::requests, kLearnBytesPerPort, request.length);
  if (record == nullptr) {
    PortCounters::add(thread_.requests_dropped, 1);
    return false;
  }
  asked = {hash, queue.position()};
  std::memcpy(record, &request, sizeof request);
  if (!instructions.empty()) std::memcpy(record + sizeof request, instructions.data(), instructions.size());
  queue.commit(request.length);
  thread_.upcalled = true;
  return true;
}

}  // namespace xvif
