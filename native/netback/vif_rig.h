// For tests and benchmarks of netback: guests with real rings on an emulated hypervisor, and the backend's side
// driven by hand.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "netback/vif_port.h"
#include "netfront/front_control.h"
#include "netfront/front_queue.h"
#include "packet/parse.h"
#include "xen/emulated.h"

namespace xvif::netback {

/// Keeps what a guest received.
class Collector final : public netfront::RxHandler {
 public:
  struct Frame {
    std::vector<std::uint8_t> bytes;
    bool csum_blank;
    std::uint16_t gso_size;
    std::uint8_t gso_type;
    std::uint32_t slots;
    std::uint16_t xdp_headroom;
    bool hashed;
    std::uint8_t hash_type;
    std::uint32_t hash;
  };
  void on_frame(const netfront::RxFrame& frame) override {
    Frame kept{{},           frame.csum_blank, frame.gso_size, frame.gso_type, frame.slots, frame.xdp_headroom,
               frame.hashed, frame.hash_type,  frame.hash};
    kept.bytes.resize(frame.size);
    std::size_t at = 0;
    for (const iovec& part : frame.parts) {
      xen::copy_shared(kept.bytes.data() + at, part.iov_base, part.iov_len);
      at += part.iov_len;
    }
    frames.push_back(std::move(kept));
  }
  std::vector<Frame> frames;
};

struct RigGuest {
  std::shared_ptr<xen::EmulatedDomain> domain;
  std::vector<std::unique_ptr<netfront::FrontQueue>> queues;
  std::unique_ptr<netfront::FrontControl> control;  // with_control()
  std::unique_ptr<VifPort> port;
  Collector collector;
  std::string error;

  netfront::FrontQueue& queue() { return *queues[0]; }
  /// The backend's worker looks at the control ring once.
  void turn_control(PacketPool& pool) {
    PortQueue& ring = *port->queues().back();
    ring.receive(pool, {});
    ring.flush();
  }
  std::uint64_t tx_dropped(Drop reason) const {  // towards the guest
    std::uint64_t sum = 0;
    for (const auto& counters : port->counters) sum += counters.tx_dropped[static_cast<std::size_t>(reason)].load();
    return sum;
  }
  std::uint64_t rx_dropped(Drop reason) const {  // from the guest
    std::uint64_t sum = 0;
    for (const auto& counters : port->counters) sum += counters.rx_dropped[static_cast<std::size_t>(reason)].load();
    return sum;
  }
  std::size_t receive() {
    const std::size_t before = collector.frames.size();
    for (const auto& queue : queues) queue->receive(collector, xen::kRingSlots);
    return collector.frames.size() - before;
  }
};

/// Data plane threads 0 and 1 (both used by the calling thread unless a test starts more), control is 2.
class VifRig {
 public:
  /// `wrap` puts something between the backend and its grants.
  using Wrap = std::function<std::unique_ptr<xen::GrantTable>(std::unique_ptr<xen::GrantTable>)>;
  explicit VifRig(const Wrap& wrap = nullptr)
      : source(hypervisor.open_evtchns()), other_source(hypervisor.open_evtchns()) {
    for (std::size_t i = 0; i < 3; ++i) {
      auto grants = hypervisor.open_grants();
      threads.push_back(std::make_unique<VifThread>(wrap ? wrap(std::move(grants)) : std::move(grants)));
      thread_pointers.push_back(threads.back().get());
    }
  }

  static VifSpec full_features() { return {DomId{0}, 0, {}, true, true, true, true, true, true, {}}; }

