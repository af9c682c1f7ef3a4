// One ring pair of an emulated frontend: real rings in the memory of its domain, as a guest's netfront has. Buffers
// are granted once and reused (persistent grants), which the protocol cannot tell from fresh ones.
//
// Thread: all of a queue belongs to one thread. The backend reads and writes the pages at the same time.
#pragma once

#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/limits.h"
#include "netfront/ring_rules.h"
#include "xen/emulated.h"
#include "xen/ring.h"

namespace xvif::netfront {

/// What goes into xenstore.
struct QueueRefs {
  GrantRef tx_ring;
  GrantRef rx_ring;
  EvtchnPort evtchn_tx;
  EvtchnPort evtchn_rx;  // equals evtchn_tx: not split
};

/// Largest number of data slots that this frontend sends in one packet (Linux: 18).
inline constexpr std::size_t kTxSlotsMax = 18;

struct TxMeta {
  bool csum_blank = false;
  std::uint16_t gso_size = 0;  // 0: none
  std::uint8_t gso_type = 0;
  /// Not 0: the bytes are the same in every frame with this tag, so they are written into a buffer only once.
  std::uint64_t tag = 0;
};

/// A frame out of the RX ring; `parts` point into pages that the backend may write again after the handler returns.
struct RxFrame {
  std::span<const iovec> parts;
  std::size_t size;
  bool csum_blank;
  bool data_validated;
  std::uint16_t gso_size;
  std::uint8_t gso_type;
  std::uint32_t slots;         // extra info included
  std::uint16_t xdp_headroom;  // bytes free before the data of each slot; 0: none told
  bool hashed;                 // a HASH extra info came with it
  std::uint8_t hash_type;
  std::uint32_t hash;
};

class RxHandler {
 public:
  virtual void on_frame(const RxFrame& frame) = 0;

 protected:
  ~RxHandler() = default;
};

struct FrontCounters {
  std::uint64_t tx_packets = 0, tx_bytes = 0, rx_packets = 0, rx_bytes = 0;
  std::uint64_t tx_dropped = 0;  // answered with an error
  std::uint64_t rx_errors = 0;   // negative status, or a malformed chain
};

class FrontQueue {
 public:
  /// Allocates and grants rings and buffers to the backend; channels are delivered to `sink` as `cookie`.
  /// nullptr and a sentence in `error` when the domain has no more.
  static std::unique_ptr<FrontQueue> create(std::shared_ptr<xen::EmulatedDomain> domain, xen::EvtchnSink& sink,
                                            std::uint64_t cookie, bool split, std::string& error,
                                            const RingRules& rules = {});
  /// Ends grants and channels. Pages still mapped by the backend stay granted (and are leaked to the domain).
  ~FrontQueue();
  FrontQueue(const FrontQueue&) = delete;
  FrontQueue& operator=(const FrontQueue&) = delete;

  const QueueRefs& refs() const { return refs_; }
  const FrontCounters& counters() const { return counters_; }
  /// What the backend did that this guest's kernel does not survive; empty: nothing. The queue does nothing any more.
  const std::string& panicked() const { return panic_; }

  /// Puts a frame on the TX ring, not yet visible. False: no room, or it needs more slots than the driver uses.
  bool send(std::span<const iovec> frame, const TxMeta& meta);
  /// As send, a dummy request: adds (xen::extra::kMcastAdd) or removes (kMcastDel) a multicast address. Refused by the
  /// backend it counts as tx_dropped.
  bool send_multicast(std::uint8_t type, const std::array<std::uint8_t, 6>& address);
  /// Slots free on the TX ring; extra infos take slots but no buffers.
  std::size_t tx_room() const {
    return std::min<std::size_t>(tx_free_.size(), xen::kRingSlots - (tx_req_prod_ - tx_rsp_cons_));
  }
  /// Makes what was sent visible, notifies if the backend wants it.
  void push_tx();
  /// Takes TX responses in. Returns how many.
  std::size_t reap_tx();

