// Wakes one worker for all its vif queues: the event channels bound by the worker, and a timer for queues that hold
// frames for a guest that does not tell when it posted buffers.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>

#include "port/port.h"
#include "xen/hypervisor.h"

namespace xvif::netback {

/// A queue that event channels wake.
class ChannelQueue : public PortQueue {
 public:
  /// Worker. The channel fired and is masked until the queue unmasks it.
  virtual void fired(EvtchnPort channel) = 0;
  /// Any data plane thread. True while the queue wants to be polled though no channel may fire.
  virtual bool poll_pending() const { return false; }
};

class EvtchnSource final : public EventSource {
 public:
  /// Takes the channels of one worker. Asserts that epoll and timerfd can be had.
  explicit EvtchnSource(std::unique_ptr<xen::EventChannels> channels);
  ~EvtchnSource();
  EvtchnSource(const EvtchnSource&) = delete;
  EvtchnSource& operator=(const EvtchnSource&) = delete;

  // Worker.
  /// An epoll fd over the channels and the timer.
  int fd() const override { return epoll_; }
  void dispatch(ActiveQueues& active) override;

  // Control thread.
  /// nullopt when the guest's port cannot be bound.
  std::optional<EvtchnPort> bind(DomId domid, EvtchnPort remote, ChannelQueue& queue);
  /// From now on no event activates the queue; its channels stay bound.
  void forget(ChannelQueue& queue);
  void unbind(EvtchnPort port);

  // Any thread.
  void notify(EvtchnPort port) { channels_->notify(port); }
  void unmask(std::span<const EvtchnPort> ports) { channels_->unmask(ports); }
  /// Has queues with poll_pending() activated within kBacklogPollMs.
  void poll_soon();

 private:
  void dispatch_timer(ActiveQueues& active);

  std::unique_ptr<xen::EventChannels> channels_;
  int epoll_ = -1;
  int timer_ = -1;
  std::atomic<bool> timer_set_{false};
  std::mutex mutex_;                                         // guards queues_
  std::unordered_map<std::uint32_t, ChannelQueue*> queues_;  // by local port; control: rw, worker: ro
};

}  // namespace xvif::netback
