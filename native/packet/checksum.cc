#include "packet/checksum.h"

#include "packet/crc32c.h"
#include "packet/headers.h"
#include "packet/parse.h"

namespace xvif {

void InternetSum::add(std::span<const std::uint8_t> bytes) {
  const std::uint8_t* at = bytes.data();
  std::size_t left = bytes.size();
  if (odd_ && left != 0) {
    sum_ += static_cast<std::uint64_t>(*at++) << 8;
    --left;
    odd_ = false;
  }
  // 32-bit words into 64 bits: no carry is lost in 16 GiB, and the compiler makes vectors of it.
  std::uint64_t sum = 0;
  for (; left >= 4; left -= 4, at += 4) {
    std::uint32_t word;
    std::memcpy(&word, at, sizeof word);
    sum += word;
  }
  sum_ += sum;
  if (left >= 2) {
    std::uint16_t word;
    std::memcpy(&word, at, sizeof word);
    sum_ += word;
    at += 2;
    left -= 2;
  }
  if (left != 0) {
    sum_ += *at;
    odd_ = true;
  }
}

void InternetSum::add_number(std::uint16_t value) { sum_ += __builtin_bswap16(value); }

std::uint16_t InternetSum::folded() const {
  std::uint64_t sum = (sum_ & 0xffffffff) + (sum_ >> 32);
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  return __builtin_bswap16(static_cast<std::uint16_t>(sum));
}

std::uint16_t internet_checksum(std::span<const std::uint8_t> bytes) {
  InternetSum sum;
  sum.add(bytes);
  return sum.checksum();
}

std::uint16_t updated_checksum(std::uint16_t checksum, const std::uint8_t* from, const std::uint8_t* to,
                               std::size_t bytes) {
  for (std::size_t i = 0; i < bytes; i += 2)
    checksum = updated_checksum(checksum, load_be16(from + i), load_be16(to + i));
  return checksum;
}

std::uint16_t pseudo_header_sum(const std::uint8_t* l3, bool ipv6, std::uint8_t proto, std::uint32_t length) {
  InternetSum sum;
  sum.add(ipv6 ? std::span{l3 + 8, 32} : std::span{l3 + 12, 8});
  sum.add_number(proto);
  sum.add_number(static_cast<std::uint16_t>(length >> 16));
  sum.add_number(static_cast<std::uint16_t>(length));
  return sum.folded();
}

namespace {

bool is_ipv6(const FlowKey& key) { return key.eth_type() == ethertype::kIpv6; }

/// Bytes from the L4 header to the end of the IP packet, by its own length field. parse() has seen to it that the
/// L4 header lies within.
std::uint32_t l4_bytes(const Packet& packet, const FlowKey& key) {
  const std::uint8_t* const l3 = packet.data + packet.l3;
  const std::uint32_t ip_bytes = is_ipv6(key) ? kIpv6Bytes + load_be16(l3 + 4) : load_be16(l3 + 2);
  return ip_bytes - (packet.l4 - packet.l3);
}

}  // namespace

bool setup_checksum(Packet& packet) {
  FlowKey key;
  parse(packet, key);
  return setup_checksum(packet, key);
}

bool setup_checksum(Packet& packet, const FlowKey& key) {
  packet.csum_blank = false;
  const std::uint8_t proto = *key.at(key_at::kIpProto);
  const bool tcp = proto == ip_proto::kTcp;
  if (packet.l4 == 0 || *key.at(key_at::kFrag) != 0 || (!tcp && proto != ip_proto::kUdp)) return false;
  packet.csum_blank = true;
  packet.csum_start = packet.l4;
  packet.csum_offset = tcp ? 16 : 6;
  store_be16(packet.data + packet.csum_start + packet.csum_offset,
             pseudo_header_sum(packet.data + packet.l3, is_ipv6(key), proto, l4_bytes(packet, key)));
  return true;
}

bool fill_checksum(std::span<std::uint8_t> frame, std::size_t csum_start, std::size_t csum_offset) {
  constexpr std::size_t kUdpOffset = 6;
  if (csum_start > frame.size() || csum_offset + 2 > frame.size() - csum_start) return false;
  std::uint16_t checksum = internet_checksum(frame.subspan(csum_start));
  // In UDP 0 means that there is no checksum (RFC 768).
  if (checksum == 0 && csum_offset == kUdpOffset) checksum = 0xffff;
  store_be16(frame.data() + csum_start + csum_offset, checksum);
  return true;
}

bool fill_checksum(Packet& packet) {
  if (packet.linear != packet.size) return false;
  packet.csum_blank = false;
  return fill_checksum({packet.data, packet.linear}, packet.csum_start, packet.csum_offset);
}

namespace {

bool l4_right(const Packet& packet, const FlowKey& key, std::span<const std::uint8_t> l4) {
  const std::uint8_t proto = *key.at(key_at::kIpProto);
  if (proto == ip_proto::kSctp) {
    static constexpr std::uint8_t kZeros[4] = {};
    std::uint32_t crc = crc32c(0, l4.first(8));
    crc = crc32c(crc32c(crc, kZeros), l4.subspan(12));
    std::uint32_t stored;
    std::memcpy(&stored, l4.data() + 8, sizeof stored);
    return crc == stored;
  }
  const bool ipv6 = is_ipv6(key);
  if (proto == ip_proto::kUdp && load_be16(l4.data() + 6) == 0) return !ipv6;  // none was made
  InternetSum sum;
  if (proto != ip_proto::kIcmp) {
    sum.add_number(pseudo_header_sum(packet.data + packet.l3, ipv6, proto, static_cast<std::uint32_t>(l4.size())));
  }
  sum.add(l4);
  return sum.checksum() == 0;
}

}  // namespace

bool checksums_right(std::span<const std::uint8_t> frame) {
  Packet packet{};
  packet.data = const_cast<std::uint8_t*>(frame.data());  // only read
  packet.linear = packet.size = static_cast<std::uint32_t>(frame.size());
  FlowKey key{};
  parse(packet, key);
  if (packet.l3 == 0 || key.eth_type() == ethertype::kArp) return true;
  if (!is_ipv6(key) && internet_checksum(frame.subspan(packet.l3, (frame[packet.l3] & 15u) * 4u)) != 0) return false;
  if (packet.l4 == 0 || *key.at(key_at::kFrag) != 0) return true;
  const std::size_t length = l4_bytes(packet, key);
  if (packet.l4 + length > frame.size()) return false;
  return l4_right(packet, key, frame.subspan(packet.l4, length));
}

}  // namespace xvif
