#include "port/vnet_header.h"

#include <algorithm>

#include "packet/checksum.h"

namespace xvif {

VnetHeader vnet_header_of(const Packet& packet) {
  VnetHeader header;
  if (packet.csum_blank) {
    header.flags = VnetHeader::kNeedsCsum;
    header.csum_start = packet.csum_start;
    header.csum_offset = packet.csum_offset;
  }
  if (packet.gso != Gso::kNone) {
    header.gso_type = packet.gso == Gso::kTcpv4 ? VnetHeader::kGsoTcpv4 : VnetHeader::kGsoTcpv6;
    header.gso_size = packet.gso_size;
    // CWR (RFC 3168) is to stand in the first segment only: the receiver must know.
    const std::uint32_t tcp = packet.csum_start;
    if (packet.csum_blank && tcp + 20u <= packet.linear) {
      if ((packet.data[tcp + 13] & 0x80) != 0) header.gso_type |= VnetHeader::kGsoEcn;
      header.hdr_len = static_cast<std::uint16_t>(tcp + (packet.data[tcp + 12] >> 4) * 4u);
    }
  }
  return header;
}

bool apply_vnet_header(const VnetHeader& header, Packet& packet) {
  if ((header.flags & VnetHeader::kNeedsCsum) != 0) {
    if (header.csum_start + header.csum_offset + 2u > std::min<std::size_t>(packet.linear, kLinearMax)) return false;
    packet.csum_blank = true;
    packet.csum_start = header.csum_start;
    packet.csum_offset = header.csum_offset;
  }
  switch (header.gso_type & ~VnetHeader::kGsoEcn) {
    case 0:
      return true;
    case VnetHeader::kGsoTcpv4:
      packet.gso = Gso::kTcpv4;
      break;
    case VnetHeader::kGsoTcpv6:
      packet.gso = Gso::kTcpv6;
      break;
    default:
      return false;
  }
  packet.gso_size = header.gso_size;
  // Hardware that joins frames (LRO) leaves checksums complete, of which segments could make no use.
  return header.gso_size != 0 && (packet.csum_blank || setup_checksum(packet));
}

}  // namespace xvif
