// The table against a linear scan over the same rules.
#include "classifier/table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <random>
#include <vector>

#include "classifier/subtable.h"

namespace xvif {
namespace {

constexpr std::uint64_t kNever = Rule::kNever;

/// What the oracle knows of a rule, and the rule itself.
struct Known {
  FlowKey value, mask;
  std::uint16_t priority;
  std::uint64_t added, removed = kNever;
  Rule* rule;
  bool cleared = false;
};

class TableTest : public testing::Test {
 protected:
  ~TableTest() override { epoch_.drain(); }

  Rule* make(const FlowKey& value, const FlowKey& mask, std::uint16_t priority) {
    const std::size_t words = packed_words(mask);
    memory_.push_back(std::make_unique<std::uint64_t[]>(words + sizeof(Rule) / 8));
    auto* const rule = new (memory_.back().get() + words) Rule;
    rule->words = static_cast<std::uint8_t>(words);
    rule->priority = priority;
    pack(value, mask, memory_.back().get());
    return rule;
  }
  const Rule* lookup(const FlowKey& key, std::uint64_t version) const {
    const Rule* found = nullptr;
    table_.lookup(&key, 1, version, &found);
    return found;
  }
  static FlowKey key_of(Field field, std::uint64_t number) {
    FlowKey key{};
    std::array<std::uint8_t, 8> bytes;
    store_be64(bytes.data(), number);
    set_field(key, field, bytes.data() + 8 - field_bytes(field));
    return key;
  }

