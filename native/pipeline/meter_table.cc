#include "pipeline/meter_table.h"

#include <algorithm>
#include <optional>

#include "base/assert.h"

namespace xvif {
namespace {

/// OFPM_SLOWPATH: nothing passes it, as there is no slow path.
constexpr std::uint32_t kMeterSlowpath = 0xfffffffd;

/// Bits below one nanosecond, for rates whose packets take less. 2^58 ns are nine years of one meter.
constexpr unsigned kTickShift = 6;
constexpr double kTicksPerSecond = 1e9 * (1u << kTickShift);
/// Longest time a band's burst may cover; a year, so that sums stay in 64 bits.
constexpr double kBurstTicksMax = 3.2e7 * kTicksPerSecond;

bool has(std::uint16_t flags, MeterFlag flag) { return (flags & static_cast<unsigned>(flag)) != 0; }

std::unique_ptr<Band> make_band(const BandMod& mod, std::uint16_t flags, CounterId counter) {
  auto band = std::make_unique<Band>();
  band->mod = mod;
  band->counter = counter;
  // Bits or packets per second; kilobits are 1000 bits. Without a burst size a band holds one second of its rate.
  const double unit = has(flags, MeterFlag::kPktps) ? 1 : 1000;
  const double burst = has(flags, MeterFlag::kBurst) ? mod.burst : mod.rate;
  band->ticks_per_unit = mod.rate == 0 ? 0 : kTicksPerSecond / (mod.rate * unit);
  band->burst_ticks = static_cast<std::uint64_t>(std::min(burst * unit * band->ticks_per_unit, kBurstTicksMax));
  return band;
}

std::uint64_t cost(const Band& band, std::uint32_t units) {
  return static_cast<std::uint64_t>(units * band.ticks_per_unit);
}

/// Until when tokens are spoken for after `units` more; nullopt when there are not as many.
std::optional<std::uint64_t> after(const Band& band, std::uint64_t spoken_for, std::uint64_t cost,
                                   std::uint64_t now_ticks) {
  // What lies before now minus the burst has expired.
  const std::uint64_t end = std::max(spoken_for, now_ticks) + cost;
  if (band.mod.rate == 0 || end > now_ticks + band.burst_ticks) return std::nullopt;
  return end;
}

/// Takes `units` tokens; false when there are not as many.
bool take(Band& band, std::uint32_t units, std::uint64_t now_ticks) {
  std::uint64_t seen = band.spoken_for.load(std::memory_order_relaxed);
  for (;;) {
    const std::optional<std::uint64_t> end = after(band, seen, cost(band, units), now_ticks);
    if (!end) return false;
    if (band.spoken_for.compare_exchange_weak(seen, *end, std::memory_order_relaxed)) return true;
  }
}

/// The band of the highest rate of those that do not let `units` tokens pass.
template <typename Meter, typename Passes>
const Band* applying(Meter& meter, std::uint32_t bytes, std::uint64_t now_ns, Passes&& passes) {
  const std::uint64_t age = now_ns > meter.created_ns ? now_ns - meter.created_ns : 0;
  const std::uint32_t units = has(meter.flags, MeterFlag::kPktps) ? 1 : bytes * 8;
  const Band* applies = nullptr;
  for (const auto& band : meter.bands) {
    if (passes(*band, units, age << kTickShift)) continue;
    if (applies == nullptr || band->mod.rate > applies->mod.rate) applies = band.get();
  }
  return applies;
}

}  // namespace

MeterTable::MeterTable(Epoch& epoch, Versions& versions, Counters& counters)
    : epoch_(epoch), versions_(versions), counters_(counters), meters_(epoch) {}

MeterTable::~MeterTable() {
  for (auto& [id, meter] : live_) release(meter);
}

const Band* MeterTable::pass(Meter& meter, std::size_t thread, std::uint32_t bytes, std::uint64_t now_ns) {
  counters_.add(thread, meter.counter, 1, bytes, now_ns);
  const Band* const applies = applying(meter, bytes, now_ns, take);
  if (applies != nullptr) counters_.add(thread, applies->counter, 1, bytes, now_ns);
  return applies;
}

const Band* MeterTable::peek(const Meter& meter, std::uint32_t bytes, std::uint64_t now_ns) const {
  return applying(meter, bytes, now_ns, [](const Band& band, std::uint32_t units, std::uint64_t now_ticks) {
    return after(band, band.spoken_for.load(std::memory_order_relaxed), cost(band, units), now_ticks).has_value();
  });
}

Status MeterTable::check(const MeterMod& mod) const {
  const bool legal = (mod.meter != kNoMeter && mod.meter <= kMeterIdMax) || mod.meter == kMeterController ||
                     mod.meter == kMeterSlowpath;
  if (!legal) return Status::kBadMeter;
  const bool exists = live_.contains(mod.meter);
  if (mod.command == ModCommand::kModify && !exists) return Status::kUnknownMeter;
  if (mod.command == ModCommand::kAdd && exists) return Status::kMeterExists;
  if (!exists && live_.size() >= kMetersMax) return Status::kOutOfMeters;
  if (mod.bands.size() > kBandsMax) return Status::kMeterFull;
  const auto known = [](const BandMod& band) {
    return band.type == static_cast<unsigned>(MeterBandType::kDrop) ||
           band.type == static_cast<unsigned>(MeterBandType::kDscpRemark);
  };
  return std::all_of(mod.bands.begin(), mod.bands.end(), known) ? Status::kOk : Status::kBadMeter;
}

Meter* MeterTable::make(const MeterMod& mod, std::uint64_t now_ns, const Meter* old) {
  auto meter = std::make_unique<Meter>();
  meter->id = mod.meter;
  meter->flags = mod.flags;
  meter->created_ns = old == nullptr ? now_ns : old->created_ns;
  meter->counter = old == nullptr ? counters_.allocate() : old->counter;
  bool full = meter->counter == kNoCounter;
  for (const BandMod& band : mod.bands) {
    meter->bands.push_back(make_band(band, mod.flags, counters_.allocate()));
    full |= meter->bands.back()->counter == kNoCounter;
  }
  if (!full) return meter.release();
  meter->shares_counter = old != nullptr;
  release(meter.release());
  return nullptr;
}

void MeterTable::release(Meter* meter) {
  for (const auto& band : meter->bands) {
    if (band->counter != kNoCounter) counters_.release(band->counter);
  }
  if (meter->counter != kNoCounter && !meter->shares_counter) counters_.release(meter->counter);
  delete meter;
}

Status MeterTable::apply(const MeterMod& mod, std::uint64_t now_ns) {
  if (mod.command == ModCommand::kDelete) {
    const auto at = live_.find(mod.meter);
    if (at != live_.end()) remove(*at->second);
    return Status::kOk;
  }
  if (mod.command != ModCommand::kAdd && mod.command != ModCommand::kModify) return Status::kMalformed;
  if (const Status status = check(mod); status != Status::kOk) return status;
  const auto at = live_.find(mod.meter);
  Meter* const old = at == live_.end() ? nullptr : at->second;
  Meter* const fresh = make(mod, now_ns, old);
  if (fresh == nullptr) return Status::kNoMemory;
  link(*fresh, old);
  return Status::kOk;
}

void MeterTable::link(Meter& fresh, Meter* old) {
  const std::uint64_t version = versions_.working();
  fresh.added.store(version, std::memory_order_relaxed);
  meters_.link(fresh);
  live_[fresh.id] = &fresh;
  versions_.on_rollback(undo_link, this, &fresh, old);
  if (old == nullptr) return;
  old->shares_counter = true;
  old->removed.store(version, std::memory_order_relaxed);
  versions_.after_publication(unlink, this, old);
}

void MeterTable::remove(Meter& meter) {
  meter.removed.store(versions_.working(), std::memory_order_relaxed);
  live_.erase(meter.id);
  versions_.on_rollback(undo_remove, this, &meter);
  versions_.after_publication(unlink, this, &meter);
}

void MeterTable::unlink(void* owner, void* meter) {
  auto& self = *static_cast<MeterTable*>(owner);
  self.meters_.unlink(*static_cast<Meter*>(meter));
  self.epoch_.retire(free_meter, owner, meter);
}

void MeterTable::free_meter(void* owner, void* meter) {
  static_cast<MeterTable*>(owner)->release(static_cast<Meter*>(meter));
}

void MeterTable::undo_link(void* owner, void* fresh, void* old) {
  auto& self = *static_cast<MeterTable*>(owner);
  auto& gone = *static_cast<Meter*>(fresh);
  gone.removed.store(0, std::memory_order_relaxed);
  self.live_.erase(gone.id);
  if (old != nullptr) {
    auto& back = *static_cast<Meter*>(old);
    back.shares_counter = false;
    gone.shares_counter = true;
    back.removed.store(Versioned::kNever, std::memory_order_relaxed);
    self.live_[back.id] = &back;
  }
  unlink(owner, fresh);
}

void MeterTable::undo_remove(void* owner, void* meter, void*) {
  auto& back = *static_cast<Meter*>(meter);
  back.removed.store(Versioned::kNever, std::memory_order_relaxed);
  static_cast<MeterTable*>(owner)->live_[back.id] = &back;
}

void MeterTable::count_reference(std::uint32_t id, int by) {
  const auto at = references_.try_emplace(id, 0).first;
  at->second += static_cast<std::uint32_t>(by);
  if (at->second == 0) references_.erase(at);
}

std::uint32_t MeterTable::references(std::uint32_t id) const {
  const auto at = references_.find(id);
  return at == references_.end() ? 0 : at->second;
}

std::vector<std::uint32_t> MeterTable::ids() const {
  std::vector<std::uint32_t> ids;
  for (const auto& [id, meter] : live_) ids.push_back(id);
  return ids;
}

bool MeterTable::read(std::uint32_t id, std::uint64_t now_ns, std::uint64_t& cursor,
                      const std::function<bool(const MeterView&)>& visit) const {
  const bool all = id == kMeterAll;
  for (auto at = live_.lower_bound(all ? static_cast<std::uint32_t>(cursor) : id); at != live_.end(); ++at) {
    if (!all && at->first != id) break;
    const Meter& meter = *at->second;
    const MeterView view{meter, references(at->first), counters_.read(meter.counter), now_ns - meter.created_ns};
    if (visit(view)) continue;
    cursor = at->first;
    return false;
  }
  return true;
}

}  // namespace xvif
