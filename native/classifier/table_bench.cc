// Lookups alone: batches of 32 keys, rules of one mask or many. See pipeline/pipeline_bench.cc for whole scenarios.
#include <benchmark/benchmark.h>

#include <memory>
#include <random>
#include <vector>

#include "classifier/table.h"

namespace xvif {
namespace {

class Rules {
 public:
  ~Rules() { epoch.drain(); }
  void add(const FlowKey& value, const FlowKey& mask, std::uint16_t priority) {
    if (table.find(value, mask, priority) != nullptr) return;
    const std::size_t words = packed_words(mask);
    memory_.push_back(std::make_unique<std::uint64_t[]>(words + sizeof(Rule) / 8));
    auto* const rule = new (memory_.back().get() + words) Rule;
    rule->words = static_cast<std::uint8_t>(words);
    rule->priority = priority;
    pack(value, mask, memory_.back().get());
    table.insert(*rule, mask, 1);
  }
  void run(benchmark::State& state, const std::vector<FlowKey>& keys) {
    table.settle();
    std::array<const Rule*, 64> found;
    std::size_t at = 0;
    for (auto _ : state) {
      table.lookup(&keys[at], 0xffffffff, 1, found.data());
      benchmark::DoNotOptimize(found);
      at = (at + 32) % keys.size();
    }
    state.SetItemsProcessed(state.iterations() * 32);
    state.counters["bytes/rule"] = static_cast<double>(table.bytes()) / static_cast<double>(table.size());
  }

  Epoch epoch;
  Table table{epoch, 5};

 private:
  std::vector<std::unique_ptr<std::uint64_t[]>> memory_;
};

void catch_all(benchmark::State& state) {
  Rules rules;
  rules.add({}, {}, 0);
  rules.run(state, std::vector<FlowKey>(32));
}
BENCHMARK(catch_all);

/// `range` rules of one mask over three words; keys hit a random one.
void one_mask(benchmark::State& state) {
  Rules rules;
  std::mt19937_64 random(1);
  FlowKey mask{};
  mask.words[0] = mask.words[1] = mask.words[3] = ~std::uint64_t{0};
  std::vector<FlowKey> keys;
  for (std::int64_t i = 0; i < state.range(0); ++i) {
    FlowKey key{};
    key.words[3] = static_cast<std::uint64_t>(i);
    rules.add(key, mask, 1);
  }
  for (int i = 0; i < 32 * 1024; ++i) {
    FlowKey key{};
    key.words[3] = random() % static_cast<std::uint64_t>(state.range(0));
    keys.push_back(key);
  }
  rules.run(state, keys);
}
BENCHMARK(one_mask)->Arg(1)->Arg(1000)->Arg(100'000)->Arg(1'000'000);

/// `range` masks of random bits of two words, a hundred rules each; keys miss them all and find the catch-all.
void many_masks(benchmark::State& state) {
  Rules rules;
  std::mt19937_64 random(1);
  rules.add({}, {}, 0);
  for (std::int64_t m = 0; m < state.range(0); ++m) {
    FlowKey mask{};
    mask.words[3] = 0xffff'ffff'0000'0000u | (random() & 0xffffffff);
    mask.words[4] = static_cast<std::uint64_t>(m % 10) << 4 | 0xffff;
    for (int i = 0; i < 100; ++i) {
      FlowKey value{};
      value.words[3] = random() & mask.words[3];
      value.words[4] = random() & mask.words[4];
      rules.add(value, mask, static_cast<std::uint16_t>(1 + random() % 1000));
    }
  }
  std::vector<FlowKey> keys(32 * 1024);
  for (FlowKey& key : keys) {
    for (std::uint64_t& word : key.words) word = random();
  }
  rules.run(state, keys);
}
BENCHMARK(many_masks)->Arg(10)->Arg(50)->Arg(200)->Arg(8192);

}  // namespace
}  // namespace xvif
