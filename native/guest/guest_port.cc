#include "guest/guest_port.h"

#include <cstdio>
#include <cstring>
#include <utility>

#include "guest/builtin_stack.h"
#include "guest/guest_thread.h"
#include "guest/tap_stack.h"
#include "xen/guest_memory.h"

namespace xvif::guest {
namespace {

constexpr std::size_t kFramesPerPoll = 64;
/// The size field of netif.h counts the Ethernet header too.
constexpr unsigned kMtuMax = 65535 - 14;

void add(netfront::FrontCounters& to, const netfront::FrontCounters& from) {
  to.tx_packets += from.tx_packets;
  to.tx_bytes += from.tx_bytes;
  to.rx_packets += from.rx_packets;
  to.rx_bytes += from.rx_bytes;
  to.tx_dropped += from.tx_dropped;
  to.rx_errors += from.rx_errors;
}

}  // namespace

GuestPort::GuestPort(GuestThread& thread, std::shared_ptr<xen::EmulatedDomain> domain, const FrontendOptions& options)
    : thread_(thread), domain_(std::move(domain)), options_(options) {}

GuestPort::~GuestPort() = default;

bool GuestPort::open(std::uint64_t number, std::string& error) {
  number_ = number;
  if (!make_stack(error) || !open_queues(error)) return false;
  if (stack_->fd() >= 0) thread_.watch(stack_->fd(), number_);
  return true;
}

bool GuestPort::make_stack(std::string& error) {
  FrameOutput& output = *this;
  if (const auto* tap = std::get_if<TapStackOptions>(&options_.stack)) {
    char mac[18];
    const auto& m = options_.mac;
    std::snprintf(mac, sizeof mac, "%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4], m[5]);
    // Large frames need several slots.
    auto device =
        TapDevice::open({tap->device, tap->netns, mac, options_.mtu, options_.csum_offload && options_.sg}, error);
    if (!device) return false;
    stack_ = std::make_unique<TapStack>(std::move(device), output);
    return true;
  }
  const auto& builtin = std::get<BuiltinStackOptions>(options_.stack);
  const auto ipv4 = IpAddress::parse(builtin.ipv4);
  const auto ipv6 = builtin.ipv6.empty() ? std::nullopt : IpAddress::parse(builtin.ipv6);
  if (!ipv4 || ipv4->v6) {
    error = "\"" + builtin.ipv4 + "\" is not an IPv4 address";
    return false;
  }
  if (!builtin.ipv6.empty() && (!ipv6 || !ipv6->v6)) {
    error = "\"" + builtin.ipv6 + "\" is not an IPv6 address";
    return false;
  }
  if (options_.mtu > kMtuMax) {
    error = "an MTU is at most " + std::to_string(kMtuMax);
    return false;
  }
  stack_ = std::make_unique<BuiltinStack>(
      BuiltinStack::Config{options_.mac, *ipv4, ipv6, options_.mtu, options_.csum_offload}, output);
  return true;
}

bool GuestPort::open_queues(std::string& error) {
  connected_ = false;
  for (const auto& queue : queues_) add(retired_, queue->counters());
  queues_.clear();
  control_.reset();
  if (options_.queues == 0 || options_.queues > kVifQueuesMax) {
    error = "a frontend has 1 to " + std::to_string(kVifQueuesMax) + " queues";
    return false;
  }
  for (unsigned i = 0; i < options_.queues; ++i) {
    auto queue = netfront::FrontQueue::create(domain_, thread_.sink(), number_, options_.split_event_channels, error,
                                              options_.rules);
    if (!queue) {
      queues_.clear();
      return false;
    }
    queues_.push_back(std::move(queue));
  }
  if (options_.control_ring) control_ = netfront::FrontControl::create(domain_, thread_.sink(), number_, error);
  if (options_.control_ring && !control_) queues_.clear();
  return !queues_.empty();
}

void GuestPort::stage_buffers(bool on, std::function<void(bool)> done) {
  if (queues_.empty()) return done(false);
  struct Outcome {
    std::size_t left;
    bool good;
  };
  const auto outcome = std::make_shared<Outcome>(Outcome{queues_.size(), true});
  const auto answered = [outcome, done = std::move(done)](bool good) {
    outcome->good &= good;
    if (--outcome->left == 0) done(outcome->good);
  };
  for (std::uint32_t i = 0; i < queues_.size(); ++i) {
    const std::vector<xen::CtrlGref> list = queues_[i]->staging_list();
    netfront::ControlRequest request;
    request.type = on ? xen::ctrl::kAddGrefMapping : xen::ctrl::kDelGrefMapping;
    request.data = {i, 0, static_cast<std::uint32_t>(list.size())};
    request.page_at = 1;
    request.page.resize(list.size() * sizeof list[0]);
    std::memcpy(request.page.data(), list.data(), request.page.size());
    const bool sent = control_ && control_->request(request, [=](const netfront::ControlResult& result) {
      answered(result.answered && result.status == xen::ctrl::kSuccess && (on || result.data == list.size()));
    });
    if (!sent) answered(false);
  }
  thread_.activate(*this);
}

std::vector<netfront::QueueRefs> GuestPort::refs() const {
  std::vector<netfront::QueueRefs> refs;
  for (const auto& queue : queues_) refs.push_back(queue->refs());
  return refs;
}

void GuestPort::connect() {
  connected_ = true;
  for (const auto& queue : queues_) queue->post_rx(xen::kRingSlots);
  stack_->announce();
  thread_.activate(*this);
}

void GuestPort::close() {
  connected_ = false;
  if (stack_) {
    if (stack_->fd() >= 0) thread_.unwatch(stack_->fd());
    stack_->close();
  }
  for (const auto& queue : queues_) add(retired_, queue->counters());
  queues_.clear();
  control_.reset();
}

bool GuestPort::poll(std::uint64_t now) {
  bool worked = false;
  if (running()) {
    for (const auto& queue : queues_) {
      worked |= queue->reap_tx() > 0;
      worked |= queue->receive(*this, kFramesPerPoll) > 0;
      note_panic(queue->panicked());
    }
    if (control_) {
      worked |= control_->poll() > 0;
      note_panic(control_->panicked());
    }
  }
  worked |= stack_->poll(now);  // without a carrier its sends fail, and its pings end in time
  if (running()) {
    for (const auto& queue : queues_) queue->push_tx();
  }
  return worked;
}

/// A dead kernel: nothing moves any more, the rings stay where they are.
void GuestPort::note_panic(const std::string& why) {
  if (why.empty()) return;
  if (panic_.empty()) panic_ = why;
  connected_ = false;
}

std::string GuestPort::panicked() const { return panic_; }

bool GuestPort::arm() {
  if (!running()) return false;
  bool work = false;
  for (const auto& queue : queues_) work |= queue->arm();
  if (control_) work |= control_->arm();
  if (work) return true;
  for (const auto& queue : queues_) queue->unmask();
  if (control_) control_->unmask();
  return false;
}

void GuestPort::on_frame(const netfront::RxFrame& frame) {
  if (taking_ && taken_.size() < kTakenFramesMax) {
    TakenFrame kept{{},           frame.csum_blank, frame.gso_size, frame.gso_type, frame.slots, frame.xdp_headroom,
                    frame.hashed, frame.hash_type,  frame.hash};
    kept.frame.resize(frame.size);
    std::size_t at = 0;
    for (const iovec& part : frame.parts) {
      xen::copy_shared(kept.frame.data() + at, part.iov_base, part.iov_len);
      at += part.iov_len;
    }
    taken_.push_back(std::move(kept));
  }
  stack_->on_frame(frame);
}

bool GuestPort::send(std::size_t queue, std::span<const iovec> frame, const netfront::TxMeta& meta) {
  return running() && queue < queues_.size() && queues_[queue]->send(frame, meta);
}

bool GuestPort::send_frame(std::span<const std::uint8_t> frame, const SendOptions& options) {
  const iovec part{const_cast<std::uint8_t*>(frame.data()), frame.size()};
  if (!running()) return false;
  queues_[0]->reap_tx();
  if (!send(0, {&part, 1}, {options.csum_blank, options.gso_size, options.gso_type, 0})) return false;
  queues_[0]->push_tx();
  thread_.activate(*this);
  return true;
}

bool GuestPort::send_multicast(std::uint8_t type, const std::array<std::uint8_t, 6>& address) {
  if (!running()) return false;
  queues_[0]->reap_tx();
  if (!queues_[0]->send_multicast(type, address)) return false;
  queues_[0]->push_tx();
  thread_.activate(*this);
  return true;
}

std::vector<TakenFrame> GuestPort::take_frames() {
  taking_ = true;
  return std::exchange(taken_, {});
}

GuestStats GuestPort::stats() const {
  netfront::FrontCounters sum = retired_;
  for (const auto& queue : queues_) add(sum, queue->counters());
  const std::uint64_t rx_errors = sum.rx_errors + stack_->rx_errors();
  return {sum.tx_packets, sum.tx_bytes, sum.rx_packets,        sum.rx_bytes,
          sum.tx_dropped, rx_errors,    stack_->udp_received()};
}

}  // namespace xvif::guest
