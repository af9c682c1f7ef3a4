#include "packet/segment.h"

#include <algorithm>
#include <cstring>

#include "packet/checksum.h"
#include "packet/headers.h"
#include "packet/nsh.h"

namespace xvif {

namespace {

constexpr std::uint8_t kFin = 0x01;
constexpr std::uint8_t kPsh = 0x08;
constexpr std::uint8_t kCwr = 0x80;
constexpr std::uint8_t kSyn = 0x02;
constexpr std::uint8_t kRst = 0x04;

/// What follows the label stack at `at`; 0: it has no end.
std::size_t behind_labels(std::span<const std::uint8_t> frame, std::size_t at) {
  for (; at + kMplsBytes <= frame.size(); at += kMplsBytes) {
    if ((frame[at + 2] & 1) != 0) return at + kMplsBytes;
  }
  return 0;
}

/// Offset of the IP header, beneath I-TAGs, VLAN tags, service headers and MPLS label stack; 0: none.
std::size_t find_l3(std::span<const std::uint8_t> frame) {
  std::size_t ethernet = 0;
  while (ethernet + kEthernetBytes <= frame.size()) {
    const EthertypePlace place = find_ethertype(frame.data() + ethernet, frame.size() - ethernet);
    if (place.next == 0) return 0;
    std::size_t at = ethernet + place.next;
    std::uint16_t type = place.type;
    std::uint8_t next = 0;
    while (type == ethertype::kNsh) {
      const std::uint16_t bytes = nsh::header_bytes(frame.data(), at, frame.size());
      if (bytes == 0) return 0;
      next = frame[at + nsh::kNextAt];
      type = nsh::ethertype_of(next);
      at += bytes;
    }
    if (type == ethertype::kIpv4 || type == ethertype::kIpv6) return at;
    if (ethertype::is_mpls(type)) return behind_labels(frame, at);
    if (type == ethertype::kPbb) {
      ethernet = at + kPbbTciBytes;
    } else if (next == nsh::kNextEthernet) {
      ethernet = at;
    } else {
      return 0;
    }
  }
  return 0;
}

struct L4Place {
  std::size_t at;   // 0: not TCP in one piece
  std::size_t end;  // of the IP packet
};

L4Place find_tcp(std::span<const std::uint8_t> frame, std::size_t l3, bool ipv6) {
  constexpr L4Place kNone{0, 0};
  if (l3 == 0 || frame.size() < l3 + (ipv6 ? kIpv6Bytes : kIpv4Bytes)) return kNone;
  const std::uint8_t* const ip = frame.data() + l3;
  if (ip[0] >> 4 != (ipv6 ? 6 : 4)) return kNone;
  const std::size_t end = l3 + (ipv6 ? kIpv6Bytes + load_be16(ip + 4) : load_be16(ip + 2));
  if (end > frame.size()) return kNone;
  if (ipv6) {
    const Ipv6Chain chain = walk_ipv6(frame.data(), l3, end);
    const bool fragment = (chain.bits & exthdr::kFrag) != 0;
    return chain.proto == ip_proto::kTcp && !fragment ? L4Place{chain.l4, end} : kNone;
  }
  const std::size_t header = (ip[0] & 15u) * 4u;
  if (header < kIpv4Bytes || ip[9] != ip_proto::kTcp || (load_be16(ip + 6) & 0x3fff) != 0) return kNone;
  return {l3 + header, end};
}

}  // namespace

std::optional<Segmenter> Segmenter::make(std::span<const std::uint8_t> frame, Gso gso, std::uint16_t mss,
                                         SegmentChecksum checksum) {
  if (gso == Gso::kNone || mss == 0) return std::nullopt;
  const bool ipv6 = gso == Gso::kTcpv6;
  const std::size_t l3 = find_l3(frame);
  const L4Place l4 = find_tcp(frame, l3, ipv6);
  if (l4.at == 0 || l4.at + kTcpBytes > l4.end) return std::nullopt;
  const std::uint8_t* const tcp = frame.data() + l4.at;
  const std::size_t tcp_bytes = (tcp[12] >> 4) * 4u;
  const std::size_t headers = l4.at + tcp_bytes;
  if (tcp_bytes < kTcpBytes || headers >= l4.end || headers > kHeadersMax) return std::nullopt;
  if ((tcp[13] & (kSyn | kRst)) != 0) return std::nullopt;  // never large
  const std::size_t payload = l4.end - headers;
  if ((payload + mss - 1) / mss > kGsoFramesMax) return std::nullopt;

  std::optional<Segmenter> made = Segmenter();
  Segmenter& s = *made;
  std::memcpy(s.headers_.data(), frame.data(), headers);
  s.payload_ = frame.subspan(headers, payload);
  s.headers_bytes_ = headers;
  s.l3_ = static_cast<std::uint16_t>(l3);
  s.l4_ = static_cast<std::uint16_t>(l4.at);
  s.mss_ = mss;
  s.identification_ = ipv6 ? 0 : load_be16(frame.data() + l3 + 4);
  s.sequence_ = load_be32(tcp + 4);
  s.flags_ = tcp[13];
  s.ipv6_ = ipv6;
  s.checksum_ = checksum;
  return made;
}

std::optional<SegmentedFrame> Segmenter::next() {
  if (done_ >= payload_.size()) return std::nullopt;
  const bool first = done_ == 0;
  const auto piece = payload_.subspan(done_, std::min<std::size_t>(mss_, payload_.size() - done_));
  const bool last = done_ + piece.size() == payload_.size();
  write_ip_length(piece.size());
  write_tcp(piece, first, last);
  done_ += piece.size();
  sequence_ += static_cast<std::uint32_t>(piece.size());
  ++identification_;
  return SegmentedFrame{.headers = {headers_.data(), headers_bytes_}, .payload = piece};
}

void Segmenter::write_ip_length(std::size_t payload_bytes) {
  std::uint8_t* const ip = headers_.data() + l3_;
  const std::size_t ip_bytes = headers_bytes_ - l3_ + payload_bytes;
  if (ipv6_) {
    store_be16(ip + 4, static_cast<std::uint16_t>(ip_bytes - kIpv6Bytes));
    return;
  }
  store_be16(ip + 2, static_cast<std::uint16_t>(ip_bytes));
  store_be16(ip + 4, identification_);
  store_be16(ip + 10, 0);
  store_be16(ip + 10, internet_checksum({ip, (ip[0] & 15u) * 4u}));
}

void Segmenter::write_tcp(std::span<const std::uint8_t> piece, bool first, bool last) {
  std::uint8_t* const tcp = headers_.data() + l4_;
  const std::size_t header = headers_bytes_ - l4_;
  store_be32(tcp + 4, sequence_);
  std::uint8_t flags = flags_;
  if (!first) flags &= static_cast<std::uint8_t>(~kCwr);
  if (!last) flags &= static_cast<std::uint8_t>(~(kFin | kPsh));
  tcp[13] = flags;
  const std::uint16_t pseudo = pseudo_header_sum(headers_.data() + l3_, ipv6_, ip_proto::kTcp,
                                                 static_cast<std::uint32_t>(header + piece.size()));
  store_be16(tcp + kCsumOffset, pseudo);
  if (checksum_ == SegmentChecksum::kBlank) return;
  InternetSum sum;
  sum.add({tcp, header});
  sum.add(piece);
  store_be16(tcp + kCsumOffset, sum.checksum());
}

}  // namespace xvif
