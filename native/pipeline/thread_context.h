// What one data plane thread needs to take packets through the pipeline. Touched by that thread only, except where
// said otherwise.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <vector>

#include "actions/action_set.h"
#include "actions/learn.h"
#include "actions/subfield.h"
#include "packet/flow_key.h"
#include "packet/packet.h"
#include "pipeline/continuation.h"
#include "pipeline/flow.h"
#include "pipeline/flow_request.h"
#include "pipeline/port_table.h"
#include "pipeline/trace.h"
#include "pipeline/upcall_queue.h"

namespace xvif {

/// Of the action set of a lane.
enum class SetUse : std::uint8_t {
  kNone,
  kHolds,  // sets[lane] holds actions
  kDone,   // it is being carried out: what is written now has no effect
};

/// A packet on its way through the tables.
struct Lane {
  Packet* packet;     // nullptr: gone
  PortSlot* in_slot;  // nullptr: the port is not attached (any more), or not one (packet-out)
  PortNo in_port;
  const Flow* flow;    // the last one matched, nullptr none
  std::uint8_t table;  // of that flow
  bool accounted;      // it went somewhere, or its drop was counted
  SetUse set;
  bool exited;              // no further actions but those of the set
  bool paused;              // and not those: what is left is gathered in `continuation`
  std::uint8_t stack;       // values on stacks[lane]
  std::uint16_t resubmits;  // so far, against kResubmitsMax
  unsigned copies;          // made of it so far, against kClonesMax
};

/// What push and pop work on.
using Stack = std::array<WideNumber, kStackMax>;

struct TableCount {
  std::atomic<std::uint64_t> lookups{0}, matched{0};  // one thread: rw, control: ro
};

struct ThreadContext {
  ThreadContext(std::size_t thread, std::size_t ports) : index(thread) { dirty.reserve(ports); }

  const std::size_t index;
  Linearizer* linearizer = nullptr;  // control: wo before the thread runs; may be nullptr
  std::uint64_t now_ns = 0;
  std::uint64_t version = 0;
  TraceSink* trace = nullptr;  // is told what the packet meets; then nothing of it happens

  std::array<FlowKey, kBatchMax> keys{};
  std::array<Lane, kBatchMax> lanes;
  std::array<ActionSet, kBatchMax> sets;
  std::array<Stack, kBatchMax> stacks;
  std::uint64_t registers_used = 0;  // lanes whose key may have registers other than 0
  std::uint64_t retyped = 0;         // lanes whose packet may be without an Ethernet header
  std::array<const Rule*, 64> found;
  std::array<std::uint64_t, kTables> waiting{};   // lanes to look up in each table
  std::array<std::uint64_t, 4> tables_waiting{};  // tables with such lanes
  std::vector<PortSlot*> dirty;                   // ports with packets in tx[index]
  std::array<TableCount, kTables> table_counts;

  /// packet-out: OUTPUT to TABLE collects packets here.
  struct Resubmitted {
    Packet* packet;
    unsigned copies;
  };
  bool may_resubmit = false;
  bool in_egress = false;  // on the way out of a port: no further egress tables
  unsigned group_depth = 0;
  unsigned resubmit_depth = 0;
  std::vector<Resubmitted> resubmitted;

  /// The controller action that paused a packet, whose list is being left.
  struct Paused {
    const std::uint8_t* action;
    const Flow* flow;
    std::uint8_t table;
  };
  Paused paused{};
  ContinuationWriter continuation;

  /// Requests made last, so that packets of one flow do not ask for the same over and over.
  struct Asked {
    std::uint64_t hash;
    std::uint64_t position;  // in `requests`
  };
  UpcallQueue requests{kLearnBytes};  // FlowRequests; producer: this thread, consumer: control
  std::array<Asked, 256> asked{};
  std::atomic<std::uint64_t> requests_dropped{0};  // this thread: rw, control: ro
  LearnedFlow learned;                             // what a learn action is at
  std::vector<std::uint8_t> frame;                 // what a truncated packet is cut from
  std::uint64_t random = 0;                        // of samples

  UpcallQueue upcalls;  // producer: this thread, consumer: control
  bool upcalled = false;
  std::atomic<std::uint64_t> upcall_count{0}, upcall_drops{0};  // this thread: rw, control: ro
};

}  // namespace xvif
