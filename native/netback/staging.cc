#include "netback/staging.h"

#include <sys/random.h>

#include <mutex>
#include <utility>

#include "base/assert.h"

namespace xvif::netback {
namespace {

std::uint64_t random_odd() {
  std::uint64_t value = 0;
  XVIF_ASSERT(getrandom(&value, sizeof value, 0) == sizeof value);
  return value | 1;
}

}  // namespace

StagingTable::StagingTable() : secret_(random_odd()) {}

/// Where the reference is, or the empty slot where it would be. There always is one.
std::size_t StagingTable::place(GrantRef ref) const {
  std::size_t at = static_cast<std::size_t>(raw(ref) * secret_ >> (64 - kSlotBits));
  while (slots_[at].page != nullptr && slots_[at].ref != ref) at = (at + 1) % kSlots;
  return at;
}

void StagingTable::add(StagedPages pages) {
  std::lock_guard tx(tx_lock_), rx(rx_lock_);
  XVIF_ASSERT(pages_.size() + pages.size() <= kStagedPagesMax);
  slots_.resize(kSlots);
  for (auto& page : pages) {
    page->index = pages_.size();
    slots_[place(page->ref)] = {page->ref, page.get()};
    pages_.push_back(std::move(page));
  }
  used_.store(!pages_.empty(), std::memory_order_relaxed);
}

/// Empties a slot and moves what comes behind it forward, as far as it may go.
void StagingTable::erase(std::size_t hole) {
  slots_[hole] = {};
  for (std::size_t at = (hole + 1) % kSlots; slots_[at].page != nullptr; at = (at + 1) % kSlots) {
    const Slot moved = slots_[at];
    slots_[at] = {};
    slots_[place(moved.ref)] = moved;
  }
}

StagedPages StagingTable::remove(std::span<const GrantRef> refs) {
  StagedPages removed;
  removed.reserve(refs.size());
  std::lock_guard tx(tx_lock_), rx(rx_lock_);
  for (const GrantRef ref : refs) {
    const StagedPage* const page = find(ref);
    if (page == nullptr) {
      removed.push_back(nullptr);
      continue;
    }
    erase(place(ref));
    const std::size_t index = page->index;
    removed.push_back(std::move(pages_[index]));
    pages_[index] = std::move(pages_.back());
    if (pages_[index] != nullptr) pages_[index]->index = index;
    pages_.pop_back();
  }
  used_.store(!pages_.empty(), std::memory_order_relaxed);
  return removed;
}

StagedPages StagingTable::remove_all() {
  std::lock_guard tx(tx_lock_), rx(rx_lock_);
  slots_.clear();
  used_.store(false, std::memory_order_relaxed);
  return std::exchange(pages_, {});
}

}  // namespace xvif::netback
