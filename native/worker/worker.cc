#include "worker/worker.h"

#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string>

#include "base/assert.h"
#include "base/clock.h"
#include "worker/spin.h"

namespace xvif {
namespace {

/// How often a busy worker looks for queues that woke up.
constexpr std::uint64_t kEventPollNs = 20'000;
constexpr std::size_t kEventsMax = 64;

}  // namespace

Worker::Worker(std::size_t index, Epoch& epoch, std::unique_ptr<EventSource> source)
    : index_(index),
      epoch_(epoch),
      source_(std::move(source)),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      wake_fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  XVIF_ASSERT(epoll_ >= 0 && wake_fd_ >= 0);
  // A null pointer marks the wake-up fd; `this` marks the event source; anything else is a PortQueue.
  epoll_event wake_event{.events = EPOLLIN, .data = {.ptr = nullptr}};
  XVIF_ASSERT(epoll_ctl(epoll_, EPOLL_CTL_ADD, wake_fd_, &wake_event) == 0);
  if (source_) {
    epoll_event event{.events = EPOLLIN, .data = {.ptr = this}};
    XVIF_ASSERT(epoll_ctl(epoll_, EPOLL_CTL_ADD, source_->fd(), &event) == 0);
  }
  thread_ = std::thread([this] { main(); });
  pthread_setname_np(thread_.native_handle(), ("xvif-worker" + std::to_string(index_)).substr(0, 15).c_str());
}

Worker::~Worker() {
  run([this] { stop_ = true; });
  thread_.join();
  close(wake_fd_);
  close(epoll_);
}

void Worker::wake() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = write(wake_fd_, &one, sizeof one);
}

void Worker::run(const std::function<void()>& task) {
  std::unique_lock lock(mutex_);
  XVIF_ASSERT(task_ == nullptr);
  task_ = &task;
  task_waiting_.store(true, std::memory_order_release);
  wake();
  task_done_.wait(lock, [this] { return task_ == nullptr; });
}

void Worker::obey() {
  std::lock_guard lock(mutex_);
  if (task_ == nullptr) return;
  (*task_)();
  task_ = nullptr;
  task_waiting_.store(false, std::memory_order_relaxed);
  task_done_.notify_one();
}

void Worker::add(PortQueue& queue, PacketSink& sink) {
  ++load_;
  run([&] {
    queue.sink = &sink;
    queue.active = true;  // the first poll arms it
    queue.spin_ns = kSpinMaxNs;
    queues_.push_back(&queue);
    active_.push_back(&queue);
    if (queue.fd() < 0) return;
    epoll_event event{.events = EPOLLIN | EPOLLET, .data = {.ptr = &queue}};
    XVIF_ASSERT(epoll_ctl(epoll_, EPOLL_CTL_ADD, queue.fd(), &event) == 0);
  });
}

void Worker::remove(PortQueue& queue) {
  run([&] {
    if (std::erase(queues_, &queue) == 0) return;
    std::erase(active_, &queue);
    std::erase(owing_, &queue);
    queue.owing = false;
    if (queue.fd() >= 0) epoll_ctl(epoll_, EPOLL_CTL_DEL, queue.fd(), nullptr);
    queue.sink = nullptr;
    --load_;  // the control thread waits: no race
  });
}

void Worker::activate(PortQueue& queue) {
  if (queue.active || queue.sink == nullptr) return;
  queue.active = true;
  queue.spin_ns = next_spin_ns(queue.spin_ns, now_ns_ - queue.armed_ns);
  queue.last_work_ns = now_ns_;
  active_.push_back(&queue);
}

bool Worker::serve(PortQueue& queue, std::uint64_t now) {
  std::array<Packet*, kBatchMax> batch;
  const std::size_t n = queue.receive(pool_, batch);
  if (n > 0) {
    for (std::size_t i = 0; i < n; ++i) batch[i]->in_port = queue.port;
    queue.sink->process(index_, now, std::span(batch.data(), n));
    PortCounters::add(stats_.batches, 1);
    PortCounters::add(stats_.packets, n);
  }
  queue.flush();
  return n > 0;
}

bool Worker::turn(std::uint64_t now) {
  bool worked = false;
  for (std::size_t i = 0; i < active_.size();) {
    PortQueue& queue = *active_[i];
    if (serve(queue, now)) {
      queue.last_work_ns = now;
      worked = true;
    } else if (now - queue.last_work_ns >= queue.spin_ns) {
      if (!queue.arm()) {
        queue.active = false;
        queue.armed_ns = now;
        if (queue.due_ns != 0) {
          next_due_ns_ = std::min(next_due_ns_, queue.due_ns);
          if (!queue.owing) owing_.push_back(&queue);
          queue.owing = true;
        }
        active_[i] = active_.back();
        active_.pop_back();
        continue;
      }
      queue.last_work_ns = now;
    }
    ++i;
  }
  return worked;
}

void Worker::call_in(std::uint64_t now) {
  now_ns_ = now;
  next_due_ns_ = kNever;
  std::erase_if(owing_, [&](PortQueue* queue) {
    if (queue->due_ns > now) {
      next_due_ns_ = std::min(next_due_ns_, queue->due_ns);
      return false;
    }
    queue->owing = false;
    if (queue->due_ns != 0) activate(*queue);
    return true;
  });
}

int Worker::sleep_ms(std::uint64_t now) const {
  constexpr std::uint64_t kMs = 1'000'000;
  if (next_due_ns_ == kNever) return -1;
  return now >= next_due_ns_ ? 0 : static_cast<int>((next_due_ns_ - now + kMs - 1) / kMs);
}

void Worker::wait_for_events(int timeout_ms) {
  std::array<epoll_event, kEventsMax> events;
  const int n = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), timeout_ms);
  now_ns_ = now_ns();
  for (int i = 0; i < n; ++i) {
    void* const who = events[static_cast<std::size_t>(i)].data.ptr;
    if (who == nullptr) {
      std::uint64_t count;
      [[maybe_unused]] const auto got = read(wake_fd_, &count, sizeof count);
    } else if (who == this) {
      source_->dispatch(*this);
    } else {
      activate(*static_cast<PortQueue*>(who));
    }
  }
}

void Worker::main() {
  epoch_.online(index_);
  std::uint64_t now = now_ns();
  std::uint64_t polled_ns = now;
  unsigned busy_turns = 0;
  while (!stop_) {
    if (task_waiting_.load(std::memory_order_acquire)) {
      obey();
      continue;
    }
    epoch_.quiescent(index_);
    if (now >= next_due_ns_) call_in(now);
    if (active_.empty()) {
      epoch_.offline(index_);
      wait_for_events(sleep_ms(now));
      epoch_.online(index_);
      PortCounters::add(stats_.idle_ns, now_ns_ - now);
      now = polled_ns = now_ns_;
      continue;
    }
    const bool worked = turn(now);
    if (!worked && active_.empty()) continue;  // the clock is read after the sleep
    const std::uint64_t after = now_ns();
    PortCounters::add(worked ? stats_.busy_ns : stats_.idle_ns, after - now);
    now = after;
    // After a single busy turn the next is most often idle, and sleeping looks at events anyway.
    busy_turns = worked ? busy_turns + 1 : 0;
    if (busy_turns != 1 && now - polled_ns > kEventPollNs) {
      wait_for_events(0);
      now = polled_ns = now_ns_;
    }
  }
  epoch_.offline(index_);
}

}  // namespace xvif
