#include "base/epoch.h"

#include <algorithm>
#include <thread>

namespace xvif {

Epoch::~Epoch() { drain(); }

void Epoch::online(std::size_t reader) {
  std::atomic<std::uint64_t>& seen = readers_[reader].seen;
  // Either our store is before the writer's increment in the single order, so the writer sees us; or we read the
  // incremented value and with it everything the writer unlinked before.
  std::uint64_t now;
  do {
    now = now_.load(std::memory_order_seq_cst);
    seen.store(now, std::memory_order_seq_cst);
  } while (now_.load(std::memory_order_seq_cst) != now);
}

void Epoch::retire(Action action, void* owner, void* object) {
  retired_.push_back({now_.load(std::memory_order_relaxed), action, owner, object});
}

std::uint64_t Epoch::oldest() const {
  std::uint64_t oldest = kOffline;
  for (const Reader& reader : readers_) oldest = std::min(oldest, reader.seen.load(std::memory_order_seq_cst));
  return oldest;
}

void Epoch::retire_first(Action action, void* owner, void* object) {
  first_.push_back({now_.load(std::memory_order_relaxed), action, owner, object});
}

std::size_t Epoch::reclaim(std::size_t limit) {
  if (pending() == 0) return 0;
  const std::uint64_t now = now_.load(std::memory_order_relaxed);
  const auto is_last = [now](const std::deque<Retired>& list) { return !list.empty() && list.back().epoch == now; };
  if (is_last(first_) || is_last(retired_)) now_.fetch_add(1, std::memory_order_seq_cst);
  const std::uint64_t oldest_seen = oldest();
  // What an action retires carries the current epoch, which no online reader has passed: the loops end.
  const std::uint64_t due = std::min(oldest_seen, now_.load(std::memory_order_relaxed));
  return run(first_, due, ~std::size_t{0}) + run(retired_, due, limit);
}

std::size_t Epoch::run(std::deque<Retired>& list, std::uint64_t due, std::size_t limit) {
  std::size_t ran = 0;
  while (ran < limit && !list.empty() && list.front().epoch < due) {
    const Retired next = list.front();
    list.pop_front();
    next.action(next.owner, next.object);
    ++ran;
  }
  return ran;
}

void Epoch::synchronize() {
  const std::uint64_t target = now_.fetch_add(1, std::memory_order_seq_cst) + 1;
  while (oldest() < target) std::this_thread::yield();
}

void Epoch::drain() {
  while (pending() > 0) {
    synchronize();
    reclaim();
  }
}

}  // namespace xvif