  /// A domain with a frontend, its buffers posted, not attached.
  std::unique_ptr<RigGuest> boot(std::uint16_t domid, unsigned queues = 1, bool split = true,
                                 std::size_t posted = 256) {
    auto guest = std::make_unique<RigGuest>();
    XVIF_ASSERT(hypervisor.create_domain(DomId{domid}));
    guest->domain = hypervisor.domain(DomId{domid});
    for (unsigned i = 0; i < queues; ++i) {
      guest->queues.push_back(netfront::FrontQueue::create(guest->domain, sink, domid, split, guest->error));
      XVIF_ASSERT(guest->queues.back() != nullptr);
      guest->queues.back()->post_rx(posted);
    }
    return guest;
  }
  /// Before attach().
  void with_control(RigGuest& guest) {
    guest.control = netfront::FrontControl::create(guest.domain, sink, raw(guest.domain->id()), guest.error);
    XVIF_ASSERT(guest.control != nullptr);
  }
  /// A request on the control ring and its answer, at most `turns` turns of the worker later.
  netfront::ControlResult ask(RigGuest& guest, const netfront::ControlRequest& request, int turns = 200) {
    const auto answer = std::make_shared<netfront::ControlResult>();  // which may come after we gave up
    if (!guest.control->request(request, [=](const netfront::ControlResult& result) { *answer = result; })) return {};
    while (!answer->answered && turns-- > 0) {
      guest.turn_control(pool);
      guest.control->poll();
    }
    return *answer;
  }
  /// False, with the reason in guest.error.
  bool attach(RigGuest& guest, VifSpec spec = full_features()) {
    spec.domid = guest.domain->id();
    spec.queues.clear();
    std::vector<VifQueueHome> homes;
    if (guest.control) spec.control = {guest.control->refs().ring, guest.control->refs().evtchn};
    for (const auto& queue : guest.queues) {
      const netfront::QueueRefs& refs = queue->refs();
      spec.queues.push_back({refs.tx_ring, refs.rx_ring, refs.evtchn_tx, refs.evtchn_rx});
      homes.push_back({0, &source});
    }
    guest.port = VifPort::attach(spec, thread_pointers, homes, guest.error);
    return guest.port != nullptr;
  }
  std::unique_ptr<RigGuest> guest(std::uint16_t domid, const VifSpec& spec = full_features(), unsigned queues = 1,
                                  bool split = true, std::size_t posted = 256) {
    auto made = boot(domid, queues, split, posted);
    XVIF_ASSERT(attach(*made, spec));
    return made;
  }

  /// One turn of a worker: everything from `from` goes to `to`, parsed as the pipeline does.
  std::size_t forward(RigGuest& from, RigGuest& to, std::size_t queue = 0) {
    std::array<Packet*, kBatchMax> batch;
    PortQueue& source_queue = *from.port->queues()[queue];
    const std::size_t count = source_queue.receive(pool, batch);
    const auto packets = std::span<Packet* const>(batch).first(count);
    FlowKey key;
    for (Packet* packet : packets) parse(*packet, key);
    if (count > 0) to.port->transmit(0, packets);
    for (Packet* packet : packets) packet->release();
    source_queue.flush();
    return count;
  }

  /// A turn without frames, and one when what was held back is due: the guest hears of all its responses.
  void pause(RigGuest& guest, std::size_t queue = 0) {
    std::array<Packet*, kBatchMax> none;
    PortQueue& source_queue = *guest.port->queues()[queue];
    for (int turn = 0; turn < 2; ++turn) {
      XVIF_ASSERT(source_queue.receive(pool, none) == 0);
      source_queue.flush();
      source_queue.last_work_ns = std::max(source_queue.last_work_ns, source_queue.due_ns);
    }
  }

  xen::EmulatedHypervisor hypervisor;
  xen::EvtchnSink sink;
  EvtchnSource source, other_source;
  std::vector<std::unique_ptr<VifThread>> threads;
  std::vector<VifThread*> thread_pointers;
  PacketPool pool{256};
};

/// A frame of `size` bytes with recognisable content and an ethertype of nobody.
inline std::vector<std::uint8_t> plain_frame(std::size_t size, std::uint8_t seed = 1) {
  std::vector<std::uint8_t> frame(size);
  for (std::size_t i = 0; i < size; ++i) frame[i] = static_cast<std::uint8_t>(i * 7 + seed + i / 251);
  if (size >= 14) {
    frame[0] = 2;
    frame[12] = 0x88;
    frame[13] = 0xb5;
  }
  return frame;
}

inline bool send(netfront::FrontQueue& queue, const std::vector<std::uint8_t>& frame,
                 const netfront::TxMeta& meta = {}) {
  const iovec part{const_cast<std::uint8_t*>(frame.data()), frame.size()};
  return queue.send({&part, 1}, meta);
}

}  // namespace xvif::netback
