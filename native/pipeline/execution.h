// One thread taking one batch of packets through the pipeline.
//
// Packets go in waves: all that are at the same table are looked up together, tables in ascending order, which goto
// instructions cannot but follow. Packets that leave are gathered by port and sent at the end.
//
// A packet in hand is owned by whoever holds the pointer: functions say whether they take it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "pipeline/continuation.h"
#include "pipeline/pipeline.h"
#include "pipeline/port_vlan.h"

namespace xvif {

/// What the controller action adds to a packet-in.
struct ControllerData {
  std::uint16_t id = 0;
  std::uint32_t meter = kNoMeter;  // that it has to pass
  std::span<const std::uint8_t> userdata;
  std::span<const std::uint8_t> continuation;  // of a paused packet
};

class Execution {
 public:
  Execution(Pipeline& pipeline, ThreadContext& thread, std::uint64_t now_ns);
  /// Sends what was gathered, tells the control thread about upcalls.
  ~Execution();
  Execution(const Execution&) = delete;
  Execution& operator=(const Execution&) = delete;

  /// At most kBatchMax packets; takes them.
  void receive(std::span<Packet* const> packets);
  /// Takes the packet. `actions` are valid.
  void packet_out(Packet* packet, PortNo in_port, std::span<const std::uint8_t> actions);

  /// Does what is left to be done with a paused packet, which it takes. `fields`: valid actions that bring its
  /// pipeline fields back.
  void resume(Packet* packet, PortNo in_port, std::span<const std::uint8_t> fields, const Continuation& continuation);

 private:
  // execution.cc: tables and instructions.
  void enter(std::size_t i, Packet* packet, PortNo in_port, PortSlot* in_slot, unsigned copies);
  bool admit(std::size_t i);
  /// Whether the port may send this; else it is dropped.
  bool guard(std::size_t i);
  void wait(std::size_t table, std::uint64_t lanes);
  void run(std::uint64_t lanes);
  /// Until no lane waits for a table.
  void drain();
  /// What packets of a packet-out have left by output to TABLE.
  void pass_again(PortNo in_port);
  void visit(std::size_t table, std::uint64_t lanes);
  /// Of lanes with packets that have no Ethernet header.
  void look_up_bare(const Table& table, std::uint64_t lanes);
  void count(std::size_t table, std::uint64_t lanes);
  void execute(std::size_t i, std::size_t table, const Flow& flow);
  /// No flow of the table matches.
  void miss(std::size_t i, std::size_t table);
  /// False: the meter took the packet.
  bool meter(Lane& lane, Packet*& packet, FlowKey& key, std::uint32_t id);
  void write_set(Lane& lane, FlowKey& key, std::span<const std::uint8_t> written, bool clears);
  /// Carries out the action set, if it holds anything.
  void perform_set(Lane& lane, Packet*& packet, FlowKey& key);
  void finish(std::size_t i);
  std::size_t index_of(const Lane& lane) const { return static_cast<std::size_t>(&lane - thread_.lanes.data()); }

  // actions.cc: lists of actions and groups.
  /// Carries out one action. `move`: nobody needs the packet afterwards. `packet` is nullptr when it was taken.
  void step(Lane& lane, Packet*& packet, FlowKey& key, const ActionView& action, bool move);
  /// What a change of the packet came to: it is gone unless that is kOk.
  void conclude(Lane& lane, Packet*& packet, const FlowKey& key, Verdict verdict);
  /// A list; `last`: the packet is not needed after it. Returns the packet, nullptr when it was taken.
  Packet* perform(Lane& lane, Packet* packet, FlowKey& key, std::span<const std::uint8_t> actions, bool last);
  /// These return true when they took the packet, which they do only if `move`.
  bool group(Lane& lane, Packet* packet, FlowKey& key, std::uint32_t id, bool move);
  bool bucket(Lane& lane, Packet* packet, FlowKey& key, const Bucket& bucket, bool move);

  // pause.cc: packets that stop until the controller resumes them.
  void pause(Lane& lane, const ActionView& action);
  /// A paused packet's list of actions is left, with these to go.
  void keep_actions(const Lane& lane, std::span<const std::uint8_t> rest);
  /// Tells of a paused packet, all of whose lists were left, and takes it. `top`: the outermost was of a flow that no
  /// action led to.
  void hold(Lane& lane, Packet*& packet, const FlowKey& key, bool top);
  void go_on(Lane& lane, FlowKey& key, const Continuation& continuation);

  // trace.cc: where nothing is to happen, only to be told.
  unsigned depth() const { return thread_.resubmit_depth + thread_.group_depth + (thread_.in_egress ? 1 : 0); }
  void tell_tables(std::size_t table, std::uint64_t lanes);
  /// As step(), which takes no packet that is followed: what comes after its last action is told too.
  void traced_step(Lane& lane, Packet*& packet, FlowKey& key, const ActionView& action);
  void tell_group(const Group& group, const Bucket* chosen);
  /// Where NORMAL sends it, which is what it knows (`known`), and what it would have learned of this packet.
  std::optional<PortNo> tell_normal(const Lane& lane, const FlowKey& key, std::uint16_t vlan,
                                    std::optional<PortNo> known);
  void tell_output(const Packet& packet, PortNo port);
  void tally(CounterId counter, const Packet& packet) {
    if (thread_.trace == nullptr) [[likely]]
      pipeline_.counters_.add(thread_.index, counter, 1, packet.size, thread_.now_ns);
  }
  /// The band that applies to the packet, nullptr none.
  const Band* charge(Meter& meter, const Packet& packet);

