#include "pipeline/meter_table.h"

#include <gtest/gtest.h>

#include "pipeline/test_kit.h"

namespace xvif {
namespace {

using kit::apply;
using kit::output;
using kit::Udp;
constexpr std::uint64_t kSecond = kit::Switch::kSecond;
constexpr auto kDrop = static_cast<std::uint16_t>(MeterBandType::kDrop);
constexpr auto kRemark = static_cast<std::uint16_t>(MeterBandType::kDscpRemark);
constexpr auto kKbps = static_cast<std::uint16_t>(MeterFlag::kKbps);
constexpr auto kPktps = static_cast<std::uint16_t>(MeterFlag::kPktps);
constexpr auto kBurst = static_cast<std::uint16_t>(MeterFlag::kBurst);

class MeterTest : public testing::Test {
 protected:
  Status add(std::uint32_t id, std::uint16_t flags, std::vector<BandMod> bands) {
    const Status status = switch_.meter(ModCommand::kAdd, id, flags, std::move(bands));
    if (status == Status::kOk) switch_.flow(0, 1, kit::any(), kit::join({kit::meter(id), apply({output(2)})}));
    return status;
  }
  /// Sends evenly for a time; returns how many passed.
  std::size_t offer(double packets_per_second, double seconds, std::size_t bytes = 60) {
    const kit::Bytes frame = Udp{.bytes = bytes}.frame();
    const auto count = static_cast<std::size_t>(packets_per_second * seconds);
    const std::uint64_t start = switch_.now;
    std::size_t passed = 0;
    for (std::size_t i = 0; i < count; ++i) {
      switch_.now = start + static_cast<std::uint64_t>(static_cast<double>(i) * 1e9 / packets_per_second);
      switch_.receive(1, frame);
      passed += switch_.sent()[1];
    }
    switch_.now = start + static_cast<std::uint64_t>(seconds * 1e9);
    return passed;
  }
  MeterView view(std::uint32_t id) {
    std::optional<MeterView> found;
    std::uint64_t cursor = 0;
    switch_.pipeline.meters().read(id, switch_.now, cursor, [&](const MeterView& one) {
      found.emplace(one);
      return true;
    });
    return *found;
  }

