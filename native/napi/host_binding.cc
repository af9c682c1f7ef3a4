#include "napi/host_binding.h"

#include <linux/capability.h>

#include <string>

#include "host/privileges.h"
#include "napi/convert.h"

namespace xvif::napi {

namespace {

Napi::Value find_user(const Napi::CallbackInfo& info) {
  const Napi::Object from = arg_object(info, 0, "options");
  std::string error;
  const auto ids = host::find_user(get_string(from, "user"), get_string_or(from, "group", ""), error);
  if (!ids) throw Napi::Error::New(info.Env(), error);
  Napi::Object result = Napi::Object::New(info.Env());
  result["uid"] = Napi::Number::New(info.Env(), ids->uid);
  result["gid"] = Napi::Number::New(info.Env(), ids->gid);
  return result;
}

Napi::Value drop_privileges(const Napi::CallbackInfo& info) {
  const Napi::Object from = arg_object(info, 0, "options");
  host::DropOptions options{get_string(from, "user"), {get_u32(from, "uid"), get_u32(from, "gid")}, {}};
  if (get_bool(from, "keepNetAdmin")) options.keep.push_back(CAP_NET_ADMIN);
  if (get_bool(from, "keepNetRaw")) options.keep.push_back(CAP_NET_RAW);
  const std::string error = host::drop_privileges(options);
  if (!error.empty()) throw Napi::Error::New(info.Env(), error);
  return info.Env().Undefined();
}

}  // namespace

void define_host(Napi::Env env, Napi::Object exports) {
  exports["findUser"] = Napi::Function::New(env, find_user, "findUser");
  exports["dropPrivileges"] = Napi::Function::New(env, drop_privileges, "dropPrivileges");
}

}  // namespace xvif::napi