  // nicira.cc: Nicira's actions.
  void extended(Lane& lane, Packet*& packet, FlowKey& key, const ActionView& action, bool move);
  void load(Lane& lane, Packet* packet, FlowKey& key, const ActionView& action);
  void set_masked(Lane& lane, Packet* packet, FlowKey& key, const ActionView& action);
  void write(Lane& lane, Packet* packet, FlowKey& key, const Subfield& to, const WideNumber& value);
  void push(Lane& lane, Packet*& packet, const FlowKey& key, const Subfield& from);
  void bundle(Lane& lane, Packet*& packet, FlowKey& key, const ActionView& action, bool move);
  void clone(Lane& lane, Packet*& packet, const FlowKey& key, const ActionView& action, bool move);
  void invalid_ttl(Lane& lane, Packet*& packet, const FlowKey& key, const ActionView& action);

  void change_type(Lane& lane, Packet*& packet, FlowKey& key, const ActionView& action);
  void sample(Lane& lane, const Packet& packet, const ActionView& action);

  // learn.cc: what the control thread is asked to do with flows.
  void learn(Lane& lane, Packet* packet, FlowKey& key, const ActionView& action);
  void fin_timeout(Lane& lane, const FlowKey& key, const ActionView& action);
  /// False when there is no room. What waits already is not asked for again.
  bool ask(Lane& lane, FlowRequest& request, std::span<const std::uint8_t> instructions);

  // resubmit.cc: from within a list of actions through other flows.
  void resubmit(Lane& lane, Packet*& packet, FlowKey& key, const ActionView& action, bool move);
  void pass_tables(Lane& lane, Packet*& packet, FlowKey& key, PortNo in_port, std::size_t table, bool move);
  /// The instructions of a flow that an action led to: the table to go on with, 0 none.
  std::uint8_t carry_out(Lane& lane, Packet*& packet, FlowKey& key, const Flow& flow, bool move);
  const Flow* find(const Packet& packet, const FlowKey& key, std::size_t table) const;
  /// As find(), counted.
  const Flow* look_up(const Packet& packet, const FlowKey& key, std::size_t table);
  /// The packet has used up what it may have of look-ups or nesting: dropped.
  void give_up(Lane& lane, Packet*& packet, Drop reason);

  // output.cc: ports.
  bool output(Lane& lane, Packet* packet, const FlowKey& key, PortNo port, std::uint16_t max_len, bool move);
  bool output_truncated(Lane& lane, Packet* packet, const FlowKey& key, const ActionView& action, bool move);
  /// Through the egress tables, if there are any.
  bool send(Lane& lane, Packet* packet, const FlowKey& key, PortSlot* slot, bool move);
  bool deliver(Lane& lane, Packet* packet, PortSlot* slot, bool move);
  /// To all ports but those with one of the bits `without`.
  bool flood(Lane& lane, Packet* packet, const FlowKey& key, std::uint32_t without, bool move);
  bool output_to_tables(Lane& lane, Packet* packet, bool move);
  void flush_port(PortSlot& slot);
  /// Counts a drop on the port the packet came from.
  void drop(Lane& lane, Drop reason);

  // egress.cc: tables that packets pass on their way out.
  bool leave(Lane& lane, Packet* packet, const FlowKey& key, PortSlot* slot, std::size_t table, bool move);
  /// Whether it may leave by the port.
  bool pass_egress(Lane& lane, Packet*& packet, FlowKey& key, PortNo port, std::size_t table);

  // normal.cc: the learning switch.
  bool normal(Lane& lane, Packet* packet, const FlowKey& key, bool move);
  bool normal_flood(Lane& lane, Packet* packet, const FlowKey& key, const FrameVlan& frame, bool move);
  /// To a port that has VLANs, or from one.
  bool send_in_vlan(Lane& lane, Packet* packet, const FlowKey& key, PortSlot* slot, const FrameVlan& frame, bool move);

  /// Why a packet goes to the controller by an output action (OpenFlow 1.4.1 section 7.4.1).
  PacketInReason output_reason(const Lane& lane) const;

  // packet_in.cc.
  void packet_in(Lane& lane, Packet& packet, const FlowKey& key, PacketInReason reason, std::uint16_t max_len,
                 const ControllerData& data = {});
  /// As packet_in(), without its meter.
  void tell(Lane& lane, const Packet& packet, const FlowKey& key, PacketInReason reason, std::uint16_t max_len,
            const ControllerData& data);
  /// Room for a record about a packet of this port; nullptr when there is none for it. No port may fill a queue for the
  /// others: `most` bytes are its share, and `spare` stay free.
  std::uint8_t* reserve(Lane& lane, UpcallQueue& queue, QueueShare TxBuffer::*share, std::size_t most,
                        std::size_t length, std::size_t spare = 0);
  /// Likewise, for one of the daemon's own agents.
  std::uint8_t* reserve_local(Lane& lane, std::size_t agent, std::size_t length);
  /// Whether a packet-in passes the meter that the action names.
  bool passes_meter(Lane& lane, const Packet& packet, std::uint32_t id);
  /// The whole frame with its checksum, or where `out` is shorter the beginning, with a checksum left to us as it is.
  bool copy_frame(const Packet& packet, std::span<std::uint8_t> out);
  bool copy_start(const Packet& packet, std::span<std::uint8_t> out);

  Pipeline& pipeline_;
  ThreadContext& thread_;
};

}  // namespace xvif
