// ns and time-stamp counter cycles per packet.
#include <benchmark/benchmark.h>
#include <x86intrin.h>

#include "packet/flow_hash.h"
#include "packet/parse.h"
#include "packet/segment.h"
#include "packet/test_frames.h"

namespace xvif::test {
namespace {

/// A batch of packets, as a worker has them: in the cache, each in its own buffer.
class Batch {
 public:
  explicit Batch(const Bytes& frame) {
    for (Packet*& packet : packets) packet = packet_of(pool_, frame);
  }
  ~Batch() {
    for (Packet* packet : packets) packet->release();
  }
  Batch(const Batch&) = delete;
  Batch& operator=(const Batch&) = delete;

  std::array<Packet*, kBatchMax> packets;
  std::array<FlowKey, kBatchMax> keys{};

 private:
  PacketPool pool_{kBatchMax};
};

void run_parse(benchmark::State& state, const Bytes& frame) {
  Batch batch(frame);
  const std::uint64_t start = __rdtsc();
  for (auto _ : state) {
    for (std::size_t i = 0; i < kBatchMax; ++i) parse(*batch.packets[i], batch.keys[i]);
    benchmark::ClobberMemory();
  }
  const double packets = static_cast<double>(state.iterations()) * kBatchMax;
  state.counters["cycles"] = static_cast<double>(__rdtsc() - start) / packets;
  state.SetItemsProcessed(static_cast<std::int64_t>(packets));
}

void parse_udp64(benchmark::State& state) { run_parse(state, macs() + ipv4({}, udp(1, 2, filler(18)))); }
void parse_tcp(benchmark::State& state) { run_parse(state, macs() + ipv4({.proto = 6}, tcp(1, 2, 0x10, filler(100)))); }
void parse_vlan_udp(benchmark::State& state) {
  run_parse(state, macs() + tag(0x8100, 5) + ipv4({}, udp(1, 2, filler(18))));
}
void parse_udp6(benchmark::State& state) { run_parse(state, macs() + ipv6({}, udp(1, 2, filler(18)))); }
void parse_mpls(benchmark::State& state) {
  run_parse(state, macs() + be16(0x8847) + label(1, 0, true, 64) + filler(46));
}
BENCHMARK(parse_udp64);
BENCHMARK(parse_tcp);
BENCHMARK(parse_vlan_udp);
BENCHMARK(parse_udp6);
BENCHMARK(parse_mpls);

void hash_udp(benchmark::State& state) {
  Batch batch(macs() + ipv4({}, udp(1, 2, filler(18))));
  for (std::size_t i = 0; i < kBatchMax; ++i) parse(*batch.packets[i], batch.keys[i]);
  for (auto _ : state) {
    std::uint32_t sum = 0;
    for (const FlowKey& key : batch.keys) sum += flow_hash(key);
    benchmark::DoNotOptimize(sum);
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kBatchMax));
}
BENCHMARK(hash_udp);

void checksum_bytes(benchmark::State& state) {
  const Bytes bytes = filler(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(internet_checksum(bytes));
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(checksum_bytes)->Arg(64)->Arg(1460)->Arg(65536);

void segment_64k(benchmark::State& state) {
  const Bytes frame = macs() + ipv4({.proto = 6}, tcp(1, 2, 0x10, filler(65160)));
  const auto checksum = state.range(0) != 0 ? SegmentChecksum::kComplete : SegmentChecksum::kBlank;
  for (auto _ : state) {
    auto segmenter = Segmenter::make(frame, Gso::kTcpv4, 1448, checksum);
    while (auto piece = segmenter->next()) benchmark::DoNotOptimize(piece->headers.data());
  }
  state.SetBytesProcessed(state.iterations() * 65160);
}
BENCHMARK(segment_64k)->Arg(0)->Arg(1);

}  // namespace
}  // namespace xvif::test

BENCHMARK_MAIN();
