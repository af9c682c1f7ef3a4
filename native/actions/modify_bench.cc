// ns per packet for the actions of a router, of address translation and of a VLAN edge.
#include <benchmark/benchmark.h>

#include "actions/action_set.h"
#include "actions/modify.h"
#include "actions/test_actions.h"

namespace xvif::test {
namespace {

void run_actions(benchmark::State& state, const Bytes& actions) {
  PacketPool pool(1);
  Packet* packet = packet_of(pool, macs() + ipv4({}, udp(1, 2, filler(18))));
  FlowKey key{};
  parse(*packet, key);
  for (auto _ : state) {
    for (const ActionView action : Actions(actions)) benchmark::DoNotOptimize(modify(*packet, key, action));
  }
  packet->release();
}

void route(benchmark::State& state) {
  run_actions(state, set_nw_ttl(65) + action(Action::kDecNwTtl) + set_field(Field::kEthDst, Bytes(6, 2)) +
                         set_field(Field::kEthSrc, Bytes(6, 4)));
}
void translate(benchmark::State& state) {
  run_actions(state, set_field(Field::kIpv4Dst, hex("0a0b0c0d")) + set_field(Field::kUdpDst, hex("1234")));
}
void push_and_pop_vlan(benchmark::State& state) {
  run_actions(state, push_vlan(0x8100) + set_field(Field::kVlanVid, hex("1005")) + action(Action::kPopVlan));
}
BENCHMARK(route);
BENCHMARK(translate);
BENCHMARK(push_and_pop_vlan);

void action_set(benchmark::State& state) {
  const Bytes actions = set_field(Field::kEthDst, Bytes(6, 2)) + action(Action::kDecNwTtl) + output(3);
  ActionSet set;
  for (auto _ : state) {
    set.clear();
    set.write(actions);
    set.for_each([](const ActionView& action) {
      benchmark::DoNotOptimize(action.at());
      return Verdict::kOk;
    });
  }
}
BENCHMARK(action_set);

}  // namespace
}  // namespace xvif::test

BENCHMARK_MAIN();
