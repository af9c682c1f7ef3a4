#include "netback/vif_port.h"

#include <array>

#include "base/clock.h"
#include "netback/vif_queue.h"
#include "packet/flow_hash.h"

namespace xvif::netback {
namespace {

/// Same for all packets of a flow; from header bytes, as this port gets no flow key.
std::uint32_t hash_headers(const Packet& packet) {
  const auto word = [&](std::size_t at) {
    std::uint64_t value = 0;
    if (at + 8 <= packet.linear) std::memcpy(&value, packet.data + at, sizeof value);
    return value;
  };
  if (packet.l3 == 0) return hash_finish(hash_mix(hash_mix(1, word(0)), word(6)));
  const std::size_t l3 = packet.l3;
  std::uint32_t hash;
  if (l3 < packet.linear && packet.data[l3] >> 4 == 6) {
    hash = hash_mix(hash_mix(2, word(l3 + 8)), word(l3 + 16));
    hash = hash_mix(hash_mix(hash, word(l3 + 24)), word(l3 + 32));
  } else {
    hash = hash_mix(3, word(l3 + 12));
  }
  if (packet.l4 != 0) hash = hash_mix(hash, word(packet.l4) & 0xffff'ffffu);  // the ports
  return hash_finish(hash);
}

}  // namespace

const char* to_string(VifFault fault) {
  switch (fault) {
    case VifFault::kNone:
      return "none";
    case VifFault::kRequestsBeyondRing:
      return "the frontend claims more requests than a ring holds";
    case VifFault::kTooManySlots:
      return "the frontend sent a packet of too many slots";
    case VifFault::kUnfinishedPacket:
      return "the frontend sent an unfinished packet";
    case VifFault::kBadExtra:
      return "the frontend sent an unknown extra info";
    case VifFault::kBadGso:
      return "the frontend sent an impossible segmentation offload";
    case VifFault::kCrossesPage:
      return "the frontend sent a slot that crosses its page";
  }
  return "unknown";
}

VifPort::VifPort(const VifSpec& spec, std::span<VifThread* const> threads)
    : spec_(spec), threads_(threads.begin(), threads.end()) {}

VifPort::~VifPort() { close(); }

std::unique_ptr<VifPort> VifPort::attach(const VifSpec& spec, std::span<VifThread* const> threads,
                                         std::span<const VifQueueHome> homes, std::string& error) {
  XVIF_ASSERT(!threads.empty() && homes.size() == spec.queues.size());
  if (spec.queues.empty() || spec.queues.size() > kVifQueuesMax) {
    error = "a vif has 1 to " + std::to_string(kVifQueuesMax) + " queues, not " + std::to_string(spec.queues.size());
    return nullptr;
  }
  std::unique_ptr<VifPort> port(new VifPort(spec, threads));
  std::string reason;
  if (port->attach_queues(homes, reason)) return port;
  error = "vif " + std::to_string(raw(spec.domid)) + "/" + std::to_string(spec.handle) + " " + reason;
  return nullptr;
}

bool VifPort::attach_queues(std::span<const VifQueueHome> homes, std::string& error) {
  if (spec_.control) control_ = std::make_unique<ControlRing>(*this, homes[0].thread, *homes[0].events);
  std::string reason;
  for (std::size_t i = 0; i < spec_.queues.size(); ++i) {
    StagingTable* const staging = control_ ? &control_->staging(i) : nullptr;
    queues_.push_back(std::make_unique<VifQueue>(*this, homes[i].thread, *homes[i].events, staging));
    queue_pointers_.push_back(queues_.back().get());
    if (!queues_.back()->attach(spec_.queues[i], reason)) {
      error = "queue " + std::to_string(i) + ": " + reason;
      return false;
    }
  }
  if (!control_) return true;
  queue_pointers_.push_back(control_.get());
  if (control_->attach(*spec_.control, reason)) return true;
  error = "control ring: " + reason;
  return false;
}

void VifPort::transmit(std::size_t thread, std::span<Packet* const> packets) {
  if (fault() != VifFault::kNone) [[unlikely]] {
    PortCounters::add(counters[thread].tx_dropped[static_cast<std::size_t>(Drop::kLinkDown)], packets.size());
    return;
  }
  if (!multicast_control_.load(std::memory_order_relaxed)) [[likely]]
    return transmit_all(thread, packets);
  std::size_t unwanted_count = 0;
  while (!packets.empty()) {
    const auto chunk = packets.first(std::min(packets.size(), kBatchMax));
    packets = packets.subspan(chunk.size());
    std::array<Packet*, kBatchMax> wanted;
    std::size_t count = 0;
    for (Packet* packet : chunk) {
      if (!unwanted(*packet)) wanted[count++] = packet;
    }
    unwanted_count += chunk.size() - count;
    if (count > 0) transmit_all(thread, std::span(wanted).first(count));
  }
  PortCounters::add(counters[thread].tx_dropped[static_cast<std::size_t>(Drop::kMulticastFilter)], unwanted_count);
}

/// Multicast that the guest did not ask for. Broadcast always passes.
bool VifPort::unwanted(const Packet& packet) const {
  constexpr std::array<std::uint8_t, 6> kBroadcast{0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
  if (packet.linear < kBroadcast.size() || (packet.data[0] & 1) == 0) return false;
  const auto to = std::span<const std::uint8_t, 6>(packet.data, 6);
  return !std::equal(to.begin(), to.end(), kBroadcast.begin()) && !shared_.multicast.has(to);
}

void VifPort::transmit_all(std::size_t thread, std::span<Packet* const> packets) {
  if (control_) {
    const PublishedSteering::Use steering(control_->steering(), thread);
    if (steering.get() != nullptr) return transmit_steered(thread, packets, *steering.get());
  }
  if (queues_.size() == 1) return queues_[0]->transmit(thread, packets);
  while (!packets.empty()) {
    const auto chunk = packets.first(std::min(packets.size(), kBatchMax));
    packets = packets.subspan(chunk.size());
    std::array<std::array<Packet*, kBatchMax>, kVifQueuesMax> chosen;
    std::array<std::size_t, kVifQueuesMax> counts{};
    for (Packet* packet : chunk) {
      // High bits times count: even without a division.
      const std::size_t queue = std::uint64_t{hash_headers(*packet)} * queues_.size() >> 32;
      chosen[queue][counts[queue]++] = packet;
    }
    for (std::size_t i = 0; i < queues_.size(); ++i) {
      if (counts[i] > 0) queues_[i]->transmit(thread, std::span(chosen[i]).first(counts[i]));
    }
  }
}

/// By the frontend's own hash, which its frames carry along.
void VifPort::transmit_steered(std::size_t thread, std::span<Packet* const> packets, const Steering& steering) {
  struct Chosen {
    std::array<Packet*, kBatchMax> packets;
    std::array<RxHash, kBatchMax> hashes;
    std::size_t count = 0;
  };
  while (!packets.empty()) {
    const auto chunk = packets.first(std::min(packets.size(), kBatchMax));
    packets = packets.subspan(chunk.size());
    std::array<Chosen, kVifQueuesMax> chosen;
    for (Packet* packet : chunk) {
      const RxHash hash = steering.hash(*packet);
      Chosen& queue = chosen[steering.queue(hash)];
      queue.packets[queue.count] = packet;
      queue.hashes[queue.count++] = hash;
    }
    for (std::size_t i = 0; i < queues_.size(); ++i) {
      const Chosen& queue = chosen[i];
      if (queue.count == 0) continue;
      queues_[i]->transmit(thread, std::span(queue.packets).first(queue.count),
                           std::span(queue.hashes).first(queue.count));
    }
  }
}

void VifPort::set_fault(VifFault fault) {
  VifFault none = VifFault::kNone;
  fault_.compare_exchange_strong(none, fault, std::memory_order_relaxed);
}

void VifPort::configure(const PortSettings& settings) {
  multicast_control_.store(settings.multicast_control, std::memory_order_relaxed);
  shared_.rate.configure(settings.rate, now_ns());
  for (const auto& queue : queues_) queue->configure(settings);
}

void VifPort::silence() {
  for (const auto& queue : queues_) queue->silence();
  if (control_) control_->silence();
}

void VifPort::close() {
  for (const auto& queue : queues_) queue->close();
  if (control_) control_->close();  // after them: no frame lies in the pages that it unmaps
}

}  // namespace xvif::netback
