#include "netfront/front_queue.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "xen/guest_memory.h"

namespace xvif::netfront {
namespace {

using xen::kPageBytes;
using xen::kRingSlots;

/// Copies `size` bytes at `from` of a scattered frame. False when it is shorter.
bool copy_part(std::span<const iovec> frame, std::size_t from, std::size_t size, std::uint8_t* out) {
  for (const iovec& part : frame) {
    if (from >= part.iov_len) {
      from -= part.iov_len;
      continue;
    }
    const std::size_t bytes = std::min(part.iov_len - from, size);
    xen::copy_shared(out, static_cast<const std::uint8_t*>(part.iov_base) + from, bytes);
    out += bytes;
    size -= bytes;
    from = 0;
    if (size == 0) return true;
  }
  return size == 0;
}

/// What a guest's kernel does before it hands pages to a ring: prods 0, events 1 (ring.h SHARED_RING_INIT).
void init_ring(xen::RingPage& ring) {
  ring.store(xen::ring_at::kReqEvent, 1, std::memory_order_relaxed);
  ring.store(xen::ring_at::kRspEvent, 1, std::memory_order_relaxed);
}

}  // namespace

bool FrontQueue::allocate(Buffer& buffer, bool readonly) {
  buffer.page = domain_->allocate_page();
  if (buffer.page == nullptr) return false;
  const auto ref = domain_->grant(buffer.page, xen::kBackendDomain, readonly);
  if (!ref) return false;
  buffer.ref = *ref;
  return true;
}

void FrontQueue::release(Buffer& buffer) {
  if (buffer.page == nullptr) return;
  if (raw(buffer.ref) == 0 || domain_->end_access(buffer.ref)) domain_->free_page(buffer.page);
  buffer = {};
}

std::unique_ptr<FrontQueue> FrontQueue::create(std::shared_ptr<xen::EmulatedDomain> domain, xen::EvtchnSink& sink,
                                               std::uint64_t cookie, bool split, std::string& error,
                                               const RingRules& rules) {
  std::unique_ptr<FrontQueue> queue(new FrontQueue(std::move(domain), rules));
  bool good = queue->allocate(queue->tx_ring_buffer_, false) && queue->allocate(queue->rx_ring_buffer_, false);
  for (std::size_t i = 0; good && i < kRingSlots; ++i) {
    good = queue->allocate(queue->tx_buffers_[i], true) && queue->allocate(queue->rx_buffers_[i], false);
  }
  if (!good) {
    error = "domain " + std::to_string(raw(queue->domain_->id())) + " has no more pages or grants";
    return nullptr;
  }
  const auto tx = queue->domain_->alloc_unbound(xen::kBackendDomain, sink, cookie);
  const auto rx = split && tx ? queue->domain_->alloc_unbound(xen::kBackendDomain, sink, cookie) : tx;
  queue->refs_ = {queue->tx_ring_buffer_.ref, queue->rx_ring_buffer_.ref, tx.value_or(EvtchnPort{0}),
                  rx.value_or(EvtchnPort{0})};
  if (!tx || !rx) {
    error = "domain " + std::to_string(raw(queue->domain_->id())) + " has no more event channels";
    return nullptr;
  }
  queue->tx_ring_ = xen::RingPage(queue->tx_ring_buffer_.page);
  queue->rx_ring_ = xen::RingPage(queue->rx_ring_buffer_.page);
  init_ring(queue->tx_ring_);
  init_ring(queue->rx_ring_);
  for (std::size_t id = kRingSlots; id > 0; --id) queue->tx_free_.push_back(static_cast<std::uint16_t>(id - 1));
  return queue;
}

FrontQueue::~FrontQueue() {
  if (raw(refs_.evtchn_tx) != 0) domain_->close_evtchn(refs_.evtchn_tx);
  if (raw(refs_.evtchn_rx) != 0 && refs_.evtchn_rx != refs_.evtchn_tx) domain_->close_evtchn(refs_.evtchn_rx);
  release(tx_ring_buffer_);
  release(rx_ring_buffer_);
  for (Buffer& buffer : tx_buffers_) release(buffer);
  for (Buffer& buffer : rx_buffers_) release(buffer);
}

bool FrontQueue::write_buffer(Buffer& buffer, std::span<const iovec> frame, std::size_t from, std::size_t size,
                              std::uint64_t tag) {
  if (tag != 0 && buffer.tag == tag) return true;
  buffer.tag = tag;
  return copy_part(frame, from, size, buffer.page);
}

bool FrontQueue::send(std::span<const iovec> frame, const TxMeta& meta) {
  std::size_t size = 0;
  for (const iovec& part : frame) size += part.iov_len;
  const std::size_t slots = (size + kPageBytes - 1) / kPageBytes;
  const std::size_t extras = (meta.gso_size != 0 ? 1u : 0u) + (rules_.tx_hash ? 1u : 0u);
  if (!panic_.empty() || size == 0 || size > 0xffff || slots > std::min(kTxSlotsMax, rules_.tx_slots_max) ||
      tx_room() < slots + extras)
    return false;
  for (std::size_t i = 0; i < slots; ++i) {
    const std::uint16_t buffer = tx_free_.back();
    tx_free_.pop_back();
    tx_used_[buffer] = true;
    const std::size_t from = i * kPageBytes;
    const std::size_t bytes = std::min(kPageBytes, size - from);
    write_buffer(tx_buffers_[buffer], frame, from, bytes, meta.tag == 0 ? 0 : meta.tag * kSegmentsMax + i);
    xen::TxRequest request{raw(tx_buffers_[buffer].ref), 0, 0, tx_id(buffer),
                           static_cast<std::uint16_t>(i == 0 ? size : bytes)};
    if (i + 1 < slots) request.flags |= xen::tx_flag::kMoreData;
    if (i == 0 && meta.csum_blank) request.flags |= xen::tx_flag::kCsumBlank | xen::tx_flag::kDataValidated;
    if (i == 0 && extras != 0) request.flags |= xen::tx_flag::kExtraInfo;
    tx_extras_[buffer] = i == 0 ? static_cast<std::uint8_t>(extras) : 0;
    tx_ring_.write<xen::kTxSlotBytes>(tx_req_prod_++, request);
    if (i == 0) write_extras(meta);
  }
  ++counters_.tx_packets;
  counters_.tx_bytes += size;
  return true;
}

void FrontQueue::write_extras(const TxMeta& meta) {
  if (meta.gso_size != 0) {
    const std::uint8_t more = rules_.tx_hash ? xen::extra::kMore : std::uint8_t{0};
    tx_ring_.write<xen::kTxSlotBytes>(tx_req_prod_++,
                                      xen::ExtraInfo{xen::extra::kGso, more, meta.gso_size, meta.gso_type, 0, 0});
  }
  if (!rules_.tx_hash) return;
  tx_ring_.write<xen::kTxSlotBytes>(
      tx_req_prod_++,
      xen::HashExtra{xen::extra::kHash, 0, xen::ctrl::hash_type::kIpv4, xen::ctrl::kAlgorithmToeplitz, {1, 2, 3, 4}});
}

bool FrontQueue::send_multicast(std::uint8_t type, const std::array<std::uint8_t, 6>& address) {
  if (!panic_.empty() || tx_room() < 2) return false;
  const std::uint16_t buffer = tx_free_.back();
  tx_free_.pop_back();
  tx_used_[buffer] = true;
  tx_extras_[buffer] = 1;
  tx_ring_.write<xen::kTxSlotBytes>(
      tx_req_prod_++, xen::TxRequest{raw(tx_buffers_[buffer].ref), 0, xen::tx_flag::kExtraInfo, tx_id(buffer), 0});
  xen::McastExtra extra{type, 0, {}};
  std::copy(address.begin(), address.end(), extra.address);
  tx_ring_.write<xen::kTxSlotBytes>(tx_req_prod_++, extra);
  return true;
}

void FrontQueue::push_tx() {
  if (tx_req_pushed_ == tx_req_prod_) return;
  const std::uint32_t from = tx_req_pushed_;
  tx_req_pushed_ = tx_req_prod_;
  tx_ring_.store(xen::ring_at::kReqProd, tx_req_prod_, std::memory_order_release);
  xen::full_barrier();
  if (xen::must_notify(from, tx_req_prod_, tx_ring_.load(xen::ring_at::kReqEvent, std::memory_order_relaxed))) {
    notify_tx();
  }
}

std::size_t FrontQueue::reap_tx() {
  if (!panic_.empty()) return 0;
  const std::uint32_t prod = tx_ring_.load(xen::ring_at::kRspProd, std::memory_order_acquire);
  const std::size_t count = prod - tx_rsp_cons_;
  if (count > tx_req_prod_ - tx_rsp_cons_) {
    panic("more TX responses than requests");
    return 0;
  }
  for (; tx_rsp_cons_ != prod; ++tx_rsp_cons_) {
    tx_done(tx_ring_.read<xen::kTxSlotBytes, xen::TxResponse>(tx_rsp_cons_));
  }
  if (rules_.extras_asserted && tx_extras_due_ != 0) panic("TX responses to extra infos come later than their slot's");
  return count;
}

/// Every driver looks a request up by the id, and none survives one that it did not send.
void FrontQueue::tx_done(const xen::TxResponse& response) {
  if (response.status == xen::rsp::kNull) {
    if (!extra_answered()) panic("TX response to an extra info that is not expected");
    return;
  }
  if (rules_.extras_asserted && tx_extras_due_ != 0) panic("TX response to a slot, to an extra info expected");
  if (response.status < 0) ++counters_.tx_dropped;
  const std::size_t buffer = static_cast<std::uint16_t>(response.id - rules_.tx_id_first) / rules_.tx_id_step;
  if (buffer >= xen::kRingSlots || tx_id(static_cast<std::uint16_t>(buffer)) != response.id || !tx_used_[buffer]) {
    panic("TX response with id " + std::to_string(response.id) + ", which is not in flight");
    return;
  }
  tx_used_[buffer] = false;
  tx_extras_due_ = tx_extras_[buffer];
  tx_free_.push_back(static_cast<std::uint16_t>(buffer));
}

/// False when the driver does not expect it here.
bool FrontQueue::extra_answered() {
  if (!rules_.extras_asserted) return true;
  if (tx_extras_due_ == 0) return false;
  --tx_extras_due_;
  return true;
}

bool FrontQueue::panic(std::string why) {
  if (panic_.empty()) panic_ = std::move(why);
  return false;
}

void FrontQueue::post(std::uint32_t slot) {
  const std::uint16_t id = rx_id(slot & (kRingSlots - 1));
  rx_ring_.write<xen::kRxSlotBytes>(slot, xen::RxRequest{id, 0, raw(rx_buffers_[id].ref)});
}

void FrontQueue::push_rx() {
  if (rx_req_pushed_ == rx_req_prod_) return;
  const std::uint32_t from = rx_req_pushed_;
  rx_req_pushed_ = rx_req_prod_;
  rx_ring_.store(xen::ring_at::kReqProd, rx_req_prod_, std::memory_order_release);
  xen::full_barrier();
  if (rules_.notifies_rx &&
      xen::must_notify(from, rx_req_prod_, rx_ring_.load(xen::ring_at::kReqEvent, std::memory_order_relaxed))) {
    notify_rx();
  }
}

void FrontQueue::post_rx(std::size_t target) {
  rx_target_ = static_cast<std::uint32_t>(std::min<std::size_t>(target, kRingSlots));
  while (rx_req_prod_ - rx_rsp_cons_ < rx_target_) post(rx_req_prod_++);
  push_rx();
}

std::size_t FrontQueue::receive(RxHandler& handler, std::size_t budget) {
  if (!panic_.empty()) return 0;
  const std::uint32_t prod = rx_ring_.load(xen::ring_at::kRspProd, std::memory_order_acquire);
  if (prod - rx_rsp_cons_ > rx_req_prod_ - rx_rsp_cons_) {
    panic("more RX responses than requests");
    return 0;
  }
  std::size_t frames = 0;
  while (frames < budget && rx_rsp_cons_ != prod && panic_.empty()) {
    receive_one(handler, prod);
    ++frames;
  }
  if (frames > 0 && panic_.empty()) post_rx(rx_target_);
  return frames;
}

/// Number of the buffer that a data response speaks of.
std::size_t FrontQueue::rx_buffer_of(const xen::RxResponse& response, std::size_t slot) {
  const std::uint16_t expected = rx_id(slot);
  if (rules_.rx_pairing == RxPairing::kSlot) return expected;
  if (response.id >= kRingSlots) {
    panic("RX response with id " + std::to_string(response.id));
    return expected;
  }
  if (rules_.rx_pairing == RxPairing::kId) return response.id;
  if (response.id != expected) {
    panic("RX response with id " + std::to_string(response.id) + " in slot " + std::to_string(slot));
  }
  return expected;
}

/// The chain ends where no more is published. Returns false.
bool FrontQueue::cut_short() { return rules_.extras_asserted ? panic("RX frame that is published in parts") : false; }

/// Takes the extra infos that follow a response. False when the chain ends too early.
bool FrontQueue::take_extras(RxFrame& frame, std::uint32_t limit) {
  bool more = true;
  while (more) {
    if (rx_rsp_cons_ == limit) return cut_short();
    const auto info = rx_ring_.read<xen::kRxSlotBytes, xen::ExtraInfo>(rx_rsp_cons_++);
    ++frame.slots;
    if (info.type >= 32 || (rules_.rx_extras & rx_extra(info.type)) == 0) {
      return panic("RX extra info of type " + std::to_string(info.type));
    }
    if (info.type == xen::extra::kGso) {
      frame.gso_size = info.gso_size;
      frame.gso_type = info.gso_type;
    }
    if (info.type == xen::extra::kHash) {
      const auto hash = std::bit_cast<xen::HashExtra>(info);
      frame.hashed = true;
      frame.hash_type = hash.hash_type;
      if (rules_.extras_asserted && hash.hash_type > xen::ctrl::hash_type::kIpv6Tcp) {
        return panic("RX hash of type " + std::to_string(hash.hash_type));
      }
      std::memcpy(&frame.hash, hash.value.data(), sizeof frame.hash);  // little-endian, as we are
    }
    if (info.type == xen::extra::kXdp) frame.xdp_headroom = std::bit_cast<xen::XdpExtra>(info).headroom;
    more = (info.flags & xen::extra::kMore) != 0;
  }
  return true;
}

/// Takes one chain of responses. False when it was an error.
bool FrontQueue::receive_one(RxHandler& handler, std::uint32_t limit) {
  std::array<iovec, kSegmentsMax> parts;
  RxFrame frame{};
  std::size_t count = 0;
  bool good = true, first = true, more = true;
  std::uint32_t least_offset = kPageBytes, most_offset = 0;
  while (more) {
    if (rx_rsp_cons_ == limit) {
      good = cut_short();
      break;
    }
    const std::size_t slot = rx_rsp_cons_ & (kRingSlots - 1);
    const auto response = rx_ring_.read<xen::kRxSlotBytes, xen::RxResponse>(rx_rsp_cons_++);
    ++frame.slots;
    more = (response.flags & xen::rx_flag::kMoreData) != 0;
    if (response.status < rules_.rx_status_min) panic("RX response with status " + std::to_string(response.status));
    if (more && !rules_.rx_chains) panic("RX frame of several slots");
    const std::size_t buffer = rx_buffer_of(response, slot);
    const bool bad = response.status < 0 || response.id != rx_id(slot) || count == parts.size() ||
                     std::size_t{response.offset} + static_cast<std::size_t>(response.status) > kPageBytes;
    good &= !bad;
    if (!bad) {
      parts[count++] = {rx_buffers_[buffer].page + response.offset, static_cast<std::size_t>(response.status)};
      frame.size += static_cast<std::size_t>(response.status);
      least_offset = std::min<std::uint32_t>(least_offset, response.offset);
      most_offset = std::max<std::uint32_t>(most_offset, response.offset);
    }
    if (first && !rules_.ignores_rx_flags) {
      frame.csum_blank = (response.flags & xen::rx_flag::kCsumBlank) != 0;
      frame.data_validated = (response.flags & xen::rx_flag::kDataValidated) != 0;
      if (rules_.swaps_rx_flags) std::swap(frame.csum_blank, frame.data_validated);
    }
    if (first && (response.flags & xen::rx_flag::kExtraInfo) != 0) good &= take_extras(frame, limit);
    first = false;
  }
  // Linux' netfront believes the extra info for the first slot and each further slot's own word.
  good &= frame.xdp_headroom == 0 || (least_offset == frame.xdp_headroom && most_offset == frame.xdp_headroom);
  if (rules_.extras_asserted && frame.gso_type != 0 &&
      (frame.gso_size == 0 || !frame.csum_blank || !frame.data_validated)) {
    panic("RX frame to be cut, without a segment size or with a complete checksum");
  }
  if (!good || !panic_.empty()) {
    ++counters_.rx_errors;
    return false;
  }
  ++counters_.rx_packets;
  counters_.rx_bytes += frame.size;
  frame.parts = std::span(parts).first(count);
  handler.on_frame(frame);
  return true;
}

std::vector<xen::CtrlGref> FrontQueue::staging_list() const {
  std::vector<xen::CtrlGref> list;
  for (const Buffer& buffer : tx_buffers_) list.push_back({raw(buffer.ref), xen::ctrl::kGrefReadonly, 0});
  for (const Buffer& buffer : rx_buffers_) list.push_back({raw(buffer.ref), 0, 0});
  return list;
}

bool FrontQueue::arm() {
  if (!panic_.empty()) return false;
  // Sent frames are not urgent: half of them done is soon enough (as Linux).
  const std::uint32_t outstanding = tx_req_prod_ - tx_rsp_cons_;
  tx_ring_.store(xen::ring_at::kRspEvent, tx_rsp_cons_ + outstanding / 2 + 1, std::memory_order_relaxed);
  rx_ring_.store(xen::ring_at::kRspEvent, rx_rsp_cons_ + 1, std::memory_order_relaxed);
  xen::full_barrier();
  return tx_ring_.load(xen::ring_at::kRspProd, std::memory_order_acquire) != tx_rsp_cons_ ||
         rx_ring_.load(xen::ring_at::kRspProd, std::memory_order_acquire) != rx_rsp_cons_;
}

void FrontQueue::unmask() {
  domain_->unmask(refs_.evtchn_tx);
  if (refs_.evtchn_rx != refs_.evtchn_tx) domain_->unmask(refs_.evtchn_rx);
}

void FrontQueue::notify_tx() { domain_->notify(refs_.evtchn_tx); }
void FrontQueue::notify_rx() { domain_->notify(refs_.evtchn_rx); }

}  // namespace xvif::netfront
