#pragma once

#include <napi.h>

namespace xvif::napi {

/// findUser and dropPrivileges, as src/datapath/native-addon.ts describes them.
void define_host(Napi::Env env, Napi::Object exports);

}  // namespace xvif::napi
