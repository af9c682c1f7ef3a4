#pragma once

#include <napi.h>

#include <memory>
#include <vector>

#include "datapath/datapath.h"
#include "datapath/runtime.h"
#include "guest/guest.h"
#include "netfront/hostile_front.h"

namespace xvif::napi {

/// What a runtime and all objects made from it share. Owns the native objects, so that closing the runtime, or the end
/// of the JavaScript environment, ends them in order, whatever JavaScript still holds. JavaScript thread only.
struct RuntimeState {
  std::unique_ptr<Runtime> runtime;  // null once closed
  std::vector<std::unique_ptr<guest::Guest>> guests;
  std::vector<std::unique_ptr<netfront::HostileFront>> hostiles;
  std::vector<std::shared_ptr<class DatapathState>> datapaths;

  /// Throws when closed.
  Runtime& open(Napi::Env env) {
    if (!runtime) throw Napi::Error::New(env, "the native data plane is closed");
    return *runtime;
  }
  void close();
};

/// Constructors of the classes, per environment.
struct Classes {
  Napi::FunctionReference runtime, datapath, emulated, frontend, hostile;
};
Classes& classes(Napi::Env env);

}  // namespace xvif::napi
