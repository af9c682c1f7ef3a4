#include "port/tap_port.h"

#include <poll.h>

#include <cerrno>

#include "port/kernel_frames.h"
#include "port/port_count.h"

namespace xvif {

namespace {

constexpr std::size_t kSpill = kFrameMax - kLinearMax;

class TapQueue final : public PortQueue {
 public:
  TapQueue(Port& owner, int fd) : owner_(owner), fd_(fd), payloads_(LocalPayloads::make(kLocalPayloads, kSpill)) {}
  ~TapQueue() override { slot_.reset(); }

  std::size_t receive(PacketPool& pool, std::span<Packet*> out) override {
    std::size_t count = 0;
    // A frame that is not to be used takes its turn too: the work is bounded.
    for (std::size_t i = 0; i < out.size(); ++i) {
      if (!slot_.prepare(pool, *payloads_)) break;
      VnetHeader header;
      const auto pieces = slot_.pieces(*payloads_);
      const std::array<iovec, 3> parts{{{&header, sizeof header}, pieces[0], pieces[1]}};
      const ssize_t got = readv(fd_, parts.data(), static_cast<int>(parts.size()));
      if (got < 0) break;
      const auto bytes =
          static_cast<std::size_t>(got) < sizeof header ? 0 : static_cast<std::size_t>(got) - sizeof header;
      if (Packet* packet = slot_.finish(bytes, header, *payloads_)) {
        out[count++] = packet;
      } else {
        count_receive_drop(owner_, Drop::kMalformed);
      }
    }
    // The packet must not stay: the pool may be gone before this queue.
    slot_.give_back_packet();
    count_received(owner_, out.first(count));
    return count;
  }

  void flush() override {}

  bool arm() override {
    // The worker waits for edges: what came before must not be missed.
    pollfd poll_fd{.fd = fd_, .events = POLLIN, .revents = 0};
    return poll(&poll_fd, 1, 0) > 0 && (poll_fd.revents & POLLIN) != 0;
  }
  int fd() const override { return fd_; }

 private:
  Port& owner_;
  const int fd_;
  LocalPayloads::Handle payloads_;
  FrameSlot slot_;  // worker
};

class TapPort final : public Port {
 public:
  TapPort(std::unique_ptr<TapDevice> device, bool offload, std::span<Linearizer* const> linearizers)
      : device_(std::move(device)),
        frames_(linearizers, offload),
        queue_(std::make_unique<TapQueue>(*this, device_->fd())),
        queues_{queue_.get()} {}

  std::span<PortQueue* const> queues() override { return queues_; }

  void transmit(std::size_t thread, std::span<Packet* const> packets) override {
    const KernelFrames::Emit emit = [this](const KernelFrame& frame, bool) {
      return device_->write(frame.header, {frame.pieces.data(), frame.count}) ? Drop::kNone : Drop::kIoError;
    };
    for (Packet* packet : packets) count_sent(counters[thread], *packet, frames_.each(thread, *packet, emit));
  }

  void close() override {
    queue_.reset();
    device_.reset();
  }

 private:
  // Any thread: the kernel takes concurrent writes.
  std::unique_ptr<TapDevice> device_;
  KernelFrames frames_;
  std::unique_ptr<TapQueue> queue_;
  std::array<PortQueue*, 1> queues_;
};

}  // namespace

std::unique_ptr<Port> open_tap_port(const TapOptions& options, std::span<Linearizer* const> linearizers,
                                    std::string& error) {
  auto device = TapDevice::open(options, error);
  if (!device) return nullptr;
  return std::make_unique<TapPort>(std::move(device), options.offload, linearizers);
}

}  // namespace xvif
