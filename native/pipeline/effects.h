// What actions of flows have to do beyond the packet: flows that learn actions may make and take with them when they
// go, and counts of samples. Kept for the instructions that are in use.
//
// Threads: what InstructionSet::effects points to any data plane thread, all else control.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <utility>
#include <vector>

#include "pipeline/counters.h"
#include "pipeline/flow.h"
#include "pipeline/instructions.h"

namespace xvif {

struct SampleView {
  std::uint32_t collector_set;
  CountSum count;
};

class Effects {
 public:
  /// Flows of one table with one cookie.
  using Family = std::pair<std::uint8_t, std::uint64_t>;

  explicit Effects(Counters& counters) : counters_(counters) {}

  /// Instructions come into use, before a reader sees them. `size`: live flows of a family.
  void bind(InstructionSet& set, const std::function<std::uint64_t(const Family&)>& size);
  /// No reader has them any more.
  void unbind(const InstructionSet& set);

  /// A flow begins (+1) or ceases (-1) to be live.
  void count(const Flow& flow, int by);
  /// Families whose last flow with delete_learned has gone since the last call.
  std::vector<Family> take_orphans();
  /// Whether a flow with delete_learned makes such.
  bool owns(const Family& family) const { return owned_.contains(family); }
  void forget_orphans() { orphans_.clear(); }
  /// A limit is about a family of this table.
  bool limits(std::uint8_t table) const;
  /// Live flows of a family that a limit is about; nullptr when none is.
  const std::atomic<std::uint64_t>* size(const Family& family) const;

  /// By ascending number of the collector set, of those that flows in use name.
  std::vector<SampleView> samples() const;

 private:
  struct Limited {
    std::atomic<std::uint64_t> flows{0};  // control: rw, readers: ro
    std::uint32_t users = 0;
  };
  struct Sampled {
    CounterId counter;
    std::uint32_t users = 0;
  };

  Counters& counters_;
  std::map<Family, Limited> limited_;
  std::map<Family, std::uint32_t> owned_;  // flows with delete_learned
  std::vector<Family> orphans_;
  std::map<std::uint32_t, Sampled> sampled_;  // by collector set
};

}  // namespace xvif
