// The input is a list of operations of a hostile peer on its rings and pages, mixed with turns of the backend. An
// honest guest must still be served after each list, and everything must be back where it was.
#include <array>
#include <cstdint>
#include <cstring>
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

struct World {
  World() : hostile(rig.boot(1)), honest(rig.guest(2)), peer(rig.guest(3)) {
    frames = {plain_frame(60), plain_frame(9000), l4_frame(false, true, 30000, true), l4_frame(true, true, 3000, true),
              l4_frame(false, false, 200, true)};
  }
  VifRig rig;
  std::unique_ptr<RigGuest> hostile, honest, peer;
  std::array<std::vector<std::uint8_t>, 5> frames;
};

/// Most references should be good ones, else nothing gets far.
std::uint32_t reference(netfront::FrontQueue& queue, std::uint32_t raw_ref) {
  if (raw_ref % 8 == 7) return raw_ref;
  const std::size_t id = raw_ref / 8 % 256;
  return raw(raw_ref % 8 < 4 ? queue.tx_buffer_ref(id) : queue.rx_buffer_ref(id));
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

void step(World& world, Input& input) {
  auto& queue = world.hostile->queue();
  switch (input.take<std::uint8_t>() % 10) {
    case 0: {
      const auto at = input.take<std::uint8_t>();
      auto request = input.take<xen::TxRequest>();
      request.gref = reference(queue, request.gref);
      queue.tx_page().write<xen::kTxSlotBytes>(at, request);
      break;
    }
    case 1: {
      const auto at = input.take<std::uint8_t>();
      auto request = input.take<xen::RxRequest>();
      request.gref = reference(queue, request.gref);
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
      const std::size_t at = input.take<std::uint8_t>() % 16 * 4u;
      queue.tx_page().store(at, input.take<std::uint32_t>(), std::memory_order_relaxed);
      break;
    }
    case 5: {
      const std::size_t at = input.take<std::uint8_t>() % 16 * 4u;
      queue.rx_page().store(at, input.take<std::uint32_t>(), std::memory_order_relaxed);
      break;
    }
    case 6:
      world.rig.forward(*world.hostile, *world.peer);
      world.peer->receive();
      break;
    case 7:
      send_from(world, *world.hostile, input.take<std::uint8_t>());
      break;
    case 8: {
      auto* page = queue.tx_buffer(input.take<std::uint8_t>());
      const auto at = input.take<std::uint16_t>() % (xen::kPageBytes - 8);
      const auto value = input.take<std::uint64_t>();
      std::memcpy(page + at, &value, sizeof value);
      break;
    }
    default:
      queue.notify_tx();
      world.hostile->port->queues()[0]->arm();
      break;
  }
}

void run(World& world, std::span<const std::uint8_t> bytes) {
  auto& queue = world.hostile->queue();
  for (xen::RingPage* page : {&queue.tx_page(), &queue.rx_page()}) std::memset(page->page(), 0, xen::kPageBytes);
  for (std::size_t i = 0; i < 8; ++i) {  // headers worth changing
    const auto& frame = world.frames[i % world.frames.size()];
    std::memcpy(queue.tx_buffer(i), frame.data(), std::min(frame.size(), xen::kPageBytes));
  }
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
