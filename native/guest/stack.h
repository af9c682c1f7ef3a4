// What stands behind an emulated frontend.
//
// Thread: the GuestThread.
#pragma once

#include <sys/uio.h>

#include <cstdint>
#include <functional>
#include <limits>
#include <span>

#include "netfront/front_queue.h"

namespace xvif::guest {

struct PingOptions;
struct PingResult;
struct TrafficOptions;

inline constexpr std::uint64_t kNever = std::numeric_limits<std::uint64_t>::max();

/// The frontend as its stack sees it.
class FrameOutput {
 public:
  /// False when the ring is full. Sent at the end of the round.
  virtual bool send(std::size_t queue, std::span<const iovec> frame, const netfront::TxMeta& meta) = 0;
  virtual std::size_t queues() const = 0;

 protected:
  ~FrameOutput() = default;
};

class Stack {
 public:
  virtual ~Stack() = default;

  virtual void on_frame(const netfront::RxFrame& frame) = 0;
  /// Sends what is due. True when it did something.
  virtual bool poll(std::uint64_t now_ns) = 0;
  /// When poll() has something to do without a frame coming; kNever.
  virtual std::uint64_t deadline() const { return kNever; }
  /// The carrier is there: say who we are.
  virtual void announce() {}
  /// To be watched for reading, edge-triggered; -1.
  virtual int fd() const { return -1; }
  virtual void readable() {}
  virtual std::uint64_t udp_received() const { return 0; }
  /// Frames it threw away as damaged.
  virtual std::uint64_t rx_errors() const { return 0; }

  /// Implementations keep `done`.
  // NOLINTNEXTLINE(performance-unnecessary-value-param)
  virtual bool ping(const PingOptions&, std::function<void(const PingResult&)> /*done*/) { return false; }
  virtual bool start_traffic(const TrafficOptions&) { return false; }
  virtual void stop_traffic() {}
  /// The guest closes: what was asked for ends now.
  virtual void close() {}
};

}  // namespace xvif::guest
