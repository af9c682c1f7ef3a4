// A data plane thread: polls the queues that have work, hands what they receive to their sink, and sleeps when there
// is none.
//
// A queue is *active* while the worker polls it. After a while without a frame the worker arms the queue's wake-up and
// takes it off the list; its event source or fd puts it back. How long that while is the queue has earned: it doubles
// when an event follows sooner than polling would have cost, and halves when not, so that a queue of rare frames is
// armed at once. So 256 silent guests cost nothing, and a busy one is not
// interrupted. Each turn takes at most one batch from each active queue: no guest can hold up another by more than
// that.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

#include "base/epoch.h"
#include "packet/packet.h"
#include "port/port.h"

namespace xvif {

/// What a worker did, for operators; one writer (the worker).
struct WorkerStats {
  std::atomic<std::uint64_t> busy_ns{0}, idle_ns{0}, batches{0}, packets{0};
};

class Worker final : private ActiveQueues {
 public:
  /// Starts the thread. `source` announces queues whose fd() is -1; it may be nullptr.
  Worker(std::size_t index, Epoch& epoch, std::unique_ptr<EventSource> source);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  /// Control thread. From now on the worker polls the queue. `queue` and `sink` outlive remove().
  void add(PortQueue& queue, PacketSink& sink);
  /// Control thread. When it returns the worker touches the queue no more.
  void remove(PortQueue& queue);
  /// Control thread. Runs `task` on the worker between two batches and waits for it.
  void run(const std::function<void()>& task);

  std::size_t index() const { return index_; }
  EventSource* source() { return source_.get(); }
  PacketPool& pool() { return pool_; }
  const WorkerStats& stats() const { return stats_; }
  /// Queues it polls or sleeps on. Control thread.
  std::size_t load() const { return load_; }

 private:
  static constexpr std::uint64_t kNever = ~std::uint64_t{0};

  void activate(PortQueue& queue) override;
  void main();
  bool turn(std::uint64_t now);
  /// Activates the queues whose date has come.
  void call_in(std::uint64_t now);
  /// For epoll_wait: until an event, or the next date.
  int sleep_ms(std::uint64_t now) const;
  bool serve(PortQueue& queue, std::uint64_t now);
  /// `now_ns_` is of the return.
  void wait_for_events(int timeout_ms);
  void obey();
  void wake();

  const std::size_t index_;
  Epoch& epoch_;
  std::unique_ptr<EventSource> source_;
  PacketPool pool_;
  int epoll_;
  int wake_fd_;

  std::vector<PortQueue*> queues_;      // worker
  std::vector<PortQueue*> active_;      // worker
  std::vector<PortQueue*> owing_;       // worker; asleep when they were put here, with a date
  std::uint64_t next_due_ns_ = kNever;  // worker; not after any of their dates
  std::uint64_t now_ns_ = 0;            // worker
  WorkerStats stats_;                   // worker: wo, control: ro
  std::size_t load_ = 0;                // control

  std::atomic<bool> task_waiting_{false};
  std::mutex mutex_;
  std::condition_variable task_done_;
  const std::function<void()>* task_ = nullptr;  // guarded by mutex_
  bool stop_ = false;                            // worker

  std::thread thread_;  // last: starts when all else is there
};

}  // namespace xvif
