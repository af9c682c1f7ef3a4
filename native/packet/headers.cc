#include "packet/headers.h"

#include "base/bytes.h"
#include "base/schema.gen.h"

namespace xvif {

EthertypePlace find_ethertype(const std::uint8_t* frame, std::size_t bytes) {
  EthertypePlace place{.at = 12, .type = load_be16(frame + 12), .next = 0, .length = 0, .tag = 0};
  while (ethertype::is_vlan(place.type) && bytes >= place.at + 2 + kVlanBytes) {
    if (place.tag == 0) place.tag = place.at + 2;
    place.at += kVlanBytes;
    place.type = load_be16(frame + place.at);
  }
  place.next = place.at + 2;
  if (place.type >= ethertype::kFirst) return place;

  // 802.3: LLC with DSAP, SSAP and control of SNAP, OUI 0 (RFC 1042).
  static constexpr std::uint8_t kSnap[6] = {0xaa, 0xaa, 0x03, 0, 0, 0};
  place.length = place.at;
  place.type = ethertype::kNone;
  const std::size_t llc = place.next;
  place.next = 0;
  if (bytes >= llc + kSnapBytes && std::memcmp(frame + llc, kSnap, sizeof kSnap) == 0) {
    const std::uint16_t snap = load_be16(frame + llc + sizeof kSnap);
    if (snap >= ethertype::kFirst) {
      place.at = llc + sizeof kSnap;
      place.type = snap;
      place.next = llc + kSnapBytes;
    }
  }
  return place;
}

namespace {

/// The order RFC 8200 section 4.1 recommends; destination options may stand in two places.
constexpr unsigned kRankDestFirst = 1;
constexpr unsigned kRankDestLast = 6;

struct Extension {
  std::uint16_t bit;
  unsigned rank;
};

/// bit 0: not an extension header, or one that nothing can follow.
Extension extension_of(std::uint8_t proto) {
  switch (proto) {
    case ip_proto::kHopByHop:
      return {exthdr::kHop, 0};
    case ip_proto::kDestination:
      return {exthdr::kDest, kRankDestFirst};
    case ip_proto::kRouting:
      return {exthdr::kRouter, 2};
    case ip_proto::kFragment:
      return {exthdr::kFrag, 3};
    case ip_proto::kAuth:
      return {exthdr::kAuth, 4};
    default:
      return {0, 0};
  }
}

std::size_t extension_bytes(const std::uint8_t* header, std::uint8_t proto) {
  if (proto == ip_proto::kFragment) return 8;
  if (proto == ip_proto::kAuth) return (header[1] + 2u) * 4u;
  return (header[1] + 1u) * 8u;
}

/// Notes repeats and wrong order.
class ExtensionOrder {
 public:
  void see(Ipv6Chain& chain, Extension extension) {
    unsigned rank = extension.rank;
    if (extension.bit == exthdr::kDest) {
      if (++destinations_ > 2) chain.bits |= exthdr::kUnrep;
      if (destinations_ > 1 || highest_ > kRankDestFirst) rank = kRankDestLast;
    } else if ((chain.bits & extension.bit) != 0) {
      chain.bits |= exthdr::kUnrep;
    }
    if (rank < highest_) chain.bits |= exthdr::kUnseq;
    highest_ = rank > highest_ ? rank : highest_;
    chain.bits |= extension.bit;
  }

 private:
  unsigned destinations_ = 0;
  unsigned highest_ = 0;
};

}  // namespace

Ipv6Chain walk_ipv6(const std::uint8_t* frame, std::size_t l3, std::size_t end) {
  Ipv6Chain chain{.next_at = l3 + 6, .l4 = 0, .bits = 0, .proto = frame[l3 + 6], .frag = 0, .routed = false};
  ExtensionOrder order;
  std::size_t at = l3 + kIpv6Bytes;
  for (;;) {
    const Extension extension = extension_of(chain.proto);
    if (extension.bit == 0) break;
    const std::uint8_t* header = frame + at;
    if (at + 8 > end) return chain;
    const std::size_t bytes = extension_bytes(header, chain.proto);
    if (at + bytes > end) return chain;
    order.see(chain, extension);
    if (chain.proto == ip_proto::kRouting && header[3] != 0) chain.routed = true;
    chain.next_at = at;
    if (chain.proto == ip_proto::kFragment) {
      const std::uint16_t fragment = load_be16(header + 2);
      if ((fragment & 0xfff8) != 0) {
        chain.frag = static_cast<std::uint8_t>(Frag::kLater);
        chain.proto = header[0];
        return chain;
      }
      if ((fragment & 1) != 0) chain.frag = static_cast<std::uint8_t>(Frag::kFirst);
    }
    chain.proto = header[0];
    at += bytes;
  }
  if (chain.proto == ip_proto::kNoNext) {
    chain.bits |= exthdr::kNoNext;
  } else if (chain.proto == ip_proto::kEsp) {
    chain.bits |= exthdr::kEsp;
  } else {
    chain.l4 = at;
  }
  return chain;
}

std::size_t find_nd_option(const std::uint8_t* frame, std::size_t l4, std::size_t end, std::uint8_t type) {
  for (std::size_t at = l4 + kNdBytes; at + 8 <= end;) {
    const std::size_t bytes = frame[at + 1] * 8u;
    if (bytes == 0) return 0;  // RFC 4861 section 4.6: the packet is to be discarded
    if (frame[at] == type && bytes == 8) return at + 2;
    at += bytes;
  }
  return 0;
}

}  // namespace xvif
