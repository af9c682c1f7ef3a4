#include "napi/guest_binding.h"

#include <algorithm>
#include <cmath>

#include "napi/convert.h"
#include "napi/runtime_state.h"

namespace xvif::napi {
namespace {

/// RingRules of src/datapath/native-addon.ts.
netfront::RingRules ring_rules(const Napi::Object& from) {
  netfront::RingRules rules;
  const std::string pairing = get_string(from, "rxPairing");
  rules.rx_pairing = pairing == "id"              ? netfront::RxPairing::kId
                     : pairing == "slot-asserted" ? netfront::RxPairing::kSlotAsserted
                                                  : netfront::RxPairing::kSlot;
  rules.rx_id_xor = get_u16_or(from, "rxIdXor", rules.rx_id_xor) & (xen::kRingSlots - 1);
  if (has(from, "rxStatusMin")) rules.rx_status_min = static_cast<std::int16_t>(get_u16(from, "rxStatusMin"));
  if (has(from, "rxExtras")) {
    rules.rx_extras = 0;
    const Napi::Array types = get_array(from, "rxExtras");
    for (std::uint32_t i = 0; i < types.Length(); ++i) {
      rules.rx_extras |= netfront::rx_extra(static_cast<std::uint8_t>(types.Get(i).ToNumber().Uint32Value() & 31));
    }
  }
  rules.extras_asserted = get_bool_or(from, "extrasAsserted", rules.extras_asserted);
  rules.tx_hash = get_bool_or(from, "txHash", rules.tx_hash);
  rules.rx_chains = get_bool_or(from, "rxChains", rules.rx_chains);
  rules.ignores_rx_flags = get_bool_or(from, "ignoresRxFlags", rules.ignores_rx_flags);
  rules.swaps_rx_flags = get_bool_or(from, "swapsRxFlags", rules.swaps_rx_flags);
  rules.tx_id_first = get_u16_or(from, "txIdFirst", rules.tx_id_first);
  rules.tx_id_step = std::max<std::uint16_t>(1, get_u16_or(from, "txIdStep", rules.tx_id_step));
  rules.tx_slots_max = get_u16_or(from, "txSlotsMax", static_cast<std::uint16_t>(rules.tx_slots_max));
  rules.notifies_rx = get_bool_or(from, "notifiesRx", rules.notifies_rx);
  return rules;
}

guest::FrontendOptions frontend_options(const Napi::Object& from) {
  guest::FrontendOptions options{};
  options.mac = get_mac(from, "mac");
  options.mtu = get_u32(from, "mtu");
  options.queues = get_u32(from, "queues");
  options.split_event_channels = get_bool(from, "splitEventChannels");
  options.sg = get_bool(from, "sg");
  options.gso_tcpv4 = get_bool(from, "gsoTcpv4");
  options.gso_tcpv6 = get_bool(from, "gsoTcpv6");
  options.csum_offload = get_bool(from, "csumOffload");
  options.control_ring = get_bool_or(from, "controlRing", false);
  if (has(from, "rules")) options.rules = ring_rules(get_object(from, "rules"));
  const Napi::Object stack = get_object(from, "stack");
  if (get_string(stack, "kind") == "tap") {
    options.stack = guest::TapStackOptions{get_string(stack, "device"), get_string_or(stack, "netns", "")};
  } else {
    options.stack = guest::BuiltinStackOptions{get_string(stack, "ipv4"), get_string_or(stack, "ipv6", "")};
  }
  return options;
}

DomId to_domid(Napi::Env env, std::uint32_t value) {
  if (value == 0 || value >= xen::kDomainsMax) wrong(env, "domid", "1..32751");
  return DomId{static_cast<std::uint16_t>(value)};
}

Napi::Object ping_result(Napi::Env env, const guest::PingResult& result) {
  auto out = Napi::Object::New(env);
  out["sent"] = Napi::Number::New(env, result.sent);
  out["received"] = Napi::Number::New(env, result.received);
  auto times = Napi::Array::New(env, result.rtt_us.size());
  for (std::size_t i = 0; i < result.rtt_us.size(); ++i) {
    times[static_cast<std::uint32_t>(i)] = Napi::Number::New(env, result.rtt_us[i]);
  }
  out["rttUs"] = times;
  return out;
}

netfront::ControlRequest control_request_of(const Napi::Object& from) {
  netfront::ControlRequest request{};
  request.type = get_u16(from, "type");
  const Napi::Array data = get_array(from, "data");
  if (data.Length() != request.data.size()) wrong(from.Env(), "data", "three numbers");
  for (std::uint32_t i = 0; i < data.Length(); ++i) {
    const Napi::Value value = data[i];
    if (!value.IsNumber()) wrong(from.Env(), "data", "three numbers");
    request.data[i] = value.As<Napi::Number>().Uint32Value();
  }
  if (!has(from, "page")) return request;
  const Napi::Value page = from.Get("page");
  if (!page.IsTypedArray() || page.As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array) {
    wrong(from.Env(), "page", "a Uint8Array");
  }
  const auto content = page.As<Napi::Uint8Array>();
  if (content.ElementLength() == 0 || content.ElementLength() > xen::kPageBytes) {
    wrong(from.Env(), "page", "1 to 4096 bytes");
  }
  request.page.assign(content.Data(), content.Data() + content.ElementLength());
  request.page_at = get_u16_or(from, "pageAt", 0);
  if (request.page_at >= request.data.size()) wrong(from.Env(), "pageAt", "0 to 2");
  return request;
}

Napi::Value control_result(Napi::Env env, const netfront::ControlResult& result) {
  auto out = Napi::Object::New(env);
  out["status"] = Napi::Number::New(env, result.status);
  out["data"] = Napi::Number::New(env, result.data);
  out["page"] = result.page.empty() ? env.Undefined() : Napi::Value(bytes(env, result.page));
  return out;
}

/// Carries a result from the guest thread to its promise.
template <typename Result>
struct Pending {
  Napi::Promise::Deferred deferred;
  Napi::ThreadSafeFunction function;
  Result result;

