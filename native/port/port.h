// A port of the switch as the data plane sees it, whatever is behind it.
//
// Threads: attach and detach happen on the control thread. Between them each PortQueue is polled by exactly one
// worker, while transmit() may be called by every data plane thread at once.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <span>

#include "base/ids.h"
#include "base/limits.h"
#include "base/schema.gen.h"
#include "packet/packet.h"
#include "port/settings.h"

namespace xvif {

/// Counts of one thread; written by that thread only, read by any (relaxed).
struct alignas(64) PortCounters {
  std::atomic<std::uint64_t> rx_packets{0}, rx_bytes{0}, tx_packets{0}, tx_bytes{0};
  std::atomic<std::uint64_t> rx_errors{0}, tx_errors{0};
  std::array<std::atomic<std::uint64_t>, kDropReasons> rx_dropped{}, tx_dropped{};

  /// One writer per counter: no read-modify-write needed.
  static void add(std::atomic<std::uint64_t>& counter, std::uint64_t n) {
    counter.store(counter.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
};

/// Takes the frames of a queue through the tables. Called on the worker's thread; releases every packet.
class PacketSink {
 public:
  virtual void process(std::size_t thread, std::uint64_t now_ns, std::span<Packet* const> packets) = 0;

 protected:
  ~PacketSink() = default;
};

/// One stream of frames from a port's outside, polled by one worker.
class PortQueue {
 public:
  virtual ~PortQueue() = default;

  /// Takes up to out.size() frames (<= kBatchMax) out of the queue; returns how many. Work is bounded whatever the
  /// peer does. Also pushes out what waits towards the peer, when the peer made room. Their in_port is the worker's
  /// to set.
  virtual std::size_t receive(PacketPool& pool, std::span<Packet*> out) = 0;
  /// The frames of the last receive() went through and were released: give responses, notify the peer. What may wait
  /// for company is held back, with `due_ns` set.
  virtual void flush() = 0;
  /// Before sleeping: allow wake-ups, then look once more. True when there is work after all.
  virtual bool arm() = 0;
  /// To sleep on; -1 when an EventSource of the worker announces this queue.
  virtual int fd() const { return -1; }

  PortNo port{0};  // control: wo before attach; worker: ro
  // The worker's own, from Worker::add to Worker::remove.
  PacketSink* sink = nullptr;
  bool active = false;  // on its list of queues to poll
  std::uint64_t last_work_ns = 0;
  std::uint64_t armed_ns = 0;  // when it was last taken off that list
  std::uint64_t spin_ns = 0;   // how long it may stay there without work
  std::uint64_t due_ns = 0;    // asleep or not, it is served again by then (the queue sets it); 0: nothing is held back
  bool owing = false;          // on the worker's list of queues with such a date
};

/// Collects the queues that have work.
class ActiveQueues {
 public:
  virtual void activate(PortQueue& queue) = 0;

 protected:
  ~ActiveQueues() = default;
};

/// Wakes a worker for many queues at once: the event channels of a worker.
class EventSource {
 public:
  virtual ~EventSource() = default;
  virtual int fd() const = 0;
  /// fd() is readable: activates the queues concerned.
  virtual void dispatch(ActiveQueues& active) = 0;
};

class Port {
 public:
  virtual ~Port() = default;

  virtual std::span<PortQueue* const> queues() = 0;
  /// Sends frames out of the port, as thread `thread` (its index). Packets are lent: the port may change their
  /// bytes, but the caller releases them. Counts what was sent and dropped in counters[thread]. Bounded, never waits.
  virtual void transmit(std::size_t thread, std::span<Packet* const> packets) = 0;
  /// Any thread. False when there is no carrier, or the peer broke its protocol.
  virtual bool link_up() const { return true; }
  /// Any thread. nullptr, or why the peer lost its port.
  virtual const char* fault_text() const { return nullptr; }
  /// Control thread, before traffic starts and any time later. What a kind of port has no use for it ignores.
  virtual void configure(const PortSettings&) {}
  /// Control thread, first step of a detach: when it returns no EventSource activates the port's queues any more.
  virtual void silence() {}
  /// After the control thread made sure that no worker knows the port: close fds, unmap, unbind.
  virtual void close() = 0;

  // thread n: rw of [n], others: ro
  std::array<PortCounters, kThreadsMax> counters;
};

}  // namespace xvif
