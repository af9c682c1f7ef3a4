// One ring pair of a vif, as a queue of the port.
#pragma once

#include <array>

#include "netback/evtchn_source.h"
#include "netback/rx_queue.h"
#include "netback/tx_queue.h"
#include "port/port.h"

namespace xvif::netback {

class VifPort;
struct VifQueueSpec;

/// Mapped rings and bound channels of a queue. Owned by it: close() gives them back.
struct VifQueueResources {
  void* tx_page = nullptr;
  void* rx_page = nullptr;
  std::optional<EvtchnPort> evtchn_tx;
  std::optional<EvtchnPort> evtchn_rx;  // equals evtchn_tx: not split
};

class VifQueue final : public ChannelQueue {
 public:
  /// `staging`: pages of the queue's buffers that its frontend had us map; nullptr: it cannot ask for that.
  VifQueue(VifPort& vif, std::size_t thread, EvtchnSource& events, StagingTable* staging = nullptr)
      : vif_(vif), thread_(thread), events_(events), staging_(staging) {}
  ~VifQueue() override;
  VifQueue(const VifQueue&) = delete;
  VifQueue& operator=(const VifQueue&) = delete;

  /// Control thread, before anyone else knows the queue.
  bool attach(const VifQueueSpec& spec, std::string& error);
  void silence();
  void close();
  /// Control thread: new settings, and maybe more credit than it waits for.
  void configure(const PortSettings& settings);

  // Worker.
  std::size_t receive(PacketPool& pool, std::span<Packet*> out) override;
  void flush() override;
  bool arm() override;
  /// The channel fired and is masked until arm().
  void fired(EvtchnPort channel) override;

  // Any data plane thread.
  /// `hashes`: none, or one per packet.
  void transmit(std::size_t thread, std::span<Packet* const> packets, std::span<const RxHash> hashes = {});
  /// True while frames wait for a guest that will not say when it posts buffers.
  bool poll_pending() const override;

 private:
  void settle(std::size_t thread, const RxOutcome& outcome);
  /// Publishes the responses that wait. True when the guest wants to know.
  bool publish();

  VifPort& vif_;
  const std::size_t thread_;
  EvtchnSource& events_;
  StagingTable* const staging_;
  VifQueueResources resources_;
  std::optional<TxQueue> tx_;
  std::optional<RxQueue> rx_;
  std::array<EvtchnPort, 2> masked_{};  // worker
  std::size_t masked_count_ = 0;        // worker
  std::size_t received_ = 0;            // worker; frames of the last receive()
  unsigned held_turns_ = 0;             // worker; since responses were published
};

}  // namespace xvif::netback
