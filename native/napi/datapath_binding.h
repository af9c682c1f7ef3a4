// NativeDatapath of src/datapath/native-addon.ts.
#pragma once

#include <napi.h>

#include <memory>

#include "datapath/datapath.h"

namespace xvif::napi {

struct RuntimeState;

/// A datapath and the way of its upcalls into JavaScript. Owned by RuntimeState::datapaths.
class DatapathState {
 public:
  DatapathState(Napi::Env env, Runtime& runtime);
  ~DatapathState();
  DatapathState(const DatapathState&) = delete;
  DatapathState& operator=(const DatapathState&) = delete;

  Datapath& datapath() { return *datapath_; }
  void listen(Napi::Function listener);
  /// What is told by things that this thread does next is handed over by deliver(), and nobody is woken for it. False:
  /// somebody is being woken anyway, or the listener is running.
  bool hold_wake();
  /// Instead of deliver(), when it came to nothing.
  void release_wake();
  /// May close the datapath: nothing of this is used after it.
  void deliver(Napi::Env env);
  /// Hands what became of watched flows to the listener, before the verb returns that did it.
  void tell_flow_changes(Napi::Env env);

 private:
  struct Wake;
  static void drain(Napi::Env env, Napi::Function callback, Wake* context, void* data);
  /// Calls the listener, which may close the datapath, and passes on what it throws.
  static void hand_over(Napi::Env env, Wake& wake);
  static void tell(Napi::Env env, std::shared_ptr<Wake> wake, const std::vector<std::uint8_t>& records);
  static void drain_later(Napi::Env env, std::shared_ptr<Wake> wake);
  using WakeFunction = Napi::TypedThreadSafeFunction<Wake, void, drain>;

  std::shared_ptr<Wake> wake_;  // data plane threads: call; JavaScript thread: all else
  Napi::FunctionReference listener_;
  std::unique_ptr<Datapath> datapath_;
};

class DatapathBinding : public Napi::ObjectWrap<DatapathBinding> {
 public:
  static Napi::Function define(Napi::Env env);
  explicit DatapathBinding(const Napi::CallbackInfo& info);

 private:
  DatapathState& open(Napi::Env env);
  Napi::Value port_attach(const Napi::CallbackInfo& info);
  Napi::Value port_configure(const Napi::CallbackInfo& info);
  Napi::Value port_detach(const Napi::CallbackInfo& info);
  Napi::Value apply(const Napi::CallbackInfo& info);
  Napi::Value packet_out(const Napi::CallbackInfo& info);
  Napi::Value trace(const Napi::CallbackInfo& info);
  Napi::Value read(const Napi::CallbackInfo& info);
  Napi::Value tick(const Napi::CallbackInfo& info);
  Napi::Value on_upcall(const Napi::CallbackInfo& info);
  Napi::Value close(const Napi::CallbackInfo& info);

  std::shared_ptr<RuntimeState> runtime_;
  std::weak_ptr<DatapathState> state_;
};

}  // namespace xvif::napi
