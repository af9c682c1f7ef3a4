#include "netback/hash_control.h"

#include <algorithm>

namespace xvif::netback {

namespace ctrl = xen::ctrl;

bool fetch_page(xen::GrantTable& grants, DomId domid, GrantRef ref, std::span<std::uint8_t> out) {
  xen::CopySegment copy{{nullptr, ref, domid, 0},
                        {out.data(), GrantRef{0}, DomId{0}, 0},
                        static_cast<std::uint16_t>(out.size()),
                        xen::GrantStatus::kGeneralError};
  grants.copy({&copy, 1});
  return copy.status == xen::GrantStatus::kOkay;
}

ControlReply HashControl::handle(const xen::CtrlRequest& request, xen::GrantTable& grants) {
  const auto& data = request.data;
  switch (request.type) {
    case ctrl::kGetHashFlags:
      return get_flags();
    case ctrl::kSetHashFlags:
      return set_flags(data[0]);
    case ctrl::kSetHashKey:
      return set_key(grants, GrantRef{data[0]}, data[1]);
    case ctrl::kGetHashMappingSize:
      return {ctrl::kSuccess, kHashMappingMax};
    case ctrl::kSetHashMappingSize:
      return set_mapping_size(data[0]);
    case ctrl::kSetHashMapping:
      return set_mapping(grants, GrantRef{data[0]}, data[1], data[2]);
    case ctrl::kSetHashAlgorithm:
      return set_algorithm(data[0]);
  }
  return {ctrl::kNotSupported};
}

ControlReply HashControl::set_algorithm(std::uint32_t algorithm) {
  if (algorithm != ctrl::kAlgorithmNone && algorithm != ctrl::kAlgorithmToeplitz) return {ctrl::kInvalidParameter};
  algorithm_ = algorithm;
  publish();
  return {ctrl::kSuccess};
}

ControlReply HashControl::get_flags() const {
  if (algorithm_ == ctrl::kAlgorithmNone) return {ctrl::kNotSupported};
  return {ctrl::kSuccess, ctrl::hash_type::kAll};
}

ControlReply HashControl::set_flags(std::uint32_t flags) {
  if ((flags & ~ctrl::hash_type::kAll) != 0 || algorithm_ == ctrl::kAlgorithmNone) return {ctrl::kInvalidParameter};
  types_ = flags;
  publish();
  return {ctrl::kSuccess};
}

ControlReply HashControl::set_key(xen::GrantTable& grants, GrantRef ref, std::uint32_t bytes) {
  if (bytes > kHashKeyMax) return {ctrl::kBufferOverflow};
  std::array<std::uint8_t, kHashKeyMax> key{};
  if (bytes > 0 && !fetch_page(grants, domid_, ref, std::span(key).first(bytes))) return {ctrl::kInvalidParameter};
  if (key != key_) toeplitz_ = nullptr;
  key_ = key;
  publish();
  return {ctrl::kSuccess};
}

ControlReply HashControl::set_mapping_size(std::uint32_t entries) {
  if (entries > kHashMappingMax) return {ctrl::kInvalidParameter};
  entries_ = entries;
  mapping_ = {};
  publish();
  return {ctrl::kSuccess};
}

/// The bounds are checked before anything is computed from them, the entries after they were copied (XSA-270).
ControlReply HashControl::set_mapping(xen::GrantTable& grants, GrantRef ref, std::uint32_t count,
                                      std::uint32_t offset) {
  if (offset > entries_ || count > entries_ - offset) return {ctrl::kInvalidParameter};
  if (count == 0) return {ctrl::kSuccess};
  std::array<std::uint32_t, kHashMappingMax> copy;
  const auto chosen = std::span(copy).first(count);
  if (!fetch_page(grants, domid_, ref, {reinterpret_cast<std::uint8_t*>(chosen.data()), chosen.size_bytes()}) ||
      std::any_of(chosen.begin(), chosen.end(), [&](std::uint32_t queue) { return queue >= queues_; })) {
    return {ctrl::kInvalidParameter};
  }
  for (std::uint32_t i = 0; i < count; ++i) mapping_[offset + i] = static_cast<std::uint8_t>(chosen[i]);
  publish();
  return {ctrl::kSuccess};
}

void HashControl::publish() {
  std::unique_ptr<Steering> next;
  if (algorithm_ == ctrl::kAlgorithmToeplitz && types_ != 0) {
    if (toeplitz_ == nullptr) toeplitz_ = std::make_shared<const Toeplitz>(key_);
    next = std::make_unique<Steering>(Steering{toeplitz_, types_, queues_, entries_, mapping_});
  }
  published_.publish(std::move(next));
}

}  // namespace xvif::netback
