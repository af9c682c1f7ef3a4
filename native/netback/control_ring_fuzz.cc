// The input is a list of control requests of a hostile frontend, of what lies in the pages that they name, and of
// turns of the backend and frames in between. An honest guest must still be served after each list, and everything
// must be back where it was.
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

constexpr std::size_t kPages = 4;  // the last granted for reading only

struct World {
  World() : hostile(rig.boot(1, 2)), honest(rig.guest(2)), peer(rig.guest(3)) {
    rig.with_control(*hostile);
    for (std::size_t i = 0; i < kPages; ++i) {
      pages[i] = hostile->domain->allocate_page();
      refs[i] = raw(*hostile->domain->grant(pages[i], xen::kBackendDomain, i + 1 == kPages));
    }
    frames = {plain_frame(60), plain_frame(9000), l4_frame(false, true, 300, false), l4_frame(true, true, 3000, false)};
  }
  VifRig rig;
  std::unique_ptr<RigGuest> hostile, honest, peer;
  std::array<std::uint8_t*, kPages> pages;
  std::array<std::uint32_t, kPages> refs;
  std::array<std::vector<std::uint8_t>, 4> frames;
};

/// Most references should be good ones, else nothing gets far.
std::uint32_t page_reference(const World& world, std::uint32_t raw_ref) {
  return raw_ref % 8 == 7 ? raw_ref : world.refs[raw_ref / 8 % kPages];
}

void write_request(World& world, Input& input) {
  const auto at = input.take<std::uint8_t>();
  auto request = input.take<xen::CtrlRequest>();
  if (request.type % 16 < 12) request.type %= 12;
  if (request.type == xen::ctrl::kSetHashKey || request.type == xen::ctrl::kSetHashMapping) {
    request.data[0] = page_reference(world, request.data[0]);
  } else if (request.type >= xen::ctrl::kAddGrefMapping) {
    request.data[1] = page_reference(world, request.data[1]);
  }
  world.hostile->control->page().write<xen::kCtrlSlotBytes>(at, request);
}

/// A run of entries of a list, of buffers from one on.
void write_list(World& world, Input& input) {
  const std::size_t page = input.take<std::uint8_t>() % kPages;
  const std::size_t at = input.take<std::uint16_t>() % 512;
  const std::size_t count = std::min<std::size_t>(input.take<std::uint16_t>() % 513, 512 - at);
  const auto first = input.take<std::uint16_t>();
  const auto list = world.hostile->queues[first % 2]->staging_list();
  for (std::size_t i = 0; i < count; ++i) {
    std::memcpy(world.pages[page] + (at + i) * 8, &list[(first / 2u + i) % list.size()], 8);
  }
}

void send_frame(World& world, RigGuest& from, RigGuest& to, std::uint8_t which) {
  from.queue().reap_tx();
  send(from.queue(), world.frames[which % world.frames.size()]);
  from.queue().push_tx();
  world.rig.forward(from, to);
  from.queue().reap_tx();
  to.receive();
  to.collector.frames.clear();
}

void step(World& world, Input& input) {
  xen::RingPage& ring = world.hostile->control->page();
  switch (input.take<std::uint8_t>() % 8) {
    case 0:
      write_request(world, input);
      break;
    case 1: {
      const auto prod = ring.load(xen::ring_at::kReqProd, std::memory_order_relaxed);
      ring.store(xen::ring_at::kReqProd, prod + input.take<std::uint8_t>(), std::memory_order_release);
      break;
    }
    case 2: {
      const std::size_t at = input.take<std::uint8_t>() % 16 * 4u;
      ring.store(at, input.take<std::uint32_t>(), std::memory_order_relaxed);
      break;
    }
    case 3: {
      const std::size_t page = input.take<std::uint8_t>() % kPages;
      const auto at = input.take<std::uint16_t>() % (xen::kPageBytes - 8);
      const auto value = input.take<std::uint64_t>();
      std::memcpy(world.pages[page] + at, &value, sizeof value);
      break;
    }
    case 4:
      write_list(world, input);
      break;
    case 5:
      send_frame(world, *world.honest, *world.hostile, input.take<std::uint8_t>());
      break;
    case 6:
      send_frame(world, *world.hostile, *world.peer, input.take<std::uint8_t>());
      break;
    default:
      for (int turns = input.take<std::uint8_t>() % 20; turns >= 0; --turns) {
        world.hostile->turn_control(world.rig.pool);
      }
      world.hostile->port->queues().back()->arm();
      break;
  }
}

void run(World& world, std::span<const std::uint8_t> bytes) {
  std::memset(world.hostile->control->page().page(), 0, xen::kPageBytes);
  for (std::uint8_t* page : world.pages) std::memset(page, 0, xen::kPageBytes);
  XVIF_ASSERT(world.rig.attach(*world.hostile));
  Input input(bytes);
  while (!input.empty()) step(world, input);
  XVIF_ASSERT(world.rig.hypervisor.usage().grants_mapped <= 9 + 2 * kStagedPagesMax + kStagingListMax);
  world.hostile->port.reset();

  world.peer->queue().reap_tx();
  XVIF_ASSERT(send(world.peer->queue(), world.frames[1]));
  world.peer->queue().push_tx();
  XVIF_ASSERT(world.rig.forward(*world.peer, *world.honest) == 1);
  XVIF_ASSERT(world.honest->receive() == 1 && world.honest->collector.frames[0].bytes == world.frames[1]);
  world.honest->collector.frames.clear();
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
