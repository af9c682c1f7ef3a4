#include "guest/builtin_stack.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/bytes.h"
#include "base/clock.h"
#include "packet/checksum.h"
#include "xen/guest_memory.h"

namespace xvif::guest {
namespace {

constexpr std::uint16_t kEchoPort = 7;
constexpr std::size_t kUdpHeader = 8;

/// The bytes of `frame` in one piece; a copy, as the backend can still write the pages.
Bytes gather(const netfront::RxFrame& frame) {
  Bytes bytes(frame.size);
  std::size_t at = 0;
  for (const iovec& part : frame.parts) {
    xen::copy_shared(bytes.data() + at, part.iov_base, part.iov_len);
    at += part.iov_len;
  }
  return bytes;
}

}  // namespace

BuiltinStack::BuiltinStack(const Config& config, FrameOutput& output)
    : config_(config), link_local_(guest::link_local(config.mac)), output_(output) {}

bool BuiltinStack::is_ours(const IpAddress& address) const {
  return address == config_.ipv4 || (config_.ipv6 && (address == *config_.ipv6 || address == link_local_));
}

IpAddress BuiltinStack::source_for(const IpAddress& dest) const {
  if (!dest.v6) return config_.ipv4;
  const bool local = dest.bytes[0] == 0xfe && (dest.bytes[1] & 0xc0) == 0x80;
  return local ? link_local_ : *config_.ipv6;
}

bool BuiltinStack::send(const Bytes& frame, bool csum_blank) {
  const iovec part{const_cast<std::uint8_t*>(frame.data()), frame.size()};
  return output_.send(0, {&part, 1}, {.csum_blank = csum_blank});
}

void BuiltinStack::learn(const IpAddress& address, const std::uint8_t* mac) {
  if (neighbours_.size() >= kGuestNeighboursMax && !neighbours_.contains(address)) neighbours_.clear();
  std::copy_n(mac, 6, neighbours_[address].begin());
}

/// The neighbour's MAC, or nullopt after asking for it.
std::optional<Mac> BuiltinStack::resolve(const IpAddress& address) {
  if (const auto found = neighbours_.find(address); found != neighbours_.end()) return found->second;
  if (address.v6) {
    send(make_neighbour_solicitation(config_.mac, source_for(address), address));
  } else {
    send(make_arp(1, config_.mac, config_.ipv4, kBroadcast, Mac{}, address));
  }
  return std::nullopt;
}

void BuiltinStack::announce() {
  send(make_arp(1, config_.mac, config_.ipv4, kBroadcast, Mac{}, config_.ipv4));
  if (!config_.ipv6) return;
  const IpAddress all_nodes = *IpAddress::parse("ff02::1");
  send(make_neighbour_advertisement({config_.mac, multicast_mac(all_nodes), *config_.ipv6, all_nodes}, false));
}

/// Counts a UDP datagram for the sink without copying it. False: not for the sink.
bool BuiltinStack::sink_fast(const netfront::RxFrame& frame) {
  const iovec& first = frame.parts.front();
  std::array<std::uint8_t, 44> head;
  if (first.iov_len < head.size() - 2) return false;
  xen::copy_shared(head.data(), first.iov_base, std::min(head.size(), first.iov_len));
  if (std::memcmp(head.data(), config_.mac.data(), 6) != 0 || load_be16(&head[12]) != ether::kIpv4) return false;
  if (head[14] != 0x45 || head[23] != proto::kUdp || load_be16(&head[36]) == kEchoPort) return false;
  if (std::memcmp(&head[30], config_.ipv4.bytes.data(), 4) != 0) return false;
  ++udp_received_;
  return true;
}

void BuiltinStack::on_frame(const netfront::RxFrame& received) {
  if (received.size < ether::kHeader || sink_fast(received)) return;
  const Bytes frame = gather(received);
  const bool multicast = (frame[0] & 1) != 0;
  if (!multicast && std::memcmp(frame.data(), config_.mac.data(), 6) != 0) return;
  if (std::memcmp(&frame[6], config_.mac.data(), 6) == 0) return;  // our own, come back
  const std::uint16_t type = load_be16(&frame[12]);
  if (type == ether::kArp) return on_arp(frame);
  if (type != ether::kIpv4 && type != ether::kIpv6) return;
  if (!received.csum_blank && !received.data_validated && !checksums_right(frame)) {
    ++bad_checksums_;
    return;
  }
  on_ip(frame, type == ether::kIpv6, received.csum_blank);
}

void BuiltinStack::on_arp(std::span<const std::uint8_t> frame) {
  if (frame.size() < ether::kHeader + 28) return;
  const std::uint8_t* arp = &frame[ether::kHeader];
  if (load_be32(arp) != 0x0001'0800u || load_be16(arp + 4) != 0x0604) return;
  const IpAddress source = IpAddress::from(arp + 14, false);
  const IpAddress target = IpAddress::from(arp + 24, false);
  if (source != IpAddress{}) learn(source, arp + 8);
  if (load_be16(arp + 6) != 1 || target != config_.ipv4) return;
  Mac asker;
  std::copy_n(arp + 8, 6, asker.begin());
  send(make_arp(2, config_.mac, config_.ipv4, asker, asker, source));
}

void BuiltinStack::on_ip(std::span<const std::uint8_t> frame, bool v6, bool) {
  const std::uint8_t* l3 = &frame[ether::kHeader];
  const std::size_t available = frame.size() - ether::kHeader;
  const std::size_t header = v6 ? 40 : 20;
  if (available < header || (!v6 && l3[0] != 0x45)) return;
  const std::size_t length = v6 ? header + load_be16(l3 + 4) : load_be16(l3 + 2);
  if (length < header || length > available || (!v6 && (load_be16(l3 + 6) & 0x3fff) != 0)) return;
  const std::uint8_t protocol = v6 ? l3[6] : l3[9];
  const IpAddress source = IpAddress::from(l3 + (v6 ? 8 : 12), v6);
  const IpAddress dest = IpAddress::from(l3 + (v6 ? 24 : 16), v6);
  const bool multicast = v6 && dest.bytes[0] == 0xff;
  if (!is_ours(dest) && !multicast) return;
  Addresses back{config_.mac, {}, multicast ? source_for(source) : dest, source};
  std::copy_n(&frame[6], 6, back.dest_mac.begin());
  const auto l4 = frame.subspan(ether::kHeader + header, length - header);
  if (l4.size() < kUdpHeader) return;
  if (protocol == proto::kUdp && !multicast) on_udp(l4, back);
  if (protocol == proto::kIcmp && !v6) on_icmp(l4, back);
  if (protocol == proto::kIcmpv6 && v6) on_icmpv6(l4, back);
}

void BuiltinStack::on_udp(std::span<const std::uint8_t> l4, const Addresses& back) {
  ++udp_received_;
  const std::uint16_t length = load_be16(&l4[4]);
  if (load_be16(&l4[2]) != kEchoPort || length < kUdpHeader || length > l4.size()) return;
  send(make_udp(back, kEchoPort, load_be16(&l4[0]), l4.subspan(kUdpHeader, length - kUdpHeader), config_.csum_offload),
       config_.csum_offload);
}

void BuiltinStack::on_icmp(std::span<const std::uint8_t> l4, const Addresses& back) {
  if (l4[0] == 8) send(make_echo(back, false, load_be16(&l4[4]), load_be16(&l4[6]), l4.subspan(8)));
  if (l4[0] == 0) on_echo_reply(back.dest, l4);
}

void BuiltinStack::on_icmpv6(std::span<const std::uint8_t> l4, const Addresses& back) {
  if (l4[0] == 128) send(make_echo(back, false, load_be16(&l4[4]), load_be16(&l4[6]), l4.subspan(8)));
  if (l4[0] == 129) on_echo_reply(back.dest, l4);
  if ((l4[0] != 135 && l4[0] != 136) || l4.size() < 24) return;
  const IpAddress target = IpAddress::from(&l4[8], true);
  const bool solicitation = l4[0] == 135;
  if (l4.size() >= 32 && l4[24] == (solicitation ? 1 : 2) && l4[25] == 1) {
    const IpAddress& whose = solicitation ? back.dest : target;
    if (whose != IpAddress{true, {}}) learn(whose, &l4[26]);
  }
  if (!solicitation || !is_ours(target)) return;
  send(make_neighbour_advertisement({config_.mac, back.dest_mac, target, back.dest}, true));
}

void BuiltinStack::close() {
  traffic_.reset();
  for (Ping& ping : std::exchange(pings_, {})) ping.done(ping.result);
}

}  // namespace xvif::guest
