#include "pipeline/balance.h"

#include <algorithm>
#include <bit>

#include "packet/flow_hash.h"
#include "packet/headers.h"

namespace xvif {
namespace {

std::uint64_t mac_at(const FlowKey& key, std::size_t offset) {
  return std::uint64_t{key.be32(offset)} << 16 | key.be16(offset + 4);
}

/// IPv6 addresses by their halves' exclusive or.
struct Addresses {
  std::uint64_t source = 0;
  std::uint64_t destination = 0;
};

Addresses addresses_of(const FlowKey& key) {
  if (key.eth_type() == ethertype::kIpv4) return {key.be32(key_at::kIpv4Src), key.be32(key_at::kIpv4Dst)};
  if (key.eth_type() != ethertype::kIpv6) return {};
  return {key.be64(key_at::kIpv6Src) ^ hash_finish(static_cast<std::uint32_t>(key.be64(key_at::kIpv6Src + 8))),
          key.be64(key_at::kIpv6Dst) ^ hash_finish(static_cast<std::uint32_t>(key.be64(key_at::kIpv6Dst + 8)))};
}

bool has_ports(const FlowKey& key, bool udp) {
  const std::uint16_t type = key.eth_type();
  if (type != ethertype::kIpv4 && type != ethertype::kIpv6) return false;
  const std::uint8_t proto = *key.at(key_at::kIpProto);
  return proto == ip_proto::kTcp || proto == ip_proto::kSctp || (udp && proto == ip_proto::kUdp);
}

std::uint32_t mix_addresses(std::uint32_t hash, const FlowKey& key) {
  const Addresses addresses = addresses_of(key);
  hash = hash_mix(hash, static_cast<std::uint64_t>(key.eth_type()) << 8 | *key.at(key_at::kIpProto));
  return hash_mix(hash, addresses.source ^ addresses.destination);
}

std::uint32_t mix_ports(std::uint32_t hash, const FlowKey& key, bool udp) {
  if (!has_ports(key, udp)) return hash;
  return hash_mix(hash, static_cast<std::uint64_t>(key.be16(key_at::kTcpSrc) ^ key.be16(key_at::kTcpDst)));
}

}  // namespace

std::uint32_t balance_hash(const FlowKey& key, HashFields fields, std::uint16_t basis) {
  std::uint32_t hash = hash_mix(0x2545f491u, basis);
  switch (fields) {
    case HashFields::kEthSrc:
      hash = hash_mix(hash, mac_at(key, key_at::kEthSrc));
      break;
    case HashFields::kSymmetricL4:
      hash = hash_mix(hash, mac_at(key, key_at::kEthSrc) ^ mac_at(key, key_at::kEthDst));
      hash = hash_mix(hash, key.be16(key_at::kVlanVid) & 0x0fffu);
      hash = mix_ports(mix_addresses(hash, key), key, false);
      break;
    case HashFields::kSymmetricL3l4:
      hash = mix_ports(mix_addresses(hash, key), key, false);
      break;
    case HashFields::kSymmetricL3l4Udp:
      hash = mix_ports(mix_addresses(hash, key), key, true);
      break;
    case HashFields::kNwSrc:
      hash = hash_mix(hash, addresses_of(key).source);
      break;
    case HashFields::kNwDst:
      hash = hash_mix(hash, addresses_of(key).destination);
      break;
    case HashFields::kSymmetricL3:
      hash = mix_addresses(hash, key);
      break;
  }
  return hash_finish(hash);
}

std::uint32_t balance_weight(std::uint32_t hash, std::uint32_t choice) {
  return hash_finish(hash_mix(hash, choice + std::uint64_t{1}));
}

std::uint32_t choose_link(MultipathAlgorithm algorithm, std::uint32_t hash, std::uint32_t links,
                          std::uint32_t argument) {
  switch (algorithm) {
    case MultipathAlgorithm::kModulo:
      return hash % links;
    case MultipathAlgorithm::kThreshold:
      return static_cast<std::uint32_t>(std::uint64_t{hash} * links >> 32);
    case MultipathAlgorithm::kHighestWeight: {
      // A look at each link is too much for many of them; Open vSwitch draws the line here too.
      constexpr std::uint32_t kWeighedMax = 64;
      if (links > kWeighedMax) return choose_link(MultipathAlgorithm::kThreshold, hash, links, argument);
      std::uint32_t best = 0;
      std::uint32_t best_weight = 0;
      for (std::uint32_t link = 0; link < links; ++link) {
        const std::uint32_t weight = balance_weight(hash, link);
        if (weight < best_weight) continue;
        best = link;
        best_weight = weight;
      }
      return best;
    }
    case MultipathAlgorithm::kIterate: {
      // A larger space than there are links: few flows move when links come and go.
      const std::uint32_t space = std::max(std::bit_ceil(links), std::bit_ceil(std::min(argument, 1u << 30)));
      for (unsigned tries = 0; tries < 64; ++tries) {
        const std::uint32_t link = hash & (space - 1);
        if (link < links) return link;
        hash = balance_weight(hash, tries);
      }
      return hash % links;
    }
  }
  return 0;
}

}  // namespace xvif
