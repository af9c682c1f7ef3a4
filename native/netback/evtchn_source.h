// Wakes one worker for all its vif queues: the event channels bound by the worker, and a timer for queues that hold
// frames for a guest that does not tell when it posted buffers, or whose guest sent more than its limit.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

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
  /// Has the queue activated at `ns` of now_ns(), or at the earlier date it has. forget() calls it off.
  void wake_at(ChannelQueue& queue, std::uint64_t ns);

 private:
  void dispatch_backlogs(ActiveQueues& active);
  void dispatch_dates(ActiveQueues& active);
  void set_alarm(std::uint64_t ns);

  std::unique_ptr<xen::EventChannels> channels_;
  int epoll_ = -1;
  int timer_ = -1;  // backlogs
  int alarm_ = -1;  // dates
  std::atomic<bool> timer_set_{false};
  std::mutex mutex_;                                         // guards queues_
  std::unordered_map<std::uint32_t, ChannelQueue*> queues_;  // by local port; control: rw, worker: ro
  std::mutex dates_mutex_;                                   // guards what follows; taken last
  std::set<std::pair<std::uint64_t, ChannelQueue*>> dates_;  // by time
  std::unordered_map<ChannelQueue*, std::uint64_t> date_of_;
  std::vector<ChannelQueue*> due_;  // of one dispatch
  std::size_t turn_ = 0;
};

}  // namespace xvif::netback
