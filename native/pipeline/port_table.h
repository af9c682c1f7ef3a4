// Ports of the switch by number, as the data plane sees them.
//
// Threads: slot(), all() any data plane thread; attach, detach, configure control.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/epoch.h"
#include "packet/reserved_mac.h"
#include "pipeline/local_rates.h"
#include "pipeline/source_filter.h"
#include "port/port.h"

namespace xvif {

/// Bytes that one thread wrote to a queue for the packets of one port, in the current round (UpcallQueue::round()).
struct QueueShare {
  std::uint64_t round = 0;
  std::size_t bytes = 0;
};

/// Packets of one thread on their way out of one port.
struct alignas(64) TxBuffer {
  std::size_t count = 0;
  bool dirty = false;  // on the thread's list of ports to flush
  std::array<Packet*, kBatchMax> packets;
  QueueShare upcalls;
  QueueShare requests;
  QueueShare local;
};

/// What the settings of a port ask of the pipeline. Never changed once published.
struct PortPolicy {
  explicit PortPolicy(const PortSettings& settings);
  bool operator==(const PortPolicy&) const = default;

  std::optional<VlanMembership> vlan;
  std::optional<SourceFilter> sources;
};

/// Bits of PortSlot::config beside those of PortConfig, so that one test finds out that nothing is special.
namespace slot_bit {
inline constexpr std::uint32_t kVlan = 1u << 31;
inline constexpr std::uint32_t kGuarded = 1u << 30;
inline constexpr std::uint32_t kDisabled = 1u << 29;
inline constexpr std::uint32_t kAll = kVlan | kGuarded | kDisabled;
}  // namespace slot_bit

struct PortSlot {
  PortSlot(PortNo no, Port& behind, std::size_t threads) : number(no), port(behind), tx(threads) {}
  ~PortSlot() { delete policy.load(std::memory_order_relaxed); }
  PortSlot(const PortSlot&) = delete;
  PortSlot& operator=(const PortSlot&) = delete;

  const PortNo number;
  Port& port;
  std::uint64_t attached_ns = 0;
  std::atomic<std::uint32_t> config{0};            // PortConfig and slot_bit. control: rw, readers: ro
  std::atomic<const PortPolicy*> policy{nullptr};  // control: rw, readers: ro; nullptr: nothing asked
  std::vector<TxBuffer> tx;                        // thread n: rw [n]
  LocalRates local_rates;                          // any thread: rw

  bool has(std::uint32_t bits) const { return (config.load(std::memory_order_relaxed) & bits) != 0; }
  bool configured(PortConfig bit) const { return has(static_cast<std::uint32_t>(bit)); }
  /// What OpenFlow knows of `config`.
  std::uint32_t port_config() const { return config.load(std::memory_order_relaxed) & ~slot_bit::kAll; }
  /// nullptr: trunk of all. Until the thread's next Epoch::quiescent().
  const VlanMembership* vlan() const {
    if (!has(slot_bit::kVlan)) [[likely]]
      return nullptr;
    const PortPolicy* const now = policy.load(std::memory_order_acquire);
    return now != nullptr && now->vlan ? &*now->vlan : nullptr;
  }
  /// nullptr: any source. Until the thread's next Epoch::quiescent().
  const SourceFilter* sources() const {
    const PortPolicy* const now = policy.load(std::memory_order_acquire);
    return now != nullptr && now->sources ? &*now->sources : nullptr;
  }
  /// Can carry packets out, for fast failover.
  bool is_live() const { return !has(kStopped) && port.link_up(); }
  /// Whether the frame is not let in (OpenFlow 1.0.2 section 5.2.1).
  bool refuses(const std::uint8_t* frame) const {
    if (has(kStopped)) return true;
    return configured(is_spanning_tree_mac(frame) ? PortConfig::kNoRecvStp : PortConfig::kNoRecv);
  }
  /// PortState bits.
  std::uint32_t state() const;

  static constexpr std::uint32_t kStopped = static_cast<std::uint32_t>(PortConfig::kDown) | slot_bit::kDisabled;
  /// Some frames, or all, are not let in.
  static constexpr std::uint32_t kDeaf =
      kStopped | static_cast<std::uint32_t>(PortConfig::kNoRecv) | static_cast<std::uint32_t>(PortConfig::kNoRecvStp);
  /// Nothing is flooded there.
  static constexpr std::uint32_t kNoFlood = static_cast<std::uint32_t>(PortConfig::kNoFlood);
  /// Nothing leaves.
  static constexpr std::uint32_t kSilent = kStopped | static_cast<std::uint32_t>(PortConfig::kNoFwd);
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
  Status attach(PortNo number, Port& port, std::uint64_t now_ns, const PortSettings& settings);
  /// When it returns every thread goes by the new settings. True: the VLANs of the port changed. Unknown numbers are
  /// ignored.
  bool configure(PortNo number, const PortSettings& settings);
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
