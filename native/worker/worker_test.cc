#include "worker/worker.h"
#include "worker/spin.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <set>

#include "base/clock.h"

namespace xvif {
namespace {

/// Wakes the worker for queues without an fd.
class TestSource final : public EventSource {
 public:
  TestSource() : fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}
  ~TestSource() override { ::close(fd_); }
  int fd() const override { return fd_; }
  void dispatch(ActiveQueues& active) override {
    std::uint64_t count;
    [[maybe_unused]] const auto got = ::read(fd_, &count, sizeof count);
    std::lock_guard lock(mutex_);
    for (PortQueue* queue : rung_) active.activate(*queue);
    rung_.clear();
  }
  void ring(PortQueue& queue) {
    {
      std::lock_guard lock(mutex_);
      rung_.insert(&queue);
    }
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(fd_, &one, sizeof one);
  }
  void forget(PortQueue& queue) {
    std::lock_guard lock(mutex_);
    rung_.erase(&queue);
  }

 private:
  const int fd_;
  std::mutex mutex_;
  std::set<PortQueue*> rung_;
};

/// Frames out of a counter, announced through the source when the queue is armed.
class CounterQueue : public PortQueue {
 public:
  explicit CounterQueue(TestSource& source) : source_(source) {}
  ~CounterQueue() override { source_.forget(*this); }

  void produce(unsigned frames) {
    ready_.fetch_add(frames);
    if (armed_.exchange(false)) source_.ring(*this);
  }
  std::size_t receive(PacketPool& pool, std::span<Packet*> out) override {
    polls.fetch_add(1, std::memory_order_relaxed);
    const std::size_t count = std::min<std::size_t>({out.size(), per_receive, ready_.load()});
    for (std::size_t i = 0; i < count; ++i) out[i] = pool.take();
    ready_.fetch_sub(static_cast<unsigned>(count));
    return count;
  }
  void flush() override { flushes.fetch_add(1, std::memory_order_relaxed); }
  bool arm() override {
    armed_ = true;
    if (ready_ == 0) return false;
    armed_ = false;
    return true;
  }

  std::size_t per_receive = kBatchMax;
  std::atomic<std::uint64_t> polls{0}, flushes{0};

 private:
  TestSource& source_;
  std::atomic<unsigned> ready_{0};
  std::atomic<bool> armed_{false};
};

/// Datagrams of a socket, a few at a time: some are left when the batch is full.
class SocketQueue final : public PortQueue {
 public:
  SocketQueue() { EXPECT_EQ(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds_), 0); }
  ~SocketQueue() override {
    for (const int fd : fds_) ::close(fd);
  }
  bool produce() { return ::send(fds_[1], "x", 1, 0) == 1; }
  std::size_t receive(PacketPool& pool, std::span<Packet*> out) override {
    std::size_t count = 0;
    char byte;
    while (count < 3 && ::recv(fds_[0], &byte, 1, 0) == 1) out[count++] = pool.take();
    return count;
  }
  void flush() override {}
  bool arm() override {
    pollfd p{fds_[0], POLLIN, 0};
    return ::poll(&p, 1, 0) > 0;
  }
  int fd() const override { return fds_[0]; }

 private:
  int fds_[2];
};

class CountingSink final : public PacketSink {
 public:
  void process(std::size_t, std::uint64_t, std::span<Packet* const> packets) override {
    for (Packet* packet : packets) {
      last_port.store(raw(packet->in_port), std::memory_order_relaxed);
      packet->release();
    }
    frames.fetch_add(packets.size());
  }
  bool reaches(std::uint64_t count) const {
    const std::uint64_t until = now_ns() + 5'000'000'000u;
    while (frames.load() < count && now_ns() < until) std::this_thread::yield();
    return frames.load() >= count;
  }
  std::atomic<std::uint64_t> frames{0};
  std::atomic<std::uint32_t> last_port{0};
};

