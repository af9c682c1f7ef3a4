// One thread for hundreds of emulated guests: polls those with work, sleeps in epoll when none has any.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <vector>

#include "xen/emulated.h"

namespace xvif::guest {

class GuestPort;

class GuestThread {
 public:
  GuestThread();
  /// Every Guest was closed before.
  ~GuestThread();
  GuestThread(const GuestThread&) = delete;
  GuestThread& operator=(const GuestThread&) = delete;

  /// Runs `task` on the thread between two rounds and waits for it. At once when called on the thread itself.
  void run(const std::function<void()>& task);

  // On the thread.
  /// Event channels of all guests are delivered here; the cookie is the guest's number.
  xen::EvtchnSink& sink() { return sink_; }
  std::uint64_t add(std::shared_ptr<GuestPort> port);
  void remove(std::uint64_t number);
  /// The guest has work.
  void activate(GuestPort& port);
  /// Watches a descriptor (a TAP) for a guest.
  void watch(int fd, std::uint64_t number);
  void unwatch(int fd);

 private:
  struct Task {
    const std::function<void()>* function;
    bool done = false;
  };
  void loop();
  void run_tasks();
  bool poll_active(std::uint64_t now);
  void take_events(int timeout_ms);
  void take_channels();
  std::uint64_t check_deadlines(std::uint64_t now);

  xen::EvtchnSink sink_;
  int epoll_ = -1;
  int wake_ = -1;  // eventfd: tasks were added
  std::mutex mutex_;
  std::condition_variable done_;
  std::vector<Task*> tasks_;  // under mutex_
  std::atomic<bool> tasks_waiting_{false};
  // Thread only.
  bool stop_ = false;
  std::uint64_t next_number_ = 0;
  std::unordered_map<std::uint64_t, std::shared_ptr<GuestPort>> ports_;
  std::vector<GuestPort*> active_;
  std::thread thread_;  // last: starts when all else is there
};

}  // namespace xvif::guest
