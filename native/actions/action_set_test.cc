#include "actions/action_set.h"

#include <gtest/gtest.h>

#include "actions/test_actions.h"

namespace xvif::test {
namespace {

std::vector<Bytes> in_order(const ActionSet& set) {
  std::vector<Bytes> out;
  set.for_each([&](const ActionView& a) {
    out.emplace_back(a.bytes().begin(), a.bytes().end());
    return Verdict::kOk;
  });
  return out;
}

TEST(ActionSet, order_of13_5_10) {
  const Bytes mac = set_field(Field::kEthDst, hex("020304050607"));
  const Bytes vid = set_field(Field::kVlanVid, hex("1005"));
  const std::vector<Bytes> ordered = {action(Action::kCopyTtlIn),
                                      action(Action::kPopVlan),
                                      pop_mpls(0x0800),
                                      push_mpls(0x8847),
                                      push_vlan(0x8100),
                                      action(Action::kCopyTtlOut),
                                      action(Action::kDecMplsTtl),
                                      action(Action::kDecNwTtl),
                                      set_mpls_ttl(5),
                                      set_nw_ttl(6),
                                      mac,
                                      vid,
                                      set_queue(1),
                                      output(2)};
  Bytes reversed;
  for (auto a = ordered.rbegin(); a != ordered.rend(); ++a) reversed = reversed + *a;
  ActionSet set;
  EXPECT_TRUE(set.empty());
  set.write(reversed);
  EXPECT_FALSE(set.empty());
  EXPECT_EQ(in_order(set), ordered);
  Bytes flat;
  for (const Bytes& a : ordered) flat = flat + a;
  EXPECT_EQ(ordered_as_set(reversed), flat);
}

TEST(ActionSet, a_type_is_there_once_the_last_written_counts) {
  const Bytes first = output(1) + set_field(Field::kEthDst, Bytes(6, 1)) + push_vlan(0x8100);
  const Bytes second = output(2) + set_field(Field::kEthDst, Bytes(6, 2)) + set_field(Field::kEthSrc, Bytes(6, 3));
  ActionSet set;
  set.write(first);
  set.write(second);
  EXPECT_EQ(in_order(set), (std::vector{push_vlan(0x8100), set_field(Field::kEthDst, Bytes(6, 2)),
                                        set_field(Field::kEthSrc, Bytes(6, 3)), output(2)}));
}

TEST(ActionSet, a_group_takes_the_place_of_output) {
  const Bytes actions = output(1) + group(7) + set_queue(2);
  ActionSet set;
  set.write(actions);
  EXPECT_EQ(in_order(set), (std::vector{set_queue(2), group(7)}));
  EXPECT_EQ(set.group()->group(), 7u);
  EXPECT_EQ(set.output()->port(), PortNo{1});
  EXPECT_EQ(set.queue()->queue(), 2u);
  set.clear();
  EXPECT_TRUE(set.empty());
  EXPECT_FALSE(set.group());
  EXPECT_TRUE(in_order(set).empty());
}

TEST(ActionSet, stops_at_the_first_refusal) {
  const Bytes actions = action(Action::kDecNwTtl) + output(1) + push_vlan(0x8100);
  ActionSet set;
  set.write(actions);
  int visited = 0;
  EXPECT_EQ(set.for_each([&](const ActionView& a) {
    ++visited;
    return a.code() == Action::kDecNwTtl ? Verdict::kInvalidTtl : Verdict::kOk;
  }),
            Verdict::kInvalidTtl);
  EXPECT_EQ(visited, 2);
}

}  // namespace
}  // namespace xvif::test
