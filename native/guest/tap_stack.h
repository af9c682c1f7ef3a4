// A TAP device as a guest's stack: with the device in a network namespace, a real kernel is the guest, sending large
// frames with blank checksums through the ring.
#pragma once

#include <memory>
#include <vector>

#include "guest/stack.h"
#include "packet/packet.h"
#include "port/tap_device.h"

namespace xvif::guest {

class TapStack final : public Stack {
 public:
  TapStack(std::unique_ptr<TapDevice> device, FrameOutput& output);

  void on_frame(const netfront::RxFrame& frame) override;
  bool poll(std::uint64_t now_ns) override;
  int fd() const override { return device_->fd(); }
  void readable() override { readable_ = true; }

 private:
  bool forward();

  const std::unique_ptr<TapDevice> device_;
  FrameOutput& output_;
  PacketPool pool_{1};
  std::vector<std::uint8_t> buffer_;
  // A frame read from the device that the ring had no room for.
  std::size_t waiting_ = 0;
  VnetHeader waiting_header_;
  bool readable_ = true;
};

}  // namespace xvif::guest