  Epoch epoch_;
  std::vector<std::unique_ptr<std::uint64_t[]>> memory_;
  Table table_{epoch_, 42};
};

FlowKey random_mask(std::mt19937_64& random) {
  static constexpr std::array kWords = {0, 1, 3, 4, 6, 9};
  FlowKey mask{};
  for (int at : kWords) {
    switch (random() % 4) {
      case 0:
        mask.words[at] = 0x0f;
        break;
      case 1:
        mask.words[at] = ~std::uint64_t{0};
        break;
      default:
        break;
    }
  }
  return mask;
}

FlowKey random_key(std::mt19937_64& random) {
  FlowKey key{};
  for (std::uint64_t& word : key.words) word = random() % 4;
  return key;
}

FlowKey masked(const FlowKey& key, const FlowKey& mask) {
  FlowKey value{};
  for (std::size_t i = 0; i < kFlowKeyWords; ++i) value.words[i] = key.words[i] & mask.words[i];
  return value;
}

bool matches(const Known& known, const FlowKey& key) { return masked(key, known.mask) == known.value; }

/// Priority of the best visible rule, -1 none.
int best(const std::vector<Known>& all, const FlowKey& key, std::uint64_t version) {
  int priority = -1;
  for (const Known& known : all) {
    if (known.added <= version && version < known.removed && matches(known, key)) {
      priority = std::max<int>(priority, known.priority);
    }
  }
  return priority;
}

TEST_F(TableTest, EmptyTableFindsNothing) { EXPECT_EQ(lookup(FlowKey{}, 1), nullptr); }

TEST_F(TableTest, CatchAllMatchesEverythingFromItsVersionOn) {
  Rule* const rule = make({}, {}, 0);
  table_.insert(*rule, {}, 5);
  table_.settle();
  EXPECT_EQ(lookup(key_of(Field::kInPort, 7), 4), nullptr);
  EXPECT_EQ(lookup(key_of(Field::kInPort, 7), 5), rule);
  EXPECT_EQ(lookup(FlowKey{}, 6), rule);
}

TEST_F(TableTest, ReplacementIsSeenByItsVersionOnlyAndKeepsTheSlot) {
  const FlowKey mask = key_of(Field::kInPort, 0xffffffff);
  const FlowKey value = key_of(Field::kInPort, 3);
  Rule* const old = make(value, mask, 9);
  Rule* const fresh = make(value, mask, 9);
  table_.insert(*old, mask, 1);
  const std::uint32_t slot = old->slot;
  table_.replace(*old, *fresh, 2);
  table_.settle();
  EXPECT_EQ(lookup(value, 1), old);
  EXPECT_EQ(lookup(value, 2), fresh);
  EXPECT_EQ(table_.find(value, mask, 9), fresh);
  EXPECT_EQ(table_.at(slot), fresh);
  EXPECT_EQ(table_.size(), 1u);
  table_.unlink(*old);
  EXPECT_EQ(lookup(value, 2), fresh);
}

TEST_F(TableTest, UndoBringsBackWhatWasThere) {
  const FlowKey mask = key_of(Field::kInPort, 0xffffffff);
  const FlowKey value = key_of(Field::kInPort, 3);
  Rule* const old = make(value, mask, 9);
  table_.insert(*old, mask, 1);
  table_.settle();
  Rule* const fresh = make(value, mask, 9);
  Rule* const other = make({}, {}, 1);
  table_.replace(*old, *fresh, 2);
  table_.insert(*other, {}, 2);
  table_.remove(*fresh, 2);
  table_.undo_remove(*fresh);
  table_.undo_insert(*other);
  table_.undo_replace(*old, *fresh);
  table_.settle();
  EXPECT_EQ(lookup(value, 2), old);
  EXPECT_EQ(lookup({}, 2), nullptr);
  EXPECT_EQ(table_.find(value, mask, 9), old);
  EXPECT_EQ(table_.size(), 1u);
  EXPECT_EQ(table_.subtables(), 1u);
}

TEST_F(TableTest, ClearedRulesAreSeenInOlderVersionsOnly) {
  const FlowKey mask = key_of(Field::kInPort, 0xffffffff);
  const FlowKey value = key_of(Field::kInPort, 3);
  Rule* const rule = make(value, mask, 9);
  table_.insert(*rule, mask, 1);
  table_.settle();
  const auto first = table_.clear(2);
  EXPECT_EQ(lookup(value, 2), rule) << "not settled";
  Rule* const between = make(value, mask, 9);
  table_.insert(*between, mask, 2);
  const auto second = table_.clear(2);
  Rule* const fresh = make(value, mask, 5);
  table_.insert(*fresh, mask, 2);
  table_.settle();
  EXPECT_EQ(lookup(value, 1), rule);
  EXPECT_EQ(lookup(value, 2), fresh);
  EXPECT_EQ(table_.find(value, mask, 9), nullptr);
  EXPECT_EQ(table_.size(), 1u);
  const auto third = table_.clear(3);
  table_.settle();
  EXPECT_EQ(lookup(value, 1), rule);
  EXPECT_EQ(lookup(value, 2), fresh);
  EXPECT_EQ(lookup(value, 3), nullptr);
  for (const auto* cleared : {first.get(), second.get(), third.get()}) {
    EXPECT_EQ(cleared->size(), 1u);
    EXPECT_EQ(cleared->at(0), cleared == first.get() ? rule : cleared == second.get() ? between : fresh);
  }
}

TEST_F(TableTest, UndoneClearsLeaveNoTrace) {
  const FlowKey mask = key_of(Field::kInPort, 0xffffffff);
  const FlowKey value = key_of(Field::kInPort, 3);
  Rule* const rule = make(value, mask, 9);
  table_.insert(*rule, mask, 1);
  table_.settle();
  for (std::uint64_t round = 0; round < 3; ++round) {
    auto first = table_.clear(2);
    Rule* const fresh = make(value, mask, 9);
    table_.insert(*fresh, mask, 2);
    auto second = table_.clear(2);
    table_.undo_clear(std::move(second));
    table_.undo_insert(*fresh);
    table_.undo_clear(std::move(first));
    table_.settle();
    EXPECT_EQ(lookup(value, 2), rule);
    EXPECT_EQ(table_.find(value, mask, 9), rule);
    EXPECT_EQ(table_.at(rule->slot), rule);
    EXPECT_EQ(table_.size(), 1u);
    EXPECT_EQ(table_.subtables(), 1u);
    epoch_.reclaim();
  }
}

TEST_F(TableTest, UnpacksMatches) {
  std::mt19937_64 random(3);
  for (int i = 0; i < 100; ++i) {
    const FlowKey mask = random_mask(random);
    const FlowKey value = masked(random_key(random), mask);
    if (table_.find(value, mask, 1) != nullptr) continue;
    Rule* const rule = make(value, mask, 1);
    table_.insert(*rule, mask, 1);
    FlowKey got_value, got_mask;
    Table::match_of(*rule, got_value, got_mask);
    EXPECT_EQ(got_value, value);
    EXPECT_EQ(got_mask, mask);
  }
}

/// Random changes, several to a version, with random lookups in recent versions; unlinking lags behind.
class RandomTable : public TableTest, public testing::WithParamInterface<std::uint64_t> {
 protected:
  void change() {
    const FlowKey mask = random_mask(random_);
    const FlowKey value = masked(random_key(random_), mask);
    const auto priority = static_cast<std::uint16_t>(random_() % 5);
    Rule* const there = table_.find(value, mask, priority);
    const auto known = std::find_if(known_.begin(), known_.end(), [&](const Known& one) {
      return one.removed == kNever && one.priority == priority && one.mask == mask && one.value == value;
    });
    ASSERT_EQ(there != nullptr, known != known_.end());
    if (there == nullptr) {
      Rule* const rule = make(value, mask, priority);
      table_.insert(*rule, mask, version_);
      known_.push_back({value, mask, priority, version_, kNever, rule});
    } else if (random_() % 2 == 0) {
      Rule* const rule = make(value, mask, priority);
      table_.replace(*there, *rule, version_);
      known->removed = version_;
      known_.push_back({value, mask, priority, version_, kNever, rule});
    } else {
      table_.remove(*there, version_);
      known->removed = version_;
    }
  }
  void remove_some() {
    for (Known& known : known_) {
      if (known.removed != kNever || random_() % 3 != 0) continue;
      table_.remove(*known.rule, version_);
      known.removed = version_;
    }
  }
  void clear() {
    auto cleared = table_.clear(version_);
    const auto live = [](const Known& known) { return known.removed == kNever; };
    ASSERT_EQ(cleared->size(), static_cast<std::size_t>(std::count_if(known_.begin(), known_.end(), live)));
    ASSERT_EQ(table_.size(), 0u);
    if (random_() % 3 == 0) return table_.undo_clear(std::move(cleared));
    for (Known& known : known_) {
      if (!live(known)) continue;
      known.removed = version_;
      known.cleared = true;
    }
    cleared_.push_back({version_, std::move(cleared)});
  }
  void unlink_older(std::uint64_t version) {
    std::erase_if(known_, [&](const Known& known) {
      if (known.removed > version) return false;
      if (!known.cleared) table_.unlink(*known.rule);
      return true;
    });
    std::erase_if(cleared_, [&](const auto& cleared) { return cleared.first <= version; });
    table_.settle();
    epoch_.reclaim();
  }
  void compare(std::uint64_t version) {
    std::array<FlowKey, 32> keys;
    for (FlowKey& key : keys) key = random_key(random_);
    const std::uint64_t lanes = random_() & 0xffffffff;
    std::array<const Rule*, 64> found{};
    table_.lookup(keys.data(), lanes, version, found.data());
    for (std::size_t i = 0; i < keys.size(); ++i) {
      if ((lanes >> i & 1) == 0) continue;
      ASSERT_EQ(found[i] == nullptr ? -1 : found[i]->priority, best(known_, keys[i], version));
      if (found[i] == nullptr) continue;
      ASSERT_TRUE(found[i]->visible(version));
      const auto known = std::find_if(known_.begin(), known_.end(), [&](auto& one) { return one.rule == found[i]; });
      ASSERT_TRUE(matches(*known, keys[i]));
    }
  }
  void compare_control_side() {
    const auto live = [](const Known& known) { return known.removed == kNever; };
    ASSERT_EQ(table_.size(), static_cast<std::size_t>(std::count_if(known_.begin(), known_.end(), live)));
    const FlowKey mask = random_mask(random_);
    const FlowKey value = masked(random_key(random_), mask);
    std::vector<const Rule*> visited, expected, slots;
    table_.for_each(value, mask, [&](Rule& rule) { visited.push_back(&rule); });
    bool overlap = false;
    for (const Known& known : known_) {
      if (!live(known)) continue;
      bool within = true, disjoint = false;
      for (std::size_t i = 0; i < kFlowKeyWords; ++i) {
        within &= (mask.words[i] & ~known.mask.words[i]) == 0;
        disjoint |= ((known.value.words[i] ^ value.words[i]) & known.mask.words[i] & mask.words[i]) != 0;
      }
      if (within && !disjoint) expected.push_back(known.rule);
      overlap |= known.priority == 2 && !disjoint;
      ASSERT_EQ(Table::is_within(*known.rule, value, mask), within && !disjoint);
    }
    std::sort(visited.begin(), visited.end());
    std::sort(expected.begin(), expected.end());
    ASSERT_EQ(visited, expected);
    ASSERT_EQ(table_.find_overlap(value, mask, 2) != nullptr, overlap);
    for (std::uint32_t i = 0; i < table_.slots(); ++i) {
      if (table_.at(i) != nullptr) slots.push_back(table_.at(i));
    }
    ASSERT_EQ(slots.size(), table_.size());
  }

