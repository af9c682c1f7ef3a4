#include "guest/guest_thread.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "base/assert.h"
#include "base/clock.h"
#include "guest/guest_port.h"

namespace xvif::guest {
namespace {

/// How long a guest without work is polled before it sleeps.
constexpr std::uint64_t kSpinNs = 20'000;
/// How often events are looked for while some guest has work.
constexpr std::uint64_t kEventPollNs = 50'000;
constexpr std::uint64_t kMs = 1'000'000;

// What an epoll event means; other values are guests' numbers.
constexpr std::uint64_t kWake = 0;
constexpr std::uint64_t kChannels = 1;
constexpr std::uint64_t kFirstNumber = 2;

void watch_fd(int epoll, int fd, std::uint64_t what, std::uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = what;
  XVIF_ASSERT(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0);
}

}  // namespace

GuestThread::GuestThread() : epoll_(epoll_create1(EPOLL_CLOEXEC)), wake_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  XVIF_ASSERT(epoll_ >= 0 && wake_ >= 0);
  next_number_ = kFirstNumber;
  watch_fd(epoll_, wake_, kWake, EPOLLIN);
  watch_fd(epoll_, sink_.fd(), kChannels, EPOLLIN);
  thread_ = std::thread([this] { loop(); });
}

GuestThread::~GuestThread() {
  run([this] { stop_ = true; });
  thread_.join();
  XVIF_ASSERT(ports_.empty());
  ::close(wake_);
  ::close(epoll_);
}

void GuestThread::run(const std::function<void()>& task) {
  if (std::this_thread::get_id() == thread_.get_id()) return task();
  Task waiting{&task};
  std::unique_lock lock(mutex_);
  tasks_.push_back(&waiting);
  tasks_waiting_.store(true, std::memory_order_release);
  const std::uint64_t one = 1;
  XVIF_ASSERT(::write(wake_, &one, sizeof one) == sizeof one);
  done_.wait(lock, [&] { return waiting.done; });
}

void GuestThread::run_tasks() {
  std::vector<Task*> tasks;
  {
    std::lock_guard lock(mutex_);
    tasks.swap(tasks_);
    tasks_waiting_.store(false, std::memory_order_relaxed);
  }
  for (Task* task : tasks) {
    (*task->function)();
    std::lock_guard lock(mutex_);
    task->done = true;
    done_.notify_all();
  }
}

std::uint64_t GuestThread::add(std::shared_ptr<GuestPort> port) {
  const std::uint64_t number = next_number_++;
  ports_.emplace(number, std::move(port));
  return number;
}

void GuestThread::remove(std::uint64_t number) {
  const auto found = ports_.find(number);
  if (found == ports_.end()) return;
  std::erase(active_, found->second.get());
  ports_.erase(found);
}

void GuestThread::activate(GuestPort& port) {
  if (port.active) return;
  port.active = true;
  port.last_work_ns = now_ns();
  active_.push_back(&port);
}

void GuestThread::watch(int fd, std::uint64_t number) { watch_fd(epoll_, fd, number, EPOLLIN | EPOLLET); }

void GuestThread::unwatch(int fd) { epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr); }

void GuestThread::take_events(int timeout_ms) {
  std::array<epoll_event, 64> events;
  const int count = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), timeout_ms);
  for (int i = 0; i < count; ++i) {
    const std::uint64_t what = events[static_cast<std::size_t>(i)].data.u64;
    if (what == kWake) {
      std::uint64_t ignored;
      [[maybe_unused]] const auto got = ::read(wake_, &ignored, sizeof ignored);
    } else if (what == kChannels) {
      take_channels();
    } else if (const auto found = ports_.find(what); found != ports_.end()) {
      found->second->stack().readable();
      activate(*found->second);
    }
  }
}

void GuestThread::take_channels() {
  std::array<std::uint64_t, 64> numbers;
  const std::size_t count = sink_.take(numbers);  // more are left readable for the next time
  for (std::size_t i = 0; i < count; ++i) {
    if (const auto found = ports_.find(numbers[i]); found != ports_.end()) activate(*found->second);
  }
}

bool GuestThread::poll_active(std::uint64_t now) {
  bool worked = false;
  for (std::size_t i = 0; i < active_.size();) {
    GuestPort& port = *active_[i];
    if (port.poll(now)) {
      port.last_work_ns = now;
      worked = true;
    } else if (now - port.last_work_ns > kSpinNs && !port.arm()) {
      port.active = false;
      active_[i] = active_.back();
      active_.pop_back();
      continue;
    }
    ++i;
  }
  return worked;
}

/// Activates the guests whose time has come; returns the next time.
std::uint64_t GuestThread::check_deadlines(std::uint64_t now) {
  std::uint64_t next = kNever;
  for (const auto& [number, port] : ports_) {
    if (port->active) continue;
    const std::uint64_t deadline = port->deadline();
    if (deadline <= now) {
      activate(*port);
    } else {
      next = std::min(next, deadline);
    }
  }
  return next;
}

void GuestThread::loop() {
  std::uint64_t polled_ns = 0;
  while (!stop_) {
    if (tasks_waiting_.load(std::memory_order_acquire)) {
      run_tasks();
      continue;  // it may have been the last
    }
    const std::uint64_t now = now_ns();
    if (!active_.empty() && now - polled_ns < kEventPollNs) {
      poll_active(now);
      continue;
    }
    polled_ns = now;
    const std::uint64_t next = check_deadlines(now);
    int timeout_ms = 0;
    if (active_.empty()) {
      timeout_ms = next == kNever ? -1 : static_cast<int>(std::min<std::uint64_t>((next - now) / kMs + 1, 1000));
    }
    take_events(timeout_ms);
    poll_active(now_ns());
  }
}

}  // namespace xvif::guest
