// What the queues of one vif have in common.
#pragma once

#include "netback/multicast_filter.h"
#include "netback/rate_credit.h"

namespace xvif::netback {

struct VifShared {
  RateCredit rate;            // of what the guest sends
  MulticastFilter multicast;  // of what it gets
};

}  // namespace xvif::netback
