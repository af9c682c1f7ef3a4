// The vif protocol in memory: ring page and slots (xen/public/io/netif.h, ring.h). Little-endian.
// TX and RX are the frontend's view: TX is from guest, RX is to guest. Flag bits differ between the two directions,
// so each has names of its own.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace xvif::xen {

// Byte offsets in the ring page. Producers are free-running; a slot's place is index mod ring_slots().
namespace ring_at {
inline constexpr std::size_t kReqProd = 0;    // frontend writes
inline constexpr std::size_t kReqEvent = 4;   // backend writes
inline constexpr std::size_t kRspProd = 8;    // backend writes
inline constexpr std::size_t kRspEvent = 12;  // frontend writes
inline constexpr std::size_t kSlots = 64;
}  // namespace ring_at

/// Entries of a ring: the largest power of two that fits its page.
constexpr std::uint32_t ring_slots(std::size_t slot_bytes) {
  return static_cast<std::uint32_t>(std::bit_floor((4096 - ring_at::kSlots) / slot_bytes));
}

struct TxRequest {
  std::uint32_t gref;
  std::uint16_t offset;
  std::uint16_t flags;  // TxFlag
  std::uint16_t id;     // opaque, echoed
  std::uint16_t size;   // first slot: of the whole packet
};
struct TxResponse {
  std::uint16_t id;
  std::int16_t status;
};
struct RxRequest {
  std::uint16_t id;
  std::uint16_t pad;
  std::uint32_t gref;
};
struct RxResponse {
  std::uint16_t id;
  std::uint16_t offset;
  std::uint16_t flags;  // RxFlag
  std::int16_t status;  // bytes in this slot, or a Status below 0
};
/// Overlays a slot. Of the payload only what we use; GSO: size u16, type u8, pad u8, features u16.
struct ExtraInfo {
  std::uint8_t type;
  std::uint8_t flags;
  std::uint16_t gso_size;
  std::uint8_t gso_type;
  std::uint8_t pad;
  std::uint16_t gso_features;
};
/// An extra info of type kHash.
struct HashExtra {
  std::uint8_t type;
  std::uint8_t flags;
  std::uint8_t hash_type;  // bit number, not mask, of ctrl::hash_type
  std::uint8_t algorithm;
  std::array<std::uint8_t, 4> value;  // least significant byte first
};
struct CtrlRequest {
  std::uint16_t id;  // opaque, echoed
  std::uint16_t type;
  std::array<std::uint32_t, 3> data;
};
struct CtrlResponse {
  std::uint16_t id;
  std::uint16_t type;
  std::uint32_t status;
  std::uint32_t data;
};
/// An entry of the lists of staging grants (xen_netif_gref).
struct CtrlGref {
  std::uint32_t ref;
  std::uint16_t flags;   // kGrefReadonly
  std::uint16_t status;  // out, DEL only
};
/// The same for multicast control, types 2 and 3.
struct McastExtra {
  std::uint8_t type;
  std::uint8_t flags;
  std::uint8_t address[6];
};
/// The same for XDP, type 5 (Linux' netif.h): bytes left free before the data of each slot.
struct XdpExtra {
  std::uint8_t type;
  std::uint8_t flags;
  std::uint16_t headroom;
  std::uint16_t pad[2];
};
static_assert(sizeof(McastExtra) == 8 && sizeof(XdpExtra) == 8);
static_assert(sizeof(TxRequest) == 12 && sizeof(TxResponse) == 4);
static_assert(sizeof(RxRequest) == 8 && sizeof(RxResponse) == 8 && sizeof(ExtraInfo) == 8);
static_assert(sizeof(HashExtra) == 8 && sizeof(CtrlRequest) == 16 && sizeof(CtrlResponse) == 12);
static_assert(sizeof(CtrlGref) == 8);

inline constexpr std::size_t kTxSlotBytes = 12;
inline constexpr std::size_t kRxSlotBytes = 8;
inline constexpr std::size_t kCtrlSlotBytes = 16;
/// Entries of the TX and of the RX ring.
inline constexpr std::uint32_t kRingSlots = ring_slots(kTxSlotBytes);
inline constexpr std::uint32_t kCtrlRingSlots = ring_slots(kCtrlSlotBytes);
static_assert(kRingSlots == 256 && ring_slots(kRxSlotBytes) == kRingSlots && kCtrlRingSlots == 128);

namespace tx_flag {  // NETTXF_*
inline constexpr std::uint16_t kCsumBlank = 1;
inline constexpr std::uint16_t kDataValidated = 2;
inline constexpr std::uint16_t kMoreData = 4;
inline constexpr std::uint16_t kExtraInfo = 8;
}  // namespace tx_flag

namespace rx_flag {  // NETRXF_*
inline constexpr std::uint16_t kDataValidated = 1;
inline constexpr std::uint16_t kCsumBlank = 2;
inline constexpr std::uint16_t kMoreData = 4;
inline constexpr std::uint16_t kExtraInfo = 8;
}  // namespace rx_flag

namespace rsp {  // NETIF_RSP_*
inline constexpr std::int16_t kDropped = -2;
inline constexpr std::int16_t kError = -1;
inline constexpr std::int16_t kOkay = 0;
inline constexpr std::int16_t kNull = 1;  // the slot held an extra info
}  // namespace rsp

namespace extra {  // XEN_NETIF_EXTRA_TYPE_*
inline constexpr std::uint8_t kGso = 1;
inline constexpr std::uint8_t kMcastAdd = 2;
inline constexpr std::uint8_t kMcastDel = 3;
inline constexpr std::uint8_t kHash = 4;
inline constexpr std::uint8_t kMax = 5;  // of a guest; what follows goes to guests only
inline constexpr std::uint8_t kXdp = 5;
inline constexpr std::uint8_t kMore = 1;  // flags: another extra info follows
}  // namespace extra

namespace ctrl {  // XEN_NETIF_CTRL_*
inline constexpr std::uint16_t kGetHashFlags = 1;
inline constexpr std::uint16_t kSetHashFlags = 2;
inline constexpr std::uint16_t kSetHashKey = 3;
inline constexpr std::uint16_t kGetHashMappingSize = 4;
inline constexpr std::uint16_t kSetHashMappingSize = 5;
inline constexpr std::uint16_t kSetHashMapping = 6;
inline constexpr std::uint16_t kSetHashAlgorithm = 7;
inline constexpr std::uint16_t kGetGrefMappingSize = 8;
inline constexpr std::uint16_t kAddGrefMapping = 9;
inline constexpr std::uint16_t kDelGrefMapping = 10;

inline constexpr std::uint32_t kSuccess = 0;
inline constexpr std::uint32_t kNotSupported = 1;
inline constexpr std::uint32_t kInvalidParameter = 2;
inline constexpr std::uint32_t kBufferOverflow = 3;

inline constexpr std::uint32_t kAlgorithmNone = 0;
inline constexpr std::uint32_t kAlgorithmToeplitz = 1;

inline constexpr std::uint16_t kGrefReadonly = 1;

namespace hash_type {  // bit numbers
inline constexpr std::uint8_t kIpv4 = 0;
inline constexpr std::uint8_t kIpv4Tcp = 1;
inline constexpr std::uint8_t kIpv6 = 2;
inline constexpr std::uint8_t kIpv6Tcp = 3;
inline constexpr std::uint32_t kAll = 0xf;  // mask
}  // namespace hash_type
}  // namespace ctrl

}  // namespace xvif::xen
