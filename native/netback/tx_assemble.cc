#include "netback/tx_assemble.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "xen/hypervisor.h"

namespace xvif::netback {
namespace {

constexpr std::uint32_t kEthernetHeader = 14;

struct Extras {
  std::uint16_t count = 0;
  std::uint8_t multicast = 0;  // type
  std::array<std::uint8_t, 6> multicast_address{};
  bool gso = false;
  std::uint8_t gso_type = 0;
  std::uint16_t gso_size = 0;
  VifFault fault = VifFault::kNone;
};

/// Reads the chain that starts at slots[1].
Extras read_extras(std::span<const xen::TxRequest> slots) {
  Extras extras;
  bool more = true;
  while (more) {
    if (1u + extras.count >= slots.size()) {
      extras.fault = VifFault::kUnfinishedPacket;
      return extras;
    }
    xen::ExtraInfo info;
    std::memcpy(&info, &slots[1u + extras.count], sizeof info);
    ++extras.count;
    if (info.type == 0 || info.type >= xen::extra::kMax) {
      extras.fault = VifFault::kBadExtra;
      return extras;
    }
    if (info.type == xen::extra::kGso) {
      extras.gso = true;
      extras.gso_type = info.gso_type;
      extras.gso_size = info.gso_size;
    }
    // As Linux: the last of a type counts, and adding before removing.
    const bool multicast = info.type == xen::extra::kMcastAdd ||
                           (info.type == xen::extra::kMcastDel && extras.multicast != xen::extra::kMcastAdd);
    if (multicast) {
      const auto mcast = std::bit_cast<xen::McastExtra>(info);
      extras.multicast = info.type;
      std::copy_n(mcast.address, extras.multicast_address.size(), extras.multicast_address.begin());
    }
    more = (info.flags & xen::extra::kMore) != 0;
  }
  const bool known_gso = extras.gso_type == static_cast<std::uint8_t>(Gso::kTcpv4) ||
                         extras.gso_type == static_cast<std::uint8_t>(Gso::kTcpv6);
  if (extras.gso && extras.multicast == 0 && (extras.gso_size == 0 || !known_gso)) extras.fault = VifFault::kBadGso;
  return extras;
}

void add_slot(TxPacket& packet, const xen::TxRequest& slot) {
  packet.slots[packet.count] = {GrantRef{slot.gref}, slot.offset, slot.size};
  ++packet.count;
}

TxResult fault(VifFault why) { return {TxVerdict::kFault, why, 0}; }

}  // namespace

TxResult assemble(std::span<const xen::TxRequest> slots, TxPacket& packet) {
  const xen::TxRequest& first = slots[0];
  packet.size = first.size;
  packet.id = first.id;
  packet.extras = 0;
  packet.count = 0;
  packet.csum_blank = (first.flags & xen::tx_flag::kCsumBlank) != 0;
  packet.gso = Gso::kNone;
  packet.gso_size = 0;
  add_slot(packet, first);
  std::uint32_t consumed = 1;

  if ((first.flags & xen::tx_flag::kExtraInfo) != 0) [[unlikely]] {
    const Extras extras = read_extras(slots);
    if (extras.fault != VifFault::kNone) return fault(extras.fault);
    packet.extras = extras.count;
    consumed += extras.count;
    if (extras.multicast != 0) {
      packet.multicast = extras.multicast;
      packet.multicast_address = extras.multicast_address;
      return {TxVerdict::kControl, VifFault::kNone, consumed};
    }
    if (extras.gso) {
      packet.gso = static_cast<Gso>(extras.gso_type);
      packet.gso_size = extras.gso_size;
    }
  }

  // first.size announces the sum; what the further slots do not claim lies in the first. Slots are counted to the
  // end of the packet even when it is to be dropped, so that the ring stays in step.
  std::uint32_t left = first.size;
  bool drop = false;
  bool more = (first.flags & xen::tx_flag::kMoreData) != 0;
  while (more) {
    if (consumed >= slots.size()) return fault(VifFault::kUnfinishedPacket);
    if (packet.count + 1u >= kSlotsFatal) return fault(VifFault::kTooManySlots);
    const xen::TxRequest& slot = slots[consumed++];
    if (std::uint32_t{slot.offset} + slot.size > xen::kPageBytes) return fault(VifFault::kCrossesPage);
    // Not fatal: old frontends overflow first.size with frames of 64 KiB and more.
    if (slot.size > left) drop = true;
    left -= drop ? 0 : slot.size;
    add_slot(packet, slot);
    more = (slot.flags & xen::tx_flag::kMoreData) != 0;
  }
  drop |= packet.count > kSlotsAccepted || packet.size < kEthernetHeader;
  if (drop) return {TxVerdict::kDrop, VifFault::kNone, consumed};
  if (first.offset + left > xen::kPageBytes) return fault(VifFault::kCrossesPage);
  packet.slots[0].size = static_cast<std::uint16_t>(left);
  return {TxVerdict::kPacket, VifFault::kNone, consumed};
}

}  // namespace xvif::netback
