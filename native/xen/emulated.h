// A hypervisor in this process: domains with memory, grant tables and event channels, with the semantics that
// Xen's have for a network driver (reference: xen/common/grant_table.c, event_channel.c). The same netback runs above
// it and above the kernel's devices.
//
// Speed: a copy takes no lock and does no read-modify-write per segment. A thread marks its copy() as a read section
// (one exchange); revoking a grant or destroying a domain unpublishes first and then waits until every section that
// was open has ended.
//
// Threads: everything is callable from any thread, but copy() by the thread that owns the table.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <span>
#include <vector>

#include "base/ids.h"
#include "xen/hypervisor.h"

namespace xvif::xen {

/// Domain ids from here on have a meaning of their own in Xen (DOMID_FIRST_RESERVED).
inline constexpr std::uint16_t kDomainsMax = 0x7ff0;
/// gnttab_max_frames 64, 512 entries of 8 bytes each.
inline constexpr std::uint32_t kGrantsPerDomain = 32768;
inline constexpr std::uint32_t kGrantsReserved = 8;
inline constexpr std::uint32_t kPagesPerDomain = 32768;
/// max_event_channels of a guest; the backend's domain has more.
inline constexpr std::uint32_t kEvtchnsPerGuest = 1024;
inline constexpr std::uint32_t kEvtchnsOfBackend = 131072;
inline constexpr DomId kBackendDomain{0};

struct Channel;
struct EmulatedState;  // shared by the hypervisor and all it handed out

/// Where event channels are delivered: an eventfd and the list of those pending. Many domains may share one.
class EvtchnSink {
 public:
  EvtchnSink();
  ~EvtchnSink();
  EvtchnSink(const EvtchnSink&) = delete;
  EvtchnSink& operator=(const EvtchnSink&) = delete;

  int fd() const;
  /// Takes the cookies of up to out.size() pending channels and masks these.
  std::size_t take(std::span<std::uint64_t> out);

 private:
  friend class EmulatedDomain;
  friend class EmulatedEvtchns;
  friend struct EmulatedState;
  friend struct Channel;
  struct State;
  std::shared_ptr<State> state_;
};

/// A domain as its own kernel sees it: what a frontend calls. Kept alive by whoever holds it, also after its death;
/// then all calls fail, but its memory stays.
class EmulatedDomain {
 public:
  struct Passkey {};
  EmulatedDomain(Passkey, DomId id, EmulatedState& state);
  ~EmulatedDomain();
  EmulatedDomain(const EmulatedDomain&) = delete;
  EmulatedDomain& operator=(const EmulatedDomain&) = delete;

  DomId id() const { return id_; }
  bool dead() const { return dead_.load(std::memory_order_acquire); }

  /// A zeroed page; nullptr when the domain has no more.
  std::uint8_t* allocate_page();
  void free_page(std::uint8_t* page);

  /// Lets `to` use a page of ours. nullopt when the table is full or the domain is dead.
  std::optional<GrantRef> grant(const std::uint8_t* page, DomId to, bool readonly);
  /// False when it is mapped: the grant stays then. After true nobody reads or writes the page through it any more.
  bool end_access(GrantRef ref);

  /// An unbound channel for `remote` to bind, delivered to `sink` as `cookie`. nullopt: no more ports.
  std::optional<EvtchnPort> alloc_unbound(DomId remote, EvtchnSink& sink, std::uint64_t cookie);
  void close_evtchn(EvtchnPort port);
  void notify(EvtchnPort port);
  void unmask(EvtchnPort port);

 private:
  friend class EmulatedGrants;
  friend class EmulatedHypervisor;
  friend struct EmulatedState;

  struct Entry {
    // permit_access u16 | domid u16 | frame u32. Frontend: rw, under mutex_; copying threads: ro.
    std::atomic<std::uint64_t> word;
    std::uint32_t pins;  // under mutex_: times mapped
    std::uint32_t next;  // under mutex_: free list
  };

  const DomId id_;
  std::shared_ptr<EmulatedState> state_;
  std::atomic<bool> dead_{false};  // hypervisor: wo; all: ro
  std::uint8_t* memory_;           // kPagesPerDomain pages, touched lazily
  Entry* entries_;                 // kGrantsPerDomain, touched lazily
  std::mutex mutex_;               // guards what follows
  std::uint32_t entries_used_ = kGrantsReserved;
  std::uint32_t entries_free_ = 0;  // head of the list, 0: empty
  std::uint32_t granted_ = 0;
  std::uint32_t pages_used_ = 0;
  std::vector<std::uint32_t> pages_free_;
};

/// What is in use, for leak tests.
struct EmulatedUsage {
  std::size_t domains;
  std::size_t grants_granted;
  std::size_t grants_mapped;
  std::size_t evtchns;  // ports in any state but closed, the backend's included
};

class EmulatedHypervisor final : public Hypervisor {
 public:
  EmulatedHypervisor();
  ~EmulatedHypervisor() override;
  EmulatedHypervisor(const EmulatedHypervisor&) = delete;
  EmulatedHypervisor& operator=(const EmulatedHypervisor&) = delete;

  /// False when it exists or the id is not 1..kDomainsMax-1.
  bool create_domain(DomId id);
  /// The domain dies: its channels close, copies fail, pages stay where mapped. Unknown domains are ignored.
  void destroy_domain(DomId id);
  /// nullptr when there is none.
  std::shared_ptr<EmulatedDomain> domain(DomId id);
  EmulatedUsage usage() const;

  std::unique_ptr<GrantTable> open_grants() override;
  std::unique_ptr<EventChannels> open_evtchns() override;

 private:
  std::shared_ptr<EmulatedState> state_;
};

}  // namespace xvif::xen
