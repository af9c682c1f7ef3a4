// The switch: takes packets through flow tables, groups and meters to ports (OpenFlow 1.3.5 section 5).
//
// Threads: process() by thread n with its own index, between Epoch::online(n) and offline(n), calling
// Epoch::quiescent(n) between batches. Everything else by the control thread, which is never online: it alone frees.
//
//   pipeline.begin(now, atomic);
//   Status s = pipeline.flow_mod(mod);      // and others; a failed one changed nothing
//   pipeline.publish();                     // or rollback() when atomic
//
// After publish() no packet that process() is given later sees the old state. A batch may be published as often as
// wished; long batches that are not atomic are better published every few hundred changes.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "base/epoch.h"
#include "pipeline/counters.h"
#include "pipeline/flow_tables.h"
#include "pipeline/group_table.h"
#include "pipeline/mac_table.h"
#include "pipeline/meter_table.h"
#include "pipeline/mods.h"
#include "pipeline/port_table.h"
#include "pipeline/thread_context.h"
#include "pipeline/versions.h"

namespace xvif {

class Pipeline final : public PacketSink {
 public:
  /// `threads`: data plane threads and the control thread; indexes below it may be used. `seed`: random, secret.
  Pipeline(Epoch& epoch, std::size_t threads, std::uint64_t seed);
  ~Pipeline();
  Pipeline(const Pipeline&) = delete;
  Pipeline& operator=(const Pipeline&) = delete;

  // --- data plane thread ---

  /// Takes up to kBatchMax packets, all received before the call, through the tables; releases every one.
  void process(std::size_t thread, std::uint64_t now_ns, std::span<Packet* const> packets) override;

  // --- changes, control thread ---

  void begin(std::uint64_t now_ns, bool atomic);
  Status flow_mod(const FlowMod& mod);
  /// Deleting a group also deletes the flows that use it.
  Status group_mod(const GroupMod& mod);
  /// Deleting a meter also deletes the flows that use it.
  Status meter_mod(const MeterMod& mod);
  /// kBadPort. Port and switch configuration take effect with publish(), but just before the flows.
  Status port_config(PortNo port, std::uint32_t config, std::uint32_t mask);
  /// `first_egress`: the first table of those that packets pass on their way out; 0: there are none.
  Status set_config(FragMode frag, std::uint8_t first_egress = 0);
  Status controller_state(bool connected, bool misses = false);
  /// kBadTable. The miss takes effect like port configuration; the rest is not taken back by rollback.
  Status table_config(std::uint8_t table, const TableConfig& config);
  void publish();
  void rollback();

  /// Expires flows, frees what no thread sees any more. About ten times a second, and when no batch is open.
  void tick(std::uint64_t now_ns);
  /// A slice of what changes have left to do: telling of removed flows, freeing them. True: there is more to do, and it
  /// can be done at once. When no batch is open.
  bool tidy(std::uint64_t now_ns);
  /// So much is left that it should not wait for the next changes and ticks.
  bool is_untidy(std::uint64_t now_ns) const;

  // --- packets and ports, control thread ---

  /// Carries out `actions` on the packet as thread `thread` (the control thread's own index) and releases it.
  /// `continuation`: what a paused packet has to go, behind the actions; kMalformed where it is not one.
  Status packet_out(std::size_t thread, std::uint64_t now_ns, PortNo in_port, std::span<const std::uint8_t> actions,
                    Packet* packet, std::span<const std::uint8_t> continuation = {});
  /// What would become of a packet that comes in by its in_port now, step by step; nothing of it happens, and nothing
  /// is counted. As thread `thread` (the control thread's own index); releases the packet. kBadPort: no such port.
  Status trace(std::size_t thread, std::uint64_t now_ns, Packet* packet, TraceSink& sink);
  Status attach(PortNo number, Port& port, std::uint64_t now_ns, const PortSettings& settings = {}) {
    return ports_.attach(number, port, now_ns, settings);
  }
  /// What of a port's settings concerns the pipeline: VLANs, sources, disabled. When it returns they are in force.
  void configure_port(PortNo number, const PortSettings& settings);
  /// When it returns no thread knows the port. Its queues are not polled any more.
  void detach(PortNo number);
  /// Before the thread runs. Without one, packets with granted payload cannot go up.
  void set_linearizer(std::size_t thread, Linearizer* linearizer) { threads_[thread]->linearizer = linearizer; }

