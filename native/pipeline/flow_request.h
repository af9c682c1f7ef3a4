// What a data plane thread asks the control thread to do with a flow; instructions follow. A record of an UpcallQueue.
#pragma once

#include <cstdint>

#include "packet/flow_key.h"

namespace xvif {

/// Cookie of a learned flow that leaves that of a flow which is there as it is.
inline constexpr std::uint64_t kAnyCookie = ~std::uint64_t{0};

struct FlowRequest {
  enum Kind : std::uint8_t {
    kLearn,    // add it, or give it these instructions
    kShorten,  // the timeouts are to be no longer than these
  };
  Kind kind;
  std::uint8_t table;
  std::uint16_t priority;
  std::uint32_t length;  // of the record, a multiple of 8
  union {
    std::uint64_t cookie;  // learn
    std::uint64_t born;    // shorten: Flow::born, so that another flow with this match is left alone
  };
  std::uint32_t limit;  // learn: most flows that the table may hold with the cookie, 0 any number
  std::uint16_t flags;  // learn: FlowFlag
  std::uint16_t idle_timeout;
  std::uint16_t hard_timeout;
  bool of_flow;                // learn: a flow asks, not a packet-out
  bool owned;                  // learn: it goes with the last flow that makes such, which has to be there still
  std::uint32_t instructions;  // bytes
  FlowKey value;               // no bit outside `mask`
  FlowKey mask;
};
static_assert(sizeof(FlowRequest) == 32 + 2 * kFlowKeyBytes);

}  // namespace xvif
