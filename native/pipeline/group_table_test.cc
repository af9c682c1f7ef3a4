#include "pipeline/group_table.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <numeric>

#include "pipeline/test_kit.h"

namespace xvif {
namespace {

using kit::apply;
using kit::Bytes;
using kit::output;
using kit::Udp;
using Counts = std::vector<std::size_t>;

class GroupTest : public testing::Test {
 protected:
  BucketMod to(std::uint32_t port, std::uint16_t weight = 0) {
    kept_.push_back(output(port));
    return {.weight = weight, .actions = kept_.back()};
  }
  BucketMod via(std::uint32_t group) {
    kept_.push_back(kit::group(group));
    return {.actions = kept_.back()};
  }
  BucketMod watching(std::uint32_t port) {
    BucketMod bucket = to(port);
    bucket.watch_port = port;
    return bucket;
  }
  Status add(std::uint32_t id, GroupType type, std::vector<BucketMod> buckets) {
    return switch_.group(ModCommand::kAdd, id, type, std::move(buckets));
  }
  Status modify(std::uint32_t id, GroupType type, std::vector<BucketMod> buckets) {
    return switch_.group(ModCommand::kModify, id, type, std::move(buckets));
  }
  Status erase(std::uint32_t id) { return switch_.group(ModCommand::kDelete, id, GroupType::kAll, {}); }
  void use(std::uint32_t id) { switch_.flow(0, 1, kit::any(), apply({kit::group(id)})); }
  Counts pass() {
    switch_.receive(1, Udp().frame());
    return switch_.sent();
  }
  /// Where each of many flows goes.
  std::vector<std::size_t> spread(std::size_t flows) {
    std::vector<std::size_t> ports;
    for (std::size_t i = 0; i < flows; ++i) {
      Udp udp{.source = static_cast<std::uint32_t>(0x0a000000 + i * 7)};
      udp.source_port = static_cast<std::uint16_t>(i);
      switch_.receive(1, udp.frame());
      const Counts sent = switch_.sent();
      ports.push_back(static_cast<std::size_t>(std::find(sent.begin(), sent.end(), 1u) - sent.begin()) + 1);
    }
    return ports;
  }

