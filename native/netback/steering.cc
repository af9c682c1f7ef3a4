#include "netback/steering.h"

#include <algorithm>
#include <cstring>

#include "base/bytes.h"
#include "packet/flow_key.h"
#include "packet/headers.h"
#include "xen/netif.h"

namespace xvif::netback {
namespace {

namespace type = xen::ctrl::hash_type;

/// What the hash is over, addresses first.
struct Input {
  std::array<std::uint8_t, Toeplitz::kInputMax> bytes;
  std::size_t addresses = 0;  // 0: not IP
  bool ports = false;         // of TCP, in one piece; they follow the addresses
};

void add_ports(const Packet& packet, std::size_t l4, Input& input) {
  if (l4 == 0 || l4 + kTcpBytes > packet.linear) return;
  std::memcpy(&input.bytes[input.addresses], packet.data + l4, 4);
  input.ports = true;
}

Input ipv4_input(const Packet& packet) {
  Input input;
  if (packet.l3 + kIpv4Bytes > packet.linear) return input;
  const std::uint8_t* const header = packet.data + packet.l3;
  input.addresses = 8;
  std::memcpy(input.bytes.data(), header + 12, input.addresses);
  const bool fragment = (load_be16(header + 6) & 0x3fff) != 0;  // more fragments, or an offset
  if (!fragment && header[9] == ip_proto::kTcp) add_ports(packet, packet.l4, input);
  return input;
}

Input ipv6_input(const Packet& packet) {
  Input input;
  if (packet.l3 + kIpv6Bytes > packet.linear) return input;
  input.addresses = 32;
  std::memcpy(input.bytes.data(), packet.data + packet.l3 + 8, input.addresses);
  const Ipv6Chain chain = walk_ipv6(packet.data, packet.l3, packet.linear);
  const bool fragment = (chain.bits & exthdr::kFrag) != 0;
  if (!fragment && chain.proto == ip_proto::kTcp) add_ports(packet, packet.l4, input);
  return input;
}

}  // namespace

RxHash Steering::hash(const Packet& packet) const {
  if (packet.l3 == 0 || packet.l3 >= packet.linear) return {};
  const unsigned version = packet.data[packet.l3] >> 4;
  if (version != 4 && version != 6) return {};  // ARP
  const Input input = version == 4 ? ipv4_input(packet) : ipv6_input(packet);
  const std::uint8_t with_ports = version == 4 ? type::kIpv4Tcp : type::kIpv6Tcp;
  const std::uint8_t without = version == 4 ? type::kIpv4 : type::kIpv6;
  const auto over = [&](std::size_t bytes, std::uint8_t which) -> RxHash {
    return {toeplitz->hash(std::span(input.bytes).first(bytes)), which, true};
  };
  if (input.ports && (types >> with_ports & 1) != 0) return over(input.addresses + 4, with_ports);
  if (input.addresses != 0 && (types >> without & 1) != 0) return over(input.addresses, without);
  return {};
}

const Steering* PublishedSteering::mark(std::atomic<const Steering*>& mark) {
  const Steering* seen = current_.load(std::memory_order_acquire);
  while (seen != nullptr) {
    // Either the writer sees the mark, or we see that it replaced what we marked.
    mark.store(seen, std::memory_order_seq_cst);
    const Steering* const again = current_.load(std::memory_order_seq_cst);
    if (again == seen) return seen;
    seen = again;
  }
  mark.store(nullptr, std::memory_order_release);
  return nullptr;
}

void PublishedSteering::publish(std::unique_ptr<const Steering> next) {
  const Steering* const old = current_.exchange(next.release(), std::memory_order_seq_cst);
  if (old != nullptr) retired_.emplace_back(old);
  std::erase_if(retired_, [&](const std::unique_ptr<const Steering>& one) {
    return std::none_of(marks_.begin(), marks_.end(),
                        [&](const Mark& mark) { return mark.pointer.load(std::memory_order_seq_cst) == one.get(); });
  });
}

}  // namespace xvif::netback