  // --- what data plane threads ask for, control thread, when no batch is open ---

  /// Flows that packets learned, and timeouts that they shortened: a bounded part of them. True: there are more.
  /// Wakes as upcalls do. packet_out() and tick() do it too.
  bool take_requests(std::uint64_t now_ns);
  struct LearnView {
    std::uint64_t learned;
    std::uint64_t dropped;  // for want of room in a queue or a table, or by a limit
  };
  LearnView learning() const;

  // --- upcalls, control thread ---

  /// `wake` is called on data plane threads, at most once between two take_upcalls().
  void on_upcall(std::function<void()> wake) { wake_ = std::move(wake); }
  /// Hands over packet_in records, whole ones, in pieces, up to about `limit` bytes. True: there are more.
  bool take_upcalls(std::size_t limit, const std::function<void(std::span<const std::uint8_t>)>& take);
  /// Removed flows are told within publish(), tick() or tidy(), after the batch that removed them was published.
  void on_flow_removed(FlowRemovedSink* sink) { flows_.on_removed(sink); }
  /// nullptr: nobody watches.
  void on_flow_changed(FlowChangeSink* watcher) { flows_.on_changed(watcher); }

  // --- reading, control thread ---

  const FlowTables& flows() const { return flows_; }
  const GroupTable& groups() const { return groups_; }
  const MeterTable& meters() const { return meters_; }
  const PortTable& ports() const { return ports_; }
  const Counters& counters() const { return counters_; }
  MacTable& macs() { return macs_; }
  struct TableView {
    std::uint64_t lookups, matched;
    std::size_t active;
  };
  TableView table(std::size_t id) const;
  struct UpcallView {
    std::uint64_t sent, dropped;
  };
  UpcallView upcalls() const;
  std::uint64_t version() const { return versions_.published(); }

 private:
  /// A change of configuration that waits for publish().
  struct PendingConfig {
    enum What : std::uint8_t { kPort, kFrag, kController, kMiss } what;
    PortNo port;  // kMiss: the table
    std::uint32_t value;
    std::uint32_t mask;
  };
  void configure(const PendingConfig& change);
  /// Returns how much it freed.
  std::size_t reclaim(std::size_t limit);
  void announce();
  bool expire(std::uint64_t now_ns);
  /// Of one queue, `left` at most. True: there are more.
  bool take_requests(UpcallQueue& queue, std::size_t& left, std::uint64_t now_ns);

  Epoch& epoch_;
  Versions versions_;
  Counters counters_;
  PortTable ports_;
  MeterTable meters_;
  GroupTable groups_;
  FlowTables flows_;
  MacTable macs_;
  std::vector<std::unique_ptr<ThreadContext>> threads_;
  std::vector<PendingConfig> pending_config_;                           // control
  std::vector<std::pair<std::uint8_t, TableConfig>> replaced_configs_;  // control: of the open batch
  std::uint64_t batch_ns_ = 0;                                          // control; time of begin()
  std::atomic<FragMode> frag_mode_{FragMode::kNormal};                  // control: rw, threads: ro
  std::atomic<std::uint8_t> first_egress_{0};                           // control: rw, threads: ro; 0 none
  std::atomic<bool> misses_{false};                                     // control: rw, threads: ro
  std::array<std::atomic<TableMiss>, kTables> table_miss_{};            // control: rw, threads: ro
  std::atomic<bool> controller_{false};                                 // control: rw, threads: ro
  std::atomic<bool> woken_{false};                                      // threads: set, control: clear
  std::function<void()> wake_;                                          // control: wo before threads run
  LocalRates common_rates_;                                             // any thread: rw; what ports share
  LocalRates portless_rates_;                                           // any thread: rw
  std::size_t upcall_turn_ = 0;                                         // control; thread whose upcalls are taken first
  std::size_t request_turn_ = 0;                                        // control; and whose requests
  std::uint64_t refused_requests_ = 0;                                  // control

  friend class Execution;
};

}  // namespace xvif