  kit::Switch switch_;
  std::vector<Bytes> kept_ = [] {
    std::vector<Bytes> kept;
    kept.reserve(1000);
    return kept;
  }();
};

TEST_F(GroupTest, AllSendsToEachBucketItsOwnCopy) {
  kept_.push_back(kit::join({kit::set_field(Field::kEthDst, 0x020000000042), output(3)}));
  const BucketMod changed{.actions = kept_.back()};
  add(1, GroupType::kAll, {to(2), changed, to(4)});
  use(1);
  switch_.receive(1, Udp().frame());
  EXPECT_EQ(switch_.port(2).sent.at(0)[5], 2);
  EXPECT_EQ(switch_.port(3).sent.at(0)[5], 0x42);
  EXPECT_EQ(switch_.port(4).sent.at(0)[5], 2);
  EXPECT_EQ(switch_.pool.available(), 1024u);
}

TEST_F(GroupTest, PacketGoesOnUnchangedAfterAGroup) {
  kept_.push_back(kit::join({kit::set_field(Field::kEthDst, 0x020000000042), output(3)}));
  add(1, GroupType::kIndirect, {BucketMod{.actions = kept_.back()}});
  switch_.flow(0, 1, kit::any(), apply({kit::group(1), output(2)}));
  switch_.receive(1, Udp().frame());
  EXPECT_EQ(switch_.port(2).sent.at(0)[5], 2);
  EXPECT_EQ(switch_.port(3).sent.at(0)[5], 0x42);
}

TEST_F(GroupTest, RefusesWhatMakesNoSense) {
  EXPECT_EQ(add(1, GroupType::kIndirect, {}), Status::kBadGroupType);
  EXPECT_EQ(add(1, static_cast<GroupType>(7), {}), Status::kBadGroupType);
  EXPECT_EQ(modify(1, GroupType::kAll, {}), Status::kUnknownGroup);
  EXPECT_EQ(add(1, GroupType::kAll, {via(2)}), Status::kUnknownGroup);
  EXPECT_EQ(add(1, GroupType::kAll, {via(1)}), Status::kGroupLoop);
  BucketMod bucket = to(2);
  bucket.watch_group = 9;
  EXPECT_EQ(add(1, GroupType::kFf, {bucket}), Status::kBadWatch);
  EXPECT_EQ(add(1, GroupType::kAll, {}), Status::kOk);
  EXPECT_EQ(add(1, GroupType::kAll, {}), Status::kGroupExists);
  EXPECT_EQ(add(2, GroupType::kAll, {via(1)}), Status::kOk);
  EXPECT_EQ(modify(1, GroupType::kAll, {via(2)}), Status::kGroupLoop);
  EXPECT_EQ(erase(1), Status::kChainedGroup);
  EXPECT_EQ(switch_.pipeline.groups().references(1), 1u);
  EXPECT_EQ(erase(kGroupAll), Status::kOk);
  EXPECT_FALSE(switch_.pipeline.groups().exists(1));
}

TEST_F(GroupTest, BucketsComeAndGoOneByOne) {
  const auto numbered = [&](std::uint32_t id, std::uint32_t port) {
    BucketMod bucket = to(port);
    bucket.id = id;
    return bucket;
  };
  const auto edit = [&](ModCommand command, std::uint32_t place, std::vector<BucketMod> buckets = {}) {
    return switch_.group(command, 1, GroupType::kSelect, std::move(buckets), place);
  };
  const auto insert = [&](std::uint32_t place, const BucketMod& bucket) {
    return edit(ModCommand::kInsertBucket, place, {bucket});
  };
  const auto remove = [&](std::uint32_t place) { return edit(ModCommand::kRemoveBucket, place); };
  EXPECT_EQ(insert(kLastBucket, numbered(1, 2)), Status::kUnknownGroup);
  add(1, GroupType::kAll, {numbered(5, 2), numbered(7, 3)});
  use(1);
  EXPECT_EQ(pass(), Counts({0, 1, 1, 0, 0, 0}));
  EXPECT_EQ(insert(5, numbered(6, 4)), Status::kOk);
  EXPECT_EQ(insert(kFirstBucket, numbered(1, 5)), Status::kOk);
  EXPECT_EQ(remove(7), Status::kOk);
  EXPECT_EQ(pass(), Counts({0, 1, 0, 1, 1, 0}));
  EXPECT_EQ(insert(9, numbered(8, 4)), Status::kUnknownBucket);
  EXPECT_EQ(insert(kBucketIdMax + 1, numbered(8, 4)), Status::kUnknownBucket);
  EXPECT_EQ(insert(kAllBuckets, numbered(8, 4)), Status::kBadBucket);
  EXPECT_EQ(insert(kLastBucket, numbered(6, 4)), Status::kBucketExists);
  EXPECT_EQ(insert(kLastBucket, numbered(kBucketIdMax + 1, 4)), Status::kBadBucket);
  EXPECT_EQ(remove(7), Status::kUnknownBucket);
  std::uint64_t cursor = 0;
  const GroupTable& groups = switch_.pipeline.groups();
  groups.read(1, switch_.now, cursor, [&](const GroupView& view) {
    EXPECT_EQ(view.count.packets, 2u);
    EXPECT_EQ(view.group.buckets.size(), 3u);
    EXPECT_EQ(groups.count(view.group.buckets[0]).packets, 1u);
    EXPECT_EQ(view.group.buckets[1].id, 5u);
    EXPECT_EQ(groups.count(view.group.buckets[1]).packets, 2u);
    return true;
  });
  EXPECT_EQ(remove(kLastBucket), Status::kOk);
  EXPECT_EQ(remove(kFirstBucket), Status::kOk);
  EXPECT_EQ(pass(), Counts({0, 1, 0, 0, 0, 0}));
  EXPECT_EQ(remove(kAllBuckets), Status::kOk);
  EXPECT_EQ(remove(kFirstBucket), Status::kOk);
  EXPECT_EQ(pass(), Counts(6, 0));
}

TEST_F(GroupTest, CountersSurviveBatchesThatFail) {
  add(1, GroupType::kAll, {to(2), to(3)});
  use(1);
  pass();
  const Bytes more = output(4);
  Pipeline& pipeline = switch_.pipeline;
  for (const bool fails : {true, false}) {
    pipeline.begin(switch_.now, true);
    EXPECT_EQ(pipeline.group_mod({ModCommand::kInsertBucket, 0, 1, {{.id = 9, .actions = more}}, kLastBucket}),
              Status::kOk);
    EXPECT_EQ(pipeline.group_mod({ModCommand::kRemoveBucket, 0, 1, {}, kFirstBucket}), Status::kOk);
    if (fails) {
      pipeline.rollback();
    } else {
      pipeline.publish();
    }
  }
  EXPECT_EQ(pass(), Counts({0, 0, 1, 1, 0, 0}));
  std::uint64_t cursor = 0;
  pipeline.groups().read(1, switch_.now, cursor, [&](const GroupView& view) {
    EXPECT_EQ(view.count.packets, 2u);
    EXPECT_EQ(pipeline.groups().count(view.group.buckets[0]).packets, 2u);
    EXPECT_EQ(pipeline.groups().count(view.group.buckets[1]).packets, 1u);
    return true;
  });
}

TEST_F(GroupTest, DeletingAGroupDeletesItsFlows) {
  add(1, GroupType::kIndirect, {to(2)});
  use(1);
  switch_.flow(3, 1, kit::any(), kit::write({kit::group(1)}));
  switch_.flow(4, 1, kit::any(), kit::write({output(1)}));
  EXPECT_EQ(switch_.pipeline.groups().references(1), 2u);
  EXPECT_EQ(erase(1), Status::kOk);
  EXPECT_EQ(switch_.flows().size(), 1u);
  EXPECT_EQ(pass(), Counts({0, 0, 0, 0, 0, 0}));
}

TEST_F(GroupTest, SelectFollowsWeights) {
  add(1, GroupType::kSelect, {to(2, 1), to(3, 2), to(4, 5), to(5, 0)});
  use(1);
  std::map<std::size_t, double> share;
  // Of an eighth of as many flows one standard deviation is 0.6 %.
  constexpr std::size_t kFlows = 200'000;
  constexpr double kTolerance = 0.02;
  for (std::size_t port : spread(kFlows)) share[port] += 1.0 / kFlows;
  const std::map<std::size_t, double> weights{{2, 1.0 / 8}, {3, 2.0 / 8}, {4, 5.0 / 8}};
  for (const auto& [port, expected] : weights) EXPECT_NEAR(share[port], expected, expected * kTolerance);
  EXPECT_EQ(share.size(), 3u);
}

TEST_F(GroupTest, SelectSpreadsByAddressesOfTheLinkWhereThereIsNoMore) {
  add(1, GroupType::kSelect, {to(2, 1), to(3, 3)});
  use(1);
  constexpr std::size_t kStations = 10'000;
  const auto spread_stations = [&] {
    std::vector<std::size_t> first;
    for (std::size_t i = 0; i < kStations; ++i) {
      Bytes frame(60, 0);
      frame[0] = frame[6] = 0x02;
      frame[11] = static_cast<std::uint8_t>(i);
      frame[10] = static_cast<std::uint8_t>(i >> 8);
      store_be16(&frame[12], 0x88b5);
      switch_.receive(1, frame);
      first.push_back(switch_.sent()[1]);
    }
    return first;
  };
  const auto before = spread_stations();
  EXPECT_EQ(spread_stations(), before);
  EXPECT_NEAR(static_cast<double>(std::accumulate(before.begin(), before.end(), std::size_t{0})) / kStations, 0.25,
              0.02);
}

TEST_F(GroupTest, SelectMovesFewFlowsWhenABucketGoes) {
  add(1, GroupType::kSelect, {to(2, 1), to(3, 1), to(4, 1), to(5, 1)});
  use(1);
  const auto before = spread(4000);
  EXPECT_EQ(spread(4000), before);
  modify(1, GroupType::kSelect, {to(2, 1), to(4, 1), to(5, 1)});
  const auto after = spread(4000);
  std::size_t moved = 0, had_to = 0;
  for (std::size_t i = 0; i < before.size(); ++i) {
    had_to += before[i] == 3;
    moved += before[i] != 3 && after[i] != before[i];
    EXPECT_NE(after[i], 3u);
  }
  EXPECT_NEAR(static_cast<double>(had_to), 1000, 80);
  EXPECT_LT(moved, 400u);
}

TEST_F(GroupTest, SelectSpreadsTheFlowsOfADeadBucketOnly) {
  std::vector<BucketMod> buckets;
  for (std::uint32_t port = 2; port <= 5; ++port) {
    buckets.push_back(watching(port));
    buckets.back().weight = 1;
  }
  add(1, GroupType::kSelect, buckets);
  use(1);
  const auto before = spread(2000);
  switch_.port(3).up = false;
  const auto down = spread(2000);
  std::map<std::size_t, std::size_t> taken;
  for (std::size_t i = 0; i < before.size(); ++i) {
    if (before[i] == 3) {
      ++taken[down[i]];
    } else {
      EXPECT_EQ(down[i], before[i]);
    }
  }
  EXPECT_EQ(taken.size(), 3u);
  for (const auto& [port, flows] : taken) EXPECT_NEAR(static_cast<double>(flows), 500 / 3.0, 60) << port;
  switch_.port(3).up = true;
  EXPECT_EQ(spread(2000), before);
}

TEST_F(GroupTest, FastFailoverTakesTheFirstLiveBucket) {
  add(9, GroupType::kFf, {watching(5)});
  BucketMod chained = to(4);
  chained.watch_group = 9;
  add(1, GroupType::kFf, {watching(2), watching(3), chained, watching(77)});
  use(1);
  EXPECT_EQ(pass(), Counts({0, 1, 0, 0, 0, 0}));
  switch_.port(2).up = false;
  EXPECT_EQ(pass(), Counts({0, 0, 1, 0, 0, 0}));
  switch_.pipeline.begin(switch_.now, false);
  switch_.pipeline.port_config(PortNo{3}, 1, 1);
  switch_.pipeline.publish();
  EXPECT_EQ(pass(), Counts({0, 0, 0, 1, 0, 0}));
  switch_.port(5).up = false;
  EXPECT_EQ(pass(), Counts({0, 0, 0, 0, 0, 0}));
  EXPECT_EQ(switch_.port(1).dropped(Drop::kGroupNoBucket), 1u);
  switch_.port(2).up = true;
  EXPECT_EQ(pass(), Counts({0, 1, 0, 0, 0, 0}));
}

TEST_F(GroupTest, FastFailoverGoesOnBehindAGroupThatItWatches) {
  add(9, GroupType::kFf, {watching(2), watching(3)});
  add(8, GroupType::kFf, {watching(4)});
  const auto through = [&](std::uint32_t id) {
    BucketMod bucket = via(id);
    bucket.watch_group = id;
    return bucket;
  };
  add(1, GroupType::kFf, {through(9), through(8), to(6)});
  use(1);
  const auto fails = [&](std::uint32_t port) {
    switch_.port(port).up = false;
    return pass();
  };
  EXPECT_EQ(pass(), Counts({0, 1, 0, 0, 0, 0}));
  EXPECT_EQ(fails(2), Counts({0, 0, 1, 0, 0, 0}));
  EXPECT_EQ(fails(3), Counts({0, 0, 0, 1, 0, 0}));
  EXPECT_EQ(fails(4), Counts({0, 0, 0, 0, 0, 1}));
  switch_.port(3).up = true;
  EXPECT_EQ(pass(), Counts({0, 0, 1, 0, 0, 0}));
}

TEST_F(GroupTest, ChainsAreBoundedInDepth) {
  add(0, GroupType::kIndirect, {to(2)});
  for (std::uint32_t id = 1; id < kGroupDepthMax + 2; ++id) add(id, GroupType::kIndirect, {via(id - 1)});
  use(kGroupDepthMax - 1);
  EXPECT_EQ(pass()[1], 1u);
  use(kGroupDepthMax);
  EXPECT_EQ(pass()[1], 0u);
  EXPECT_EQ(switch_.port(1).dropped(Drop::kGroupDepth), 1u);
}

TEST_F(GroupTest, WatchedGroupsThatFanOutDoNotTakeForEver) {
  // Each group watches the one before a thousand times, and nothing is live.
  std::vector<BucketMod> many(1000, watching(77));
  add(1, GroupType::kFf, many);
  for (std::uint32_t id = 2; id < 8; ++id) {
    for (BucketMod& bucket : many) bucket.watch_group = id - 1;
    add(id, GroupType::kFf, many);
  }
  use(7);
  EXPECT_EQ(pass(), Counts({0, 0, 0, 0, 0, 0}));
}

TEST_F(GroupTest, CountsPerGroupAndBucket) {
  add(1, GroupType::kAll, {to(2), to(3)});
  use(1);
  pass();
  pass();
  std::uint64_t cursor = 0;
  switch_.pipeline.groups().read(1, switch_.now, cursor, [&](const GroupView& view) {
    EXPECT_EQ(view.count.packets, 2u);
    EXPECT_EQ(view.count.bytes, 120u);
    EXPECT_EQ(view.references, 1u);
    EXPECT_EQ(switch_.pipeline.groups().count(view.group.buckets[1]).packets, 2u);
    return true;
  });
}

TEST_F(GroupTest, ReadsInPartsByAscendingId) {
  for (std::uint32_t id : {7, 3, 5, 0}) add(id, GroupType::kAll, {});
  std::vector<std::uint32_t> ids;
  std::uint64_t cursor = 0;
  for (bool done = false; !done;) {
    int room = 1;
    done = switch_.pipeline.groups().read(kGroupAll, switch_.now, cursor, [&](const GroupView& view) {
      if (room-- == 0) return false;
      ids.push_back(view.group.id);
      return true;
    });
  }
  EXPECT_EQ(ids, (std::vector<std::uint32_t>{0, 3, 5, 7}));
}

}  // namespace
}  // namespace xvif
