#include "netback/evtchn_source.h"

#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "base/assert.h"
#include "base/clock.h"

namespace xvif::netback {
namespace {

constexpr std::uint64_t kAlarmMinNs = 500'000;
/// Centuries; a time_t takes it.
constexpr std::uint64_t kSecondsMax = std::uint64_t{1} << 34;

}  // namespace

EvtchnSource::EvtchnSource(std::unique_ptr<xen::EventChannels> channels)
    : channels_(std::move(channels)),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      timer_(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)),
      alarm_(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)) {
  XVIF_ASSERT(epoll_ >= 0 && timer_ >= 0 && alarm_ >= 0);
  for (const int fd : {channels_->fd(), timer_, alarm_}) {
    epoll_event event{};
    event.events = EPOLLIN;
    XVIF_ASSERT(epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) == 0);
  }
}

EvtchnSource::~EvtchnSource() {
  ::close(epoll_);
  ::close(timer_);
  ::close(alarm_);
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
  std::lock_guard dates_lock(dates_mutex_);
  const auto date = date_of_.find(&queue);
  if (date == date_of_.end()) return;
  dates_.erase({date->second, &queue});
  date_of_.erase(date);
  // Left alone it would stay readable, as nobody waits for it, and keep the worker awake.
  constexpr itimerspec kNever{};
  if (dates_.empty()) XVIF_ASSERT(timerfd_settime(alarm_, 0, &kNever, nullptr) == 0);
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
  if (timer_set_.load(std::memory_order_acquire)) dispatch_backlogs(active);
  dispatch_dates(active);
}

void EvtchnSource::dispatch_backlogs(ActiveQueues& active) {
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

void EvtchnSource::wake_at(ChannelQueue& queue, std::uint64_t ns) {
  std::lock_guard lock(dates_mutex_);
  const auto [date, added] = date_of_.try_emplace(&queue, ns);
  if (!added) {
    if (date->second <= ns) return;
    dates_.erase({date->second, &queue});
    date->second = ns;
  }
  dates_.insert({ns, &queue});
  if (dates_.begin()->second == &queue) set_alarm(ns);
}

void EvtchnSource::dispatch_dates(ActiveQueues& active) {
  std::lock_guard lock(dates_mutex_);
  if (dates_.empty()) return;
  std::uint64_t expirations;
  if (::read(alarm_, &expirations, sizeof expirations) != sizeof expirations) return;
  const std::uint64_t now = now_ns();
  due_.clear();
  while (!dates_.empty() && dates_.begin()->first <= now) {
    due_.push_back(dates_.begin()->second);
    dates_.erase(dates_.begin());
    date_of_.erase(due_.back());
  }
  // Queues of a vif that ran out of credit together have one date: the first of them may use all the new credit, so
  // it is another one each time.
  if (!due_.empty())
    std::rotate(due_.begin(), due_.begin() + static_cast<std::ptrdiff_t>(turn_++ % due_.size()), due_.end());
  for (ChannelQueue* queue : due_) active.activate(*queue);
  if (!dates_.empty()) set_alarm(dates_.begin()->first);
}

/// Not sooner than kAlarmMinNs from now, so that many dates close together are one wake-up.
void EvtchnSource::set_alarm(std::uint64_t ns) {
  ns = std::max(ns, now_ns() + kAlarmMinNs);
  itimerspec when{};
  when.it_value.tv_sec = static_cast<time_t>(std::min(ns / 1'000'000'000, kSecondsMax));
  when.it_value.tv_nsec = static_cast<long>(ns % 1'000'000'000);
  XVIF_ASSERT(timerfd_settime(alarm_, TFD_TIMER_ABSTIME, &when, nullptr) == 0);
}

}  // namespace xvif::netback
