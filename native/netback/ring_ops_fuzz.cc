// The input is a list of operations of a hostile peer on its rings, pages and grants, mixed with turns of the backend.
// During a turn the list goes on: between two loads of the backend from a ring page, and around each batch of grant
// copies, the peer rewrites slots, indices and pages, and revokes grants. An honest guest must still be served after
// each list, and everything must be back where it was.
#include <array>
#include <cstdint>
#include <cstring>
#include <functional>
#include <span>

#include "netback/tcp_frame.h"
#include "netback/vif_rig.h"

namespace xvif::netback {
namespace {

class Input {
 public:
  explicit Input(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}
  bool empty() const { return bytes_.empty(); }
  template <typename T>
  T take() {
    T value{};
    const std::size_t size = std::min(sizeof value, bytes_.size());
    std::memcpy(&value, bytes_.data(), size);
    bytes_ = bytes_.subspan(size);
    return value;
  }

 private:
  std::span<const std::uint8_t> bytes_;
};

/// Acts for the peer while the backend is at work.
class Peer : public xen::LoadSeam {
 public:
  /// What happens when the countdown in the input is over.
  std::function<void(Input&)> act;

  void begin(Input& input) {
    input_ = &input;
    countdown_ = input.take<std::uint8_t>();
    xen::load_seam = this;
  }
  void end() {
    xen::load_seam = nullptr;
    input_ = nullptr;
  }
  void before_load(void*, std::size_t) override { tick(); }
  void tick() {
    if (input_ == nullptr || input_->empty() || acting_ || countdown_-- > 0) return;
    acting_ = true;  // its own loads are not the backend's
    act(*input_);
    acting_ = false;
    countdown_ = input_->take<std::uint8_t>();
  }

 private:
  Input* input_ = nullptr;
  std::uint8_t countdown_ = 0;
  bool acting_ = false;
};

/// The backend's grants, with the peer at work before and after each batch.
class WatchedGrants final : public xen::GrantTable {
 public:
  WatchedGrants(std::unique_ptr<xen::GrantTable> grants, Peer& peer) : grants_(std::move(grants)), peer_(peer) {}
  void* map(DomId domid, GrantRef ref) override { return grants_->map(domid, ref); }
  void unmap(void* page) override { grants_->unmap(page); }
  void copy(std::span<xen::CopySegment> segments) override {
    peer_.tick();
    grants_->copy(segments);
    peer_.tick();
  }

