// To guest: the RX ring, and what must be done to a frame before this frontend can take it. Any data plane thread may
// transmit; one at a time holds the lock, for a batch.
#pragma once

#include <atomic>
#include <mutex>
#include <optional>
#include <span>

#include "netback/fault.h"
#include "netback/rx_backlog.h"
#include "netback/rx_ring_writer.h"
#include "netback/spin_lock.h"
#include "netback/staging.h"
#include "netback/vif_thread.h"
#include "port/port.h"
#include "port/settings.h"

namespace xvif::netback {

/// What the frontend takes.
struct RxFeatures {
  bool sg;
  bool gso_tcpv4;
  bool gso_tcpv6;
  bool csum_blank_ipv4;
  bool csum_blank_ipv6;
};

/// What became of a call.
struct RxOutcome {
  VifFault fault = VifFault::kNone;
  bool notify = false;
};

class RxQueue {
 public:
  RxQueue(const RxRing& ring, DomId domid, const RxFeatures& features, StagingTable* staging = nullptr)
      : features_(features), staging_(staging), writer_(ring, domid, !features.sg) {}
  RxQueue(const RxQueue&) = delete;
  RxQueue& operator=(const RxQueue&) = delete;

  // Any data plane thread.
  /// `hashes`: none, or one per packet, to be told to the guest.
  RxOutcome transmit(VifThread& thread, std::span<Packet* const> packets, std::span<const RxHash> hashes,
                     PortCounters& counters);
  /// Sends what waits, as far as there are buffers.
  RxOutcome drain(VifThread& thread, PortCounters& counters);
  /// Control thread. What is sent from now on meets the settings.
  void configure(const PortSettings& settings, PortCounters& counters);
  bool backlogged() const { return backlogged_.load(std::memory_order_acquire); }
  /// Before sleeping: asks for an event when the oldest waiting frame has buffers. True when it has them already.
  bool arm();

 private:
  /// For one call: makes the writer use staged pages, as long as what it returns lives.
  std::unique_lock<SpinLock> use_staging();
  void send(VifThread& thread, Packet& packet, PortCounters& counters);
  void send_changed(VifThread& thread, const Packet& packet, bool segment, PortCounters& counters);
  void send_segmented(VifThread& thread, const Packet& packet, std::span<const std::uint8_t> frame,
                      PortCounters& counters);
  bool csum_ready(const Packet& packet) const;
  bool gso_taken(const Packet& packet) const;
  bool fits(const RxFrame& frame) const;
  bool beyond_mtu(const Packet& packet) const;
  void place_or_queue(VifThread& thread, const RxFrame& frame, PortCounters& counters);
  bool place(VifThread& thread, const RxFrame& frame, PortCounters& counters);
  void drain_locked(VifThread& thread, PortCounters& counters);
  RxOutcome finish(VifThread& thread, PortCounters& counters);
  static void drop(PortCounters& counters, Drop reason, std::size_t packets = 1);

  const RxFeatures features_;
  StagingTable* const staging_;
  SpinLock lock_;  // guards what follows
  RxRingWriter writer_;
  RxHash hash_;  // of the frame in hand
  bool complete_checksums_ = false;
  std::uint16_t mtu_ = 0;   // 0: none
  std::uint32_t room_ = 0;  // requests known to be posted, within one call
  VifFault fault_ = VifFault::kNone;
  RxBacklog backlog_;
  std::atomic<bool> backlogged_{false};  // = !backlog_.empty(); holder of the lock: wo, all: ro
};

}  // namespace xvif::netback
