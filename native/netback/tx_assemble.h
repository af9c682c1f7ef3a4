// TX slots → the description of a packet. Pure: works on private copies, decides everything the protocol leaves to
// the backend (netif.h; limits and their treatment follow Linux' xenvif_count_requests).
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "base/limits.h"
#include "netback/fault.h"
#include "packet/packet.h"
#include "xen/netif.h"

namespace xvif::netback {

struct TxSlot {
  GrantRef ref;
  std::uint16_t offset;
  std::uint16_t size;  // of this slot
};

struct TxPacket {
  std::uint32_t size;  // whole frame
  std::uint16_t extras;
  std::uint8_t count;  // data slots
  bool csum_blank;
  Gso gso;
  std::uint16_t gso_size;
  std::uint8_t multicast;  // kControl: xen::extra::kMcastAdd or kMcastDel
  std::array<std::uint8_t, 6> multicast_address;
  std::uint16_t id;                       // of the first slot
  std::array<TxSlot, kSlotsFatal> slots;  // offset + size <= kPageBytes when the verdict is kPacket
};

enum class TxVerdict : std::uint8_t {
  kPacket,
  kControl,  // a dummy request that carries multicast extras only: answer, no packet
  kDrop,     // answer with errors
  kFault,    // the frontend is broken or hostile
};

struct TxResult {
  TxVerdict verdict;
  VifFault fault;          // kFault
  std::uint32_t consumed;  // slots, extras included; 0 with kFault
};

/// Reads one packet from the start of `slots`, which holds every slot the frontend has made visible (at least one).
/// Extra infos overlay slots. With kDrop and kControl, packet.extras says which slots are extra infos.
TxResult assemble(std::span<const xen::TxRequest> slots, TxPacket& packet);

}  // namespace xvif::netback