class WorkerTest : public ::testing::Test {
 protected:
  WorkerTest() {
    auto made = std::make_unique<TestSource>();
    source = made.get();
    worker = std::make_unique<Worker>(0, epoch, std::move(made));
  }
  std::uint64_t cpu_ns() {
    timespec t{};
    worker->run([&] { clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t); });
    return static_cast<std::uint64_t>(t.tv_sec) * 1'000'000'000u + static_cast<std::uint64_t>(t.tv_nsec);
  }
  void expect_asleep() {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));  // what was active is armed by now
    const std::uint64_t before = cpu_ns();
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    EXPECT_LT(cpu_ns() - before, 5'000'000u);
  }

  Epoch epoch;
  CountingSink sink;
  TestSource* source;
  std::unique_ptr<Worker> worker;
};

TEST_F(WorkerTest, RunsTasksAsleepAndBusy) {
  std::thread::id asleep, busy;
  worker->run([&] { asleep = std::this_thread::get_id(); });
  CounterQueue queue(*source);
  worker->add(queue, sink);
  queue.produce(1'000'000);
  worker->run([&] { busy = std::this_thread::get_id(); });
  EXPECT_NE(asleep, std::this_thread::get_id());
  EXPECT_EQ(asleep, busy);
  worker->remove(queue);
}

TEST_F(WorkerTest, FramesCarryTheirPortAndEveryTurnIsFlushed) {
  CounterQueue queue(*source);
  queue.port = PortNo{7};
  EXPECT_EQ(worker->load(), 0u);
  worker->add(queue, sink);
  EXPECT_EQ(worker->load(), 1u);
  queue.produce(1000);
  ASSERT_TRUE(sink.reaches(1000));
  EXPECT_EQ(sink.last_port, 7u);
  worker->remove(queue);
  EXPECT_EQ(worker->load(), 0u);
  EXPECT_EQ(queue.polls, queue.flushes);
  EXPECT_EQ(worker->stats().packets, 1000u);
  worker->remove(queue);  // unknown by now
  EXPECT_EQ(worker->load(), 0u);
}

/// Holds back what it owes until its date.
class DebtorQueue final : public CounterQueue {
 public:
  using CounterQueue::CounterQueue;
  std::size_t receive(PacketPool& pool, std::span<Packet*> out) override {
    received_ = CounterQueue::receive(pool, out);
    return received_;
  }
  void flush() override {
    if (received_ > 0 && due_ns == 0) {
      promised_ns = due_ns = last_work_ns + 2'000'000;
    } else if (due_ns != 0 && last_work_ns >= due_ns) {
      due_ns = 0;
      paid_ns = now_ns();
    }
  }
  std::atomic<std::uint64_t> promised_ns{0}, paid_ns{0};

 private:
  std::size_t received_ = 0;
};

TEST_F(WorkerTest, AQueueThatHoldsSomethingBackIsServedAgainByItsDate) {
  DebtorQueue queue(*source), other(*source);
  worker->add(queue, sink);
  worker->add(other, sink);
  for (unsigned round = 0; round < 20; ++round) {
    queue.paid_ns = 0;
    const std::uint64_t before = now_ns();
    queue.produce(1);
    const std::uint64_t until = before + 5'000'000'000u;
    // Also while it has other work, and with a date of another queue's at about the same time.
    while (queue.paid_ns == 0 && now_ns() < until) {
      if (round % 2 == 1) other.produce(1);
      std::this_thread::yield();
    }
    ASSERT_GT(queue.promised_ns, 0u) << round;
    ASSERT_GE(queue.paid_ns, queue.promised_ns) << round;
  }
  queue.produce(1);
  worker->remove(queue);  // with a debt
  worker->remove(other);
  expect_asleep();
}

TEST_F(WorkerTest, NoEventIsLost) {
  CounterQueue queue(*source), neighbour(*source);
  worker->add(queue, sink);
  CountingSink other;
  worker->add(neighbour, other);
  std::uint64_t sent = 0;
  for (unsigned i = 0; i < 5000; ++i) {
    // A neighbour keeps the worker awake now and then, so that events are found in both ways.
    if (i % 7 == 0) neighbour.produce(500);
    const std::uint64_t until = now_ns() + i * 37 % 60'000;  // about the time it takes to fall asleep
    while (now_ns() < until) {
    }
    const unsigned frames = 1 + i % 3 * 40;
    queue.produce(frames);
    sent += frames;
    ASSERT_TRUE(sink.reaches(sent)) << i;
  }
  worker->remove(queue);
  worker->remove(neighbour);
}

