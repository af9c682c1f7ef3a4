// A datapath: the tables and ports of one bridge, run by the workers of a Runtime. The verbs of
// src/datapath/datapath.ts in C++; binary records are those of docs/native-boundary.md.
//
// Everything here is for the control thread, but the wake function that it is given.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/ids.h"
#include "datapath/record_queue.h"
#include "datapath/runtime.h"
#include "netback/vif_port.h"
#include "pipeline/pipeline.h"
#include "port/capture_port.h"
#include "port/port.h"

namespace xvif {

struct TapPortSpec {
  std::string device;
  std::string netns;
  std::string mac;
};
struct PacketPortSpec {
  std::string device;
};
struct PcapPortSpec {
  std::string input;
  std::string output;
  bool loop = false;
};
struct NullPortSpec {};
struct CapturePortSpec {};
using PortSpec =
    std::variant<netback::VifSpec, TapPortSpec, PacketPortSpec, PcapPortSpec, NullPortSpec, CapturePortSpec>;

struct ReadPart {
  std::vector<std::uint8_t> data;
  std::vector<std::uint8_t> next;  // empty: that was all
};

class Datapath final : private FlowRemovedSink, private FlowChangeSink, private FrameSink {
 public:
  /// `wake` is called by any data plane thread when upcalls wait; it must be quick and may be called often.
  Datapath(Runtime& runtime, std::function<void()> wake);
  ~Datapath();
  Datapath(const Datapath&) = delete;
  Datapath& operator=(const Datapath&) = delete;

  /// False and a sentence in `error`; nothing is left behind then.
  bool attach(PortNo number, const PortSpec& spec, const PortSettings& settings, std::string& error);
  /// Replaces all settings of a port. Unknown ports are ignored.
  void configure(PortNo number, const PortSettings& settings);
  void detach(PortNo number);
  /// One Status per record. A batch that is malformed beyond some point has kMalformed there and ends.
  std::vector<std::uint8_t> apply(std::span<const std::uint8_t> batch, bool atomic);
  /// kMalformed also for a frame that is not 14..65535 bytes long.
  Status packet_out(std::span<const std::uint8_t> record);
  /// Of a request record, steps of what would become of its packet. kMalformed as packet_out(), kBadPort.
  Status trace(std::span<const std::uint8_t> record, std::vector<std::uint8_t>& steps);
  ReadPart read(std::span<const std::uint8_t> query, std::size_t limit);
  void tick();
  /// Moves waiting upcall records to `out`, whole ones, up to `limit` bytes and a record or two. Captured frames leave
  /// room for packet_in. Does a slice of what changes have left to do. True when more wait, or is to be done.
  bool drain_upcalls(std::vector<std::uint8_t>& out, std::size_t limit);
  /// What became of flows since the last call, while they are watched: flow_change records.
  std::vector<std::uint8_t> take_flow_changes() {
    changes_lost_ = false;
    return std::exchange(changes_, {});
  }

 private:
  struct Attached {
    std::unique_ptr<Port> port;
    std::vector<Worker*> homes;  // who polls queue n
    std::uint64_t since_ns;
    bool link_up;
  };

  std::unique_ptr<Port> make_port(PortNo number, const PortSpec& spec, std::vector<Worker*>& homes, std::string& error);
  Status apply_record(std::span<const std::uint8_t> record);
  bool has_room() const override;
  void flow_removed(const FlowView& flow, FlowRemovedReason reason) override;
  void flow_changed(const FlowView& flow, FlowChange event, FlowRemovedReason reason, const Flow* before) override;
  void flow_triggered(const FlowView& flow) override;
  void tell_flow(const FlowView& view, Upcall kind, std::uint8_t reason);
  bool put(PortNo port, std::span<const std::uint8_t> frame) override;
  void watch_links();
  /// Has somebody drain upcalls.
  void wake();

  Runtime& runtime_;
  const std::function<void()> wake_;
  std::vector<Linearizer*> linearizers_;  // by thread
  Pipeline pipeline_;
  std::map<std::uint32_t, Attached> ports_;
  RecordQueue told_;                         // of the control thread itself: flow_removed, port_state
  std::vector<std::uint8_t> changes_;        // flow_change records
  bool draining_ = false;                    // who does looks itself whether there is more
  bool changes_lost_ = false;                // they were too many
  std::uint32_t cause_ = ~std::uint32_t{0};  // which record of a batch is carried out
  std::mutex captured_mutex_;
  RecordQueue captured_;  // port_output; guarded by captured_mutex_
};

}  // namespace xvif
