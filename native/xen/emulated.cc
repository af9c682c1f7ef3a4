#include "xen/emulated.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <thread>

#include "base/assert.h"
#include "xen/emulated_grants.h"
#include "xen/emulated_state.h"

namespace xvif::xen {
namespace {

/// Address space that costs memory only where touched; zeroed.
void* reserve(std::size_t bytes) {
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  return memory;
}

}  // namespace

EmulatedState::EmulatedState() { tables[raw(kBackendDomain)]; }

void EmulatedState::add_section(CopySection& section) {
  std::lock_guard lock(sections_mutex);
  sections.push_back(&section);
}

void EmulatedState::remove_section(CopySection& section) {
  std::lock_guard lock(sections_mutex);
  std::erase(sections, &section);
}

void EmulatedState::synchronise() {
  std::lock_guard lock(sections_mutex);
  for (const CopySection* section : sections) {
    const std::uint64_t seen = section->sequence.load(std::memory_order_seq_cst);
    if (seen % 2 == 0) continue;
    while (section->sequence.load(std::memory_order_acquire) == seen) std::this_thread::yield();
  }
}

std::shared_ptr<EmulatedDomain> EmulatedState::find(DomId id) {
  std::lock_guard lock(domains_mutex);
  const auto found = domains.find(raw(id));
  return found == domains.end() ? nullptr : found->second;
}

void EmulatedState::destroy(DomId id) {
  std::shared_ptr<EmulatedDomain> domain;
  {
    std::lock_guard lock(domains_mutex);
    const auto found = domains.find(raw(id));
    if (found == domains.end()) return;
    domain = std::move(found->second);
    domains.erase(found);
    published[raw(id)].store(nullptr, std::memory_order_seq_cst);
  }
  {
    std::lock_guard lock(domain->mutex_);
    domain->dead_.store(true, std::memory_order_release);
  }
  close_all(id);
  synchronise();
}

EmulatedHypervisor::EmulatedHypervisor() : state_(std::make_shared<EmulatedState>()) {}

EmulatedHypervisor::~EmulatedHypervisor() {
  std::vector<DomId> ids;
  {
    std::lock_guard lock(state_->domains_mutex);
    for (const auto& [id, domain] : state_->domains) ids.push_back(DomId{id});
  }
  for (const DomId id : ids) state_->destroy(id);
}

bool EmulatedHypervisor::create_domain(DomId id) {
  if (raw(id) == 0 || raw(id) >= kDomainsMax) return false;
  std::lock_guard lock(state_->domains_mutex);
  if (state_->domains.contains(raw(id))) return false;
  auto domain = std::make_shared<EmulatedDomain>(EmulatedDomain::Passkey{}, id, *state_);
  {
    std::unique_lock evtchns(state_->evtchn_mutex);
    state_->tables[raw(id)];
  }
  state_->published[raw(id)].store(domain.get(), std::memory_order_seq_cst);
  state_->domains.emplace(raw(id), std::move(domain));
  return true;
}

void EmulatedHypervisor::destroy_domain(DomId id) { state_->destroy(id); }

std::shared_ptr<EmulatedDomain> EmulatedHypervisor::domain(DomId id) { return state_->find(id); }

EmulatedUsage EmulatedHypervisor::usage() const {
  EmulatedUsage usage{};
  {
    std::lock_guard lock(state_->domains_mutex);
    usage.domains = state_->domains.size();
    for (const auto& [id, domain] : state_->domains) {
      std::lock_guard inner(domain->mutex_);
      usage.grants_granted += domain->granted_;
    }
  }
  usage.grants_mapped = state_->mapped.load();
  usage.evtchns = state_->open_channels();
  return usage;
}

std::unique_ptr<GrantTable> EmulatedHypervisor::open_grants() { return std::make_unique<EmulatedGrants>(state_); }

EmulatedDomain::EmulatedDomain(Passkey, DomId id, EmulatedState& state)
    : id_(id),
      state_(state.shared_from_this()),
      memory_(static_cast<std::uint8_t*>(reserve(std::size_t{kPagesPerDomain} * kPageBytes))),
      entries_(static_cast<Entry*>(reserve(sizeof(Entry) * kGrantsPerDomain))) {}

EmulatedDomain::~EmulatedDomain() {
  munmap(memory_, std::size_t{kPagesPerDomain} * kPageBytes);
  munmap(entries_, sizeof(Entry) * kGrantsPerDomain);
}

std::uint8_t* EmulatedDomain::allocate_page() {
  std::lock_guard lock(mutex_);
  if (dead()) return nullptr;
  std::uint32_t number;
  if (!pages_free_.empty()) {
    number = pages_free_.back();
    pages_free_.pop_back();
    std::memset(memory_ + std::size_t{number} * kPageBytes, 0, kPageBytes);
  } else if (pages_used_ < kPagesPerDomain) {
    number = pages_used_++;
  } else {
    return nullptr;
  }
  return memory_ + std::size_t{number} * kPageBytes;
}

void EmulatedDomain::free_page(std::uint8_t* page) {
  std::lock_guard lock(mutex_);
  pages_free_.push_back(static_cast<std::uint32_t>((page - memory_) / static_cast<std::ptrdiff_t>(kPageBytes)));
}

std::optional<GrantRef> EmulatedDomain::grant(const std::uint8_t* page, DomId to, bool readonly) {
  const auto frame = static_cast<std::uint32_t>((page - memory_) / static_cast<std::ptrdiff_t>(kPageBytes));
  XVIF_ASSERT(frame < kPagesPerDomain);
  std::lock_guard lock(mutex_);
  if (dead()) return std::nullopt;
  std::uint32_t ref;
  if (entries_free_ != 0) {
    ref = entries_free_;
    entries_free_ = entries_[ref].next;
  } else if (entries_used_ < kGrantsPerDomain) {
    ref = entries_used_++;
  } else {
    return std::nullopt;
  }
  ++granted_;
  entries_[ref].word.store(grant_word(frame, to, readonly), std::memory_order_seq_cst);
  return GrantRef{ref};
}

bool EmulatedDomain::end_access(GrantRef ref) {
  {
    std::lock_guard lock(mutex_);
    if (raw(ref) >= kGrantsPerDomain) return false;
    Entry& entry = entries_[raw(ref)];
    if (entry.pins > 0) return false;
    if (entry.word.exchange(0, std::memory_order_seq_cst) == 0) return true;
  }
  state_->synchronise();
  std::lock_guard lock(mutex_);
  entries_[raw(ref)].next = entries_free_;
  entries_free_ = raw(ref);
  --granted_;
  return true;
}

std::optional<EvtchnPort> EmulatedDomain::alloc_unbound(DomId remote, EvtchnSink& sink, std::uint64_t cookie) {
  if (dead()) return std::nullopt;
  return state_->open_channel(id_, remote, sink.state_, cookie);
}
void EmulatedDomain::close_evtchn(EvtchnPort port) {
  if (!dead()) state_->close_channel(id_, port);
}
void EmulatedDomain::notify(EvtchnPort port) {
  if (!dead()) state_->notify(id_, port);
}
void EmulatedDomain::unmask(EvtchnPort port) {
  if (!dead()) state_->unmask(id_, port);
}

}  // namespace xvif::xen
