// The addon's functions and the runtime object. Loaded once per JavaScript environment (main thread
// or worker_threads): all state hangs on the environment, and its end closes what is still open.
#include <napi.h>

#include <memory>
#include <string>
#include <vector>

#include "napi/convert.h"
#include "napi/datapath_binding.h"
#include "napi/guest_binding.h"
#include "napi/host_binding.h"
#include "napi/hostile_binding.h"
#include "napi/runtime_state.h"
#include "xen/linux.h"

namespace xvif::napi {

void RuntimeState::close() {
  datapaths.clear();
  guests.clear();
  hostiles.clear();
  runtime.reset();
}

namespace {

class RuntimeBinding : public Napi::ObjectWrap<RuntimeBinding> {
 public:
  static Napi::Function define(Napi::Env env) {
    return DefineClass(
        env, "NativeRuntime",
        {InstanceMethod<&RuntimeBinding::open_datapath>("openDatapath"),
         InstanceMethod<&RuntimeBinding::set_own_domid>("setOwnDomid"),
         InstanceAccessor<&RuntimeBinding::emulated>("emulated"), InstanceMethod<&RuntimeBinding::close>("close")});
  }

  explicit RuntimeBinding(const Napi::CallbackInfo& info)
      : Napi::ObjectWrap<RuntimeBinding>(info),
        state_(*info[0].As<Napi::External<std::shared_ptr<RuntimeState>>>().Data()) {
    emulated_ = Napi::Persistent(
        classes(info.Env()).emulated.New({Napi::External<std::shared_ptr<RuntimeState>>::New(info.Env(), &state_)}));
  }

 private:
  Napi::Value open_datapath(const Napi::CallbackInfo& info) {
    auto datapath = std::make_shared<DatapathState>(info.Env(), state_->open(info.Env()));
    state_->datapaths.push_back(datapath);
    return classes(info.Env())
        .datapath.New({Napi::External<std::shared_ptr<RuntimeState>>::New(info.Env(), &state_),
                       Napi::External<std::shared_ptr<DatapathState>>::New(info.Env(), &datapath)});
  }

  Napi::Value set_own_domid(const Napi::CallbackInfo& info) {
    const std::uint32_t domid = arg_u32(info, 0, "domid");
    if (domid >= xen::kDomainsMax) wrong(info.Env(), "domid", "0..32751");
    state_->open(info.Env()).set_own_domid(DomId{static_cast<std::uint16_t>(domid)});
    return info.Env().Undefined();
  }

  Napi::Value emulated(const Napi::CallbackInfo& info) {
    if (state_->open(info.Env()).emulated() == nullptr) {
      throw Napi::Error::New(info.Env(), "the hypervisor is not the emulated one");
    }
    return emulated_.Value();
  }

  Napi::Value close(const Napi::CallbackInfo& info) {
    state_->close();
    return info.Env().Undefined();
  }

  std::shared_ptr<RuntimeState> state_;
  Napi::ObjectReference emulated_;
};

/// Everything that belongs to one JavaScript environment.
struct Instance {
  Classes classes;
  std::vector<std::weak_ptr<RuntimeState>> runtimes;
};

Napi::Value open_runtime(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Napi::Object options = arg_object(info, 0, "options");
  const std::uint32_t workers = get_u32(options, "workers");
  if (workers < 1 || workers > kWorkersMax) {
    throw Napi::RangeError::New(env, "workers: expected 1.." + std::to_string(kWorkersMax));
  }
  auto state = std::make_shared<RuntimeState>();
  const std::string hypervisor = get_string(options, "hypervisor");
  if (hypervisor == "emulated") {
    state->runtime = std::make_unique<Runtime>(workers);
  } else if (hypervisor == "xen") {
    std::string error;
    auto xen = xen::LinuxHypervisor::open(workers + 1, workers, error);
    if (!xen) throw Napi::Error::New(env, error);
    state->runtime = std::make_unique<Runtime>(workers, std::move(xen));
  } else {
    wrong(env, "hypervisor", "emulated or xen");
  }
  env.GetInstanceData<Instance>()->runtimes.push_back(state);
  return classes(env).runtime.New({Napi::External<std::shared_ptr<RuntimeState>>::New(env, &state)});
}

Napi::Object init(Napi::Env env, Napi::Object exports) {
  auto* instance = new Instance;
  env.SetInstanceData(instance);  // freed with the environment
  instance->classes.runtime = Napi::Persistent(RuntimeBinding::define(env));
  instance->classes.datapath = Napi::Persistent(DatapathBinding::define(env));
  instance->classes.emulated = Napi::Persistent(EmulatedBinding::define(env));
  instance->classes.frontend = Napi::Persistent(FrontendBinding::define(env));
  instance->classes.hostile = Napi::Persistent(HostileBinding::define(env));
  // Runs before the instance data and the wrapped objects are finalized: threads stop while all they use is there.
  env.AddCleanupHook([instance] {
    for (const auto& weak : instance->runtimes) {
      if (const auto runtime = weak.lock()) runtime->close();
    }
  });
  exports["openRuntime"] = Napi::Function::New(env, open_runtime, "openRuntime");
  define_host(env, exports);
  return exports;
}

}  // namespace

Classes& classes(Napi::Env env) { return env.GetInstanceData<Instance>()->classes; }

}  // namespace xvif::napi

namespace {
Napi::Object init_addon(Napi::Env env, Napi::Object exports) { return xvif::napi::init(env, exports); }
}  // namespace

NODE_API_MODULE(xvif, init_addon)