  kit::Switch switch_;
};

TEST_F(MeterTest, PacketsPerSecond) {
  ASSERT_EQ(add(1, kPktps | kBurst, {{.type = kDrop, .rate = 1000, .burst = 10}}), Status::kOk);
  EXPECT_NEAR(static_cast<double>(offer(10'000, 2)), 2010, 3);
  EXPECT_EQ(switch_.port(1).dropped(Drop::kMeter),
            20'000 - view(1).count.packets + switch_.pipeline.meters().count(*view(1).meter.bands[0]).packets);
}

TEST_F(MeterTest, KilobitsPerSecond) {
  ASSERT_EQ(add(1, kKbps | kBurst, {{.type = kDrop, .rate = 8000, .burst = 80}}), Status::kOk);
  // 8 Mbit/s are 1000 frames of 1000 bytes, 80 kbit ten more.
  EXPECT_NEAR(static_cast<double>(offer(5000, 2, 1000)), 2010, 3);
}

TEST_F(MeterTest, AsAnActionAnywhere) {
  add(1, kPktps | kBurst, {{.type = kDrop, .rate = 1, .burst = 1}});
  const kit::Bytes metered = kit::action(Action::kMeter, 1);
  switch_.flow(0, 1, kit::any(), kit::join({apply({output(2), metered, output(3)}), kit::write({metered, output(4)})}));
  switch_.receive(1, Udp().frame());
  // The set is metered too, and by then there is no token left.
  EXPECT_EQ(switch_.sent(), std::vector<std::size_t>({0, 1, 1, 0, 0, 0}));
  EXPECT_EQ(view(1).flows, 1u);
  EXPECT_EQ(switch_.pool.available(), 1024u);
  EXPECT_EQ(switch_.flow(0, 2, kit::any(), apply({kit::action(Action::kMeter, 9)})), Status::kUnknownMeter);
  const kit::Bytes bucket = kit::join({kit::action(Action::kMeter, 9), output(2)});
  EXPECT_EQ(switch_.group(ModCommand::kAdd, 1, GroupType::kAll, {{.actions = bucket}}), Status::kUnknownMeter);
  switch_.meter(ModCommand::kDelete, 1, 0, {});
  EXPECT_EQ(switch_.flows().size(), 0u);
}

TEST_F(MeterTest, OfControllersLimitsWhatGoesUp) {
  switch_.pipeline.begin(switch_.now, false);
  switch_.pipeline.controller_state(true);
  switch_.pipeline.publish();
  const auto remark = BandMod{.type = kRemark, .prec_level = 1, .rate = 1, .burst = 1};
  ASSERT_EQ(switch_.meter(ModCommand::kAdd, kMeterController, kPktps | kBurst, {remark}), Status::kOk);
  switch_.flow(0, 1, kit::any(), apply({output(ReservedPort::kController), output(2)}));
  kit::Bytes frame = Udp().frame();
  frame[15] = 10 << 2;  // AF11
  for (int i = 0; i < 2; ++i) switch_.receive(1, frame);
  const kit::Bytes told = switch_.upcalls();
  constexpr std::size_t kFrameAt = 64;
  const std::size_t second = load_host<std::uint32_t>(told.data() + 4);
  EXPECT_EQ(told.at(kFrameAt + 15) >> 2, 10);
  EXPECT_EQ(told.at(second + kFrameAt + 15) >> 2, 12);
  EXPECT_EQ(switch_.port(2).sent.at(1)[15] >> 2, 10);
  ASSERT_EQ(switch_.meter(ModCommand::kModify, kMeterController, kPktps | kBurst, {{.type = kDrop, .rate = 1}}),
            Status::kOk);
  switch_.receive(1, frame);
  EXPECT_TRUE(switch_.upcalls().empty());
  EXPECT_EQ(switch_.port(1).dropped(Drop::kMeter), 1u);
  EXPECT_EQ(view(kMeterController).count.packets, 3u);
}

TEST_F(MeterTest, BelowTheRateEverythingPasses) {
  add(1, kPktps | kBurst, {{.type = kDrop, .rate = 1000, .burst = 2}});
  EXPECT_EQ(offer(999, 3), 2997u);
}

TEST_F(MeterTest, WithoutBurstOneSecondIsHeld) {
  add(1, kPktps, {{.type = kDrop, .rate = 100}});
  EXPECT_EQ(offer(1e6, 0.001), 100u);
}

TEST_F(MeterTest, IdleTimeDoesNotAddUpBeyondTheBurst) {
  add(1, kPktps | kBurst, {{.type = kDrop, .rate = 1000, .burst = 5}});
  offer(1e6, 0.0001);
  switch_.now += 1000 * kSecond;
  EXPECT_EQ(offer(1e6, 0.0001), 5u);
}

TEST_F(MeterTest, HighestExceededRateApplies) {
  add(1, kPktps | kBurst,
      {{.type = kRemark, .prec_level = 1, .rate = 10, .burst = 1}, {.type = kDrop, .rate = 100, .burst = 1}});
  const std::size_t passed = offer(1000, 1);
  EXPECT_NEAR(static_cast<double>(passed), 100, 3);
  const auto& meters = switch_.pipeline.meters();
  EXPECT_NEAR(static_cast<double>(meters.count(*view(1).meter.bands[0]).packets), 90, 3);
  EXPECT_NEAR(static_cast<double>(meters.count(*view(1).meter.bands[1]).packets), 900, 3);
}

TEST_F(MeterTest, RemarksAssuredForwarding) {
  add(1, kPktps | kBurst, {{.type = kRemark, .prec_level = 1, .rate = 1, .burst = 1}});
  kit::Bytes frame = Udp().frame();
  frame[15] = 10 << 2;  // AF11
  switch_.receive(1, frame);
  switch_.receive(1, frame);
  EXPECT_EQ(switch_.port(2).sent.at(0)[15] >> 2, 10);
  EXPECT_EQ(switch_.port(2).sent.at(1)[15] >> 2, 12);
}

TEST_F(MeterTest, RefusesWhatMakesNoSense) {
  EXPECT_EQ(add(0, kPktps, {}), Status::kBadMeter);
  EXPECT_EQ(add(kMeterIdMax + 1, kPktps, {}), Status::kBadMeter);
  EXPECT_EQ(add(1, kPktps, {{.type = 9}}), Status::kBadMeter);
  EXPECT_EQ(add(1, kPktps, std::vector<BandMod>(kBandsMax + 1, {.type = kDrop})), Status::kMeterFull);
  EXPECT_EQ(switch_.meter(ModCommand::kModify, 1, kPktps, {}), Status::kUnknownMeter);
  EXPECT_EQ(add(1, kPktps, {}), Status::kOk);
  EXPECT_EQ(add(1, kPktps, {}), Status::kMeterExists);
}

TEST_F(MeterTest, ModifyTakesEffectAndDeleteDeletesFlows) {
  add(1, kPktps | kBurst, {{.type = kDrop, .rate = 0, .burst = 0}});
  EXPECT_EQ(offer(10, 1), 0u);
  switch_.meter(ModCommand::kModify, 1, kPktps, {});
  EXPECT_EQ(offer(10, 1), 10u);
  EXPECT_EQ(view(1).flows, 1u);
  switch_.meter(ModCommand::kDelete, kMeterAll, 0, {});
  EXPECT_EQ(switch_.flows().size(), 0u);
  EXPECT_FALSE(switch_.pipeline.meters().exists(1));
}

}  // namespace
}  // namespace xvif
