// What netback needs of a hypervisor. Two implementations: the emulated one (emulated.h), and the kernel's
// /dev/xen/gntdev and /dev/xen/evtchn. Neither side's failures are exceptions: a guest can cause most of them.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "base/ids.h"

namespace xvif::xen {

inline constexpr std::size_t kPageBytes = 4096;

/// GNTST_* of xen/public/grant_table.h.
enum class GrantStatus : std::int16_t {
  kOkay = 0,
  kGeneralError = -1,
  kBadDomain = -2,
  kBadGrantRef = -3,
  kBadHandle = -4,
  kBadVirtAddr = -5,
  kNoDeviceSpace = -7,
  kPermissionDenied = -8,
  kBadPage = -9,
  kBadCopyArg = -10,
  kAddressTooBig = -11,
  kEagain = -12,
};

/// One end of a copy: local memory, or an offset in a page granted by `domid`. Granted ends may not cross the page;
/// local ones may. At least one end is granted.
struct CopyEnd {
  void* local;  // nullptr: granted
  GrantRef ref;
  DomId domid;
  std::uint16_t offset;
};
struct CopySegment {
  CopyEnd source;
  CopyEnd dest;
  std::uint16_t length;
  GrantStatus status;  // out
};

/// Pages other domains granted to us. One per thread, as one gntdev fd per thread avoids its lock; copy() may be
/// called by the owning thread only. Mapping and unmapping lock inside and may be called by any thread: the control
/// thread does it for rings, the worker of a control ring for staging grants.
class GrantTable {
 public:
  virtual ~GrantTable() = default;
  /// Maps one granted page for reading and writing; nullptr when the grant does not allow it.
  virtual void* map(DomId domid, GrantRef ref) = 0;
  /// As map(), for reading only; grants that allow writing will do too. nullptr also where it cannot be done.
  virtual void* map_readonly(DomId, GrantRef) { return nullptr; }
  /// `page` came from map() or map_readonly() of this table and is not used any more.
  virtual void unmap(void* page) = 0;
  /// Carries out all segments, each on its own; the status of every one is set.
  virtual void copy(std::span<CopySegment> segments) = 0;
  /// Control thread, before the first copy: the domain we are in. Copies may be faster from then on.
  virtual void set_own_domid(DomId) {}
};

/// Event channels bound by one thread, as one /dev/xen/evtchn fd.
class EventChannels {
 public:
  virtual ~EventChannels() = default;
  /// Readable when a bound, unmasked channel is pending.
  virtual int fd() const = 0;
  /// Binds to the other domain's unbound port, delivering here. Any thread. nullopt: no such port, or taken.
  virtual std::optional<EvtchnPort> bind_interdomain(DomId domid, EvtchnPort remote) = 0;
  virtual void unbind(EvtchnPort port) = 0;
  /// Any thread.
  virtual void notify(EvtchnPort port) = 0;
  /// Takes up to ports.size() pending channels and masks them. `overflow` is set when events were lost: the caller
  /// must look at every ring.
  virtual std::size_t take(std::span<EvtchnPort> ports, bool& overflow) = 0;
  /// The work of these channels is done: they may fire again.
  virtual void unmask(std::span<const EvtchnPort> ports) = 0;
};

class Hypervisor {
 public:
  virtual ~Hypervisor() = default;
  virtual std::unique_ptr<GrantTable> open_grants() = 0;
  virtual std::unique_ptr<EventChannels> open_evtchns() = 0;
};

}  // namespace xvif::xen
