// Ports of the switch by number, as the data plane sees them.
//
// Threads: slot(), all() any data plane thread; attach, detach, configure control.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/epoch.h"
#include "port/port.h"

namespace xvif {

/// Packets of one thread on their way out of one port.
struct alignas(64) TxBuffer {
  std::size_t count = 0;
  bool dirty = false;  // on the thread's list of ports to flush
  std::array<Packet*, kBatchMax> packets;
  // Upcall bytes written for this port's packets in the thread's current round; see UpcallQueue.
  std::uint64_t upcall_round = 0;
  std::size_t upcall_bytes = 0;
};

struct PortSlot {
  PortSlot(PortNo no, Port& behind, std::size_t threads) : number(no), port(behind), tx(threads) {}

  const PortNo number;
  Port& port;
  std::uint64_t attached_ns = 0;
  std::atomic<std::uint32_t> config{0};  // PortConfig. control: rw, readers: ro
  std::vector<TxBuffer> tx;              // thread n: rw [n]

  bool configured(PortConfig bit) const {
    return (config.load(std::memory_order_relaxed) & static_cast<std::uint32_t>(bit)) != 0;
  }
  /// Can carry packets out, for fast failover.
  bool is_live() const { return !configured(PortConfig::kDown) && port.link_up(); }
  /// PortState bits.
  std::uint32_t state() const;
};

class PortTable {
 public:
  PortTable(Epoch& epoch, std::size_t threads);
  ~PortTable();
  PortTable(const PortTable&) = delete;
  PortTable& operator=(const PortTable&) = delete;

  /// nullptr when nothing is attached there, or the number is not that of a port.
  PortSlot* slot(PortNo number) const {
    const std::uint32_t n = raw(number);
    if (n < kPortsMax) return slots_[n].load(std::memory_order_acquire);
    return n == static_cast<std::uint32_t>(ReservedPort::kLocal) ? slots_[kPortsMax].load(std::memory_order_acquire)
                                                                 : nullptr;
  }
  /// All attached ports by ascending number, LOCAL last. Until the thread's next Epoch::quiescent().
  std::span<PortSlot* const> all() const { return *all_.load(std::memory_order_acquire); }

  /// kBadPort, kPortExists.
  Status attach(PortNo number, Port& port, std::uint64_t now_ns);
  /// When it returns no thread but the caller's knows the port. Unknown numbers are ignored.
  void detach(PortNo number);

 private:
  void publish();

  Epoch& epoch_;
  const std::size_t threads_;
  std::array<std::atomic<PortSlot*>, kPortsMax + 1> slots_{};  // control: rw, readers: ro
  std::atomic<const std::vector<PortSlot*>*> all_;             // control: rw, readers: ro
};

}  // namespace xvif
