#include "napi/datapath_binding.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include "napi/convert.h"
#include "napi/port_settings.h"
#include "napi/runtime_state.h"

namespace xvif::napi {
namespace {

/// Upcall bytes handed to JavaScript in one call; it gets a turn for other work between two of them.
constexpr std::size_t kUpcallBatchBytes = 256 * 1024;
constexpr std::size_t kReadBytesMin = 4096;
constexpr std::size_t kKeptPartBytes = 256 * 1024;

netback::VifSpec vif_spec(const Napi::Object& from) {
  netback::VifSpec spec{};
  spec.domid = DomId{get_u16(from, "domid")};
  spec.handle = get_u16(from, "handle");
  const Napi::Array queues = get_array(from, "queues");
  for (std::uint32_t i = 0; i < queues.Length(); ++i) {
    const auto queue = Napi::Value(queues[i]).As<Napi::Object>();
    spec.queues.push_back({GrantRef{get_u32(queue, "txRingRef")}, GrantRef{get_u32(queue, "rxRingRef")},
                           EvtchnPort{get_u32(queue, "evtchnTx")}, EvtchnPort{get_u32(queue, "evtchnRx")}});
  }
  spec.sg = get_bool(from, "sg");
  spec.gso_tcpv4 = get_bool(from, "gsoTcpv4");
  spec.gso_tcpv6 = get_bool(from, "gsoTcpv6");
  spec.csum_blank_ipv4 = get_bool(from, "csumBlankIpv4");
  spec.csum_blank_ipv6 = get_bool(from, "csumBlankIpv6");
  spec.rx_notify = get_bool(from, "rxNotify");
  if (has(from, "control")) {
    const Napi::Object control = get_object(from, "control");
    spec.control = {GrantRef{get_u32(control, "ringRef")}, EvtchnPort{get_u32(control, "evtchn")}};
  }
  return spec;
}

PortSpec port_spec(const Napi::Object& from) {
  const std::string kind = get_string(from, "kind");
  if (kind == "vif") return vif_spec(from);
  if (kind == "tap") {
    return TapPortSpec{get_string(from, "device"), get_string_or(from, "netns", ""), get_string_or(from, "mac", "")};
  }
  if (kind == "packet") return PacketPortSpec{get_string(from, "device")};
  if (kind == "pcap") {
    return PcapPortSpec{get_string_or(from, "input", ""), get_string_or(from, "output", ""),
                        get_bool_or(from, "loop", false)};
  }
  if (kind == "null") return NullPortSpec{};
  if (kind == "capture") return CapturePortSpec{};
  wrong(from.Env(), "kind", "vif, tap, packet, pcap, null or capture");
}

}  // namespace

/// Outlives the datapath as long as the thread-safe function may still call.
struct DatapathState::Wake {
  std::atomic<bool> pending{false};
  WakeFunction function;
  DatapathState* owner = nullptr;  // JavaScript thread; null once closed
  bool listening = false;          // JavaScript thread; the listener is on the stack
  std::shared_ptr<Wake> self;      // until the thread-safe function is finalized
};

DatapathState::DatapathState(Napi::Env env, Runtime& runtime) : wake_(std::make_shared<Wake>()) {
  wake_->owner = this;
  wake_->self = wake_;
  wake_->function = WakeFunction::New(env, "xvif upcalls", 0, 1, wake_.get(),
                                      [](Napi::Env, void*, Wake* wake) { wake->self.reset(); });
  wake_->function.Unref(env);
  datapath_ = std::make_unique<Datapath>(runtime, [wake = wake_] {
    if (!wake->pending.exchange(true, std::memory_order_acq_rel)) wake->function.NonBlockingCall();
  });
}

DatapathState::~DatapathState() {
  datapath_.reset();  // no thread calls wake_ any more
  wake_->owner = nullptr;
  wake_->function.Release();
}

void DatapathState::listen(Napi::Function listener) { listener_ = Napi::Persistent(listener); }

void DatapathState::drain(Napi::Env env, Napi::Function, Wake* wake, void*) {
  if (env == nullptr || wake->owner == nullptr) return;
  Napi::HandleScope scope(env);
  try {
    hand_over(env, *wake);
  } catch (const Napi::Error& error) {
    // Node-API would make it a warning, one for each batch. It is a bug like any exception that nobody catches.
    napi_fatal_exception(env, error.Value());
  }
}

void DatapathState::hand_over(Napi::Env env, Wake& wake) {
  DatapathState& self = *wake.owner;
  wake.pending.store(false, std::memory_order_release);
  std::vector<std::uint8_t> records;
  const bool more = self.datapath_->drain_upcalls(records, kUpcallBatchBytes);
  if (more && !wake.pending.exchange(true, std::memory_order_acq_rel)) drain_later(env, wake.self);
  // Those that packets learned.
  const std::vector<std::uint8_t> changes = self.datapath_->take_flow_changes();
  records.insert(records.end(), changes.begin(), changes.end());
  tell(env, self.wake_, records);
}

void DatapathState::tell(Napi::Env env, std::shared_ptr<Wake> wake, const std::vector<std::uint8_t>& records) {
  if (records.empty() || wake->owner->listener_.IsEmpty()) return;
  const Napi::Uint8Array batch = bytes(env, records);
  const Napi::Function listener = wake->owner->listener_.Value();
  struct Listening {
    bool& flag;
    const bool before = std::exchange(flag, true);
    ~Listening() { flag = before; }
  };
  const Listening listening{wake->listening};
  listener.Call({batch});  // may close the datapath
}

bool DatapathState::hold_wake() {
  return !wake_->listening && !wake_->pending.exchange(true, std::memory_order_acq_rel);
}

void DatapathState::release_wake() { wake_->function.NonBlockingCall(); }

void DatapathState::deliver(Napi::Env env) { hand_over(env, *wake_); }

/// After what else waits in the event loop: a thread-safe function that calls itself would be called a thousand times
/// before that (Node.js, src/node_api.cc).
void DatapathState::drain_later(Napi::Env env, std::shared_ptr<Wake> wake) {
  const auto again = Napi::Function::New(
      env, [wake](const Napi::CallbackInfo& info) { drain(info.Env(), Napi::Function(), wake.get(), nullptr); });
  env.Global().Get("setImmediate").As<Napi::Function>().Call({again});
}

void DatapathState::tell_flow_changes(Napi::Env env) { tell(env, wake_, datapath_->take_flow_changes()); }

Napi::Function DatapathBinding::define(Napi::Env env) {
  return DefineClass(
      env, "NativeDatapath",
      {InstanceMethod<&DatapathBinding::port_attach>("portAttach"),
       InstanceMethod<&DatapathBinding::port_configure>("portConfigure"),
       InstanceMethod<&DatapathBinding::port_detach>("portDetach"), InstanceMethod<&DatapathBinding::apply>("apply"),
       InstanceMethod<&DatapathBinding::packet_out>("packetOut"), InstanceMethod<&DatapathBinding::read>("read"),
       InstanceMethod<&DatapathBinding::trace>("trace"), InstanceMethod<&DatapathBinding::tick>("tick"),
       InstanceMethod<&DatapathBinding::on_upcall>("onUpcall"), InstanceMethod<&DatapathBinding::close>("close")});
}

DatapathBinding::DatapathBinding(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<DatapathBinding>(info),
      runtime_(*info[0].As<Napi::External<std::shared_ptr<RuntimeState>>>().Data()),
      state_(*info[1].As<Napi::External<std::shared_ptr<DatapathState>>>().Data()) {}

DatapathState& DatapathBinding::open(Napi::Env env) {
  const auto state = state_.lock();
  if (!state) throw Napi::Error::New(env, "the datapath is closed");
  return *state;  // runtime_->datapaths holds it
}

Napi::Value DatapathBinding::port_attach(const Napi::CallbackInfo& info) {
  const PortNo number{arg_u32(info, 0, "port")};
  // A getter may close the datapath: objects are read first.
  const PortSpec spec = port_spec(arg_object(info, 1, "spec"));
  const PortSettings settings = info[2].IsUndefined() ? PortSettings{} : port_settings(arg_object(info, 2, "settings"));
  std::string error;
  if (!open(info.Env()).datapath().attach(number, spec, settings, error)) {
    throw Napi::Error::New(info.Env(), error);
  }
  return info.Env().Undefined();
}

Napi::Value DatapathBinding::port_configure(const Napi::CallbackInfo& info) {
  const PortNo number{arg_u32(info, 0, "port")};
  const PortSettings settings = port_settings(arg_object(info, 1, "settings"));
  open(info.Env()).datapath().configure(number, settings);
  return info.Env().Undefined();
}

Napi::Value DatapathBinding::port_detach(const Napi::CallbackInfo& info) {
  open(info.Env()).datapath().detach(PortNo{arg_u32(info, 0, "port")});
  return info.Env().Undefined();
}

Napi::Value DatapathBinding::apply(const Napi::CallbackInfo& info) {
  DatapathState& state = open(info.Env());
  const bool atomic = info[1].ToBoolean().Value();
  const Napi::Value statuses = bytes(info.Env(), state.datapath().apply(arg_bytes(info, 0, "batch"), atomic));
  state.tell_flow_changes(info.Env());
  return statuses;
}

Napi::Value DatapathBinding::packet_out(const Napi::CallbackInfo& info) {
  DatapathState& state = open(info.Env());
  const std::span<const std::uint8_t> record = arg_bytes(info, 0, "record");
  // Who sends many packets out would fill the queue of what goes up before anybody could look at it.
  const bool held = state.hold_wake();
  Status status = Status::kNoMemory;
  try {
    status = state.datapath().packet_out(record);
  } catch (...) {
    if (held) state.release_wake();
    throw;
  }
  if (held) {
    state.deliver(info.Env());
  } else {
    state.tell_flow_changes(info.Env());
  }
  return Napi::Number::New(info.Env(), static_cast<double>(status));
}

Napi::Value DatapathBinding::trace(const Napi::CallbackInfo& info) {
  std::vector<std::uint8_t> steps;
  const Status status = open(info.Env()).datapath().trace(arg_bytes(info, 0, "request"), steps);
  auto out = Napi::Object::New(info.Env());
  out["status"] = Napi::Number::New(info.Env(), static_cast<double>(status));
  out["steps"] = bytes(info.Env(), steps);
  return out;
}

Napi::Value DatapathBinding::read(const Napi::CallbackInfo& info) {
  Datapath& datapath = open(info.Env()).datapath();
  const std::size_t limit = std::max<std::size_t>(arg_u32(info, 1, "limit"), kReadBytesMin);
  ReadPart part = datapath.read(arg_bytes(info, 0, "query"), limit);
  auto out = Napi::Object::New(info.Env());
  // Who asks for more at once may ask for much of it before the event loop can let go of what was kept.
  out["data"] = limit <= kKeptPartBytes ? bytes(info.Env(), std::move(part.data)) : bytes(info.Env(), part.data);
  out["next"] = part.next.empty() ? info.Env().Undefined() : Napi::Value(bytes(info.Env(), part.next));
  return out;
}

Napi::Value DatapathBinding::tick(const Napi::CallbackInfo& info) {
  DatapathState& state = open(info.Env());
  state.datapath().tick();
  state.tell_flow_changes(info.Env());
  return info.Env().Undefined();
}

Napi::Value DatapathBinding::on_upcall(const Napi::CallbackInfo& info) {
  if (!info[0].IsFunction()) wrong(info.Env(), "listener", "a function");
  open(info.Env()).listen(info[0].As<Napi::Function>());
  return info.Env().Undefined();
}

Napi::Value DatapathBinding::close(const Napi::CallbackInfo& info) {
  if (const auto state = state_.lock()) std::erase(runtime_->datapaths, state);
  return info.Env().Undefined();
}

}  // namespace xvif::napi
