// Changes under traffic: every packet sees each batch whole or not at all, and what was published before it came.
#include <gtest/gtest.h>

#include <atomic>
#include <random>
#include <thread>

#include "pipeline/test_kit.h"

namespace xvif {
namespace {

using kit::apply;
using kit::Bytes;
using kit::go;
using kit::output;

constexpr std::size_t kWorkers = 2;
constexpr std::uint64_t kMacPrefix = 0x0200'0000'0000;

/// Checks each frame: the version that flow and group wrote into its addresses.
class CheckingPort final : public Port {
 public:
  std::span<PortQueue* const> queues() override { return {}; }
  void transmit(std::size_t thread, std::span<Packet* const> packets) override {
    for (const Packet* packet : packets) {
      const std::uint32_t by_group = load_be32(packet->data + 2);
      const std::uint32_t by_flow = load_be32(packet->data + 8);
      torn += by_group != by_flow;
      stale += by_flow < at_least[thread].load(std::memory_order_relaxed);
      ++passed;
    }
  }
  void close() override {}

  std::array<std::atomic<std::uint32_t>, kThreadsMax> at_least{};
  std::atomic<std::uint64_t> torn{0}, stale{0}, passed{0};
};

class PublicationTest : public testing::Test {
 protected:
  PublicationTest() {
    pipeline_.attach(PortNo{1}, in_, 1);
    pipeline_.attach(PortNo{2}, out_, 1);
  }

  void work(std::size_t index) {
    PacketPool pool(256);
    std::mt19937 random(static_cast<unsigned>(index));
    std::uint64_t now = 1;
    std::vector<Packet*> batch;
    while (!stop_.load(std::memory_order_relaxed)) {
      epoch_.online(index);
      for (int i = 0; i < 50; ++i) {
        out_.at_least[index].store(published_.load(std::memory_order_acquire), std::memory_order_relaxed);
        batch.clear();
        for (std::size_t n = 1 + random() % kBatchMax; n > 0; --n) {
          kit::Udp udp;
          udp.source = static_cast<std::uint32_t>(random());
          batch.push_back(kit::make_packet(pool, 1, udp.frame()));
        }
        pipeline_.process(index, ++now, batch);
        epoch_.quiescent(index);
      }
      epoch_.offline(index);
    }
    EXPECT_EQ(pool.available(), 256u);
  }

  /// Version n everywhere: metadata in table 0 that only the flow of the same batch in table 1 matches, and the
  /// number itself from that flow and from the group.
  void change(std::uint32_t n, bool first, bool atomic) {
    const Bytes start = kit::join({kit::metadata(n, ~0ull), go(1)});
    const Bytes then = apply({kit::set_field(Field::kEthSrc, kMacPrefix | n), kit::group(5)});
    const Bytes bucket = kit::join({kit::set_field(Field::kEthDst, kMacPrefix | n), output(2)});
    pipeline_.begin(n, atomic);
    FlowMod mod = kit::add(0, 1, kit::any(), start);
    if (!first) mod.command = FlowCommand::kModifyStrict;
    GroupMod group{first ? ModCommand::kAdd : ModCommand::kModify, 0, 5, {{.actions = bucket}}};
    ASSERT_EQ(pipeline_.flow_mod(mod), Status::kOk);
    ASSERT_EQ(pipeline_.group_mod(group), Status::kOk);
    // Some delete the whole table, others one flow.
    if (n % 3 == 0) {
      FlowMod clear = kit::add(1, 0, kit::any(), {});
      clear.command = FlowCommand::kDelete;
      ASSERT_EQ(pipeline_.flow_mod(clear), Status::kOk);
    }
    ASSERT_EQ(pipeline_.flow_mod(kit::add(1, 1, kit::Match().with(Field::kMetadata, n), then)), Status::kOk);
    if (!first && n % 3 != 0) {
      FlowMod erase = kit::add(1, 1, kit::Match().with(Field::kMetadata, last_), {});
      erase.command = FlowCommand::kDelete;
      ASSERT_EQ(pipeline_.flow_mod(erase), Status::kOk);
    }
  }

