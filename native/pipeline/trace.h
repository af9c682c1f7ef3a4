// What a traced packet meets on its way through the tables.
//
// A trace runs on the control thread, in a ThreadContext of its own, through the very code that data plane threads run.
// Where that would count, learn, take tokens, tell a controller or send, it tells a TraceSink instead. Other threads
// ask one pointer, which is null, for each table, each list of actions and each output.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "actions/iterate.h"
#include "base/ids.h"
#include "base/schema.gen.h"
#include "packet/flow_key.h"

namespace xvif {

struct Band;
struct Bucket;
struct Flow;
struct Group;
struct LearnedFlow;

/// Called in the order of what happens. `depth`: of resubmits, clones, buckets and egress tables within each other; a
/// step without one belongs to the action, or else the table, before it. What is referred to is good during the call.
class TraceSink {
 public:
  struct TableStep {
    unsigned depth;
    std::size_t table;
    bool egress;
    const Flow* flow;    // nullptr: none matched
    const FlowKey& key;  // as it was looked up
  };
  struct BucketState {
    bool live;
    bool chosen;
  };
  struct PacketInStep {
    PacketInReason reason;
    std::uint8_t table;
    std::uint16_t controller;
    std::uint16_t max_len;
  };

  /// The packet enters the tables; what it brings along may be written to the key.
  virtual void begin(FlowKey& key) = 0;
  virtual void table(const TableStep& step) = 0;
  virtual void action(unsigned depth, const ActionView& action) = 0;
  /// Of the action before it of this depth, when it is done; not of those that tell what they lead to.
  virtual void changes(unsigned depth, const FlowKey& before, const FlowKey& after) = 0;
  /// Those of the flow that come after its list of actions are carried out.
  virtual void instructions(unsigned depth) = 0;
  virtual void action_set(unsigned depth) = 0;
  virtual void group(unsigned depth, const Group& group, std::span<const BucketState> buckets) = 0;
  /// One of the group told of last at this depth.
  virtual void bucket(unsigned depth, const Bucket& bucket) = 0;
  /// `band`: that applies now; nullptr: it passes.
  virtual void meter(std::uint32_t meter, const Band* band) = 0;
  /// `to`: where the destination is known to be; nullopt: to all ports.
  virtual void normal(std::uint16_t vlan, std::optional<PortNo> to) = 0;
  virtual void output(PortNo port, std::span<const std::uint8_t> frame) = 0;
  /// `port`: it was stopped there on its way out.
  virtual void drop(Drop reason, std::optional<PortNo> port) = 0;
  virtual void packet_in(const PacketInStep& step) = 0;
  /// What the learn action would ask for.
  virtual void learn(const ActionView& action, const LearnedFlow& flow, LearnVerdict verdict) = 0;

 protected:
  ~TraceSink() = default;
};

}  // namespace xvif
