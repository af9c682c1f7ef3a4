// HostileFrontend of src/datapath/native-addon.ts.
#pragma once

#include <napi.h>

#include <memory>

#include "netfront/hostile_front.h"

namespace xvif::napi {

struct RuntimeState;

class HostileBinding : public Napi::ObjectWrap<HostileBinding> {
 public:
  static Napi::Function define(Napi::Env env);
  explicit HostileBinding(const Napi::CallbackInfo& info);

 private:
  netfront::HostileFront& front(Napi::Env env);
  Napi::Value allocate_page(const Napi::CallbackInfo& info);
  Napi::Value grant(const Napi::CallbackInfo& info);
  Napi::Value revoke(const Napi::CallbackInfo& info);
  Napi::Value write(const Napi::CallbackInfo& info);
  Napi::Value read(const Napi::CallbackInfo& info);
  Napi::Value open_channel(const Napi::CallbackInfo& info);
  Napi::Value close_channel(const Napi::CallbackInfo& info);
  Napi::Value notify(const Napi::CallbackInfo& info);
  Napi::Value start(const Napi::CallbackInfo& info);
  Napi::Value stop(const Napi::CallbackInfo& info);
  Napi::Value close(const Napi::CallbackInfo& info);

  std::shared_ptr<RuntimeState> state_;
  netfront::HostileFront* front_ = nullptr;  // owned by state_->hostiles; nullptr once closed
};

}  // namespace xvif::napi
