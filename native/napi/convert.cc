#include "napi/convert.h"

#include <cstdio>
#include <cstring>
#include <memory>
#include <utility>

namespace xvif::napi {

void wrong(Napi::Env env, const char* name, const char* what) {
  throw Napi::TypeError::New(env, std::string(name) + ": expected " + what);
}

namespace {

std::uint32_t to_u32(Napi::Env env, const Napi::Value& value, const char* name) {
  if (!value.IsNumber()) wrong(env, name, "a number");
  const double number = value.As<Napi::Number>().DoubleValue();
  if (!(number >= 0 && number <= 4294967295.0) || number != static_cast<double>(static_cast<std::uint32_t>(number))) {
    wrong(env, name, "an unsigned 32-bit integer");
  }
  return static_cast<std::uint32_t>(number);
}

}  // namespace

bool has(const Napi::Object& from, const char* name) {
  const Napi::Value value = from.Get(name);
  return !value.IsUndefined() && !value.IsNull();
}

std::uint32_t get_u32(const Napi::Object& from, const char* name) { return to_u32(from.Env(), from.Get(name), name); }

std::uint16_t get_u16(const Napi::Object& from, const char* name) {
  const std::uint32_t value = get_u32(from, name);
  if (value > 0xffff) wrong(from.Env(), name, "an unsigned 16-bit integer");
  return static_cast<std::uint16_t>(value);
}

double get_number(const Napi::Object& from, const char* name) {
  const Napi::Value value = from.Get(name);
  if (!value.IsNumber()) wrong(from.Env(), name, "a number");
  return value.As<Napi::Number>().DoubleValue();
}

bool get_bool(const Napi::Object& from, const char* name) {
  const Napi::Value value = from.Get(name);
  if (!value.IsBoolean()) wrong(from.Env(), name, "a boolean");
  return value.As<Napi::Boolean>().Value();
}

std::string get_string(const Napi::Object& from, const char* name) {
  const Napi::Value value = from.Get(name);
  if (!value.IsString()) wrong(from.Env(), name, "a string");
  return value.As<Napi::String>().Utf8Value();
}

Napi::Object get_object(const Napi::Object& from, const char* name) {
  const Napi::Value value = from.Get(name);
  if (!value.IsObject()) wrong(from.Env(), name, "an object");
  return value.As<Napi::Object>();
}

Napi::Array get_array(const Napi::Object& from, const char* name) {
  const Napi::Value value = from.Get(name);
  if (!value.IsArray()) wrong(from.Env(), name, "an array");
  return value.As<Napi::Array>();
}

bool get_bool_or(const Napi::Object& from, const char* name, bool otherwise) {
  return has(from, name) ? get_bool(from, name) : otherwise;
}

std::uint16_t get_u16_or(const Napi::Object& from, const char* name, std::uint16_t otherwise) {
  return has(from, name) ? get_u16(from, name) : otherwise;
}

std::string get_string_or(const Napi::Object& from, const char* name, const std::string& otherwise) {
  return has(from, name) ? get_string(from, name) : otherwise;
}

std::array<std::uint8_t, 6> get_mac(const Napi::Object& from, const char* name) {
  const std::string text = get_string(from, name);
  std::array<std::uint8_t, 6> mac;
  int used = 0;
  const int fields = std::sscanf(text.c_str(), "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%n", &mac[0], &mac[1], &mac[2],
                                 &mac[3], &mac[4], &mac[5], &used);
  if (fields != 6 || static_cast<std::size_t>(used) != text.size()) wrong(from.Env(), name, "a MAC address");
  return mac;
}

std::uint32_t arg_u32(const Napi::CallbackInfo& info, std::size_t index, const char* name) {
  return to_u32(info.Env(), info[index], name);
}

Napi::Object arg_object(const Napi::CallbackInfo& info, std::size_t index, const char* name) {
  if (!info[index].IsObject()) wrong(info.Env(), name, "an object");
  return info[index].As<Napi::Object>();
}

std::span<const std::uint8_t> arg_bytes(const Napi::CallbackInfo& info, std::size_t index, const char* name) {
  if (!info[index].IsTypedArray() || info[index].As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array) {
    wrong(info.Env(), name, "a Uint8Array");
  }
  const auto array = info[index].As<Napi::Uint8Array>();
  return {array.Data(), array.ByteLength()};
}

Napi::Uint8Array bytes(Napi::Env env, std::span<const std::uint8_t> data) {
  auto array = Napi::Uint8Array::New(env, data.size());
  if (!data.empty()) std::memcpy(array.Data(), data.data(), data.size());
  return array;
}

Napi::Uint8Array bytes(Napi::Env env, std::vector<std::uint8_t>&& data) {
  constexpr std::size_t kWorthKeeping = 32 * 1024;
  if (data.size() < kWorthKeeping) return bytes(env, std::span<const std::uint8_t>(data));
  auto kept = std::make_unique<std::vector<std::uint8_t>>(std::move(data));
  const std::size_t size = kept->size();
  auto* const start = kept->data();
  const auto release = [](Napi::Env, void*, std::vector<std::uint8_t>* gone) { delete gone; };
  auto buffer = Napi::ArrayBuffer::New(env, start, size, release, kept.get());
  kept.release();
  return Napi::Uint8Array::New(env, size, buffer, 0);
}

}  // namespace xvif::napi