  Epoch epoch_;
  Pipeline pipeline_{epoch_, kWorkers + 1, 7};
  CheckingPort in_, out_;
  std::atomic<bool> stop_{false};
  std::atomic<std::uint32_t> published_{0};
  std::uint32_t last_ = 0;  // version number in place
};

TEST_F(PublicationTest, EveryPacketSeesWholeBatches) {
  std::mt19937 random(1);
  change(1, true, true);
  pipeline_.publish();
  last_ = 1;
  published_ = 1;
  std::vector<std::thread> workers;
  for (std::size_t i = 0; i < kWorkers; ++i) workers.emplace_back([this, i] { work(i); });
  // Four changes to a batch.
  for (std::uint32_t n = 2; n < 25'002; ++n) {
    const bool atomic = random() % 2 == 0;
    change(n, false, atomic);
    if (HasFatalFailure()) break;
    if (atomic && random() % 3 == 0) {
      pipeline_.rollback();
      continue;
    }
    pipeline_.publish();
    last_ = n;
    published_.store(n, std::memory_order_release);
    if (n % 512 == 0) std::this_thread::yield();
  }
  const std::uint64_t passed = out_.passed;
  while (out_.passed < passed + 1000) std::this_thread::yield();
  stop_ = true;
  for (std::thread& worker : workers) worker.join();
  std::uint64_t missed = 0;
  for (const PortCounters& one : in_.counters) {
    for (const auto& drops : one.rx_dropped) missed += drops.load();
  }
  EXPECT_EQ(missed, 0u);
  EXPECT_EQ(out_.torn, 0u);
  EXPECT_EQ(out_.stale, 0u);
  pipeline_.tick(1);
  pipeline_.tick(1);
  EXPECT_EQ(pipeline_.flows().rules(), 2u);
  EXPECT_EQ(pipeline_.flows().subtables(), 2u);
  std::uint64_t counted = 0, cursor = 0;
  pipeline_.flows().read({.table = 0}, 1, cursor, [&](const FlowView& view) {
    counted = view.packets;
    return true;
  });
  EXPECT_EQ(counted, out_.passed) << "a modified flow keeps every count";
}

TEST_F(PublicationTest, PortsComeAndGoUnderTraffic) {
  pipeline_.begin(1, false);
  pipeline_.flow_mod(kit::add(0, 1, kit::any(), apply({output(ReservedPort::kNormal)})));
  pipeline_.publish();
  std::vector<std::thread> workers;
  for (std::size_t i = 0; i < kWorkers; ++i) workers.emplace_back([this, i] { work(i); });
  for (int i = 0; i < 300; ++i) {
    auto port = std::make_unique<CheckingPort>();
    ASSERT_EQ(pipeline_.attach(PortNo{3}, *port, 1), Status::kOk);
    std::this_thread::yield();
    pipeline_.detach(PortNo{3});
    pipeline_.tick(1);
  }
  stop_ = true;
  for (std::thread& worker : workers) worker.join();
}

TEST_F(PublicationTest, SettingsOfAPortAreInForceWhenConfigureReturns) {
  pipeline_.begin(1, false);
  pipeline_.flow_mod(kit::add(0, 1, kit::any(), apply({output(ReservedPort::kNormal)})));
  pipeline_.publish();
  const auto in_vlan = [](std::uint16_t tag) {
    PortSettings settings;
    settings.vlan = VlanMembership{.tag = tag, .trunks = {}};
    return settings;
  };
  PortSettings guarded = in_vlan(10);
  guarded.sources = SourceGuard{.mac = {2, 0, 0, 0, 0, 9}, .ipv4 = std::nullopt, .ipv6 = std::nullopt};
  PortSettings off;
  off.disabled = true;
  pipeline_.configure_port(PortNo{2}, in_vlan(10));
  std::vector<std::thread> workers;
  for (std::size_t i = 0; i < kWorkers; ++i) workers.emplace_back([this, i] { work(i); });
  for (int i = 0; i < 60; ++i) {
    pipeline_.configure_port(PortNo{1}, in_vlan(10));
    const std::uint64_t before = out_.passed;
    while (out_.passed < before + 100) std::this_thread::yield();
    pipeline_.configure_port(PortNo{1}, i % 3 == 0 ? in_vlan(20) : i % 3 == 1 ? guarded : off);
    const std::uint64_t closed = out_.passed;
    for (int n = 0; n < 20; ++n) std::this_thread::yield();
    EXPECT_EQ(out_.passed, closed);
  }
  stop_ = true;
  for (std::thread& worker : workers) worker.join();
}

}  // namespace
}  // namespace xvif
