#include "netback/control_ring.h"

#include "netback/vif_port.h"

namespace xvif::netback {

namespace ctrl = xen::ctrl;

namespace {

std::vector<std::unique_ptr<StagingTable>> make_tables(std::size_t queues) {
  std::vector<std::unique_ptr<StagingTable>> tables;
  for (std::size_t i = 0; i < queues; ++i) tables.push_back(std::make_unique<StagingTable>());
  return tables;
}

}  // namespace

ControlRing::ControlRing(VifPort& vif, std::size_t thread, EvtchnSource& events)
    : vif_(vif),
      thread_(thread),
      events_(events),
      tables_(make_tables(vif.spec().queues.size())),
      hashing_(vif.spec().domid, vif.spec().queues.size(), steering_),
      staging_(vif.spec().domid, tables_) {}

xen::GrantTable& ControlRing::grants() { return vif_.thread(thread_).grants(); }

bool ControlRing::attach(const VifControlSpec& spec, std::string& error) {
  page_ = vif_.ring_grants().map(vif_.spec().domid, spec.ring);
  if (page_ == nullptr) {
    error = "cannot map ctrl-ring-ref " + std::to_string(raw(spec.ring));
    return false;
  }
  ring_ = CtrlRing::attach(page_);
  if (!ring_) {
    error = "the ring holds more requests than it has slots";
    return false;
  }
  evtchn_ = events_.bind(vif_.spec().domid, spec.evtchn, *this);
  if (!evtchn_) error = "cannot bind event channel " + std::to_string(raw(spec.evtchn));
  return evtchn_.has_value();
}

void ControlRing::close() {
  silence();
  if (evtchn_) events_.unbind(*evtchn_);
  evtchn_.reset();
  ring_.reset();
  staging_.close(grants());
  if (page_ != nullptr) vif_.ring_grants().unmap(page_);
  page_ = nullptr;
}

std::optional<ControlReply> ControlRing::handle(const xen::CtrlRequest& request) {
  switch (request.type) {
    case ctrl::kGetGrefMappingSize:
    case ctrl::kAddGrefMapping:
    case ctrl::kDelGrefMapping:
      return staging_.handle(request, grants());
    default:
      return hashing_.handle(request, grants());
  }
}

std::size_t ControlRing::cost_of(const xen::CtrlRequest& request) {
  switch (request.type) {
    case ctrl::kSetHashFlags:
    case ctrl::kSetHashKey:
    case ctrl::kSetHashMapping:
    case ctrl::kSetHashAlgorithm:
    case ctrl::kAddGrefMapping:
    case ctrl::kDelGrefMapping:
      return kHeavy;
    default:
      return 1;
  }
}

void ControlRing::answer(const ControlReply& reply) {
  ring_->respond(xen::CtrlResponse{request_.id, request_.type, reply.status, reply.data});
}

std::size_t ControlRing::receive(PacketPool&, std::span<Packet*>) {
  if (vif_.fault() != VifFault::kNone) [[unlikely]]
    return 0;
  auto pending = ring_->pending();
  for (std::size_t budget = kWorkPerTurn; pending && budget > 0;) {
    std::optional<ControlReply> reply;
    if (staging_.busy()) {
      reply = staging_.step(grants(), budget);
      if (!reply) break;  // out of budget, or frames are under way
    } else {
      if (*pending == 0) break;
      request_ = ring_->take();
      --*pending;
      budget -= std::min(budget, cost_of(request_));
      reply = handle(request_);
    }
    if (reply) answer(*reply);
  }
  if (!pending) vif_.set_fault(VifFault::kRequestsBeyondRing);
  return 0;
}

void ControlRing::flush() {
  if (ring_->push()) events_.notify(*evtchn_);
}

bool ControlRing::arm() {
  if (vif_.fault() != VifFault::kNone) [[unlikely]]
    return false;  // the channel stays masked
  if (staging_.busy() || ring_->arm(1)) return true;
  if (masked_) events_.unmask({&*evtchn_, 1});
  masked_ = false;
  return false;
}

}  // namespace xvif::netback
