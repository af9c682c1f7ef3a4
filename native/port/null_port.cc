#include "port/null_port.h"

#include "port/port_count.h"

namespace xvif {

namespace {

class NullPort final : public Port {
 public:
  std::span<PortQueue* const> queues() override { return {}; }
  void transmit(std::size_t thread, std::span<Packet* const> packets) override {
    for (const Packet* packet : packets) count_sent(counters[thread], *packet, Drop::kNone);
  }
  void close() override {}
};

}  // namespace

std::unique_ptr<Port> make_null_port() { return std::make_unique<NullPort>(); }

}  // namespace xvif
