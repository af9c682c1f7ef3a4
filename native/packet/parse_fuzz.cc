// Any bytes as a frame: parsing, checksums and segmentation read nothing beyond it. The first three bytes choose what
// the sender claims about segmentation.
#include <cstdlib>
#include <memory>

#include "packet/checksum.h"
#include "packet/flow_hash.h"
#include "packet/parse.h"
#include "packet/segment.h"

using namespace xvif;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 3) return 0;
  const Gso gso = (data[0] & 1) != 0 ? Gso::kTcpv6 : Gso::kTcpv4;
  const std::uint16_t mss = load_be16(data + 1);
  data += 3;
  size -= 3;
  // Memory of exactly that size: AddressSanitizer sees a byte too many.
  const std::unique_ptr<std::uint8_t[]> frame(new std::uint8_t[size]);
  if (size != 0) std::memcpy(frame.get(), data, size);
  Packet packet{};
  packet.data = frame.get();
  packet.linear = packet.size = static_cast<std::uint32_t>(size);
  FlowKey key{};
  parse(packet, key);
  XVIF_ASSERT(packet.mpls <= size && packet.l3 <= size && packet.l4 <= size);
  (void)flow_hash(key);
  (void)checksums_right({frame.get(), size});
  if (auto segmenter = Segmenter::make({frame.get(), size}, gso, mss, SegmentChecksum::kComplete)) {
    std::size_t pieces = 0;
    while (segmenter->next()) ++pieces;
    XVIF_ASSERT(pieces == segmenter->count() && pieces <= kGsoFramesMax);
  }
  if (setup_checksum(packet)) {
    XVIF_ASSERT(fill_checksum({frame.get(), size}, packet.csum_start, packet.csum_offset));
  }
  return 0;
}
