// A 32-bit hash of what makes a flow: for select groups and the choice of queues.
#pragma once

#include <cstdint>

#include "packet/flow_key.h"

#ifdef __SSE4_2__
#include <nmmintrin.h>
#endif

namespace xvif {

/// Mixes 64 bits into a 32-bit state: CRC32c where the processor has it.
inline std::uint32_t hash_mix(std::uint32_t state, std::uint64_t word) {
#ifdef __SSE4_2__
  return static_cast<std::uint32_t>(_mm_crc32_u64(state, word));
#else
  word ^= static_cast<std::uint64_t>(state) * 0x9e3779b97f4a7c15u;
  word *= 0xd6e8feb86659fd93u;
  return static_cast<std::uint32_t>(word ^ (word >> 32));
#endif
}

/// Every input bit reaches every output bit: the high bits are as good as the low ones.
inline std::uint32_t hash_finish(std::uint32_t hash) {
  hash ^= hash >> 16;
  hash *= 0x85ebca6bu;
  hash ^= hash >> 13;
  hash *= 0xc2b2ae35u;
  return hash ^ (hash >> 16);
}

/// Hash of MAC addresses, VLAN, ethertype, network addresses (IP or ARP), IP protocol and L4 ports. The two
/// directions of a connection hash differently. All fragments of a packet hash the same: their ports are left out.
inline std::uint32_t flow_hash(const FlowKey& key) {
  constexpr std::uint64_t kMac = 0x0000'ffff'ffff'ffffu;  // the first six bytes in memory
  const auto& w = key.words;
  const std::uint8_t proto = *key.at(key_at::kIpProto);
  const bool fragment = *key.at(key_at::kFrag) != 0;
  // Two chains, since a CRC step waits three cycles for the one before.
  std::uint32_t a = hash_mix(0x2545f491u, (w[1] & kMac) | static_cast<std::uint64_t>(proto) << 48);
  std::uint32_t b = hash_mix(0x9e3779b9u, w[2] & kMac);
  a = hash_mix(a, w[3]);                                                                     // ipv4 or ARP addresses
  b = hash_mix(b, (w[0] >> 32) << 32 | (fragment ? 0u : static_cast<std::uint32_t>(w[4])));  // type, vlan, ports
  if (key.eth_type() == 0x86dd) {
    a = hash_mix(hash_mix(a, w[8]), w[9]);
    b = hash_mix(hash_mix(b, w[10]), w[11]);
  }
  return hash_finish(hash_mix(a, b));
}

}  // namespace xvif
