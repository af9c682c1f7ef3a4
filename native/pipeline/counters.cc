#include "pipeline/counters.h"

#include <sys/mman.h>

#include <algorithm>

namespace xvif {

Counters::Counters(std::size_t threads) : threads_(threads) {
  for (Thread& thread : threads_) thread.fill(nullptr);
}

Counters::~Counters() {
  for (Thread& thread : threads_) {
    for (std::size_t i = 0; i < chunks_; ++i) munmap(thread[i], kChunk * sizeof(Count));
  }
}

bool Counters::grow() {
  if (chunks_ == kChunks) return false;
  for (std::size_t t = 0; t < threads_.size(); ++t) {
    // Zero bytes are zero counts; no page exists before it is written.
    void* const memory = mmap(nullptr, kChunk * sizeof(Count), PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) {
      while (t-- > 0) munmap(threads_[t][chunks_], kChunk * sizeof(Count));
      return false;
    }
    threads_[t][chunks_] = static_cast<Count*>(memory);
  }
  const auto first = static_cast<CounterId>(chunks_++ * kChunk);
  for (CounterId id = first + static_cast<CounterId>(kChunk); id-- > first;) free_.push_back(id);
  return true;
}

CounterId Counters::allocate() {
  if (free_.empty() && !grow()) return kNoCounter;
  const CounterId id = free_.back();
  free_.pop_back();
  return id;
}

void Counters::release(CounterId id) {
  for (std::size_t thread = 0; thread < threads_.size(); ++thread) {
    Count& count = *at(thread, id);
    if (count.used_ns.load(std::memory_order_relaxed) == 0) continue;
    count.packets.store(0, std::memory_order_relaxed);
    count.bytes.store(0, std::memory_order_relaxed);
    count.used_ns.store(0, std::memory_order_relaxed);
  }
  free_.push_back(id);
}

CountSum Counters::read(CounterId id) const {
  CountSum sum;
  for (const Thread& thread : threads_) {
    const Count& count = thread[id / kChunk][id % kChunk];
    sum.packets += count.packets.load(std::memory_order_relaxed);
    sum.bytes += count.bytes.load(std::memory_order_relaxed);
    sum.used_ns = std::max(sum.used_ns, count.used_ns.load(std::memory_order_relaxed));
  }
  return sum;
}

}  // namespace xvif
