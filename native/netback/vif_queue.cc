#include "netback/vif_queue.h"

#include <algorithm>

#include "base/clock.h"
#include "netback/vif_port.h"

namespace xvif::netback {
namespace {

std::string number(std::uint32_t value) { return std::to_string(value); }

}  // namespace

VifQueue::~VifQueue() { close(); }

bool VifQueue::attach(const VifQueueSpec& spec, std::string& error) {
  const DomId domid = vif_.spec().domid;
  xen::GrantTable& grants = vif_.ring_grants();
  resources_.tx_page = grants.map(domid, spec.tx_ring);
  if (resources_.tx_page == nullptr) {
    error = "cannot map tx-ring-ref " + number(raw(spec.tx_ring));
    return false;
  }
  resources_.rx_page = grants.map(domid, spec.rx_ring);
  if (resources_.rx_page == nullptr) {
    error = "cannot map rx-ring-ref " + number(raw(spec.rx_ring));
    return false;
  }
  const auto tx_ring = TxRing::attach(resources_.tx_page);
  const auto rx_ring = RxRing::attach(resources_.rx_page);
  if (!tx_ring || !rx_ring) {
    error = std::string(tx_ring ? "the rx" : "the tx") + " ring holds more requests than it has slots";
    return false;
  }
  const VifSpec& vif = vif_.spec();
  tx_.emplace(*tx_ring, domid, vif_.shared(), staging_);
  rx_.emplace(*rx_ring, domid,
              RxFeatures{vif.sg, vif.gso_tcpv4, vif.gso_tcpv6, vif.csum_blank_ipv4, vif.csum_blank_ipv6}, staging_);
  resources_.evtchn_tx = events_.bind(domid, spec.evtchn_tx, *this);
  if (!resources_.evtchn_tx) {
    error = "cannot bind event channel " + number(raw(spec.evtchn_tx));
    return false;
  }
  resources_.evtchn_rx =
      spec.evtchn_rx == spec.evtchn_tx ? resources_.evtchn_tx : events_.bind(domid, spec.evtchn_rx, *this);
  if (!resources_.evtchn_rx) {
    error = "cannot bind event channel " + number(raw(spec.evtchn_rx));
    return false;
  }
  // It may have ended between publishing and notifying: the guest would wait for a notification of what it was to be
  // told of, and rsp_event would never be met again.
  if (tx_ring->taken_over()) events_.notify(*resources_.evtchn_tx);
  if (rx_ring->taken_over() && resources_.evtchn_rx != resources_.evtchn_tx) events_.notify(*resources_.evtchn_rx);
  return true;
}

void VifQueue::configure(const PortSettings& settings) {
  rx_->configure(settings, vif_.counters[vif_.control_thread()]);
  events_.wake_at(*this, now_ns());
}

void VifQueue::silence() { events_.forget(*this); }

void VifQueue::close() {
  silence();
  // Who attaches to a live ring again goes on after the responses published.
  if (resources_.evtchn_tx && tx_->push()) events_.notify(*resources_.evtchn_tx);
  if (resources_.evtchn_rx && resources_.evtchn_rx != resources_.evtchn_tx) events_.unbind(*resources_.evtchn_rx);
  if (resources_.evtchn_tx) events_.unbind(*resources_.evtchn_tx);
  tx_.reset();
  rx_.reset();
  for (void* page : {resources_.tx_page, resources_.rx_page}) {
    if (page != nullptr) vif_.ring_grants().unmap(page);
  }
  resources_ = {};
}

std::size_t VifQueue::receive(PacketPool& pool, std::span<Packet*> out) {
  if (vif_.fault() != VifFault::kNone) [[unlikely]]
    return received_ = 0;
  if (rx_->backlogged()) settle(thread_, rx_->drain(vif_.thread(thread_), vif_.counters[thread_]));
  VifFault fault = VifFault::kNone;
  const std::size_t received = tx_->receive(vif_.thread(thread_), pool, out, vif_.counters[thread_], fault);
  if (fault != VifFault::kNone) [[unlikely]]
    vif_.set_fault(fault);
  received_ = received;
  return received;
}

/// A notification is a hypercall here and an interrupt there, so responses are published in lots while frames keep
/// coming. When the guest pauses, it hears of those it may wait for; frames that were copied whole are no such thing,
/// and their responses wait a while for another reason to interrupt it.
void VifQueue::flush() {
  const std::uint32_t waiting = tx_->responses_waiting();
  if (waiting == 0) return;
  if (waiting < kResponseLot) {
    if (tx_->responses_awaited()) {
      if (received_ > 0 && ++held_turns_ < kResponseTurns) return;
    } else if (due_ns == 0) {
      due_ns = last_work_ns + kResponseHoldNs;
      return;
    } else if (last_work_ns < due_ns) {
      return;
    }
  }
  if (publish()) events_.notify(*resources_.evtchn_tx);
}

bool VifQueue::publish() {
  held_turns_ = 0;
  due_ns = 0;
  return tx_->push();
}

bool VifQueue::arm() {
  if (vif_.fault() != VifFault::kNone) [[unlikely]]
    return false;  // channels stay masked: its events stay away too
  // While the guest has no credit, what it puts on its ring is no work.
  const bool from_guest = tx_->throttled() == 0 && tx_->arm();
  const bool to_guest = rx_->arm();
  if (from_guest || to_guest) return true;
  if (tx_->throttled() != 0) [[unlikely]] {
    events_.wake_at(*this, tx_->throttled());
    if (tx_->limit_changed()) return true;  // before the date was set; a later change makes a date of its own
  }
  if (poll_pending()) events_.poll_soon();
  events_.unmask(std::span(masked_).first(masked_count_));
  masked_count_ = 0;
  return false;
}

void VifQueue::fired(EvtchnPort channel) {
  const auto known = std::span(masked_).first(masked_count_);
  if (masked_count_ < masked_.size() && std::find(known.begin(), known.end(), channel) == known.end()) {
    masked_[masked_count_++] = channel;
  }
}

void VifQueue::transmit(std::size_t thread, std::span<Packet* const> packets, std::span<const RxHash> hashes) {
  settle(thread, rx_->transmit(vif_.thread(thread), packets, hashes, vif_.counters[thread]));
}

bool VifQueue::poll_pending() const { return rx_->backlogged() && !vif_.spec().rx_notify; }

void VifQueue::settle(std::size_t thread, const RxOutcome& outcome) {
  if (outcome.fault != VifFault::kNone) [[unlikely]]
    vif_.set_fault(outcome.fault);
  if (outcome.notify) {
    // The TX ring is the polling worker's.
    const bool both = thread == thread_ && due_ns != 0 && publish();
    events_.notify(*resources_.evtchn_rx);
    if (both && resources_.evtchn_tx != resources_.evtchn_rx) events_.notify(*resources_.evtchn_tx);
  }
  if (poll_pending()) [[unlikely]]
    events_.poll_soon();
}

}  // namespace xvif::netback
