#include "pipeline/pipeline.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "actions/validate.h"
#include "base/assert.h"
#include "base/clock.h"
#include "pipeline/execution.h"

namespace xvif {
namespace {

constexpr std::uint32_t kConfigBits =
    static_cast<std::uint32_t>(PortConfig::kDown) | static_cast<std::uint32_t>(PortConfig::kNoRecv) |
    static_cast<std::uint32_t>(PortConfig::kNoRecvStp) | static_cast<std::uint32_t>(PortConfig::kNoFlood) |
    static_cast<std::uint32_t>(PortConfig::kNoFwd) | static_cast<std::uint32_t>(PortConfig::kNoPacketIn);
/// Bytes of the records that begin before `limit`: at least one.
std::size_t whole_records(std::span<const std::uint8_t> records, std::size_t limit) {
  std::size_t bytes = 0;
  do {
    bytes += load_host<std::uint32_t>(records.data() + bytes + 4);
  } while (bytes < records.size() && bytes < limit);
  return bytes;
}

/// What is freed after a batch: a little, so that nobody waits for what another has deleted, and more for each flow
/// that it has placed, so that who fills tables and deletes them again and again leaves no more and more behind. Of a
/// flow two things are freed.
constexpr std::size_t kReclaimsPerBatch = 256;
constexpr std::size_t kReclaimsPerFlow = 4;
constexpr std::size_t kReclaimsPerTick = 8192;
/// In one slice, some 100 µs.
constexpr std::size_t kReclaimsPerSlice = 2048;
constexpr std::size_t kAnnouncementsPerSlice = 1024;
constexpr std::size_t kExpiriesPerSlice = 1024;
/// How long publish() waits so that removed flows are told at once with their last counts; else tick() tells.
constexpr std::uint64_t kAnnounceWaitNs = 100'000;

}  // namespace

Pipeline::Pipeline(Epoch& epoch, std::size_t threads, std::uint64_t seed)
    : epoch_(epoch),
      versions_(epoch),
      counters_(threads),
      ports_(epoch, threads),
      meters_(epoch, versions_, counters_),
      groups_(epoch, versions_, counters_, ports_, meters_),
      flows_(epoch, versions_, counters_, groups_, meters_, seed),
      macs_(mix64(seed)) {
  for (std::size_t i = 0; i < threads; ++i) threads_.push_back(std::make_unique<ThreadContext>(i, kPortsMax + 1));
}

Pipeline::~Pipeline() {
  flows_.on_removed(nullptr);
  flows_.on_changed(nullptr);
  epoch_.drain();
}

void Pipeline::process(std::size_t thread, std::uint64_t now_ns, std::span<Packet* const> packets) {
  Execution(*this, *threads_[thread], now_ns).receive(packets);
}

Status Pipeline::packet_out(std::size_t thread, std::uint64_t now_ns, PortNo in_port,
                            std::span<const std::uint8_t> actions, Packet* packet,
                            std::span<const std::uint8_t> continuation) {
  Status status = validate_actions(actions);
  std::optional<Continuation> paused;
  if (!continuation.empty()) {
    paused = read_continuation(continuation);
    if (!paused) status = Status::kMalformed;
  }
  if (status == Status::kOk) {
    for_each_reference(actions, [&](ActionView action) {
      if (action.code() == Action::kGroup && !groups_.exists(action.group())) status = Status::kUnknownGroup;
      if (action.code() == Action::kMeter && !meters_.exists(action.meter())) status = Status::kUnknownMeter;
    });
  }
  if (status != Status::kOk) {
    packet->release();
    return status;
  }
  {
    Execution execution(*this, *threads_[thread], now_ns);
    if (paused) {
      execution.resume(packet, in_port, actions, *paused);
    } else {
      execution.packet_out(packet, in_port, actions);
    }
  }
  // What it learns is there when it returns; what others ask for waits for its turn.
  std::size_t left = kLearnsPerTurn;
  take_requests(threads_[thread]->requests, left, now_ns);
  return Status::kOk;
}

void Pipeline::begin(std::uint64_t now_ns, bool atomic) {
  versions_.begin(atomic);
  batch_ns_ = now_ns;
}

Status Pipeline::flow_mod(const FlowMod& mod) {
  XVIF_ASSERT(versions_.open());
  return flows_.apply(mod, batch_ns_);
}

Status Pipeline::group_mod(const GroupMod& mod) {
  XVIF_ASSERT(versions_.open());
  if (mod.command != ModCommand::kDelete) return groups_.apply(mod, batch_ns_);
  if (mod.group == kGroupAll) {
    for (std::uint32_t id : groups_.ids()) flows_.delete_users_of_group(id, batch_ns_);
    groups_.erase_all();
    return Status::kOk;
  }
  const Status status = groups_.apply(mod, batch_ns_);
  if (status == Status::kOk) flows_.delete_users_of_group(mod.group, batch_ns_);
  return status;
}

Status Pipeline::meter_mod(const MeterMod& mod) {
  XVIF_ASSERT(versions_.open());
  if (mod.command != ModCommand::kDelete) return meters_.apply(mod, batch_ns_);
  const std::vector<std::uint32_t> ids = mod.meter == kMeterAll ? meters_.ids() : std::vector<std::uint32_t>{mod.meter};
  MeterMod one = mod;
  for (std::uint32_t id : ids) {
    flows_.delete_users_of_meter(id, batch_ns_);
    one.meter = id;
    meters_.apply(one, batch_ns_);
  }
  return Status::kOk;
}

Status Pipeline::port_config(PortNo port, std::uint32_t config, std::uint32_t mask) {
  XVIF_ASSERT(versions_.open());
  if (ports_.slot(port) == nullptr) return Status::kBadPort;
  pending_config_.push_back({PendingConfig::kPort, port, config, mask & kConfigBits});
  return Status::kOk;
}

Status Pipeline::set_config(FragMode frag, std::uint8_t first_egress) {
  XVIF_ASSERT(versions_.open());
  pending_config_.push_back({PendingConfig::kFrag, PortNo{0}, static_cast<std::uint32_t>(frag), first_egress});
  return Status::kOk;
}

Status Pipeline::controller_state(bool connected, bool misses) {
  XVIF_ASSERT(versions_.open());
  pending_config_.push_back({PendingConfig::kController, PortNo{0}, connected, misses});
  return Status::kOk;
}

Status Pipeline::table_config(std::uint8_t table, const TableConfig& config) {
  XVIF_ASSERT(versions_.open());
  if (table >= kTables) return Status::kBadTable;
  // The first is what a rollback brings back.
  const auto same = [&](const auto& replaced) { return replaced.first == table; };
  if (std::ranges::none_of(replaced_configs_, same)) replaced_configs_.emplace_back(table, flows_.config(table));
  flows_.configure(table, config, batch_ns_);
  pending_config_.push_back({PendingConfig::kMiss, PortNo{table}, static_cast<std::uint32_t>(config.miss), 0});
  return Status::kOk;
}

void Pipeline::configure(const PendingConfig& change) {
  switch (change.what) {
    case PendingConfig::kPort: {
      PortSlot* const slot = ports_.slot(change.port);
      const std::uint32_t before = slot->config.load(std::memory_order_relaxed);
      slot->config.store((before & ~change.mask) | (change.value & change.mask), std::memory_order_relaxed);
      return;
    }
    case PendingConfig::kFrag:
      frag_mode_.store(static_cast<FragMode>(change.value), std::memory_order_relaxed);
      first_egress_.store(static_cast<std::uint8_t>(change.mask), std::memory_order_relaxed);
      return;
    case PendingConfig::kController:
      controller_.store(change.value != 0, std::memory_order_relaxed);
      misses_.store(change.mask != 0, std::memory_order_relaxed);
      return;
    case PendingConfig::kMiss:
      table_miss_[raw(change.port)].store(static_cast<TableMiss>(change.value), std::memory_order_relaxed);
      return;
  }
}

void Pipeline::publish() {
  for (const PendingConfig& change : pending_config_) configure(change);
  pending_config_.clear();
  replaced_configs_.clear();
  flows_.settle();
  versions_.publish();
  const std::size_t limit = kReclaimsPerBatch + kReclaimsPerFlow * flows_.take_placed();
  reclaim(limit);
  const std::uint64_t until = flows_.unannounced() == 0 ? 0 : now_ns() + kAnnounceWaitNs;
  while (flows_.unannounced() > 0 && now_ns() < until) reclaim(kReclaimsPerBatch);
  announce();
}

void Pipeline::rollback() {
  pending_config_.clear();
  versions_.rollback();
  for (const auto& [table, config] : std::exchange(replaced_configs_, {})) {
    flows_.configure(table, config, batch_ns_);
  }
  flows_.settle();
  reclaim(kReclaimsPerBatch);
}

std::size_t Pipeline::reclaim(std::size_t limit) {
  const std::size_t ran = epoch_.reclaim(limit);
  // Whoever ran it: the epoch is shared, and another bridge may have unlinked what is ours.
  if (flows_.is_unsettled()) flows_.settle();
  return ran + flows_.free_cleared(limit);
}

void Pipeline::announce() {
  if (flows_.announce(kAnnouncementsPerSlice) > 0) flows_.settle();
}

bool Pipeline::expire(std::uint64_t now_ns) {
  if (!flows_.expires(now_ns)) return false;
  begin(now_ns, false);
  flows_.expire(now_ns, kExpiriesPerSlice);
  publish();
  return true;
}

bool Pipeline::tidy(std::uint64_t now_ns) {
  const bool expired = expire(now_ns);
  const bool told = flows_.has_announcements();
  announce();
  const bool freed = reclaim(kReclaimsPerSlice) > 0;
  return (expired || told || freed) && is_untidy(now_ns);
}

bool Pipeline::is_untidy(std::uint64_t now_ns) const {
  return flows_.expires(now_ns) || flows_.has_announcements() ||
         epoch_.pending() + flows_.cleared() > kReclaimsPerSlice;
}

bool Pipeline::take_requests(std::uint64_t now_ns) {
  // Cleared first: what is written from here on wakes again.
  woken_.exchange(false, std::memory_order_acq_rel);
  std::size_t left = kLearnsPerTurn;
  for (std::size_t i = 0; i < threads_.size(); ++i) {
    const std::size_t turn = (request_turn_ + i) % threads_.size();
    if (!take_requests(threads_[turn]->requests, left, now_ns)) continue;
    request_turn_ = (turn + 1) % threads_.size();  // a thread that always has more does not keep the others out
    return true;
  }
  return false;
}

bool Pipeline::take_requests(UpcallQueue& queue, std::size_t& left, std::uint64_t now_ns) {
  for (auto records = queue.front(); !records.empty(); records = queue.front()) {
    if (left == 0) return true;
    begin(now_ns, false);
    std::size_t taken = 0;
    for (; taken < records.size() && left > 0; --left) {
      FlowRequest request;
      std::memcpy(&request, records.data() + taken, sizeof request);
      const auto instructions = records.subspan(taken + sizeof request, request.instructions);
      if (!flows_.carry_out(request, instructions, now_ns)) ++refused_requests_;
      taken += request.length;
    }
    // Only then: who finds that a request does not wait any more sees what became of it.
    publish();
    queue.pop(taken);
  }
  return false;
}

Pipeline::LearnView Pipeline::learning() const {
  LearnView view{flows_.learned(), refused_requests_};
  for (const auto& thread : threads_) view.dropped += thread->requests_dropped.load(std::memory_order_relaxed);
  return view;
}

void Pipeline::tick(std::uint64_t now_ns) {
  take_requests(now_ns);
  expire(now_ns);
  flows_.look_at_triggers(now_ns);
  reclaim(kReclaimsPerTick);
  announce();
}

void Pipeline::configure_port(PortNo number, const PortSettings& settings) {
  // Stations known behind the port may be out of its reach now.
  if (ports_.configure(number, settings)) macs_.forget(number);
}

void Pipeline::detach(PortNo number) {
  ports_.detach(number);
  macs_.forget(number);
}

bool Pipeline::take_upcalls(std::size_t limit, const std::function<void(std::span<const std::uint8_t>)>& take) {
  // Cleared first: what is written from here on wakes again.
  woken_.exchange(false, std::memory_order_acq_rel);
  std::size_t taken = 0;
  const std::size_t first = upcall_turn_;
  for (std::size_t i = 0; i < threads_.size(); ++i) {
    const std::size_t turn = (first + i) % threads_.size();
    UpcallQueue& queue = threads_[turn]->upcalls;
    for (auto records = queue.front(); !records.empty(); records = queue.front()) {
      const std::size_t bytes = whole_records(records, limit - taken);
      take(records.first(bytes));
      queue.pop(bytes);
      taken += bytes;
      if (taken < limit) continue;
      upcall_turn_ = (turn + 1) % threads_.size();  // a thread that always has more does not keep the others out
      return true;
    }
  }
  return false;
}

Pipeline::TableView Pipeline::table(std::size_t id) const {
  TableView view{0, 0, flows_.size(id)};
  for (const auto& thread : threads_) {
    view.lookups += thread->table_counts[id].lookups.load(std::memory_order_relaxed);
    view.matched += thread->table_counts[id].matched.load(std::memory_order_relaxed);
  }
  return view;
}

Pipeline::UpcallView Pipeline::upcalls() const {
  UpcallView view{0, 0};
  for (const auto& thread : threads_) {
    view.sent += thread->upcall_count.load(std::memory_order_relaxed);
    view.dropped += thread->upcall_drops.load(std::memory_order_relaxed);
  }
  return view;
}

}  // namespace xvif
