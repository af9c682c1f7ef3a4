// Meters (OpenFlow 1.3.5 section 5.7). A band holds the moment until which its tokens are spoken for: one atomic
// word, shared by all threads, no timer.
//
// Threads: find(), pass() any data plane thread; all else control.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <unordered_map>
#include <vector>

#include "pipeline/counters.h"
#include "pipeline/mods.h"
#include "pipeline/versioned_map.h"
#include "pipeline/versions.h"

namespace xvif {

/// A tick is a fraction of a nanosecond since the meter was made.
struct Band {
  BandMod mod;
  CounterId counter = kNoCounter;
  std::uint64_t burst_ticks = 0;             // how far ahead of now `spoken_for` may be; immutable
  double ticks_per_unit = 0;                 // that one bit or packet takes at the band's rate; immutable
  std::atomic<std::uint64_t> spoken_for{0};  // ticks. any thread: rw
};

struct Meter : Versioned {
  std::uint32_t id = 0;
  std::atomic<Meter*> older{nullptr};  // control: rw, readers: ro
  std::uint16_t flags = 0;
  CounterId counter = kNoCounter;
  std::uint64_t created_ns = 0;
  bool shares_counter = false;  // control; its counter went on to the meter that replaced it
  std::vector<std::unique_ptr<Band>> bands;
};

struct MeterView {
  const Meter& meter;
  std::uint32_t flows;
  CountSum count;
  std::uint64_t duration_ns;
};

class MeterTable {
 public:
  MeterTable(Epoch& epoch, Versions& versions, Counters& counters);
  ~MeterTable();
  MeterTable(const MeterTable&) = delete;
  MeterTable& operator=(const MeterTable&) = delete;

  Meter* find(std::uint32_t id, std::uint64_t version) const { return meters_.find(id, version); }
  /// Counts a packet of `bytes`. The band that applies to it, nullptr: none, it passes unchanged.
  const Band* pass(Meter& meter, std::size_t thread, std::uint32_t bytes, std::uint64_t now_ns);

  /// What pass() would say, without counting and without taking tokens.
  const Band* peek(const Meter& meter, std::uint32_t bytes, std::uint64_t now_ns) const;

  /// Within a batch. Anything but kOk changed nothing. kDelete does not touch flows: see Pipeline::meter_mod.
  Status apply(const MeterMod& mod, std::uint64_t now_ns);

  bool exists(std::uint32_t id) const { return meters_.live(id) != nullptr; }
  void count_reference(std::uint32_t id, int by);
  std::uint32_t references(std::uint32_t id) const;
  std::vector<std::uint32_t> ids() const;
  /// Visits meter `id`, or all for kMeterAll by ascending id from `cursor` (an id), until the visitor returns false.
  /// True when there are no more.
  bool read(std::uint32_t id, std::uint64_t now_ns, std::uint64_t& cursor,
            const std::function<bool(const MeterView&)>& visit) const;
  CountSum count(const Band& band) const { return counters_.read(band.counter); }

 private:
  Status check(const MeterMod& mod) const;
  /// `old`: what it replaces, whose counts go on; bands begin anew (section 6.6).
  Meter* make(const MeterMod& mod, std::uint64_t now_ns, const Meter* old);
  void link(Meter& fresh, Meter* old);
  void remove(Meter& meter);
  void release(Meter* meter);

  static void unlink(void* owner, void* meter);
  static void free_meter(void* owner, void* meter);
  static void undo_link(void* owner, void* fresh, void* old);
  static void undo_remove(void* owner, void* meter, void*);

  Epoch& epoch_;
  Versions& versions_;
  Counters& counters_;
  VersionedMap<Meter> meters_;
  std::map<std::uint32_t, Meter*> live_;                         // control
  std::unordered_map<std::uint32_t, std::uint32_t> references_;  // control; flows
};

}  // namespace xvif