 private:
  const std::unique_ptr<xen::GrantTable> grants_;
  Peer& peer_;
};

constexpr std::size_t kSpareGrants = 16;

struct World {
  World()
      : rig([this](auto grants) { return std::make_unique<WatchedGrants>(std::move(grants), during); }),
        hostile(rig.boot(1)),
        honest(rig.guest(2)),
        peer(rig.guest(3)) {
    frames = {plain_frame(60), plain_frame(9000), l4_frame(false, true, 30000, true), l4_frame(true, true, 3000, true),
              l4_frame(false, false, 200, true)};
  }
  Peer during;
  VifRig rig;
  std::unique_ptr<RigGuest> hostile, honest, peer;
  std::array<std::vector<std::uint8_t>, 5> frames;
  std::array<GrantRef, kSpareGrants> spare{};  // those of this run that may be revoked
};

/// Most references should be good ones, else nothing gets far.
std::uint32_t reference(World& world, std::uint32_t raw_ref) {
  auto& queue = world.hostile->queue();
  const std::size_t id = raw_ref / 8 % 256;
  switch (raw_ref % 8) {
    case 7:
      return raw_ref;
    case 6:
      return raw(world.spare[id % kSpareGrants]);
    case 4:
    case 5:
      return raw(queue.rx_buffer_ref(id));
    default:
      return raw(queue.tx_buffer_ref(id));
  }
}

void add_to_prod(xen::RingPage& page, std::uint32_t more) {
  const auto prod = page.load(xen::ring_at::kReqProd, std::memory_order_relaxed);
  page.store(xen::ring_at::kReqProd, prod + more, std::memory_order_release);
}

void send_from(World& world, RigGuest& to, std::uint8_t which) {
  const auto& frame = world.frames[which % world.frames.size()];
  netfront::TxMeta meta;
  if (which % world.frames.size() > 1) meta.csum_blank = true;
  if (which % world.frames.size() == 2) meta.gso_size = 1400, meta.gso_type = 1;
  if (which % world.frames.size() == 3) meta.gso_size = 500, meta.gso_type = 2;
  world.honest->queue().reap_tx();
  send(world.honest->queue(), frame, meta);
  world.honest->queue().push_tx();
  world.rig.forward(*world.honest, to);
}

/// One deed of the peer.
void act(World& world, Input& input, std::uint8_t what) {
  auto& queue = world.hostile->queue();
  switch (what % 8) {
    case 0: {
      const auto at = input.take<std::uint8_t>();
      auto request = input.take<xen::TxRequest>();
      request.gref = reference(world, request.gref);
      queue.tx_page().write<xen::kTxSlotBytes>(at, request);
      break;
    }
    case 1: {
      const auto at = input.take<std::uint8_t>();
      auto request = input.take<xen::RxRequest>();
      request.gref = reference(world, request.gref);
      queue.rx_page().write<xen::kRxSlotBytes>(at, request);
      break;
    }
    case 2:
      add_to_prod(queue.tx_page(), input.take<std::uint8_t>());
      break;
    case 3:
      add_to_prod(queue.rx_page(), input.take<std::uint8_t>());
      break;
    case 4: {
      const std::size_t at = input.take<std::uint16_t>() % (xen::kPageBytes / 4) * 4u;
      queue.tx_page().store(at, input.take<std::uint32_t>(), std::memory_order_relaxed);
      break;
    }
    case 5: {
      const std::size_t at = input.take<std::uint16_t>() % (xen::kPageBytes / 4) * 4u;
      queue.rx_page().store(at, input.take<std::uint32_t>(), std::memory_order_relaxed);
      break;
    }
    case 6: {
      auto* page = queue.tx_buffer(input.take<std::uint8_t>());
      const auto at = input.take<std::uint16_t>() % (xen::kPageBytes - 8);
      const auto value = input.take<std::uint64_t>();
      std::memcpy(page + at, &value, sizeof value);
      break;
    }
    default:
      world.hostile->domain->end_access(world.spare[input.take<std::uint8_t>() % kSpareGrants]);
      break;
  }
}

/// What toolstack and frontend may change at any time.
PortSettings any_settings(Input& input, std::uint8_t which) {
  PortSettings settings;
  if ((which & 1) != 0) settings.rate = RateLimit{input.take<std::uint32_t>(), input.take<std::uint32_t>()};
  settings.complete_checksums = (which & 2) != 0;
  settings.multicast_control = (which & 4) != 0;
  if ((which & 8) != 0) settings.xdp_headroom = input.take<std::uint16_t>() & 0x7fff;
  if ((which & 16) != 0) settings.mtu = input.take<std::uint16_t>();
  return settings;
}

/// The backend's turns, the peer at work meanwhile.
void turn(World& world, Input& input, std::uint8_t what) {
  const auto which = input.take<std::uint8_t>();
  if (what % 4 == 3) return world.hostile->port->configure(any_settings(input, which));
  world.during.begin(input);
  switch (what % 4) {
    case 0:
      world.rig.forward(*world.hostile, *world.peer);
      break;
    case 1:
      send_from(world, *world.hostile, which);
      break;
    default:
      world.hostile->queue().notify_tx();
      world.hostile->port->queues()[0]->arm();
      break;
  }
  world.during.end();
  world.peer->receive();
}

void step(World& world, Input& input) {
  const auto what = input.take<std::uint8_t>();
  if (what % 12 < 8) {
    act(world, input, what % 12);
  } else {
    turn(world, input, what % 12);
  }
}

void run(World& world, std::span<const std::uint8_t> bytes) {
  auto& queue = world.hostile->queue();
  for (xen::RingPage* page : {&queue.tx_page(), &queue.rx_page()}) std::memset(page->page(), 0, xen::kPageBytes);
  for (std::size_t i = 0; i < 8; ++i) {  // headers worth changing
    const auto& frame = world.frames[i % world.frames.size()];
    std::memcpy(queue.tx_buffer(i), frame.data(), std::min(frame.size(), xen::kPageBytes));
  }
  for (std::size_t i = 0; i < kSpareGrants; ++i) {
    world.spare[i] = *world.hostile->domain->grant(queue.tx_buffer(i), xen::kBackendDomain, i % 2 == 0);
  }
  world.during.act = [&world](Input& more) { act(world, more, more.take<std::uint8_t>()); };
  VifSpec spec = VifRig::full_features();
  Input input(bytes);
  const auto features = input.take<std::uint8_t>();
  spec.sg = (features & 1) != 0;
  spec.gso_tcpv4 = (features & 2) != 0;
  spec.gso_tcpv6 = (features & 4) != 0;
  spec.csum_blank_ipv4 = (features & 8) != 0;
  spec.csum_blank_ipv6 = (features & 16) != 0;
  spec.rx_notify = (features & 32) != 0;
  XVIF_ASSERT(world.rig.attach(*world.hostile, spec));
  while (!input.empty()) step(world, input);
  world.hostile->port.reset();
  for (const GrantRef ref : world.spare) XVIF_ASSERT(world.hostile->domain->end_access(ref));

  world.peer->receive();
  world.peer->collector.frames.clear();
  send_from(world, *world.peer, 0);
  XVIF_ASSERT(world.peer->receive() == 1 && world.peer->collector.frames[0].bytes == world.frames[0]);
  world.peer->collector.frames.clear();
  XVIF_ASSERT(world.honest->port->link_up() && world.peer->port->link_up());
  XVIF_ASSERT(world.rig.pool.available() == 256);
  XVIF_ASSERT(world.rig.hypervisor.usage().grants_mapped == 4);
}

}  // namespace
}  // namespace xvif::netback

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static xvif::netback::World world;
  if (size < 4096) xvif::netback::run(world, {data, size});
  return 0;
}