TEST_F(WorkerTest, NoEdgeOfADescriptorIsLost) {
  SocketQueue queue;
  ASSERT_TRUE(queue.produce()) << "there before it is added";
  worker->add(queue, sink);
  std::uint64_t sent = 1;
  for (unsigned i = 0; i < 3000; ++i) {
    const std::uint64_t until = now_ns() + i * 37 % 60'000;
    while (now_ns() < until) {
    }
    for (unsigned burst = 0; burst <= i % 9; ++burst) sent += queue.produce() ? 1 : 0;
    ASSERT_TRUE(sink.reaches(sent)) << i;
  }
  worker->remove(queue);
}

// The sanitizers judge: a queue is destroyed as soon as remove() returns.
TEST_F(WorkerTest, AddAndRemoveUnderTraffic) {
  CounterQueue steady(*source);
  worker->add(steady, sink);
  std::atomic<bool> stop{false};
  std::thread producer([&] {
    while (!stop.load(std::memory_order_relaxed)) {
      steady.produce(64);
      std::this_thread::sleep_for(std::chrono::microseconds(30));
    }
  });
  for (int i = 0; i < 500; ++i) {
    CountingSink own;
    auto queue = std::make_unique<CounterQueue>(*source);
    auto socket = std::make_unique<SocketQueue>();
    queue->produce(100);
    while (socket->produce()) {
    }
    worker->add(*queue, own);
    worker->add(*socket, own);
    if (i % 2 == 0) {
      ASSERT_TRUE(own.reaches(100));
    }
    source->ring(*queue);
    worker->remove(*queue);
    source->ring(*queue);  // an event for a queue that is not polled any more
    worker->run([] {});
    source->forget(*queue);
    queue.reset();
    worker->remove(*socket);
    socket.reset();
  }
  stop = true;
  producer.join();
  worker->remove(steady);
  EXPECT_GT(sink.frames, 0u);
  EXPECT_EQ(worker->pool().available(), kPacketsPerThread);
}

TEST_F(WorkerTest, SilentQueuesUseNoCpu) {
  std::vector<std::unique_ptr<CounterQueue>> queues;
  std::vector<std::unique_ptr<SocketQueue>> sockets;
  for (int i = 0; i < 256; ++i) {
    queues.push_back(std::make_unique<CounterQueue>(*source));
    worker->add(*queues.back(), sink);
  }
  for (int i = 0; i < 16; ++i) {
    sockets.push_back(std::make_unique<SocketQueue>());
    worker->add(*sockets.back(), sink);
  }
  expect_asleep();
  const std::uint64_t before = sink.frames;
  queues[100]->produce(1);
  ASSERT_TRUE(sink.reaches(before + 1));
  expect_asleep();
  for (const auto& queue : queues) worker->remove(*queue);
  for (const auto& socket : sockets) worker->remove(*socket);
}

TEST_F(WorkerTest, HoldsUpNoReclamation) {
  epoch.synchronize();  // asleep
  CounterQueue queue(*source);
  worker->add(queue, sink);
  std::atomic<bool> stop{false};
  std::thread producer([&] {
    while (!stop.load(std::memory_order_relaxed)) queue.produce(8);
  });
  for (int i = 0; i < 200; ++i) epoch.synchronize();
  stop = true;
  producer.join();
  worker->remove(queue);
}

// An event that follows at once was worth waiting for; one that comes late was not.
TEST(Spin, AQueueEarnsHowLongItIsPolled) {
  EXPECT_EQ(next_spin_ns(kSpinMaxNs, 1'000), kSpinMaxNs);
  EXPECT_EQ(next_spin_ns(0, kSpinMaxNs - 1), kSpinMinNs);
  EXPECT_EQ(next_spin_ns(4'000, 100), 8'000u);
  EXPECT_EQ(next_spin_ns(4'000, kSpinMaxNs), 2'000u);
  std::uint64_t spin = kSpinMaxNs;
  for (int late = 0; late < 20; ++late) spin = next_spin_ns(spin, 1'000'000);
  EXPECT_EQ(spin, 0u);
}

}  // namespace
}  // namespace xvif
