#include "napi/hostile_binding.h"

#include "napi/convert.h"
#include "napi/runtime_state.h"

namespace xvif::napi {
namespace {

netfront::HostileStep hostile_step(Napi::Env env, const Napi::Object& from) {
  using Kind = netfront::HostileStep::Kind;
  const std::string name = get_string(from, "op");
  netfront::HostileStep step{};
  if (name == "store") {
    step.kind = Kind::kStore;
  } else if (name == "add") {
    step.kind = Kind::kAdd;
  } else if (name == "follow") {
    step.kind = Kind::kFollow;
  } else if (name == "notify") {
    step.kind = Kind::kNotify;
  } else {
    wrong(env, "op", "store, add, follow or notify");
  }
  if (has(from, "page")) step.page = get_u32(from, "page");
  if (has(from, "offset")) step.offset = get_u32(from, "offset");
  const Napi::Array values = get_array(from, "values");
  for (std::uint32_t i = 0; i < values.Length(); ++i) step.values.push_back(values.Get(i).ToNumber().Uint32Value());
  return step;
}

DomId backend_or(const Napi::CallbackInfo& info, std::size_t index) {
  return info[index].IsUndefined() ? xen::kBackendDomain
                                   : DomId{static_cast<std::uint16_t>(arg_u32(info, index, "domid"))};
}

}  // namespace

Napi::Function HostileBinding::define(Napi::Env env) {
  return DefineClass(
      env, "HostileFrontend",
      {InstanceMethod<&HostileBinding::allocate_page>("allocatePage"), InstanceMethod<&HostileBinding::grant>("grant"),
       InstanceMethod<&HostileBinding::revoke>("revoke"), InstanceMethod<&HostileBinding::write>("write"),
       InstanceMethod<&HostileBinding::read>("read"), InstanceMethod<&HostileBinding::open_channel>("openChannel"),
       InstanceMethod<&HostileBinding::close_channel>("closeChannel"),
       InstanceMethod<&HostileBinding::notify>("notify"), InstanceMethod<&HostileBinding::start>("start"),
       InstanceMethod<&HostileBinding::stop>("stop"), InstanceMethod<&HostileBinding::close>("close")});
}

HostileBinding::HostileBinding(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<HostileBinding>(info),
      state_(*info[0].As<Napi::External<std::shared_ptr<RuntimeState>>>().Data()),
      front_(info[1].As<Napi::External<netfront::HostileFront>>().Data()) {}

netfront::HostileFront& HostileBinding::front(Napi::Env env) {
  state_->open(env);
  if (front_ == nullptr) throw Napi::Error::New(env, "the hostile frontend is closed");
  return *front_;
}

Napi::Value HostileBinding::allocate_page(const Napi::CallbackInfo& info) {
  const auto page = front(info.Env()).allocate_page();
  if (!page) throw Napi::Error::New(info.Env(), "the domain has no more pages");
  return Napi::Number::New(info.Env(), *page);
}

Napi::Value HostileBinding::grant(const Napi::CallbackInfo& info) {
  const bool readonly = info[1].IsBoolean() && info[1].As<Napi::Boolean>().Value();
  const auto ref = front(info.Env()).grant(arg_u32(info, 0, "page"), backend_or(info, 2), readonly);
  if (!ref) throw Napi::Error::New(info.Env(), "no such page, or no more grants");
  return Napi::Number::New(info.Env(), raw(*ref));
}

Napi::Value HostileBinding::revoke(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), front(info.Env()).revoke(GrantRef{arg_u32(info, 0, "ref")}));
}

Napi::Value HostileBinding::write(const Napi::CallbackInfo& info) {
  if (!front(info.Env()).write(arg_u32(info, 0, "page"), arg_u32(info, 1, "offset"), arg_bytes(info, 2, "bytes"))) {
    throw Napi::RangeError::New(info.Env(), "not within a page");
  }
  return info.Env().Undefined();
}

Napi::Value HostileBinding::read(const Napi::CallbackInfo& info) {
  const std::uint32_t length = arg_u32(info, 2, "length");
  std::vector<std::uint8_t> out(std::min<std::size_t>(length, xen::kPageBytes));
  if (length != out.size() || !front(info.Env()).read(arg_u32(info, 0, "page"), arg_u32(info, 1, "offset"), out)) {
    throw Napi::RangeError::New(info.Env(), "not within a page");
  }
  return bytes(info.Env(), out);
}

Napi::Value HostileBinding::open_channel(const Napi::CallbackInfo& info) {
  const auto port = front(info.Env()).open_channel(backend_or(info, 0));
  if (!port) throw Napi::Error::New(info.Env(), "the domain has no more event channels");
  return Napi::Number::New(info.Env(), raw(*port));
}

Napi::Value HostileBinding::close_channel(const Napi::CallbackInfo& info) {
  front(info.Env()).close_channel(EvtchnPort{arg_u32(info, 0, "port")});
  return info.Env().Undefined();
}

Napi::Value HostileBinding::notify(const Napi::CallbackInfo& info) {
  front(info.Env()).notify(EvtchnPort{arg_u32(info, 0, "port")}, info[1].IsUndefined() ? 1 : arg_u32(info, 1, "times"));
  return info.Env().Undefined();
}

Napi::Value HostileBinding::start(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (!info[0].IsArray()) wrong(env, "program", "an array");
  const auto steps = info[0].As<Napi::Array>();
  std::vector<netfront::HostileStep> program;
  for (std::uint32_t i = 0; i < steps.Length(); ++i) {
    program.push_back(hostile_step(env, steps.Get(i).As<Napi::Object>()));
  }
  if (!front(env).start(std::move(program))) {
    throw Napi::Error::New(env, "a program runs already, or names what is not there");
  }
  return env.Undefined();
}

Napi::Value HostileBinding::stop(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(front(info.Env()).stop()));
}

Napi::Value HostileBinding::close(const Napi::CallbackInfo& info) {
  if (front_ != nullptr && state_->runtime) {
    std::erase_if(state_->hostiles, [this](const auto& each) { return each.get() == front_; });
  }
  front_ = nullptr;
  return info.Env().Undefined();
}

}  // namespace xvif::napi
