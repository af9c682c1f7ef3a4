// A guest's network interface as a port of the switch: the backend of the vif protocol. One VifQueue per ring pair.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/ids.h"
#include "netback/control_ring.h"
#include "netback/evtchn_source.h"
#include "netback/fault.h"
#include "netback/vif_queue.h"
#include "netback/vif_shared.h"
#include "netback/vif_thread.h"
#include "port/port.h"

namespace xvif::netback {

struct VifQueueSpec {
  GrantRef tx_ring;
  GrantRef rx_ring;
  EvtchnPort evtchn_tx;
  EvtchnPort evtchn_rx;  // equals evtchn_tx: not split
};

struct VifControlSpec {
  GrantRef ring;
  EvtchnPort evtchn;
};

/// What the frontend wrote. The booleans are what it can take.
struct VifSpec {
  DomId domid;
  std::uint16_t handle;
  std::vector<VifQueueSpec> queues;  // 1..kVifQueuesMax
  bool sg;
  bool gso_tcpv4;
  bool gso_tcpv6;
  bool csum_blank_ipv4;
  bool csum_blank_ipv6;
  bool rx_notify;
  std::optional<VifControlSpec> control{};
};

/// Who polls a queue: the index of a worker's thread, and the source that wakes it.
struct VifQueueHome {
  std::size_t thread;
  EvtchnSource* events;
};

class VifPort final : public Port {
 public:
  /// Maps the rings and binds the channels. nullptr and a sentence in `error` when the guest's references do not
  /// allow it; nothing is left behind then. Control thread.
  ///
  /// `threads` holds one entry per data plane thread (index = thread of transmit()), the control thread's last;
  /// rings are mapped through the last. `homes` says who polls queue n; the control ring, which comes behind them in
  /// queues(), is polled by who polls queue 0.
  static std::unique_ptr<VifPort> attach(const VifSpec& spec, std::span<VifThread* const> threads,
                                         std::span<const VifQueueHome> homes, std::string& error);
  ~VifPort() override;

  std::span<PortQueue* const> queues() override { return queue_pointers_; }
  void transmit(std::size_t thread, std::span<Packet* const> packets) override;
  bool link_up() const override { return fault() == VifFault::kNone; }
  const char* fault_text() const override { return fault() == VifFault::kNone ? nullptr : to_string(fault()); }
  void configure(const PortSettings& settings) override;
  void silence() override;
  void close() override;

  /// Any thread. The first fault stays.
  VifFault fault() const { return fault_.load(std::memory_order_relaxed); }
  void set_fault(VifFault fault);
  const VifSpec& spec() const { return spec_; }
  VifShared& shared() { return shared_; }
  VifThread& thread(std::size_t index) { return *threads_[index]; }
  std::size_t control_thread() const { return threads_.size() - 1; }
  xen::GrantTable& ring_grants() { return threads_.back()->grants(); }

 private:
  VifPort(const VifSpec& spec, std::span<VifThread* const> threads);
  bool attach_queues(std::span<const VifQueueHome> homes, std::string& error);
  void transmit_steered(std::size_t thread, std::span<Packet* const> packets, const Steering& steering);
  void transmit_all(std::size_t thread, std::span<Packet* const> packets);
  bool unwanted(const Packet& packet) const;

  const VifSpec spec_;
  const std::vector<VifThread*> threads_;
  std::unique_ptr<ControlRing> control_;  // nullptr: the frontend has none
  std::vector<std::unique_ptr<VifQueue>> queues_;
  std::vector<PortQueue*> queue_pointers_;
  VifShared shared_;
  std::atomic<bool> multicast_control_{false};    // control: wo, all: ro
  std::atomic<VifFault> fault_{VifFault::kNone};  // any thread: wo once; all: ro
};

}  // namespace xvif::netback