  /// Freed with its function, which is called and released once.
  static Pending* make(Napi::Env env, const char* name) {
    auto* pending = new Pending{Napi::Promise::Deferred::New(env), {}, {}};
    pending->function = Napi::ThreadSafeFunction::New(
        env, Napi::Function::New(env, [](const Napi::CallbackInfo&) {}), name, 0, 1,
        [](Napi::Env, Pending* done) { delete done; }, pending);
    return pending;
  }
  /// Any thread, once. `settle(env, deferred, result)` runs on the JavaScript thread.
  template <typename Settle>
  void finish(const Result& value, Settle settle) {
    result = value;
    // When the environment is ending the call is refused, and the finalizer frees.
    function.NonBlockingCall(this, [settle](Napi::Env env, Napi::Function, Pending* done) {
      if (env != nullptr) settle(env, done->deferred, done->result);
    });
    function.Release();
  }
};

}  // namespace

Napi::Function EmulatedBinding::define(Napi::Env env) {
  return DefineClass(env, "EmulatedHypervisor",
                     {InstanceMethod<&EmulatedBinding::create_domain>("createDomain"),
                      InstanceMethod<&EmulatedBinding::destroy_domain>("destroyDomain"),
                      InstanceMethod<&EmulatedBinding::create_frontend>("createFrontend"),
                      InstanceMethod<&EmulatedBinding::create_hostile>("createHostile"),
                      InstanceMethod<&EmulatedBinding::usage>("usage")});
}

EmulatedBinding::EmulatedBinding(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<EmulatedBinding>(info),
      state_(*info[0].As<Napi::External<std::shared_ptr<RuntimeState>>>().Data()) {}

Napi::Value EmulatedBinding::create_domain(const Napi::CallbackInfo& info) {
  const std::uint32_t id = arg_u32(info, 0, "domid");
  if (!state_->open(info.Env()).emulated()->create_domain(to_domid(info.Env(), id))) {
    throw Napi::Error::New(info.Env(), "domain " + std::to_string(id) + " exists");
  }
  return info.Env().Undefined();
}

Napi::Value EmulatedBinding::destroy_domain(const Napi::CallbackInfo& info) {
  const DomId id = to_domid(info.Env(), arg_u32(info, 0, "domid"));
  state_->open(info.Env()).emulated()->destroy_domain(id);
  return info.Env().Undefined();
}

Napi::Value EmulatedBinding::create_frontend(const Napi::CallbackInfo& info) {
  const DomId id = to_domid(info.Env(), arg_u32(info, 0, "domid"));
  const guest::FrontendOptions options = frontend_options(arg_object(info, 1, "options"));
  Runtime& runtime = state_->open(info.Env());
  std::string error;
  auto guest = guest::Guest::create(*runtime.emulated(), runtime.guest_thread(), id, options, error);
  if (!guest) throw Napi::Error::New(info.Env(), error);
  state_->guests.push_back(std::move(guest));
  return classes(info.Env())
      .frontend.New({Napi::External<std::shared_ptr<RuntimeState>>::New(info.Env(), &state_),
                     Napi::External<guest::Guest>::New(info.Env(), state_->guests.back().get())});
}

Napi::Value EmulatedBinding::create_hostile(const Napi::CallbackInfo& info) {
  const DomId id = to_domid(info.Env(), arg_u32(info, 0, "domid"));
  auto domain = state_->open(info.Env()).emulated()->domain(id);
  if (!domain) throw Napi::Error::New(info.Env(), "there is no domain " + std::to_string(raw(id)));
  state_->hostiles.push_back(std::make_unique<netfront::HostileFront>(std::move(domain)));
  return classes(info.Env())
      .hostile.New({Napi::External<std::shared_ptr<RuntimeState>>::New(info.Env(), &state_),
                    Napi::External<netfront::HostileFront>::New(info.Env(), state_->hostiles.back().get())});
}

Napi::Value EmulatedBinding::usage(const Napi::CallbackInfo& info) {
  Runtime& runtime = state_->open(info.Env());
  const xen::EmulatedUsage usage = runtime.emulated()->usage();
  auto out = Napi::Object::New(info.Env());
  const auto put = [&](const char* name, std::size_t value) {
    out[name] = Napi::Number::New(info.Env(), static_cast<double>(value));
  };
  put("domains", usage.domains);
  put("grantsGranted", usage.grants_granted);
  put("grantsMapped", usage.grants_mapped);
  put("evtchns", usage.evtchns);
  put("threads", runtime.threads());
  return out;
}

Napi::Function FrontendBinding::define(Napi::Env env) {
  return DefineClass(
      env, "NativeFrontend",
      {InstanceAccessor<&FrontendBinding::queues>("queues"), InstanceMethod<&FrontendBinding::connect>("connect"),
       InstanceAccessor<&FrontendBinding::control>("control"),
       InstanceMethod<&FrontendBinding::control_request>("controlRequest"),
       InstanceMethod<&FrontendBinding::stage_buffers>("stageBuffers"),
       InstanceMethod<&FrontendBinding::disconnect>("disconnect"), InstanceMethod<&FrontendBinding::reopen>("reopen"),
       InstanceMethod<&FrontendBinding::ping>("ping"), InstanceMethod<&FrontendBinding::start_traffic>("startTraffic"),
       InstanceMethod<&FrontendBinding::stop_traffic>("stopTraffic"),
       InstanceMethod<&FrontendBinding::send_frame>("sendFrame"),
       InstanceMethod<&FrontendBinding::send_multicast>("sendMulticastControl"),
       InstanceMethod<&FrontendBinding::take_frames>("takeFrames"), InstanceMethod<&FrontendBinding::stats>("stats"),
       InstanceAccessor<&FrontendBinding::panicked>("panicked"), InstanceMethod<&FrontendBinding::close>("close")});
}

FrontendBinding::FrontendBinding(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<FrontendBinding>(info),
      state_(*info[0].As<Napi::External<std::shared_ptr<RuntimeState>>>().Data()),
      guest_(info[1].As<Napi::External<guest::Guest>>().Data()) {}

// A frontend that JavaScript forgot goes on until its runtime closes, as a guest would.
FrontendBinding::~FrontendBinding() = default;

guest::Guest& FrontendBinding::guest(Napi::Env env) {
  state_->open(env);
  if (guest_ == nullptr) throw Napi::Error::New(env, "the frontend is closed");
  return *guest_;
}

Napi::Value FrontendBinding::queues(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto& refs = guest(env).queues();
  auto out = Napi::Array::New(env, refs.size());
  for (std::size_t i = 0; i < refs.size(); ++i) {
    auto queue = Napi::Object::New(env);
    queue["txRingRef"] = Napi::Number::New(env, raw(refs[i].tx_ring));
    queue["rxRingRef"] = Napi::Number::New(env, raw(refs[i].rx_ring));
    queue["evtchnTx"] = Napi::Number::New(env, raw(refs[i].evtchn_tx));
    queue["evtchnRx"] = Napi::Number::New(env, raw(refs[i].evtchn_rx));
    out[static_cast<std::uint32_t>(i)] = queue;
  }
  return out;
}

Napi::Value FrontendBinding::connect(const Napi::CallbackInfo& info) {
  guest(info.Env()).connect();
  return info.Env().Undefined();
}

Napi::Value FrontendBinding::disconnect(const Napi::CallbackInfo& info) {
  guest(info.Env()).disconnect();
  return info.Env().Undefined();
}

Napi::Value FrontendBinding::reopen(const Napi::CallbackInfo& info) {
  std::string error;
  if (!guest(info.Env()).reopen(error)) throw Napi::Error::New(info.Env(), error);
  return info.Env().Undefined();
}

Napi::Value FrontendBinding::ping(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (!info[0].IsString()) wrong(env, "address", "a string");
  const Napi::Object from = arg_object(info, 1, "options");
  guest::PingOptions options;
  options.address = info[0].As<Napi::String>().Utf8Value();
  options.count = get_u32(from, "count");
  options.interval_ms = get_u32(from, "intervalMs");
  options.timeout_ms = get_u32(from, "timeoutMs");
  options.size = get_u32(from, "size");
  guest::Guest& target = guest(env);
  auto* pending = Pending<guest::PingResult>::make(env, "xvif ping");
  const Napi::Promise promise = pending->deferred.Promise();
  target.ping(options, [pending](const guest::PingResult& result) {
    pending->finish(result, [](Napi::Env inner, Napi::Promise::Deferred& deferred, const guest::PingResult& pings) {
      deferred.Resolve(ping_result(inner, pings));
    });
  });
  return promise;
}

Napi::Value FrontendBinding::control(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto& refs = guest(env).control();
  if (!refs) return env.Undefined();
  auto out = Napi::Object::New(env);
  out["ringRef"] = Napi::Number::New(env, raw(refs->ring));
  out["evtchn"] = Napi::Number::New(env, raw(refs->evtchn));
  return out;
}

Napi::Value FrontendBinding::control_request(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const netfront::ControlRequest request = control_request_of(arg_object(info, 0, "request"));
  guest::Guest& target = guest(env);
  auto* pending = Pending<netfront::ControlResult>::make(env, "xvif control request");
  const Napi::Promise promise = pending->deferred.Promise();
  target.control_request(request, [pending](const netfront::ControlResult& result) {
    pending->finish(
        result, [](Napi::Env inner, Napi::Promise::Deferred& deferred, const netfront::ControlResult& answer) {
          if (answer.answered) return deferred.Resolve(control_result(inner, answer));
          deferred.Reject(Napi::Error::New(inner, "the control request was not sent, or not answered").Value());
        });
  });
  return promise;
}

Napi::Value FrontendBinding::stage_buffers(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const bool on = info[0].ToBoolean().Value();
  guest::Guest& target = guest(env);
  auto* pending = Pending<bool>::make(env, "xvif staging grants");
  const Napi::Promise promise = pending->deferred.Promise();
  target.stage_buffers(on, [pending](bool good) {
    pending->finish(good, [](Napi::Env inner, Napi::Promise::Deferred& deferred, bool done) {
      deferred.Resolve(Napi::Boolean::New(inner, done));
    });
  });
  return promise;
}

Napi::Value FrontendBinding::start_traffic(const Napi::CallbackInfo& info) {
  const Napi::Object from = arg_object(info, 0, "options");
  guest::TrafficOptions options;
  options.address = get_string(from, "address");
  options.port = get_u16(from, "port");
  options.frame_size = get_u32(from, "frameSize");
  options.pps = get_number(from, "pps");
  if (!guest(info.Env()).start_traffic(options)) {
    throw Napi::Error::New(info.Env(), "cannot send frames of " + std::to_string(options.frame_size) + " bytes to " +
                                           options.address + " from this guest");
  }
  return info.Env().Undefined();
}

Napi::Value FrontendBinding::stop_traffic(const Napi::CallbackInfo& info) {
  guest(info.Env()).stop_traffic();
  return info.Env().Undefined();
}

Napi::Value FrontendBinding::send_frame(const Napi::CallbackInfo& info) {
  guest::SendOptions options;
  if (info[1].IsObject()) {
    const Napi::Object from = info[1].As<Napi::Object>();
    options.csum_blank = get_bool_or(from, "csumBlank", false);
    options.gso_size = get_u16_or(from, "gsoSize", 0);
    options.gso_type = static_cast<std::uint8_t>(get_u16_or(from, "gsoType", 0));
  }
  return Napi::Boolean::New(info.Env(), guest(info.Env()).send_frame(arg_bytes(info, 0, "frame"), options));
}

Napi::Value FrontendBinding::send_multicast(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Napi::Object request = arg_object(info, 0, "request");
  const std::string action = get_string(request, "action");
  if (action != "add" && action != "delete") wrong(env, "action", "\"add\" or \"delete\"");
  const auto type = action == "add" ? xen::extra::kMcastAdd : xen::extra::kMcastDel;
  return Napi::Boolean::New(env, guest(env).send_multicast(type, get_mac(request, "address")));
}

Napi::Value FrontendBinding::take_frames(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const std::vector<guest::TakenFrame> frames = guest(env).take_frames();
  auto out = Napi::Array::New(env, frames.size());
  for (std::size_t i = 0; i < frames.size(); ++i) {
    auto frame = Napi::Object::New(env);
    frame["frame"] = bytes(env, frames[i].frame);
    frame["csumBlank"] = Napi::Boolean::New(env, frames[i].csum_blank);
    frame["gsoSize"] = Napi::Number::New(env, frames[i].gso_size);
    frame["gsoType"] = Napi::Number::New(env, frames[i].gso_type);
    frame["slots"] = Napi::Number::New(env, frames[i].slots);
    frame["xdpHeadroom"] = Napi::Number::New(env, frames[i].xdp_headroom);
    if (frames[i].hashed) {
      auto hash = Napi::Object::New(env);
      hash["type"] = Napi::Number::New(env, frames[i].hash_type);
      hash["value"] = Napi::Number::New(env, frames[i].hash);
      frame["hash"] = hash;
    }
    out[static_cast<std::uint32_t>(i)] = frame;
  }
  return out;
}

Napi::Value FrontendBinding::stats(const Napi::CallbackInfo& info) {
  const guest::GuestStats stats = guest(info.Env()).stats();
  auto out = Napi::Object::New(info.Env());
  const auto put = [&](const char* name, std::uint64_t value) {
    out[name] = Napi::Number::New(info.Env(), static_cast<double>(value));
  };
  put("txPackets", stats.tx_packets);
  put("txBytes", stats.tx_bytes);
  put("rxPackets", stats.rx_packets);
  put("rxBytes", stats.rx_bytes);
  put("txDropped", stats.tx_dropped);
  put("rxErrors", stats.rx_errors);
  put("udpReceived", stats.udp_received);
  return out;
}

Napi::Value FrontendBinding::panicked(const Napi::CallbackInfo& info) {
  const std::string why = guest(info.Env()).panicked();
  return why.empty() ? info.Env().Undefined() : Napi::String::New(info.Env(), why);
}

Napi::Value FrontendBinding::close(const Napi::CallbackInfo& info) {
  if (guest_ != nullptr && state_->runtime) {
    guest_->close();
    std::erase_if(state_->guests, [this](const auto& each) { return each.get() == guest_; });
  }
  guest_ = nullptr;
  return info.Env().Undefined();
}

}  // namespace xvif::napi
