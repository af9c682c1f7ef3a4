// Every limit of the data plane, and what holds between them. Each overflow has a drop reason or a Status.
#pragma once

#include <array>
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
/// Frames that one large frame is cut into by software segmentation.
inline constexpr std::size_t kGsoFramesMax = 1024;
/// Large frames that a kernel-facing port can have in hand, 64 KiB each; their memory is used when they come.
inline constexpr std::size_t kLocalPayloads = 96;
/// Bytes of a pcap file that a port replays; it lies in memory.
inline constexpr std::size_t kPcapBytesMax = std::size_t{1} << 30;
/// Shortest frame on a wire, without the frame check sequence (IEEE 802.3).
inline constexpr std::size_t kFrameMin = 60;
/// Packets a worker can have in hand.
inline constexpr std::size_t kPacketsPerThread = 4096;

/// netif.h: slots of one packet. A backend must take 18 (XEN_NETIF_NR_SLOTS_MIN).
inline constexpr std::size_t kSlotsAccepted = 19;
inline constexpr std::size_t kSlotsFatal = 22;
inline constexpr std::size_t kVifQueuesMax = 8;
/// TX responses that may wait for more while a guest keeps sending: a quarter of its ring.
inline constexpr std::uint32_t kResponseLot = 64;
/// Turns of the worker that they may wait.
inline constexpr unsigned kResponseTurns = 4;
/// How long responses to frames that were copied whole may wait for company (virtio's drivers wait longer: until they
/// send again).
inline constexpr std::uint64_t kResponseHoldNs = 1'000'000;
/// Pages mapped for staging grants, of all guests together. Each is a mapping of the process, which has 65 530
/// (vm.max_map_count), and a page of Dom0.
inline constexpr std::size_t kStagedPagesInAll = 8192;
/// Bytes waiting for a guest that posts no buffers, per queue.
inline constexpr std::size_t kBacklogBytes = 512 * 1024;
inline constexpr std::size_t kBacklogPackets = 1024;
/// How often a backlog is looked at when the guest does not tell about new buffers (Linux: 30 ms).
inline constexpr unsigned kBacklogPollMs = 20;
/// Frames older than this are dropped from a backlog.
inline constexpr unsigned kBacklogAgeMs = 10'000;
/// Packets of one vif queue whose payload still lies in the guest's pages.
inline constexpr std::size_t kTxInFlightMax = 64;

/// Emulated guests: frames kept for tests, neighbours known, pings asked for at once.
inline constexpr std::size_t kTakenFramesMax = 4096;
inline constexpr std::size_t kGuestNeighboursMax = 1024;
inline constexpr std::size_t kGuestPingsMax = 64;

/// Nesting of groups and of output to TABLE, and copies made of one received packet.
inline constexpr unsigned kGroupDepthMax = 8;
inline constexpr unsigned kClonesMax = 512;
/// resubmit, as Open vSwitch: nesting, clone counting along, and look-ups made for one received packet.
inline constexpr unsigned kResubmitDepthMax = 64;
inline constexpr unsigned kResubmitsMax = 4096;
/// clone actions within each other.
inline constexpr unsigned kCloneNestingMax = 16;
/// Values that a packet's stack (push, pop) holds.
inline constexpr std::size_t kStackMax = 64;
/// Bytes of what is left to be done with a paused packet, and of that, the packet and its data for the controller: they
/// have to fit into an OpenFlow message.
inline constexpr std::size_t kContinuationMax = 32 * 1024;
inline constexpr std::size_t kPausedBytesMax = 64'000;
/// Ports that a bundle action chooses from.
inline constexpr unsigned kBundleMembersMax = 64;
/// Bytes that a truncated packet keeps at least: an Ethernet header.
inline constexpr std::uint32_t kTruncatedMin = 14;
/// Specifications of a learn action.
inline constexpr std::size_t kLearnSpecsMax = 128;
/// Bytes of learned flows waiting for the control thread, per data plane thread, and what the packets of one port may
/// take of them while others wait. One takes some 500 bytes.
inline constexpr std::size_t kLearnBytes = 256 * 1024;
inline constexpr std::size_t kLearnBytesPerPort = kLearnBytes / 4;
/// Of these, flows taken into the tables before the control thread does other work.
inline constexpr std::size_t kLearnsPerTurn = 1024;
/// Context headers of a service header that encap makes: what is left of the headroom beside the header itself and an
/// Ethernet header. And the value of one (RFC 8300 section 2.5.1).
inline constexpr std::size_t kNshContextMax = 40;
inline constexpr std::size_t kNshContextValueMax = 127;
/// Clauses of a conjunction: bits of a word. Flows with conjunctions that one packet can match in a table, and
/// conjunctions that are looked at of these.
inline constexpr unsigned kClausesMax = 64;
inline constexpr std::size_t kConjunctiveMatchesMax = 256;
inline constexpr std::size_t kGroupsMax = 65536;
inline constexpr std::size_t kBucketsMax = 1024;
inline constexpr std::size_t kMetersMax = 65536;
inline constexpr std::size_t kBandsMax = 16;
/// Flows with a stat_trigger instruction, and how many of them are told about at one look.
inline constexpr std::size_t kTriggeredFlowsMax = 65536;
inline constexpr std::size_t kTriggersToldMax = 1024;
inline constexpr std::size_t kFlowsPerTableMax = 4'000'000;
/// Counters of flows, groups, buckets, meters and bands.
inline constexpr std::size_t kCountersMax = 16 * 1024 * 1024;
/// Bytes of the steps of one traced packet; what comes after them is not told.
inline constexpr std::size_t kTraceBytes = 16 * 1024 * 1024;
/// Stations that NORMAL remembers.
inline constexpr std::size_t kMacsMax = 32768;
/// Bytes of flow changes of one batch that are told while flows are watched.
inline constexpr std::size_t kFlowChangeBytes = 64 * 1024 * 1024;
/// Upcall bytes waiting for the control thread, per data plane thread.
inline constexpr std::size_t kUpcallBytes = 4 * 1024 * 1024;
/// Of these, what the packets of one port may take while others wait.
inline constexpr std::size_t kUpcallBytesPerPort = kUpcallBytes / 4;
/// Of these, what is kept free for packets of the daemon's own agents (kLocalController), and what those of one port
/// may take.
inline constexpr std::size_t kLocalUpcallBytes = kUpcallBytes / 4;
inline constexpr std::size_t kLocalUpcallBytesPerPort = kUpcallBytes / 16;
/// Packets a second for such an agent: of all ports, and of one.
struct LocalBudget {
  std::uint32_t all, port;
};
/// LocalAgent, from the first on.
inline constexpr std::array<LocalBudget, 5> kLocalBudgets = {
    {{1000, 100}, {2000, 400}, {1000, 100}, {500, 100}, {500, 200}}};

static_assert(kPullBytes <= kLinearMax);
static_assert(kSlotsAccepted < kSlotsFatal && kSlotsAccepted <= kSegmentsMax);
static_assert(kTxInFlightMax >= kBatchMax);
static_assert(kBatchMax <= 64, "lanes of a batch are bits of one word");

}  // namespace xvif
