// How Nicira's multipath and bundle spread flows (ovs-actions(7)).
#pragma once

#include <cstdint>

#include "packet/flow_key.h"

namespace xvif {

/// NX_HASH_FIELDS: what a flow is.
enum class HashFields : std::uint16_t {
  kEthSrc,
  kSymmetricL4,  // both directions of a connection alike
  kSymmetricL3l4,
  kSymmetricL3l4Udp,
  kNwSrc,
  kNwDst,
  kSymmetricL3,
};

/// NX_MP_ALG.
enum class MultipathAlgorithm : std::uint16_t { kModulo, kThreshold, kHighestWeight, kIterate };

/// NX_BD_ALG.
enum class BundleAlgorithm : std::uint16_t { kActiveBackup, kHighestWeight };

/// Of the flow that the packet belongs to. UDP ports count in kSymmetricL3l4Udp alone, TCP and SCTP ports in all that
/// name L4; a field that the packet does not have counts as 0.
std::uint32_t balance_hash(const FlowKey& key, HashFields fields, std::uint16_t basis);

/// The rank of one choice for a flow: each flow prefers another one.
std::uint32_t balance_weight(std::uint32_t hash, std::uint32_t choice);

/// 0..links-1; `links` >= 1. `argument`: of kIterate, the power of two that is tried first.
std::uint32_t choose_link(MultipathAlgorithm algorithm, std::uint32_t hash, std::uint32_t links,
                          std::uint32_t argument);

}  // namespace xvif
