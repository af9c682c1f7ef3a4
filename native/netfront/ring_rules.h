// How the drivers of different guests use a ring pair, and what each takes for granted of its backend. A backend that
// breaks what a driver takes for granted crashes that guest: see FrontQueue::panicked().
#pragma once

#include <cstddef>
#include <cstdint>

#include "xen/netif.h"

namespace xvif::netfront {

/// How a driver finds the buffer that an RX response speaks of.
enum class RxPairing : std::uint8_t {
  kSlot,          // by the slot the response stands in; the id is not looked at (Linux)
  kSlotAsserted,  // by the slot, and the id must be the slot's number (Windows)
  kId,            // by the id (BSDs, unikernels)
};

/// Of extra infos a driver takes in RX: bit `type`.
inline constexpr std::uint32_t rx_extra(std::uint8_t type) { return 1u << type; }

struct RingRules {
  RxPairing rx_pairing = RxPairing::kSlot;
  /// The request in slot n has id n ^ rx_id_xor: a driver with a free list has no order. Below the ring's size.
  std::uint16_t rx_id_xor = 0;
  /// Least status of an RX response that the driver survives. Errors are negative.
  std::int16_t rx_status_min = INT16_MIN;
  /// Extra infos taken in RX; any other is an assert.
  std::uint32_t rx_extras = rx_extra(xen::extra::kGso) | rx_extra(xen::extra::kHash) | rx_extra(xen::extra::kXdp);
  /// Asserts what xenvif does of frames and extra infos. RX: a frame is published whole, with GSO it has a segment size
  /// and is blank and validated, and its hash is of one of netif.h's types. TX: the responses to extra infos follow
  /// that to the slot that brought them, and are published with it.
  bool extras_asserted = false;
  /// False: the driver has no notion of frames of several slots in RX.
  bool rx_chains = true;
  /// Does not look at the RX flags: the stack checks every sum itself.
  bool ignores_rx_flags = false;
  /// Takes the TX names for the RX flags, so blank and validated are exchanged (Unikraft).
  bool swaps_rx_flags = false;
  /// TX ids are n * tx_id_step + tx_id_first for buffer n.
  std::uint16_t tx_id_first = 0;
  std::uint16_t tx_id_step = 1;
  /// Sends a hash along with each frame.
  bool tx_hash = false;
  /// Data slots of one packet, 1..18.
  std::size_t tx_slots_max = 18;
  /// False: never tells of receive buffers that it posted, whatever the backend's event index says.
  bool notifies_rx = true;
};

}  // namespace xvif::netfront
