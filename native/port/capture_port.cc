#include "port/capture_port.h"

#include "port/port_count.h"
#include "port/wire_frames.h"

namespace xvif {

namespace {

class CapturePort final : public Port {
 public:
  CapturePort(PortNo number, FrameSink& sink, std::span<Linearizer* const> linearizers)
      : number_(number), sink_(sink), frames_(linearizers) {}

  std::span<PortQueue* const> queues() override { return {}; }

  void transmit(std::size_t thread, std::span<Packet* const> packets) override {
    const WireFrames::Emit emit = [this](std::span<const std::uint8_t> frame) {
      return sink_.put(number_, frame) ? Drop::kNone : Drop::kBacklogFull;
    };
    for (Packet* packet : packets) count_sent(counters[thread], *packet, frames_.each(thread, *packet, emit));
  }
  void close() override {}

 private:
  const PortNo number_;
  FrameSink& sink_;
  WireFrames frames_;
};

}  // namespace

std::unique_ptr<Port> make_capture_port(PortNo number, FrameSink& sink, std::span<Linearizer* const> linearizers) {
  return std::make_unique<CapturePort>(number, sink, linearizers);
}

}  // namespace xvif
