#include "datapath/datapath.h"

#include <sys/random.h>

#include <algorithm>
#include <cstring>

#include "base/clock.h"
#include "datapath/read.h"
#include "datapath/records.h"
#include "datapath/trace_writer.h"
#include "packet/headers.h"
#include "packet/packet_of.h"
#include "port/null_port.h"
#include "port/packet_socket_port.h"
#include "port/pcap_port.h"
#include "port/tap_port.h"

namespace xvif {
namespace {

/// Records of a batch that is not atomic after which what was done is published, so that it need not be remembered.
constexpr std::size_t kPublishEvery = 512;
/// Bytes of a packet-out's frame, as of a guest's.
constexpr std::size_t kPacketOutMax = 65535;
/// Bytes of records of removed flows that wait for JavaScript before further flows wait to be told.
constexpr std::size_t kToldBytes = 256 * 1024;
/// Bytes of captured frames that wait for JavaScript.
constexpr std::size_t kCapturedMax = 16 * 1024 * 1024;

std::uint64_t random_seed() {
  std::uint64_t seed = 0;
  XVIF_ASSERT(getrandom(&seed, sizeof seed, 0) == sizeof seed);
  return seed;
}

template <typename... Cases>
struct Overloaded : Cases... {
  using Cases::operator()...;
};
template <typename... Cases>
Overloaded(Cases...) -> Overloaded<Cases...>;

}  // namespace

Datapath::Datapath(Runtime& runtime, std::function<void()> wake)
    : runtime_(runtime), wake_(std::move(wake)), pipeline_(runtime.epoch(), runtime.workers() + 1, random_seed()) {
  for (std::size_t thread = 0; thread <= runtime_.control_thread(); ++thread) {
    linearizers_.push_back(&runtime_.linearizer(thread));
    pipeline_.set_linearizer(thread, linearizers_.back());
  }
  pipeline_.on_upcall(wake_);
  pipeline_.on_flow_removed(this);
}

Datapath::~Datapath() {
  while (!ports_.empty()) detach(PortNo{ports_.begin()->first});
}

std::unique_ptr<Port> Datapath::make_port(PortNo number, const PortSpec& spec, std::vector<Worker*>& homes,
                                          std::string& error) {
  return std::visit(Overloaded{
                        [&](const netback::VifSpec& vif) -> std::unique_ptr<Port> {
                          std::vector<netback::VifQueueHome> events;
                          const std::size_t first = runtime_.least_loaded().index();
                          for (std::size_t i = 0; i < vif.queues.size(); ++i) {
                            const std::size_t index = (first + i) % runtime_.workers();
                            homes.push_back(&runtime_.worker(index));
                            events.push_back({index, &runtime_.events(index)});
                          }
                          if (vif.control) homes.push_back(&runtime_.worker(first));
                          return netback::VifPort::attach(vif, runtime_.vif_threads(), events, error);
                        },
                        [&](const TapPortSpec& tap) -> std::unique_ptr<Port> {
                          const TapOptions options{
                              .device = tap.device, .netns = tap.netns, .mac = tap.mac, .mtu = 0, .offload = true};
                          return open_tap_port(options, linearizers_, error);
                        },
                        [&](const PacketPortSpec& socket) -> std::unique_ptr<Port> {
                          return open_packet_socket_port({.device = socket.device, .netns = ""}, linearizers_, error);
                        },
                        [&](const PcapPortSpec& pcap) -> std::unique_ptr<Port> {
                          return open_pcap_port({.input = pcap.input, .loop = pcap.loop, .output = pcap.output},
                                                linearizers_, error);
                        },
                        [&](const NullPortSpec&) { return make_null_port(); },
                        [&](const CapturePortSpec&) { return make_capture_port(number, *this, linearizers_); },
                    },
                    spec);
}

bool Datapath::attach(PortNo number, const PortSpec& spec, const PortSettings& settings, std::string& error) {
  const bool usable =
      (raw(number) >= 1 && raw(number) < kPortsMax) || raw(number) == static_cast<std::uint32_t>(ReservedPort::kLocal);
  if (!usable) {
    error = "port " + std::to_string(raw(number)) + ": expected 1.." + std::to_string(kPortsMax - 1) + " or LOCAL";
    return false;
  }
  if (ports_.contains(raw(number))) {
    error = "port " + std::to_string(raw(number)) + " is taken";
    return false;
  }
  Attached attached{};
  attached.port = make_port(number, spec, attached.homes, error);
  if (!attached.port) return false;
  attached.port->configure(settings);
  const std::uint64_t now = now_ns();
  attached.since_ns = now;
  attached.link_up = attached.port->link_up();
  XVIF_ASSERT(pipeline_.attach(number, *attached.port, now, settings) == Status::kOk);
  const std::span<PortQueue* const> queues = attached.port->queues();
  for (std::size_t i = 0; i < queues.size(); ++i) {
    queues[i]->port = number;
    if (attached.homes.size() <= i) attached.homes.push_back(&runtime_.least_loaded());
    attached.homes[i]->add(*queues[i], pipeline_);
  }
  ports_.emplace(raw(number), std::move(attached));
  return true;
}

void Datapath::configure(PortNo number, const PortSettings& settings) {
  const auto found = ports_.find(raw(number));
  if (found == ports_.end()) return;
  found->second.port->configure(settings);
  pipeline_.configure_port(number, settings);
}

void Datapath::detach(PortNo number) {
  const auto found = ports_.find(raw(number));
  if (found == ports_.end()) return;
  Attached attached = std::move(found->second);
  ports_.erase(found);
  attached.port->silence();
  const std::span<PortQueue* const> queues = attached.port->queues();
  for (std::size_t i = 0; i < queues.size(); ++i) attached.homes[i]->remove(*queues[i]);
  pipeline_.detach(number);
  attached.port->close();
}

Status Datapath::apply_record(Bytes record) {
  switch (op_of(record)) {
    case Op::kFlowMod: {
      const auto mod = decode_flow_mod(record);
      return mod ? pipeline_.flow_mod(*mod) : Status::kMalformed;
    }
    case Op::kGroupMod: {
      const auto mod = decode_group_mod(record);
      return mod ? pipeline_.group_mod(*mod) : Status::kMalformed;
    }
    case Op::kMeterMod: {
      const auto mod = decode_meter_mod(record);
      return mod ? pipeline_.meter_mod(*mod) : Status::kMalformed;
    }
    case Op::kPortConfig: {
      const auto mod = decode_port_config(record);
      return mod ? pipeline_.port_config(mod->port, mod->config, mod->mask) : Status::kMalformed;
    }
    case Op::kSetConfig:
      if (record.size() != 16 || record[8] > static_cast<std::uint8_t>(FragMode::kDrop)) return Status::kMalformed;
      if (record[9] >= kTables) return Status::kBadTable;
      return pipeline_.set_config(static_cast<FragMode>(record[8]), record[9]);
    case Op::kControllerState:
      if (record.size() != 16) return Status::kMalformed;
      return pipeline_.controller_state((record[8] & 1) != 0, (record[8] & 2) != 0);
    case Op::kTableConfig: {
      const auto mod = decode_table_config(record);
      return mod ? pipeline_.table_config(mod->table, mod->config) : Status::kMalformed;
    }
    case Op::kWatchFlows:
      if (record.size() != 16) return Status::kMalformed;
      pipeline_.on_flow_changed(record[8] != 0 ? this : nullptr);
      return Status::kOk;
  }
  return Status::kMalformed;
}

std::vector<std::uint8_t> Datapath::apply(Bytes batch, bool atomic) {
  std::vector<std::uint8_t> statuses;
  std::size_t failed = ~std::size_t{0};
  const std::uint64_t now = now_ns();
  const std::size_t told = changes_.size();
  pipeline_.begin(now, atomic);
  while (!batch.empty()) {
    const std::optional<Bytes> record = take_record(batch);
    cause_ = static_cast<std::uint32_t>(statuses.size());
    // After a failure the rest of an atomic batch is only counted.
    Status status = Status::kMalformed;
    if (record) status = atomic && failed < statuses.size() ? Status::kOk : apply_record(*record);
    if (status != Status::kOk && failed > statuses.size()) failed = statuses.size();
    statuses.push_back(static_cast<std::uint8_t>(status));
    if (!record) break;
    if (!atomic && statuses.size() % kPublishEvery == 0) {
      pipeline_.publish();
      pipeline_.begin(now, false);
    }
  }
  cause_ = ~std::uint32_t{0};
  if (atomic && failed < statuses.size()) {
    pipeline_.rollback();
    changes_.resize(told);
    changes_lost_ = false;
  } else {
    pipeline_.publish();
  }
  if (pipeline_.is_untidy(now)) wake();
  return statuses;
}

Status Datapath::packet_out(Bytes record) {
  const auto out = decode_packet_out(record);
  if (!out || out->frame.size() < kEthernetBytes || out->frame.size() > kPacketOutMax) return Status::kMalformed;
  const std::size_t thread = runtime_.control_thread();
  Packet* const packet = packet_of(runtime_.pool(thread), out->in_port, out->frame);
  if (packet == nullptr) return Status::kNoMemory;
  return pipeline_.packet_out(thread, now_ns(), out->in_port, out->actions, packet, out->continuation);
}

Status Datapath::trace(Bytes record, std::vector<std::uint8_t>& steps) {
  const auto request = decode_trace_request(record);
  if (!request || request->frame.size() < kEthernetBytes || request->frame.size() > kPacketOutMax) {
    return Status::kMalformed;
  }
  const std::size_t thread = runtime_.control_thread();
  Packet* const packet = packet_of(runtime_.pool(thread), request->in_port, request->frame);
  if (packet == nullptr) return Status::kNoMemory;
  TraceWriter writer(request->value, steps);
  return pipeline_.trace(thread, now_ns(), packet, writer);
}

ReadPart Datapath::read(Bytes query_bytes, std::size_t limit) {
  ReadPart part;
  const auto query = decode_query(query_bytes);
  if (!query) return part;
  if (query->query == Query::kRuntime) {
    RecordWriter out(part.data);
    const Pipeline::UpcallView upcalls = pipeline_.upcalls();
    const Pipeline::LearnView learning = pipeline_.learning();
    for (const std::uint64_t value :
         {std::uint64_t{runtime_.workers()}, pipeline_.version(), std::uint64_t{pipeline_.flows().rules()},
          std::uint64_t{pipeline_.flows().subtables()}, std::uint64_t{pipeline_.flows().bytes()}, upcalls.sent,
          upcalls.dropped, learning.learned, learning.dropped}) {
      out.put<std::uint64_t>(value);
    }
    for (std::size_t i = 0; i < runtime_.workers(); ++i) {
      const WorkerStats& stats = runtime_.worker(i).stats();
      for (const auto* value : {&stats.busy_ns, &stats.idle_ns, &stats.batches, &stats.packets}) {
        out.put<std::uint64_t>(value->load(std::memory_order_relaxed));
      }
    }
    return part;
  }
  const std::uint64_t cursor = read_pipeline(pipeline_, *query, now_ns(), limit, part.data);
  if (cursor != 0) part.next = query_from(query_bytes, cursor);
  return part;
}

void Datapath::tick() {
  const std::uint64_t now = now_ns();
  pipeline_.tick(now);
  if (pipeline_.is_untidy(now)) wake();
  watch_links();
}

void Datapath::watch_links() {
  for (auto& [number, attached] : ports_) {
    const bool up = attached.port->link_up();
    if (up == attached.link_up) continue;
    attached.link_up = up;
    const PortSlot* const slot = pipeline_.ports().slot(PortNo{number});
    const char* const fault = attached.port->fault_text();
    const std::string text = fault != nullptr ? fault : "";
    RecordWriter out(told_.bytes());
    const std::size_t start = out.at();
    out.put<std::uint8_t>(static_cast<std::uint8_t>(Upcall::kPortState));
    out.zero(7);
    out.put<std::uint32_t>(number);
    out.put<std::uint32_t>(slot->state());
    out.put<std::uint32_t>(static_cast<std::uint32_t>(text.size()));
    out.zero(4);
    out.put_bytes({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
    out.align();
    out.patch<std::uint32_t>(start + 4, static_cast<std::uint32_t>(out.at() - start));
    wake();
  }
}

void Datapath::wake() {
  if (!draining_) wake_();
}

bool Datapath::has_room() const { return told_.size() < kToldBytes; }

void Datapath::flow_removed(const FlowView& view, FlowRemovedReason reason) {
  tell_flow(view, Upcall::kFlowRemoved, static_cast<std::uint8_t>(reason));
}

void Datapath::flow_triggered(const FlowView& view) { tell_flow(view, Upcall::kFlowStatistics, 0); }

void Datapath::tell_flow(const FlowView& view, Upcall kind, std::uint8_t reason) {
  const Flow& flow = view.flow;
  RecordWriter out(told_.bytes());
  const std::size_t start = out.at();
  out.put<std::uint8_t>(static_cast<std::uint8_t>(kind));
  out.put<std::uint8_t>(reason);
  out.put<std::uint8_t>(flow.table);
  out.zero(5);
  out.put<std::uint64_t>(flow.cookie);
  out.put<std::uint16_t>(flow.priority);
  out.put<std::uint16_t>(flow.idle_timeout);
  out.put<std::uint16_t>(flow.hard_timeout);
  out.put<std::uint16_t>(flow.flags);
  out.put<std::uint64_t>(view.duration_ns);
  out.put<std::uint64_t>(view.packets);
  out.put<std::uint64_t>(view.bytes);
  const std::size_t match_length = out.at();
  out.zero(8);
  out.put<std::uint64_t>(view.idle_ns);
  out.patch<std::uint32_t>(match_length, static_cast<std::uint32_t>(write_match(out, view.value, view.mask)));
  out.align();
  out.patch<std::uint32_t>(start + 4, static_cast<std::uint32_t>(out.at() - start));
  wake();
}

void Datapath::flow_changed(const FlowView& view, FlowChange event, FlowRemovedReason reason, const Flow* before) {
  if (changes_lost_) return;
  RecordWriter out(changes_);
  const std::size_t start = out.at();
  // One record tells that there would have been more.
  const bool lost = changes_lost_ = start >= kFlowChangeBytes;
  const Bytes old = before == nullptr || lost ? Bytes{} : before->instructions->bytes();
  out.put<std::uint8_t>(static_cast<std::uint8_t>(Upcall::kFlowChange));
  out.put<std::uint8_t>(static_cast<std::uint8_t>(lost ? FlowChange::kLost : event));
  out.put<std::uint8_t>(static_cast<std::uint8_t>(reason));
  out.zero(5);
  out.put<std::uint32_t>(cause_);
  out.put<std::uint32_t>(static_cast<std::uint32_t>(old.size()));
  out.put<std::uint64_t>(view.flow.born);
  if (!lost) write_flow(out, view, false);
  out.put_bytes(old);
  out.align();
  out.patch<std::uint32_t>(start + 4, static_cast<std::uint32_t>(out.at() - start));
}

bool Datapath::put(PortNo port, Bytes frame) {
  {
    std::lock_guard lock(captured_mutex_);
    if (captured_.size() + frame.size() > kCapturedMax) return false;
    RecordWriter out(captured_.bytes());
    const std::size_t start = out.at();
    out.put<std::uint8_t>(static_cast<std::uint8_t>(Upcall::kPortOutput));
    out.zero(7);
    out.put<std::uint32_t>(raw(port));
    out.put<std::uint32_t>(static_cast<std::uint32_t>(frame.size()));
    out.put_bytes(frame);
    out.align();
    out.patch<std::uint32_t>(start + 4, static_cast<std::uint32_t>(out.at() - start));
  }
  wake_();
  return true;
}

bool Datapath::drain_upcalls(std::vector<std::uint8_t>& out, std::size_t limit) {
  const auto room = [&] { return limit - std::min(limit, out.size()); };
  const std::uint64_t now = now_ns();
  draining_ = true;
  bool more = pipeline_.take_requests(now);
  more |= pipeline_.tidy(now);
  draining_ = false;
  more |= told_.take(out, room());
  {
    std::lock_guard lock(captured_mutex_);
    more |= captured_.take(out, room() / 2);
  }
  more |= pipeline_.take_upcalls(room(), [&](Bytes records) { out.insert(out.end(), records.begin(), records.end()); });
  return more;
}

}  // namespace xvif
