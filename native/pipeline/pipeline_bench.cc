// Rule sets like those of ROADMAP "Speed", whole pipeline: parse, tables, actions, a port that swallows. One thread,
// 64-byte frames in batches of 32; `cycles` counts time-stamp ticks for each packet.
#include <benchmark/benchmark.h>
#include <x86intrin.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <random>

#include "pipeline/match_entries.h"
#include "pipeline/test_kit.h"

namespace xvif {
namespace {

using kit::apply;
using kit::Bytes;
using kit::output;

class NullPort final : public Port {
 public:
  std::span<PortQueue* const> queues() override { return {}; }
  void transmit(std::size_t, std::span<Packet* const>) override {}
  void close() override {}
};

/// A switch under one load.
class Load {
 public:
  Load() {
    for (std::uint32_t i = 1; i <= 4; ++i) pipeline.attach(PortNo{i}, ports_[i - 1], 1);
    pipeline.begin(1, false);
    epoch.online(0);
  }
  ~Load() { epoch.offline(0); }

  void add(std::uint8_t table, std::uint16_t priority, const kit::Match& match, const Bytes& instructions) {
    if (pipeline.flow_mod(kit::add(table, priority, match, instructions)) != Status::kOk) std::abort();
  }
  void frame(const kit::Udp& udp) { frames_.push_back(udp.frame()); }

  void run(benchmark::State& state, const std::function<void()>& between = {}) {
    pipeline.publish();
    std::shuffle(frames_.begin(), frames_.end(), std::mt19937(1));
    std::array<Packet*, kBatchMax> batch;
    std::size_t next = 0;
    std::uint64_t now = 1, cycles = 0, packets = 0;
    for (auto _ : state) {
      for (Packet*& packet : batch) {
        packet = kit::make_packet(pool_, 1, frames_[next]);
        next = next + 1 == frames_.size() ? 0 : next + 1;
      }
      const std::uint64_t start = __rdtsc();
      pipeline.process(0, ++now, batch);
      cycles += __rdtsc() - start;
      packets += batch.size();
      epoch.quiescent(0);
      if (between) between();
    }
    state.SetItemsProcessed(static_cast<std::int64_t>(packets));
    state.counters["cycles"] = static_cast<double>(cycles) / static_cast<double>(packets);
    state.counters["bytes/rule"] =
        static_cast<double>(pipeline.flows().bytes()) / static_cast<double>(pipeline.flows().rules());
    state.counters["subtables"] = static_cast<double>(pipeline.flows().subtables());
  }

  Epoch epoch;
  Pipeline pipeline{epoch, 2, 99};

