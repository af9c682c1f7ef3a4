#include "guest/tap_stack.h"

#include <algorithm>
#include <array>

#include "packet/checksum.h"
#include "xen/guest_memory.h"

namespace xvif::guest {
namespace {

constexpr std::size_t kFramesPerPoll = 32;

std::uint8_t to_netif_gso(std::uint8_t vnet) {
  switch (vnet & ~VnetHeader::kGsoEcn) {
    case VnetHeader::kGsoTcpv4:
      return static_cast<std::uint8_t>(Gso::kTcpv4);
    case VnetHeader::kGsoTcpv6:
      return static_cast<std::uint8_t>(Gso::kTcpv6);
    default:
      return 0;
  }
}

}  // namespace

TapStack::TapStack(std::unique_ptr<TapDevice> device, FrameOutput& output)
    : device_(std::move(device)), output_(output), buffer_(kFrameMax) {}

bool TapStack::forward() {
  const iovec part{buffer_.data(), waiting_};
  netfront::TxMeta meta;
  meta.csum_blank = (waiting_header_.flags & VnetHeader::kNeedsCsum) != 0;
  meta.gso_type = to_netif_gso(waiting_header_.gso_type);
  if (meta.gso_type != 0) meta.gso_size = waiting_header_.gso_size;
  return output_.send(0, {&part, 1}, meta);
}

bool TapStack::poll(std::uint64_t) {
  bool worked = false;
  for (std::size_t i = 0; i < kFramesPerPoll; ++i) {
    if (waiting_ > 0) {
      if (!forward()) return worked;  // responses wake us
      waiting_ = 0;
      worked = true;
    }
    if (!readable_) return worked;
    const ssize_t bytes = device_->read(waiting_header_, buffer_);
    if (bytes <= 0) {
      readable_ = false;
      return worked;
    }
    waiting_ = static_cast<std::size_t>(bytes);
    if (waiting_ > 0xffff) waiting_ = 0;  // more than netif.h's size field holds
  }
  return worked;
}

void TapStack::on_frame(const netfront::RxFrame& frame) {
  Packet* packet = pool_.take();
  const std::size_t head = std::min(frame.size, kPullBytes);
  std::size_t copied = 0;
  std::array<iovec, kSegmentsMax + 1> parts;
  std::size_t count = 1;
  for (const iovec& part : frame.parts) {
    const std::size_t bytes = std::min(part.iov_len, head - copied);
    xen::copy_shared(packet->data + copied, part.iov_base, bytes);
    copied += bytes;
    if (bytes < part.iov_len && count < parts.size()) {
      parts[count++] = {static_cast<std::uint8_t*>(part.iov_base) + bytes, part.iov_len - bytes};
    }
  }
  packet->linear = static_cast<std::uint32_t>(head);
  packet->size = static_cast<std::uint32_t>(frame.size);
  // The device wants to be told where the checksum is; the ring only said that it is blank.
  if (!frame.csum_blank || setup_checksum(*packet)) {
    packet->gso = static_cast<Gso>(frame.gso_type);
    packet->gso_size = frame.gso_size;
    parts[0] = {packet->data, head};
    device_->write(vnet_header_of(*packet), std::span(parts).first(count));
  }
  packet->release();
}

}  // namespace xvif::guest
