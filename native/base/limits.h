// Every limit of the data plane, and what holds between them. Each overflow has a drop reason or a Status.
#pragma once

#include <cstddef>
#include <cstdint>

namespace xvif {

/// Frames handled together, from one queue.
inline constexpr std::size_t kBatchMax = 32;
/// Worker threads; one more index belongs to the control thread (packet-out).
inline constexpr std::size_t kWorkersMax = 16;
inline constexpr std::size_t kThreadsMax = kWorkersMax + 1;

/// Bytes of a packet kept in its own buffer; more stays in payload segments.
inline constexpr std::size_t kLinearMax = 2048;
/// Room before the frame for pushed headers.
inline constexpr std::size_t kHeadroom = 64;
/// Bytes of a guest's frame copied into the linear buffer before parsing.
inline constexpr std::size_t kPullBytes = 256;
/// Largest frame, Ethernet header included (65535 of netif.h's size field, and tags pushed by us).
inline constexpr std::size_t kFrameMax = 65535 + 64;
/// Payload segments of one packet: 19 data slots of a guest, or 4 KiB pieces of 64 KiB.
inline constexpr std::size_t kSegmentsMax = 20;
/// Packets a worker can have in hand.
inline constexpr std::size_t kPacketsPerThread = 4096;

/// netif.h: slots of one packet. A backend must take 18 (XEN_NETIF_NR_SLOTS_MIN).
inline constexpr std::size_t kSlotsAccepted = 19;
inline constexpr std::size_t kSlotsFatal = 22;
inline constexpr std::size_t kVifQueuesMax = 8;
/// Bytes waiting for a guest that posts no buffers, per queue.
inline constexpr std::size_t kBacklogBytes = 512 * 1024;
inline constexpr std::size_t kBacklogPackets = 1024;

/// Nesting of groups and of output to TABLE, and copies made of one received packet.
inline constexpr unsigned kGroupDepthMax = 8;
inline constexpr unsigned kClonesMax = 512;
inline constexpr std::size_t kGroupsMax = 65536;
inline constexpr std::size_t kBucketsMax = 1024;
inline constexpr std::size_t kMetersMax = 65536;
inline constexpr std::size_t kBandsMax = 16;
inline constexpr std::size_t kFlowsPerTableMax = 4'000'000;
/// Upcall bytes waiting for the control thread, per data plane thread.
inline constexpr std::size_t kUpcallBytes = 4 * 1024 * 1024;

static_assert(kPullBytes <= kLinearMax);
static_assert(kSlotsAccepted < kSlotsFatal && kSlotsAccepted <= kSegmentsMax);
static_assert(kBatchMax <= 64, "lanes of a batch are bits of one word");

}  // namespace xvif