 private:
  std::array<NullPort, 4> ports_;
  PacketPool pool_{64};
  std::vector<Bytes> frames_;
};

kit::Match udp_to(std::uint32_t address) { return kit::to_ipv4(address).with(Field::kIpProto, 17); }

/// A: one rule, 1 000 flows.
void one_rule(benchmark::State& state) {
  Load load;
  load.add(0, 1, kit::on_port(1), apply({output(2)}));
  for (std::uint16_t i = 0; i < 1000; ++i) load.frame({.source_port = i});
  load.run(state);
}
BENCHMARK(one_rule);

/// The learning switch: NORMAL to a port that is known.
void normal(benchmark::State& state) {
  Load load;
  load.add(0, 1, kit::any(), apply({output(ReservedPort::kNormal)}));
  for (std::uint16_t i = 0; i < 1000; ++i) load.frame({.source_port = i});
  load.pipeline.macs().learn(MacTable::station(0, kit::Udp().frame().data()), PortNo{2}, 1);
  load.run(state);
}
BENCHMARK(normal);

/// B: 1 001 rules (udp, nw_dst, tp_dst), 1 000 flows.
void thousand_rules(benchmark::State& state) {
  Load load;
  load.add(0, 0, kit::any(), {});
  for (std::uint16_t i = 0; i < 1000; ++i) {
    load.add(0, 10, udp_to(0x0a000000u + i).with(Field::kUdpDst, i), apply({output(2)}));
    load.frame({.destination = 0x0a000000u + i, .destination_port = i});
  }
  load.run(state);
}
BENCHMARK(thousand_rules);

/// C and D: 65 537 rules (udp, nw_dst), 10 000 and 100 000 flows.
void many_addresses(benchmark::State& state) {
  Load load;
  load.add(0, 0, kit::any(), {});
  for (std::uint32_t i = 0; i < 65'536; ++i) load.add(0, 10, udp_to(0x0a000000u + i), apply({output(2)}));
  for (std::uint32_t i = 0; i < state.range(0); ++i) {
    load.frame({.source = 0x0b000000u + i, .destination = 0x0a000000u + i % 65'536});
  }
  load.run(state);
}
BENCHMARK(many_addresses)->Arg(10'000)->Arg(100'000);

/// E: 10 000 ACL rules of 60 masks (prefixes of both addresses, port masks), 100 000 flows, each made to match a rule.
void access_list(benchmark::State& state) {
  Load load;
  std::mt19937 engine(3);
  const auto random = [&](std::uint32_t below = 0) {
    const auto number = static_cast<std::uint32_t>(engine());
    return below == 0 ? number : number % below;
  };
  const auto prefix = [](std::uint32_t bits) { return bits == 0 ? 0 : ~std::uint32_t{0} << (32 - bits); };
  struct Acl {
    std::uint32_t source, source_mask, destination, destination_mask, port, port_mask;
  };
  std::vector<Acl> rules;
  load.add(0, 0, kit::any(), {});
  for (std::uint16_t i = 0; i < 10'000; ++i) {
    constexpr std::array<std::uint32_t, 5> kPorts = {0xffff, 0xfff0, 0xff00, 0xfc00, 0};
    const Acl acl{random(),      prefix(std::array{0, 16, 24, 32}[random(4)]),
                  random(),      prefix(std::array{16, 24, 32}[random(3)]),
                  random(65536), kPorts[random(5)]};
    kit::Match match = kit::to_ipv4(acl.destination, acl.destination_mask).with(Field::kIpProto, 17);
    match.with(Field::kIpv4Src, acl.source, acl.source_mask).with(Field::kUdpDst, acl.port, acl.port_mask);
    load.add(0, static_cast<std::uint16_t>(60'000 - i), match, apply({output(2)}));
    rules.push_back(acl);
  }
  for (std::uint32_t i = 0; i < 100'000; ++i) {
    const Acl& acl = rules[random(10'000)];
    load.frame(
        {.source = (acl.source & acl.source_mask) | (random() & ~acl.source_mask),
         .destination = (acl.destination & acl.destination_mask) | (random() & ~acl.destination_mask),
         .destination_port = static_cast<std::uint16_t>((acl.port & acl.port_mask) | (random() & ~acl.port_mask))});
  }
  load.run(state);
}
BENCHMARK(access_list);

/// F: 100 000 prefixes spread like those of a real table, MAC rewrite, TTL.
void router(benchmark::State& state) {
  Load load;
  std::mt19937 random(4);
  const Bytes forward = apply({kit::action(Action::kDecNwTtl), kit::set_field(Field::kEthSrc, 0x020000000011),
                               kit::set_field(Field::kEthDst, 0x020000000022), output(2)});
  load.add(0, 0, kit::any(), {});
  for (std::uint32_t i = 0; i < 100'000; ++i) {
    const auto roll = static_cast<unsigned>(random() % 100);
    const auto some = static_cast<unsigned>(random() % 8);
    const unsigned length = roll < 60 ? 24 : roll < 80 ? 20 + some % 4 : roll < 97 ? 16 + some % 4 : 8 + some;
    const auto address = static_cast<std::uint32_t>(random());
    load.add(0, static_cast<std::uint16_t>(length), kit::to_ipv4(address, ~std::uint32_t{0} << (32 - length)), forward);
    load.frame({.destination = address});
  }
  load.run(state);
}
BENCHMARK(router);

/// G: four tables with ACL, select group and rewrite.
void four_tables(benchmark::State& state) {
  Load load;
  const Bytes two = output(2), three = output(3), four = output(4);
  load.pipeline.group_mod(
      {ModCommand::kAdd,
       static_cast<std::uint8_t>(GroupType::kSelect),
       1,
       {{.weight = 1, .actions = two}, {.weight = 1, .actions = three}, {.weight = 2, .actions = four}}});
  load.add(0, 1, kit::on_port(1), kit::join({kit::metadata(5, 0xff), kit::go(1)}));
  load.add(1, 0, kit::any(), kit::go(2));
  for (std::uint16_t i = 0; i < 1000; ++i) {
    load.add(1, 10, udp_to(0x0c000000u + i).with(Field::kUdpDst, i), {});
    load.add(2, 10, kit::to_ipv4(0x0a000000u + i),
             kit::join({apply({kit::set_field(Field::kEthDst, 0x020000000022)}), kit::go(3)}));
  }
  load.add(3, 10, kit::Match().with(Field::kMetadata, 5, 0xff), apply({kit::group(1)}));
  for (std::uint32_t i = 0; i < 10'000; ++i) {
    load.frame({.source = 0x0b000000u + i, .destination = 0x0a000000u + i % 1000});
  }
  load.run(state);
}
BENCHMARK(four_tables);

/// H: a million exact rules, 200 000 flows.
void million_exact(benchmark::State& state) {
  Load load;
  load.add(0, 0, kit::any(), {});
  for (std::uint32_t i = 0; i < 1'000'000; ++i) {
    kit::Match match = udp_to(0x0a000000u + i).with(Field::kInPort, 1).with(Field::kIpv4Src, 0x0b000000u + i);
    match.with(Field::kUdpSrc, i & 0xffff)
        .with(Field::kUdpDst, 7)
        .with(Field::kEthSrc, 0x020000000001)
        .with(Field::kEthDst, 0x020000000002);
    load.add(0, 10, match, apply({output(2)}));
    if (i % 5 != 0) continue;
    load.frame({.source = 0x0b000000u + i,
                .destination = 0x0a000000u + i,
                .source_port = static_cast<std::uint16_t>(i),
                .destination_port = 7});
  }
  load.run(state);
}
BENCHMARK(million_exact);

/// I: C while flow_mods go on, one to a batch of packets; twice as many as 10 000/s would be at 160 000 batches/s.
void changes_under_traffic(benchmark::State& state) {
  Load load;
  load.add(0, 0, kit::any(), {});
  for (std::uint32_t i = 0; i < 65'536; ++i) load.add(0, 10, udp_to(0x0a000000u + i), apply({output(2)}));
  for (std::uint32_t i = 0; i < 10'000; ++i) load.frame({.source = 0x0b000000u + i, .destination = 0x0a000000u + i});
  std::uint32_t n = 0;
  const Bytes out = apply({output(2)});
  load.run(state, [&] {
    if (++n % 8 != 0) return;
    FlowMod mod = kit::add(0, 10, udp_to(0x0d000000u + n / 16), out);
    if (n % 16 == 0) mod.command = FlowCommand::kDeleteStrict;
    load.pipeline.begin(1, false);
    load.pipeline.flow_mod(mod);
    load.pipeline.publish();
  });
}
BENCHMARK(changes_under_traffic);

void flow_mods(benchmark::State& state) {
  Epoch epoch;
  Pipeline pipeline(epoch, 2, 1);
  const Bytes out = apply({output(2)});
  std::uint32_t n = 0;
  const auto each = static_cast<std::uint32_t>(state.range(0));
  for (auto _ : state) {
    pipeline.begin(1, each > 1);
    for (std::uint32_t i = 0; i < each; ++i) {
      pipeline.flow_mod(kit::add(0, 10, udp_to(0x0a000000u + (n++ & 0xfffff)), out));
    }
    pipeline.publish();
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * each));
}
BENCHMARK(flow_mods)->Arg(1)->Arg(1000);

void dump(benchmark::State& state) {
  Epoch epoch;
  Pipeline pipeline(epoch, 2, 1);
  const Bytes out = apply({output(2)});
  pipeline.begin(1, false);
  for (std::uint32_t i = 0; i < 100'000; ++i) pipeline.flow_mod(kit::add(0, 10, udp_to(i), out));
  pipeline.publish();
  std::array<MatchEntry, kMatchFields> entries;
  for (auto _ : state) {
    std::uint64_t cursor = 0;
    pipeline.flows().read({}, 2, cursor, [&](const FlowView& view) {
      benchmark::DoNotOptimize(match_entries(view.value, view.mask, entries));
      return true;
    });
  }
  state.SetItemsProcessed(state.iterations() * 100'000);
}
BENCHMARK(dump);

}  // namespace
}  // namespace xvif
