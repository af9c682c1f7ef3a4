#include "packet/packet_of.h"

#include <algorithm>
#include <cstring>
#include <vector>

namespace xvif {
namespace {

/// Frees itself with the last packet that shares it.
struct HeapPayload final : PayloadOwner {
  explicit HeapPayload(std::span<const std::uint8_t> rest) : bytes(rest.begin(), rest.end()) {
    payload.owner = this;
    payload.refs = 1;
    payload.count = 1;
    payload.bytes = static_cast<std::uint32_t>(bytes.size());
    payload.segments[0] = Segment{bytes.data(), GrantRef{0}, DomId{0}, 0, payload.bytes};
  }
  void payload_done(Payload&) override { delete this; }

  std::vector<std::uint8_t> bytes;
  Payload payload{};
};

}  // namespace

Packet* packet_of(PacketPool& pool, PortNo in_port, std::span<const std::uint8_t> frame) {
  Packet* const packet = pool.take();
  if (packet == nullptr) return nullptr;
  const std::size_t linear = std::min(frame.size(), kLinearMax);
  std::memcpy(packet->data, frame.data(), linear);
  packet->linear = static_cast<std::uint32_t>(linear);
  packet->size = static_cast<std::uint32_t>(frame.size());
  packet->in_port = in_port;
  if (linear < frame.size()) packet->payload = &(new HeapPayload(frame.subspan(linear)))->payload;
  return packet;
}

}  // namespace xvif
