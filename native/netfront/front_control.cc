#include "netfront/front_control.h"

#include <algorithm>
#include <utility>

#include "xen/guest_memory.h"

namespace xvif::netfront {

bool FrontControl::allocate(Buffer& buffer, bool readonly) {
  buffer.page = domain_->allocate_page();
  if (buffer.page == nullptr) return false;
  const auto ref = domain_->grant(buffer.page, xen::kBackendDomain, readonly);
  if (ref) buffer.ref = *ref;
  return ref.has_value();
}

void FrontControl::release(Buffer& buffer) {
  if (buffer.page != nullptr && (raw(buffer.ref) == 0 || domain_->end_access(buffer.ref))) {
    domain_->free_page(buffer.page);
  }
  buffer = {};
}

std::unique_ptr<FrontControl> FrontControl::create(std::shared_ptr<xen::EmulatedDomain> domain, xen::EvtchnSink& sink,
                                                   std::uint64_t cookie, std::string& error) {
  std::unique_ptr<FrontControl> control(new FrontControl(std::move(domain)));
  const std::string who = "domain " + std::to_string(raw(control->domain_->id()));
  if (!control->allocate(control->ring_buffer_, false)) {
    error = who + " has no more pages or grants";
    return nullptr;
  }
  const auto evtchn = control->domain_->alloc_unbound(xen::kBackendDomain, sink, cookie);
  if (!evtchn) {
    error = who + " has no more event channels";
    return nullptr;
  }
  control->refs_ = {control->ring_buffer_.ref, *evtchn};
  control->ring_ = xen::RingPage(control->ring_buffer_.page);
  control->ring_.store(xen::ring_at::kReqEvent, 1, std::memory_order_relaxed);
  control->ring_.store(xen::ring_at::kRspEvent, 1, std::memory_order_relaxed);
  return control;
}

FrontControl::~FrontControl() {
  if (raw(refs_.evtchn) != 0) domain_->close_evtchn(refs_.evtchn);
  release(ring_buffer_);
  for (Pending& pending : pending_) {
    if (pending.done) finish(pending, {});
  }
}

bool FrontControl::request(const ControlRequest& request, Done done) {
  const auto free = std::find_if(pending_.begin(), pending_.end(), [](const Pending& p) { return !p.done; });
  if (free == pending_.end() || request.page.size() > xen::kPageBytes || request.page_at >= request.data.size()) {
    return false;
  }
  xen::CtrlRequest slot{next_id_, request.type, request.data};
  if (!request.page.empty()) {
    if (!allocate(free->buffer, request.page_readonly)) {
      release(free->buffer);
      return false;
    }
    xen::copy_shared(free->buffer.page, request.page.data(), request.page.size());
    slot.data[request.page_at] = raw(free->buffer.ref);
  }
  if (++next_id_ == 0) ++next_id_;
  free->id = slot.id;
  free->type = slot.type;
  free->done = std::move(done);
  free->bytes = request.page.size();
  const std::uint32_t from = req_prod_++;
  ring_.write<xen::kCtrlSlotBytes>(from, slot);
  ring_.store(xen::ring_at::kReqProd, req_prod_, std::memory_order_release);
  xen::full_barrier();
  if (xen::must_notify(from, req_prod_, ring_.load(xen::ring_at::kReqEvent, std::memory_order_relaxed))) notify();
  return true;
}

/// The slot is free before `done` runs, which may make the next request.
void FrontControl::finish(Pending& pending, ControlResult result) {
  result.page.resize(pending.bytes);
  if (pending.bytes > 0) xen::copy_shared(result.page.data(), pending.buffer.page, pending.bytes);
  release(pending.buffer);
  const Done done = std::exchange(pending.done, nullptr);
  done(result);
}

FrontControl::Pending* FrontControl::pending(std::uint16_t id) {
  const auto found =
      std::find_if(pending_.begin(), pending_.end(), [&](const Pending& p) { return p.done && p.id == id; });
  return found == pending_.end() ? nullptr : &*found;
}

std::size_t FrontControl::poll() {
  const std::uint32_t prod = ring_.load(xen::ring_at::kRspProd, std::memory_order_acquire);
  const std::size_t count = prod - rsp_cons_;
  if (count > req_prod_ - rsp_cons_) return 0;  // a broken backend
  while (rsp_cons_ != prod) {
    const auto response = ring_.read<xen::kCtrlSlotBytes, xen::CtrlResponse>(rsp_cons_++);
    Pending* const asked = pending(response.id);
    if (asked == nullptr) continue;
    if (asked->type != response.type && panic_.empty()) {
      panic_ = "control response of type " + std::to_string(response.type) + " to a request of type " +
               std::to_string(asked->type);
    }
    finish(*asked, {true, response.status, response.data, {}});
  }
  return count;
}

bool FrontControl::arm() {
  ring_.store(xen::ring_at::kRspEvent, rsp_cons_ + 1, std::memory_order_relaxed);
  xen::full_barrier();
  return ring_.load(xen::ring_at::kRspProd, std::memory_order_acquire) != rsp_cons_;
}

}  // namespace xvif::netfront
