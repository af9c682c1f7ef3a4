#include "xen/emulated_grants.h"

#include <algorithm>

#include "base/assert.h"
#include "xen/guest_memory.h"

namespace xvif::xen {

EmulatedGrants::EmulatedGrants(std::shared_ptr<EmulatedState> state) : state_(std::move(state)) {
  state_->add_section(section_);
}

EmulatedGrants::~EmulatedGrants() {
  for (const Mapping& mapping : mappings_) release(mapping);
  state_->remove_section(section_);
}

void* EmulatedGrants::map_page(DomId domid, GrantRef ref, bool readonly) {
  std::shared_ptr<EmulatedDomain> domain = state_->find(domid);
  if (!domain || raw(ref) >= kGrantsPerDomain) return nullptr;
  void* page;
  {
    std::lock_guard lock(domain->mutex_);
    EmulatedDomain::Entry& entry = domain->entries_[raw(ref)];
    const std::uint64_t word = entry.word.load(std::memory_order_relaxed);
    const auto allows = [&](bool as) { return (word & 0xffff'ffffu) == grant_word(0, kBackendDomain, as); };
    if (domain->dead() || !(allows(false) || (readonly && allows(true)))) {
      return nullptr;
    }
    ++entry.pins;
    page = domain->memory_ + (word >> 32) * kPageBytes;
  }
  state_->mapped.fetch_add(1);
  std::lock_guard lock(mutex_);
  mappings_.push_back({page, ref, std::move(domain)});
  return page;
}

void EmulatedGrants::unmap(void* page) {
  Mapping mapping;
  {
    std::lock_guard lock(mutex_);
    const auto found =
        std::find_if(mappings_.begin(), mappings_.end(), [&](const Mapping& m) { return m.page == page; });
    XVIF_ASSERT(found != mappings_.end());
    mapping = std::move(*found);
    mappings_.erase(found);
  }
  release(mapping);
}

void EmulatedGrants::release(const Mapping& mapping) {
  state_->mapped.fetch_sub(1);
  std::lock_guard lock(mapping.domain->mutex_);
  --mapping.domain->entries_[raw(mapping.ref)].pins;
}

inline GrantStatus EmulatedGrants::resolve(const CopyEnd& end, std::uint32_t length, bool write,
                                           std::uint8_t*& at) const {
  if (end.local != nullptr) {
    at = static_cast<std::uint8_t*>(end.local);
    return GrantStatus::kOkay;
  }
  if (raw(end.domid) >= kDomainsMax) return GrantStatus::kBadDomain;
  // seq_cst: ordered after the opening of the section (see synchronise); a plain load on x86.
  const EmulatedDomain* domain = state_->published[raw(end.domid)].load(std::memory_order_seq_cst);
  if (domain == nullptr) [[unlikely]]
    return GrantStatus::kBadDomain;
  if (raw(end.ref) >= kGrantsPerDomain) [[unlikely]]
    return GrantStatus::kBadGrantRef;
  if (end.offset + length > kPageBytes) [[unlikely]]
    return GrantStatus::kBadCopyArg;
  const std::uint64_t word = domain->entries_[raw(end.ref)].word.load(std::memory_order_seq_cst);
  constexpr std::uint64_t kAccess = kPermitAccess | std::uint64_t{raw(kBackendDomain)} << 16;
  const std::uint64_t checked = write ? 0xffff'ffffu : 0xffff'ffffu & ~kReadonly;
  if ((word & checked) != kAccess) [[unlikely]]
    return GrantStatus::kGeneralError;
  at = domain->memory_ + (word >> 32) * kPageBytes + end.offset;
  return GrantStatus::kOkay;
}

void EmulatedGrants::copy(std::span<CopySegment> segments) {
  // Addresses of a block are looked up and fetched ahead, as the lines are most often in another core's cache.
  constexpr std::size_t kBlock = 16;
  std::uint8_t* from[kBlock];
  std::uint8_t* to[kBlock];
  const std::uint64_t sequence = section_.sequence.load(std::memory_order_relaxed);
  section_.sequence.exchange(sequence + 1, std::memory_order_seq_cst);
  for (std::size_t start = 0; start < segments.size(); start += kBlock) {
    const std::size_t count = std::min(kBlock, segments.size() - start);
    for (std::size_t i = 0; i < count; ++i) {
      CopySegment& segment = segments[start + i];
      const bool both_local = segment.source.local != nullptr && segment.dest.local != nullptr;
      segment.status = both_local ? GrantStatus::kBadCopyArg : resolve(segment.source, segment.length, false, from[i]);
      if (segment.status != GrantStatus::kOkay) [[unlikely]]
        continue;
      segment.status = resolve(segment.dest, segment.length, true, to[i]);
      if (segment.status != GrantStatus::kOkay) [[unlikely]]
        continue;
      __builtin_prefetch(from[i]);
      __builtin_prefetch(to[i], 1);
    }
    for (std::size_t i = 0; i < count; ++i) {
      const CopySegment& segment = segments[start + i];
      if (segment.status == GrantStatus::kOkay) [[likely]]
        copy_shared(to[i], from[i], segment.length);
    }
  }
  section_.sequence.store(sequence + 2, std::memory_order_release);
}

}  // namespace xvif::xen
