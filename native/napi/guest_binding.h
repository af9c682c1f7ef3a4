// EmulatedHypervisor and NativeFrontend of src/datapath/native-addon.ts.
#pragma once

#include <napi.h>

#include <memory>
#include <unordered_set>

#include "datapath/runtime.h"
#include "guest/guest.h"

namespace xvif::napi {

/// What a runtime and all objects made from it share. After close() `runtime` is null and every call throws.
struct RuntimeState;

/// Domains of the emulated hypervisor.
class EmulatedBinding : public Napi::ObjectWrap<EmulatedBinding> {
 public:
  static Napi::Function define(Napi::Env env);
  explicit EmulatedBinding(const Napi::CallbackInfo& info);

 private:
  Napi::Value create_domain(const Napi::CallbackInfo& info);
  Napi::Value destroy_domain(const Napi::CallbackInfo& info);
  Napi::Value create_frontend(const Napi::CallbackInfo& info);
  Napi::Value create_hostile(const Napi::CallbackInfo& info);
  Napi::Value usage(const Napi::CallbackInfo& info);

  std::shared_ptr<RuntimeState> state_;
};

class FrontendBinding : public Napi::ObjectWrap<FrontendBinding> {
 public:
  static Napi::Function define(Napi::Env env);
  explicit FrontendBinding(const Napi::CallbackInfo& info);
  ~FrontendBinding() override;

 private:
  guest::Guest& guest(Napi::Env env);
  Napi::Value queues(const Napi::CallbackInfo& info);
  Napi::Value control(const Napi::CallbackInfo& info);
  Napi::Value control_request(const Napi::CallbackInfo& info);
  Napi::Value stage_buffers(const Napi::CallbackInfo& info);
  Napi::Value connect(const Napi::CallbackInfo& info);
  Napi::Value disconnect(const Napi::CallbackInfo& info);
  Napi::Value reopen(const Napi::CallbackInfo& info);
  Napi::Value ping(const Napi::CallbackInfo& info);
  Napi::Value start_traffic(const Napi::CallbackInfo& info);
  Napi::Value stop_traffic(const Napi::CallbackInfo& info);
  Napi::Value send_frame(const Napi::CallbackInfo& info);
  Napi::Value send_multicast(const Napi::CallbackInfo& info);
  Napi::Value take_frames(const Napi::CallbackInfo& info);
  Napi::Value stats(const Napi::CallbackInfo& info);
  Napi::Value panicked(const Napi::CallbackInfo& info);
  Napi::Value close(const Napi::CallbackInfo& info);

  std::shared_ptr<RuntimeState> state_;
  guest::Guest* guest_ = nullptr;  // owned by state_->guests; nullptr once closed
};

}  // namespace xvif::napi
