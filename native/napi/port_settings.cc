#include "napi/port_settings.h"

#include <arpa/inet.h>

#include <cmath>
#include <string>

#include "napi/convert.h"

namespace xvif::napi {
namespace {

constexpr std::uint16_t kXdpHeadroomMax = 0x7fff;  // XEN_NETIF_MAX_XDP_HEADROOM
constexpr std::uint32_t kVlanMax = 4094;
constexpr std::size_t kAddressesMax = 1024;

/// Plain addresses of one family; nullopt when the property is absent.
template <typename Address>
std::optional<std::vector<Address>> addresses(const Napi::Object& from, const char* name, int family) {
  if (!has(from, name)) return std::nullopt;
  const Napi::Array texts = get_array(from, name);
  if (texts.Length() > kAddressesMax) wrong(from.Env(), name, "at most 1024 addresses");
  std::vector<Address> list;
  for (std::uint32_t i = 0; i < texts.Length(); ++i) {
    Address address;
    const Napi::Value text = texts[i];
    if (!text.IsString() || inet_pton(family, text.As<Napi::String>().Utf8Value().c_str(), address.data()) != 1) {
      wrong(from.Env(), name, family == AF_INET ? "IPv4 addresses" : "IPv6 addresses");
    }
    list.push_back(address);
  }
  return list;
}

RateLimit rate_limit(const Napi::Object& from) {
  const double bytes = get_number(from, "bytes");
  const std::uint32_t interval = get_u32(from, "intervalUs");
  if (!(bytes >= 1 && bytes <= 9007199254740991.0 && std::floor(bytes) == bytes)) {
    wrong(from.Env(), "bytes", "1 to 2^53-1");
  }
  if (interval == 0) wrong(from.Env(), "intervalUs", "1 or more");
  return {static_cast<std::uint64_t>(bytes), interval};
}

VlanMembership vlan_membership(const Napi::Object& from) {
  VlanMembership vlan;
  if (has(from, "tag")) {
    vlan.tag = get_u16(from, "tag");
    if (vlan.tag < 1 || vlan.tag > kVlanMax) wrong(from.Env(), "tag", "1 to 4094");
  }
  const Napi::Array trunks = get_array(from, "trunks");
  for (std::uint32_t i = 0; i < trunks.Length(); ++i) {
    const Napi::Value id = trunks[i];
    const double value = id.IsNumber() ? id.As<Napi::Number>().DoubleValue() : -1;
    if (!(value >= 0 && value <= kVlanMax && std::floor(value) == value)) {
      wrong(from.Env(), "trunks", "numbers from 0 to 4094");
    }
    vlan.trunks.set(static_cast<std::size_t>(value));
  }
  return vlan;
}

}  // namespace

PortSettings port_settings(const Napi::Object& from) {
  PortSettings settings;
  if (has(from, "rate")) settings.rate = rate_limit(get_object(from, "rate"));
  if (has(from, "vlan")) settings.vlan = vlan_membership(get_object(from, "vlan"));
  if (has(from, "sources")) {
    const Napi::Object sources = get_object(from, "sources");
    settings.sources =
        SourceGuard{get_mac(sources, "mac"), addresses<std::array<std::uint8_t, 4>>(sources, "ipv4", AF_INET),
                    addresses<std::array<std::uint8_t, 16>>(sources, "ipv6", AF_INET6)};
  }
  settings.disabled = get_bool_or(from, "disabled", false);
  settings.complete_checksums = get_bool_or(from, "completeChecksums", false);
  settings.multicast_control = get_bool_or(from, "multicastControl", false);
  settings.xdp_headroom = get_u16_or(from, "xdpHeadroom", 0);
  if (settings.xdp_headroom > kXdpHeadroomMax) wrong(from.Env(), "xdpHeadroom", "0 to 32767");
  settings.mtu = get_u16_or(from, "mtu", 0);
  return settings;
}

}  // namespace xvif::napi
