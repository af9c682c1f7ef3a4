// What the built-in stack sends of its own accord: echo requests and UDP streams.
#include <algorithm>
#include <utility>

#include "base/bytes.h"
#include "base/clock.h"
#include "guest/builtin_stack.h"

namespace xvif::guest {
namespace {

constexpr std::uint64_t kMs = 1'000'000;
constexpr std::uint64_t kResolveEvery = 100 * kMs;
constexpr std::size_t kBurst = 64;
constexpr std::size_t kUdpOverIpv4 = 42, kUdpOverIpv6 = 62;  // headers of a frame
constexpr unsigned kPingsPerCall = 100'000;
constexpr double kPpsMax = 1e9;

}  // namespace

bool BuiltinStack::ping(const PingOptions& options, std::function<void(const PingResult&)> done) {
  const auto address = IpAddress::parse(options.address);
  if (!address || (address->v6 && !config_.ipv6) || pings_.size() >= kGuestPingsMax) return false;
  if (options.size > config_.mtu || options.size + (address->v6 ? 48u : 28u) > config_.mtu) return false;
  if (options.count > kPingsPerCall) return false;
  const std::uint64_t now = now_ns();
  Ping ping{options, *address, next_ping_id_++, std::move(done), {}, {}, now, now + options.timeout_ms * kMs};
  ping.sent_ns.reserve(options.count);
  pings_.push_back(std::move(ping));
  return true;
}

/// True when the ping is over.
bool BuiltinStack::poll_ping(Ping& ping, std::uint64_t now) {
  const bool all_sent = ping.result.sent == ping.options.count;
  if (ping.result.received == ping.options.count) return true;
  if (all_sent) return now >= ping.last_sent_ns + ping.options.timeout_ms * kMs;
  if (now < ping.next_ns) return false;
  const auto mac = resolve(ping.address);
  if (!mac) {
    if (now >= ping.resolve_until_ns) {
      ping.result.sent = ping.options.count;  // given up: as unanswered as echoes
      return true;
    }
    ping.next_ns = std::min(now + kResolveEvery, ping.resolve_until_ns);
    return false;
  }
  Bytes payload(ping.options.size);
  for (std::size_t i = 0; i < payload.size(); ++i) payload[i] = static_cast<std::uint8_t>(i);
  const Addresses addresses{config_.mac, *mac, source_for(ping.address), ping.address};
  send(make_echo(addresses, true, ping.id, static_cast<std::uint16_t>(ping.result.sent), payload));
  ping.sent_ns.push_back(now);
  ++ping.result.sent;
  ping.last_sent_ns = now;
  ping.next_ns = now + ping.options.interval_ms * kMs;
  return false;
}

void BuiltinStack::on_echo_reply(const IpAddress& from, std::span<const std::uint8_t> l4) {
  const std::uint16_t id = load_be16(&l4[4]);
  const std::uint16_t sequence = load_be16(&l4[6]);
  for (Ping& ping : pings_) {
    if (ping.id != id || ping.address != from) continue;
    // The field has 16 bits; of the sequences it can mean, the last one sent is meant.
    if (ping.sent_ns.empty()) continue;
    const std::size_t last = ping.sent_ns.size() - 1;
    const std::size_t behind = static_cast<std::uint16_t>(last - sequence);
    if (behind > last || ping.sent_ns[last - behind] == 0) continue;
    ping.result.rtt_us.push_back(static_cast<double>(now_ns() - ping.sent_ns[last - behind]) / 1000.0);
    ping.sent_ns[last - behind] = 0;
    ++ping.result.received;
  }
}

bool BuiltinStack::start_traffic(const TrafficOptions& options) {
  const auto address = IpAddress::parse(options.address);
  if (!address || (address->v6 && !config_.ipv6)) return false;
  const std::size_t headers = address->v6 ? kUdpOverIpv6 : kUdpOverIpv4;
  if (options.frame_size < headers || options.frame_size > config_.mtu + ether::kHeader) return false;
  if (!(options.pps >= 0 && options.pps <= kPpsMax)) return false;
  traffic_ = Traffic{options, *address, {}, next_tag_++};
  return true;
}

bool BuiltinStack::make_frames(Traffic& traffic) {
  const auto mac = resolve(traffic.address);
  if (!mac) return false;
  const Addresses addresses{config_.mac, *mac, source_for(traffic.address), traffic.address};
  const Bytes payload(traffic.options.frame_size - (traffic.address.v6 ? kUdpOverIpv6 : kUdpOverIpv4));
  for (std::size_t queue = 0; queue < output_.queues(); ++queue) {
    const auto source_port = static_cast<std::uint16_t>(40000 + queue);
    traffic.frames.push_back(make_udp(addresses, source_port, traffic.options.port, payload));
  }
  return true;
}

bool BuiltinStack::poll_traffic(Traffic& traffic, std::uint64_t now) {
  if (traffic.frames.empty()) {
    if (now < traffic.next_ns) return false;
    if (!make_frames(traffic)) {
      traffic.next_ns = now + kResolveEvery;
      return true;
    }
    traffic.start_ns = traffic.next_ns = now;
  }
  std::uint64_t due = kBurst * traffic.frames.size();
  if (traffic.options.pps > 0) {
    if (now < traffic.next_ns) return false;
    const auto wanted =
        static_cast<std::uint64_t>(static_cast<double>(now - traffic.start_ns) * 1e-9 * traffic.options.pps) + 1;
    due = std::min(due, wanted - std::min(wanted, traffic.sent));
  }
  const std::uint64_t before = traffic.sent;
  std::size_t full = 0;  // queues in a row without room
  while (traffic.sent - before < due && full < traffic.frames.size()) {
    const std::size_t queue = traffic.next_queue++ % traffic.frames.size();
    const Bytes& frame = traffic.frames[queue];
    const iovec part{const_cast<std::uint8_t*>(frame.data()), frame.size()};
    const bool sent = output_.send(queue, {&part, 1}, {.tag = traffic.tag * kVifQueuesMax + queue + 1});
    full = sent ? 0 : full + 1;
    if (sent) ++traffic.sent;
  }
  traffic.blocked = full > 0;
  if (traffic.options.pps > 0) {
    traffic.next_ns =
        traffic.start_ns + static_cast<std::uint64_t>(static_cast<double>(traffic.sent) * 1e9 / traffic.options.pps);
  }
  return traffic.sent != before;
}

bool BuiltinStack::poll(std::uint64_t now) {
  bool worked = false;
  for (std::size_t i = 0; i < pings_.size();) {
    if (!poll_ping(pings_[i], now)) {
      ++i;
      continue;
    }
    Ping over = std::move(pings_[i]);
    pings_.erase(pings_.begin() + static_cast<std::ptrdiff_t>(i));
    over.done(over.result);
    worked = true;
  }
  if (traffic_) worked |= poll_traffic(*traffic_, now);
  return worked;
}

std::uint64_t BuiltinStack::deadline() const {
  std::uint64_t first = kNever;
  for (const Ping& ping : pings_) {
    const bool all_sent = ping.result.sent == ping.options.count;
    first = std::min(first, all_sent ? ping.last_sent_ns + ping.options.timeout_ms * kMs : ping.next_ns);
  }
  if (traffic_ && !traffic_->blocked) {
    const bool paced = traffic_->options.pps > 0 || traffic_->frames.empty();
    first = std::min(first, paced ? traffic_->next_ns : 0);
  }
  return first;
}

}  // namespace xvif::guest
