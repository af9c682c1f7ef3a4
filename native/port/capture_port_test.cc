#include "port/capture_port.h"

#include <gtest/gtest.h>

#include "port/null_port.h"
#include "port/test_ports.h"

namespace xvif::test {
namespace {

struct Frames final : FrameSink {
  bool put(PortNo port, std::span<const std::uint8_t> frame) override {
    if (frames.size() == room) return false;
    from = port;
    frames.emplace_back(frame.begin(), frame.end());
    return true;
  }
  std::size_t room = 2;
  PortNo from{};
  std::vector<Bytes> frames;
};

/// Stands for netback: knows what lies in granted pages.
struct Copier final : Linearizer {
  bool copy_out(const Packet& packet, std::span<std::uint8_t> out) override {
    std::memcpy(out.data(), frame.data(), packet.size);
    return works;
  }
  Bytes frame;
  bool works = true;
};

TEST(CapturePort, hands_over_until_the_sink_is_full) {
  Frames sink;
  const auto port = make_capture_port(PortNo{9}, sink, {});
  PacketPool pool(4);
  const Bytes frame = macs() + be16(0x88cc) + filler(60);
  Packet* const packets[] = {packet_of(pool, frame), packet_of(pool, frame), packet_of(pool, frame)};
  port->transmit(0, packets);
  EXPECT_EQ(sink.frames, (std::vector<Bytes>{frame, frame}));
  EXPECT_EQ(sink.from, PortNo{9});
  EXPECT_EQ(port->counters[0].tx_packets, 2u);
  EXPECT_EQ(dropped(*port, 0, Drop::kBacklogFull), 1u);
  for (Packet* packet : packets) packet->release();
}

TEST(CapturePort, granted_payload_goes_through_the_linearizer_of_the_thread) {
  Frames sink;
  Copier copier;
  copier.frame = macs() + ipv4({}, udp(1, 2, filler(1000)));
  Linearizer* const linearizers[] = {nullptr, &copier};
  const auto port = make_capture_port(PortNo{9}, sink, linearizers);
  PacketPool pool(1);
  NoOwner owner;
  Payload payload;
  Packet* packet = packet_with_payload(pool, payload, owner, copier.frame, 256);
  payload.segments[0].memory = nullptr;
  ASSERT_TRUE(setup_checksum(*packet));
  std::memcpy(copier.frame.data(), packet->data, 256);  // the headers as they are now
  Packet* const packets[] = {packet};
  port->transmit(1, packets);
  ASSERT_EQ(sink.frames.size(), 1u);
  EXPECT_EQ(sink.frames[0], macs() + ipv4({}, udp(1, 2, filler(1000))));
  EXPECT_TRUE(packet->csum_blank) << "filled in the copy only";
  port->transmit(0, packets);
  copier.works = false;
  port->transmit(1, packets);
  EXPECT_EQ(dropped(*port, 0, Drop::kCopyFailed), 1u);
  EXPECT_EQ(dropped(*port, 1, Drop::kCopyFailed), 1u);
  packet->release();
}

TEST(NullPort, counts) {
  const auto port = make_null_port();
  PacketPool pool(1);
  Packet* const packets[] = {packet_of(pool, filler(99))};
  port->transmit(3, packets);
  EXPECT_EQ(port->counters[3].tx_packets, 1u);
  EXPECT_EQ(port->counters[3].tx_bytes, 99u);
  EXPECT_TRUE(port->queues().empty());
  packets[0]->release();
  port->close();
}

}  // namespace
}  // namespace xvif::test
