// The flow that a learn action makes of a packet (ovs-actions(7), "learn").
#pragma once

#include <cstdint>
#include <vector>

#include "actions/iterate.h"
#include "packet/flow_key.h"

namespace xvif {

struct LearnedFlow {
  FlowKey value{};  // no bit outside `mask`
  FlowKey mask{};
  std::vector<std::uint8_t> instructions;  // valid ones
};

/// `action`: a valid learn action. A field that the packet does not have counts as 0. What goes to no port that a
/// packet could leave by is not output. The flow's memory is used again.
void learn_from(const FlowKey& packet, const ActionView& action, LearnedFlow& flow);

}  // namespace xvif
