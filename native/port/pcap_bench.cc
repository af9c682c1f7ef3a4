// ns per frame that a pcap port replays in a loop.
#include <benchmark/benchmark.h>
#include <unistd.h>

#include <cstdio>

#include "packet/test_frames.h"
#include "port/pcap_file.h"
#include "port/pcap_port.h"

namespace xvif::test {
namespace {

void replay(benchmark::State& state) {
  const std::string path = "/tmp/xvif-bench-" + std::to_string(getpid()) + ".pcap";
  std::string error;
  auto writer = PcapWriter::create(path, error);
  for (unsigned i = 0; i < state.range(0); ++i)
    writer->write(macs() + ipv4({.source = be32(i)}, udp(1, 2, filler(18))));
  writer.reset();
  const auto port = open_pcap_port({.input = path, .loop = true}, {}, error);
  std::remove(path.c_str());
  PacketPool pool;
  std::array<Packet*, kBatchMax> out;
  for (auto _ : state) {
    const std::size_t n = port->queues()[0]->receive(pool, out);
    for (std::size_t i = 0; i < n; ++i) out[i]->release();
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kBatchMax));
  port->close();
}
BENCHMARK(replay)->Arg(1000)->Arg(100000);

}  // namespace
}  // namespace xvif::test

BENCHMARK_MAIN();
