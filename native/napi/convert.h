// JavaScript values to C++ and back. A value of the wrong type is a bug of the TypeScript side, which checks what it
// is given; it throws a TypeError that names the property.
#pragma once

#include <napi.h>

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace xvif::napi {

/// Throws TypeError "NAME: expected WHAT".
[[noreturn]] void wrong(Napi::Env env, const char* name, const char* what);

std::uint32_t get_u32(const Napi::Object& from, const char* name);
std::uint16_t get_u16(const Napi::Object& from, const char* name);
double get_number(const Napi::Object& from, const char* name);
bool get_bool(const Napi::Object& from, const char* name);
std::string get_string(const Napi::Object& from, const char* name);
Napi::Object get_object(const Napi::Object& from, const char* name);
Napi::Array get_array(const Napi::Object& from, const char* name);
bool has(const Napi::Object& from, const char* name);
bool get_bool_or(const Napi::Object& from, const char* name, bool otherwise);
std::uint16_t get_u16_or(const Napi::Object& from, const char* name, std::uint16_t otherwise);
std::string get_string_or(const Napi::Object& from, const char* name, const std::string& otherwise);
/// "aa:bb:cc:dd:ee:ff".
std::array<std::uint8_t, 6> get_mac(const Napi::Object& from, const char* name);

std::uint32_t arg_u32(const Napi::CallbackInfo& info, std::size_t index, const char* name);
Napi::Object arg_object(const Napi::CallbackInfo& info, std::size_t index, const char* name);
/// The bytes of a Uint8Array argument; valid during the call.
std::span<const std::uint8_t> arg_bytes(const Napi::CallbackInfo& info, std::size_t index, const char* name);

/// A Uint8Array with a copy of the bytes.
Napi::Uint8Array bytes(Napi::Env env, std::span<const std::uint8_t> data);
/// The bytes themselves, where there are many.
Napi::Uint8Array bytes(Napi::Env env, std::vector<std::uint8_t>&& data);

}  // namespace xvif::napi