  std::mt19937_64 random_{GetParam()};
  std::uint64_t version_ = 1;
  std::vector<Known> known_;
  std::vector<std::pair<std::uint64_t, std::unique_ptr<Table::Cleared>>> cleared_;
};

TEST_P(RandomTable, AgreesWithLinearScan) {
  SCOPED_TRACE(testing::Message() << "seed " << GetParam());
  for (int round = 0; round < 150; ++round) {
    for (std::size_t n = random_() % 20; n > 0; --n) ASSERT_NO_FATAL_FAILURE(change());
    if (random_() % 20 == 0) remove_some();
    if (random_() % 10 == 0) {
      ASSERT_NO_FATAL_FAILURE(clear());
    }
    for (std::size_t n = random_() % 5; n > 0; --n) ASSERT_NO_FATAL_FAILURE(change());
    table_.settle();
    ASSERT_NO_FATAL_FAILURE(compare(version_ - 1));
    ASSERT_NO_FATAL_FAILURE(compare(version_));
    ASSERT_NO_FATAL_FAILURE(compare_control_side());
    if (random_() % 3 == 0) unlink_older(version_ - 1);
    ++version_;
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomTable, testing::Range<std::uint64_t>(1, 21));

TEST_F(TableTest, ChurnLeavesNoTrace) {
  // A subtable whose buckets overflow again and again must not grow slow or large.
  const FlowKey mask = key_of(Field::kIpv4Dst, 0xffffffff);
  std::vector<Rule*> rules;
  for (std::uint32_t i = 0; i < 20'000; ++i) {
    Rule* const rule = make(key_of(Field::kIpv4Dst, i), mask, 1);
    table_.insert(*rule, mask, 1);
    rules.push_back(rule);
    if (i < 1000) continue;
    table_.remove(*rules[i - 1000], 1);
    table_.unlink(*rules[i - 1000]);
  }
  table_.settle();
  epoch_.reclaim();
  EXPECT_EQ(table_.size(), 1000u);
  EXPECT_LT(table_.bytes(), 100'000u);
  for (std::uint32_t i = 0; i < 20'000; ++i) {
    EXPECT_EQ(lookup(key_of(Field::kIpv4Dst, i), 1), i < 19'000 ? nullptr : rules[i]);
  }
}

TEST_F(TableTest, EmptySubtablesGo) {
  for (std::uint32_t bits = 1; bits <= 32; ++bits) {
    const FlowKey mask = key_of(Field::kIpv4Dst, ~std::uint32_t{0} << (32 - bits));
    Rule* const rule = make({}, mask, static_cast<std::uint16_t>(bits));
    table_.insert(*rule, mask, 1);
    table_.settle();
    EXPECT_EQ(lookup({}, 1), rule);
    table_.remove(*rule, 2);
    table_.unlink(*rule);
  }
  table_.settle();
  EXPECT_EQ(table_.subtables(), 0u);
}

}  // namespace
}  // namespace xvif
