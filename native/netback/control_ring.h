// The control ring of a vif (netif.h, "Control ring"), as one more queue of its port: the worker that polls it carries
// out requests and answers them in order, a bounded amount of work per turn.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>

#include "netback/evtchn_source.h"
#include "netback/hash_control.h"
#include "netback/shared_ring.h"
#include "netback/staging_control.h"
#include "port/port.h"

namespace xvif::netback {

class VifPort;
struct VifControlSpec;

class ControlRing final : public ChannelQueue {
 public:
  /// `thread`: index of the worker that polls it.
  ControlRing(VifPort& vif, std::size_t thread, EvtchnSource& events);
  ~ControlRing() override { close(); }
  ControlRing(const ControlRing&) = delete;
  ControlRing& operator=(const ControlRing&) = delete;

  // Control thread.
  /// Before anyone else knows the queue.
  bool attach(const VifControlSpec& spec, std::string& error);
  void silence() { events_.forget(*this); }
  /// The vif's queues are closed: no frame is under way.
  void close();

  // Any data plane thread.
  PublishedSteering& steering() { return steering_; }
  StagingTable& staging(std::size_t queue) { return *tables_[queue]; }

  // Worker.
  /// Gives no frames.
  std::size_t receive(PacketPool& pool, std::span<Packet*> out) override;
  void flush() override;
  bool arm() override;
  void fired(EvtchnPort) override { masked_ = true; }

 private:
  /// A plain request, or a page mapped or unmapped, is one.
  static constexpr std::size_t kWorkPerTurn = 32;
  /// Of a request that copies a page, or makes the hash's table or the steering anew: up to some ten microseconds.
  static constexpr std::size_t kHeavy = 8;
  static std::size_t cost_of(const xen::CtrlRequest& request);

  xen::GrantTable& grants();
  std::optional<ControlReply> handle(const xen::CtrlRequest& request);
  void answer(const ControlReply& reply);

  VifPort& vif_;
  const std::size_t thread_;
  EvtchnSource& events_;
  void* page_ = nullptr;              // control thread
  std::optional<EvtchnPort> evtchn_;  // control thread: wo; worker: ro
  PublishedSteering steering_;
  std::vector<std::unique_ptr<StagingTable>> tables_;  // one per queue of the vif
  // Worker.
  std::optional<CtrlRing> ring_;
  xen::CtrlRequest request_{};  // in hand while staging_ is busy
  HashControl hashing_;
  StagingControl staging_;
  bool masked_ = false;
};

}  // namespace xvif::netback
