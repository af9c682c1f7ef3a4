// Guest to guest through two vifs on one worker, without a pipeline between them: what netback itself costs.
// In single-threaded runs the guests' work is left out of the time; in threaded runs another thread is the guests.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstring>
#include <thread>
#include <vector>

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

#include "netback/tcp_frame.h"
#include "netback/vif_rig.h"

namespace xvif::netback {
namespace {

std::uint64_t cycles() {
#if defined(__x86_64__)
  return __rdtsc();
#else
  return 0;
#endif
}

class Sink final : public netfront::RxHandler {
 public:
  void on_frame(const netfront::RxFrame& frame) override { bytes += frame.size; }
  std::uint64_t bytes = 0;
};

/// The lower quartile of what each round took: other load on the machine does not enter it.
class Rounds {
 public:
  void add(std::uint64_t cycles_spent, std::size_t packets) {
    if (packets > 0) per_packet_.push_back(static_cast<double>(cycles_spent) / static_cast<double>(packets));
  }
  double quartile() {
    if (per_packet_.empty()) return 0;
    const auto at = per_packet_.begin() + static_cast<std::ptrdiff_t>(per_packet_.size() / 4);
    std::nth_element(per_packet_.begin(), at, per_packet_.end());
    return *at;
  }

 private:
  std::vector<double> per_packet_;
};

/// As VifRig::forward, without parsing.
std::size_t forward(VifRig& rig, RigGuest& from, RigGuest& to) {
  std::array<Packet*, kBatchMax> batch;
  PortQueue& queue = *from.port->queues()[0];
  const std::size_t count = queue.receive(rig.pool, batch);
  const auto packets = std::span<Packet* const>(batch).first(count);
  if (count > 0) to.port->transmit(0, packets);
  for (Packet* packet : packets) packet->release();
  queue.flush();
  return count;
}

/// state.range(0): frame size.
void GuestToGuest(benchmark::State& state) {
  VifRig rig;
  auto from = rig.guest(1), to = rig.guest(2);
  const auto size = static_cast<std::size_t>(state.range(0));
  const bool gso = size > 1514;
  const auto frame = gso ? l4_frame(false, true, size - 54, true) : plain_frame(size);
  netfront::TxMeta meta{.tag = 1};
  if (gso) meta = {.csum_blank = true, .gso_size = 1448, .gso_type = 1, .tag = 1};
  Sink sink;
  std::uint64_t packets = 0;
  Rounds rounds;
  for (auto _ : state) {
    for (std::size_t i = 0; i < kBatchMax && send(from->queue(), frame, meta); ++i) {
    }
    from->queue().push_tx();
    const std::uint64_t start = cycles();
    std::size_t crossed = 0;
    while (const std::size_t count = forward(rig, *from, *to)) crossed += count;
    const std::uint64_t took = cycles() - start;
    rounds.add(took, crossed);
    packets += crossed;
    state.SetIterationTime(static_cast<double>(took) / 1e9);  // the counters are what counts
    from->queue().reap_tx();
    to->queue().receive(sink, xen::kRingSlots);
  }
  state.counters["cycles/packet"] = rounds.quartile();
  state.counters["bytes/cycle"] = static_cast<double>(size) / rounds.quartile();
  state.counters["received"] = static_cast<double>(sink.bytes) / static_cast<double>(packets * size);
}
BENCHMARK(GuestToGuest)->Arg(64)->Arg(256)->Arg(1514)->Arg(9014)->Arg(65000)->UseManualTime();

/// The same with the guests on another core: the lines move between caches, as they will.
void GuestToGuestOtherCore(benchmark::State& state) {
  VifRig rig;
  auto from = rig.guest(1), to = rig.guest(2);
  const auto size = static_cast<std::size_t>(state.range(0));
  const bool gso = size > 1514;
  const auto frame = gso ? l4_frame(false, true, size - 54, true) : plain_frame(size);
  netfront::TxMeta meta{.tag = 1};
  if (gso) meta = {.csum_blank = true, .gso_size = 1448, .gso_type = 1, .tag = 1};
  std::atomic<bool> stop{false};
  std::thread guests([&] {
    Sink sink;
    while (!stop.load(std::memory_order_relaxed)) {
      from->queue().reap_tx();
      while (send(from->queue(), frame, meta)) {
      }
      from->queue().push_tx();
      to->queue().receive(sink, 64);
    }
  });
  std::uint64_t packets = 0;
  Rounds rounds;
  for (auto _ : state) {
    const std::uint64_t start = cycles();
    const std::size_t count = forward(rig, *from, *to);
    rounds.add(cycles() - start, count);
    packets += count;
  }
  stop = true;
  guests.join();
  state.SetItemsProcessed(static_cast<std::int64_t>(packets));
  state.counters["cycles/packet"] = rounds.quartile();
  state.counters["lost"] = static_cast<double>(to->tx_dropped(Drop::kBacklogFull)) / static_cast<double>(packets);
}
BENCHMARK(GuestToGuestOtherCore)->Arg(64)->Arg(1514)->Arg(65000)->UseRealTime();

/// What memcpy does with the same pages, all buffers of both rings in turn: the bound for large frames.
void MemcpyOfPages(benchmark::State& state) {
  VifRig rig;
  auto from = rig.guest(1), to = rig.guest(2);
  Rounds rounds;
  std::size_t bytes = xen::kPageBytes;
  for (std::size_t i = 0; i < xen::kRingSlots; ++i) {  // else they all are the kernel's one page of zeroes
    std::memset(from->queue().tx_buffer(i), 1, bytes);
  }
  for (auto _ : state) {
    benchmark::DoNotOptimize(bytes);  // a length known at compile time would be another memcpy
    const std::uint64_t start = cycles();
    for (std::size_t i = 0; i < xen::kRingSlots; ++i) {
      std::memcpy(to->queue().rx_buffer(i), from->queue().tx_buffer(i), bytes);
    }
    rounds.add(cycles() - start, xen::kRingSlots);
  }
  state.counters["bytes/cycle"] = static_cast<double>(xen::kPageBytes) / rounds.quartile();
}
BENCHMARK(MemcpyOfPages);

/// One grant copy operation of 64 bytes, in batches of 32.
void GrantCopy(benchmark::State& state) {
  VifRig rig;
  auto guest = rig.guest(1);
  std::array<std::uint8_t, 64 * kBatchMax> local;
  std::array<xen::CopySegment, kBatchMax> segments;
  for (std::size_t i = 0; i < segments.size(); ++i) {
    segments[i] = {{nullptr, guest->queue().tx_buffer_ref(i), DomId{1}, 0},
                   {&local[i * 64], GrantRef{0}, DomId{0}, 0},
                   64,
                   xen::GrantStatus::kOkay};
  }
  for (auto _ : state) rig.threads[0]->grants().copy(segments);
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(segments.size()));
}
BENCHMARK(GrantCopy);

}  // namespace
}  // namespace xvif::netback

BENCHMARK_MAIN();
