// The threads of the data plane and the hypervisor below it, shared by every datapath (bridge) of the process.
//
// Everything here is for one control thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/epoch.h"
#include "guest/guest_thread.h"
#include "netback/evtchn_source.h"
#include "netback/vif_thread.h"
#include "worker/worker.h"
#include "xen/emulated.h"

namespace xvif {

class Runtime {
 public:
  /// Starts `workers` (1..kWorkersMax) threads over the emulated hypervisor.
  explicit Runtime(std::size_t workers);
  /// The same over a hypervisor that was opened before.
  Runtime(std::size_t workers, std::unique_ptr<xen::Hypervisor> hypervisor);
  /// Every Datapath and Guest was closed before.
  ~Runtime();
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  Epoch& epoch() { return epoch_; }
  std::size_t workers() const { return workers_.size(); }
  Worker& worker(std::size_t index) { return *workers_[index]; }
  netback::EvtchnSource& events(std::size_t worker) { return *events_[worker]; }
  /// The worker with the fewest queues.
  Worker& least_loaded();
  /// Index of the control thread among the data plane threads: the last.
  std::size_t control_thread() const { return workers_.size(); }
  std::span<netback::VifThread* const> vif_threads() { return vif_thread_pointers_; }
  Linearizer& linearizer(std::size_t thread) { return vif_threads_[thread]->linearizer(); }
  /// The domain we are in; before the first port of a guest.
  void set_own_domid(DomId self);
  /// Packets of a data plane thread.
  PacketPool& pool(std::size_t thread);

  /// nullptr on a real one.
  xen::EmulatedHypervisor* emulated() { return emulated_; }
  /// Started when the first guest needs it.
  guest::GuestThread& guest_thread();
  /// Threads running, for leak tests.
  std::size_t threads() const { return workers_.size() + (guest_thread_ ? 1 : 0); }

 private:
  Epoch epoch_;
  std::unique_ptr<xen::Hypervisor> hypervisor_;
  xen::EmulatedHypervisor* const emulated_;                       // hypervisor_, when it is that
  std::vector<std::unique_ptr<netback::VifThread>> vif_threads_;  // one per data plane thread
  std::vector<netback::VifThread*> vif_thread_pointers_;
  std::vector<netback::EvtchnSource*> events_;  // owned by the workers
  PacketPool control_pool_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::unique_ptr<guest::GuestThread> guest_thread_;
};

}  // namespace xvif
