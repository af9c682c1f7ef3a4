#include "netback/vif_thread.h"

#include "netback/rx_frame.h"

namespace xvif::netback {

bool GrantLinearizer::copy_out(const Packet& packet, std::span<std::uint8_t> out) {
  if (out.size() < packet.size) return false;
  return gather(grants_, RxFrame::of(packet), out.data());
}

VifThread::VifThread(std::unique_ptr<xen::GrantTable> grants)
    : grants_(std::move(grants)), linearizer_(*grants_), scratch_(kFrameMax) {}

}  // namespace xvif::netback