  /// Keeps `target` receive buffers posted (<= ring size); more when raised, not fewer when lowered until used.
  void post_rx(std::size_t target);
  /// Hands up to `budget` received frames over and posts their buffers again. Returns how many frames.
  std::size_t receive(RxHandler& handler, std::size_t budget);

  /// All its buffers, as entries of a list of staging grants.
  std::vector<xen::CtrlGref> staging_list() const;

  /// Asks for events and looks again. True when there is something to reap or receive after all.
  bool arm();
  /// Unmasks both channels.
  void unmask();

  // For tests: the pages as they are, and what lies where.
  xen::RingPage& tx_page() { return tx_ring_; }
  xen::RingPage& rx_page() { return rx_ring_; }
  std::uint32_t& tx_req_prod() { return tx_req_prod_; }
  std::uint32_t& rx_req_prod() { return rx_req_prod_; }
  GrantRef tx_buffer_ref(std::size_t id) const { return tx_buffers_[id].ref; }
  std::uint8_t* tx_buffer(std::size_t id) { return tx_buffers_[id].page; }
  GrantRef rx_buffer_ref(std::size_t id) const { return rx_buffers_[id].ref; }
  std::uint8_t* rx_buffer(std::size_t id) { return rx_buffers_[id].page; }
  void notify_tx();
  void notify_rx();

 private:
  struct Buffer {
    std::uint8_t* page = nullptr;
    GrantRef ref{0};
    std::uint64_t tag = 0;
  };
  FrontQueue(std::shared_ptr<xen::EmulatedDomain> domain, const RingRules& rules)
      : domain_(std::move(domain)), rules_(rules) {}
  bool allocate(Buffer& buffer, bool readonly);
  void release(Buffer& buffer);
  bool write_buffer(Buffer& buffer, std::span<const iovec> frame, std::size_t from, std::size_t size,
                    std::uint64_t tag);
  bool receive_one(RxHandler& handler, std::uint32_t limit);
  bool take_extras(RxFrame& frame, std::uint32_t limit);
  std::uint16_t rx_id(std::size_t slot) const { return static_cast<std::uint16_t>(slot ^ rules_.rx_id_xor); }
  bool extra_answered();
  std::size_t rx_buffer_of(const xen::RxResponse& response, std::size_t slot);
  std::uint16_t tx_id(std::uint16_t buffer) const {
    return static_cast<std::uint16_t>(buffer * rules_.tx_id_step + rules_.tx_id_first);
  }
  void write_extras(const TxMeta& meta);
  bool cut_short();
  void tx_done(const xen::TxResponse& response);
  /// The first is kept. Returns false.
  bool panic(std::string why);
  void post(std::uint32_t slot);
  void push_rx();

  const std::shared_ptr<xen::EmulatedDomain> domain_;
  const RingRules rules_;
  QueueRefs refs_{};
  Buffer tx_ring_buffer_, rx_ring_buffer_;
  xen::RingPage tx_ring_, rx_ring_;
  std::array<Buffer, xen::kRingSlots> tx_buffers_;
  std::array<Buffer, xen::kRingSlots> rx_buffers_;         // by id
  std::vector<std::uint16_t> tx_free_;                     // numbers of buffers
  std::array<bool, xen::kRingSlots> tx_used_{};            // by number of the buffer
  std::array<std::uint8_t, xen::kRingSlots> tx_extras_{};  // infos sent along, by number of the buffer
  std::size_t tx_extras_due_ = 0;                          // of the response before, not answered yet
  // Free-running.
  std::uint32_t tx_req_prod_ = 0, tx_req_pushed_ = 0, tx_rsp_cons_ = 0;
  std::uint32_t rx_req_prod_ = 0, rx_req_pushed_ = 0, rx_rsp_cons_ = 0;
  std::uint32_t rx_target_ = 0;
  FrontCounters counters_;
  std::string panic_;
};

}  // namespace xvif::netfront
