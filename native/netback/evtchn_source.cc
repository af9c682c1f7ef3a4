#include "netback/evtchn_source.h"

#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <array>

#include "base/assert.h"

namespace xvif::netback {

EvtchnSource::EvtchnSource(std::unique_ptr<xen::EventChannels> channels)
    : channels_(std::move(channels)),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      timer_(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)) {
  XVIF_ASSERT(epoll_ >= 0 && timer_ >= 0);
  for (const int fd : {channels_->fd(), timer_}) {
    epoll_event event{};
    event.events = EPOLLIN;
    XVIF_ASSERT(epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) == 0);
  }
}

EvtchnSource::~EvtchnSource() {
  ::close(epoll_);
  ::close(timer_);
}

std::optional<EvtchnPort> EvtchnSource::bind(DomId domid, EvtchnPort remote, ChannelQueue& queue) {
  std::lock_guard lock(mutex_);
  const auto port = channels_->bind_interdomain(domid, remote);
  if (port) queues_[raw(*port)] = &queue;
  return port;
}

void EvtchnSource::forget(ChannelQueue& queue) {
  std::lock_guard lock(mutex_);
  std::erase_if(queues_, [&](const auto& entry) { return entry.second == &queue; });
}

void EvtchnSource::unbind(EvtchnPort port) { channels_->unbind(port); }

void EvtchnSource::dispatch(ActiveQueues& active) {
  std::lock_guard lock(mutex_);
  std::array<EvtchnPort, 64> ports;
  bool overflow = false;
  // Bounded: each channel taken is masked, and its queue unmasks it only after we return.
  for (std::size_t round = 0; round <= queues_.size() / ports.size(); ++round) {
    const std::size_t count = channels_->take(ports, overflow);
    for (std::size_t i = 0; i < count; ++i) {
      const auto queue = queues_.find(raw(ports[i]));
      if (queue == queues_.end()) continue;  // just forgotten: stays masked
      queue->second->fired(ports[i]);
      active.activate(*queue->second);
    }
    if (count < ports.size()) break;
  }
  if (overflow) {
    for (const auto& [port, queue] : queues_) {
      queue->fired(EvtchnPort{port});
      active.activate(*queue);
    }
  }
  if (timer_set_.load(std::memory_order_acquire)) dispatch_timer(active);
}

void EvtchnSource::dispatch_timer(ActiveQueues& active) {
  std::uint64_t expirations;
  if (::read(timer_, &expirations, sizeof expirations) != sizeof expirations) return;
  // Before looking: a queue that comes to wait after this sets the timer again.
  timer_set_.exchange(false, std::memory_order_acq_rel);
  for (const auto& [port, queue] : queues_) {
    if (queue->poll_pending()) active.activate(*queue);
  }
}

void EvtchnSource::poll_soon() {
  if (timer_set_.exchange(true, std::memory_order_acq_rel)) return;
  itimerspec when{};
  when.it_value.tv_nsec = long{kBacklogPollMs} * 1'000'000;
  XVIF_ASSERT(timerfd_settime(timer_, 0, &when, nullptr) == 0);
}

}  // namespace xvif::netback
