#include "datapath/runtime.h"

#include <algorithm>

#include "base/assert.h"

namespace xvif {

Runtime::Runtime(std::size_t workers) : Runtime(workers, std::make_unique<xen::EmulatedHypervisor>()) {}

Runtime::Runtime(std::size_t workers, std::unique_ptr<xen::Hypervisor> hypervisor)
    : hypervisor_(std::move(hypervisor)),
      emulated_(dynamic_cast<xen::EmulatedHypervisor*>(hypervisor_.get())),
      control_pool_(512) {
  XVIF_ASSERT(workers >= 1 && workers <= kWorkersMax);
  for (std::size_t thread = 0; thread <= workers; ++thread) {
    vif_threads_.push_back(std::make_unique<netback::VifThread>(hypervisor_->open_grants()));
    vif_thread_pointers_.push_back(vif_threads_.back().get());
  }
  for (std::size_t index = 0; index < workers; ++index) {
    auto events = std::make_unique<netback::EvtchnSource>(hypervisor_->open_evtchns());
    events_.push_back(events.get());
    workers_.push_back(std::make_unique<Worker>(index, epoch_, std::move(events)));
  }
}

Runtime::~Runtime() = default;

Worker& Runtime::least_loaded() {
  return **std::min_element(workers_.begin(), workers_.end(),
                            [](const auto& a, const auto& b) { return a->load() < b->load(); });
}

void Runtime::set_own_domid(DomId self) {
  for (const auto& thread : vif_threads_) thread->grants().set_own_domid(self);
}

PacketPool& Runtime::pool(std::size_t thread) {
  return thread == control_thread() ? control_pool_ : workers_[thread]->pool();
}

guest::GuestThread& Runtime::guest_thread() {
  if (!guest_thread_) guest_thread_ = std::make_unique<guest::GuestThread>();
  return *guest_thread_;
}

}  // namespace xvif
