#include "port/pcap_port.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <iterator>

#include "port/pcap_file.h"
#include "port/test_ports.h"

namespace xvif::test {
namespace {

Bytes word(std::uint32_t v, bool big) {
  const Bytes b = be32(v);
  return big ? b : Bytes{b[3], b[2], b[1], b[0]};
}
Bytes pcap_of(const std::vector<Bytes>& frames, std::uint32_t magic, bool big) {
  Bytes out = word(magic, big) + (big ? be16(2) + be16(4) : hex("02000400")) + word(0, big) + word(0, big) +
              word(65535, big) + word(1, big);
  for (const Bytes& f : frames) {
    const auto n = static_cast<std::uint32_t>(f.size());
    out = out + word(1, big) + word(2, big) + word(n, big) + word(n, big) + f;
  }
  return out;
}

std::vector<Bytes> some_frames() {
  std::vector<Bytes> out;
  for (const auto& [name, bytes] : all_frames()) out.push_back(bytes);
  out.push_back(macs() + ipv4({}, udp(1, 2, filler(3000))));
  out.push_back(macs() + ipv4({}, udp(1, 2, filler(2048 - 42))));
  return out;
}

class File {
 public:
  explicit File(const char* name) : path(::testing::TempDir() + "xvif-" + std::to_string(getpid()) + name) {}
  ~File() { std::remove(path.c_str()); }
  void write(const Bytes& bytes) const {
    std::ofstream(path, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()), static_cast<long>(bytes.size()));
  }
  Bytes read() const {
    std::ifstream in(path, std::ios::binary);
    return Bytes(std::istreambuf_iterator<char>(in), {});
  }
  const std::string path;
};

std::vector<Bytes> as_bytes(const PcapFrames& read) {
  std::vector<Bytes> out;
  for (const auto f : read.frames) out.emplace_back(f.begin(), f.end());
  return out;
}

TEST(PcapFile, both_byte_orders_and_resolutions) {
  const auto frames = some_frames();
  for (const bool big : {false, true}) {
    for (const std::uint32_t magic : {0xa1b2c3d4u, 0xa1b23c4du}) {
      const Bytes file = pcap_of(frames, magic, big);
      const PcapFrames read = read_pcap(file);
      EXPECT_EQ(read.error, nullptr);
      EXPECT_EQ(as_bytes(read), frames);
    }
  }
}

TEST(PcapFile, odd_files) {
  EXPECT_NE(read_pcap({}).error, nullptr);
  EXPECT_NE(read_pcap(hex("0a0d0d0a 00000000 00000000 00000000 00000000 00000000")).error, nullptr) << "pcapng";
  Bytes file = pcap_of({macs() + filler(50)}, 0xa1b2c3d4, false);
  Bytes other = file;
  other[20] = 101;  // raw IP
  EXPECT_NE(read_pcap(other).error, nullptr);
  for (std::size_t n = 24; n < file.size(); ++n) {
    const PcapFrames read = read_pcap({file.data(), n});
    EXPECT_EQ(read.error, nullptr);
    EXPECT_TRUE(read.frames.empty());
  }
  Bytes cut = file;
  cut[24 + 12] = 200;  // original length: the capture is cut
  EXPECT_EQ(read_pcap(cut).skipped, 1u);
  EXPECT_EQ(read_pcap(pcap_of({filler(13)}, 0xa1b2c3d4, false)).skipped, 1u);
}

TEST(PcapPort, replays_once) {
  const File input("in.pcap");
  const auto frames = some_frames();
  input.write(pcap_of(frames, 0xa1b2c3d4, true));
  std::string error;
  const auto port = open_pcap_port({.input = input.path}, {}, error);
  ASSERT_TRUE(port) << error;
  ASSERT_EQ(port->queues().size(), 1u);
  PortQueue& queue = *port->queues()[0];
  PacketPool pool(64);
  std::vector<Bytes> got;
  std::array<Packet*, 7> out;
  while (queue.arm()) {
    const std::size_t n = queue.receive(pool, out);
    ASSERT_GT(n, 0u);
    for (std::size_t i = 0; i < n; ++i) {
      got.push_back(whole(*out[i]));
      out[i]->release();
    }
  }
  EXPECT_EQ(got, frames);
  EXPECT_EQ(queue.receive(pool, out), 0u);
  EXPECT_EQ(port->counters[0].rx_packets, frames.size());
  EXPECT_EQ(pool.available(), 64u);
  port->close();
}

TEST(PcapPort, loops_and_packets_outlive_it) {
  const File input("loop.pcap");
  const Bytes large = macs() + ipv4({}, udp(1, 2, filler(5000)));
  input.write(pcap_of({macs() + filler(50), large}, 0xa1b2c3d4, false));
  std::string error;
  auto port = open_pcap_port({.input = input.path, .loop = true}, {}, error);
  ASSERT_TRUE(port) << error;
  PacketPool pool(8);
  std::array<Packet*, 5> out;
  ASSERT_EQ(port->queues()[0]->receive(pool, out), 5u);
  EXPECT_EQ(whole(*out[4]), whole(*out[0]));
  EXPECT_TRUE(port->queues()[0]->arm());
  port->close();
  port.reset();
  EXPECT_EQ(whole(*out[1]), large) << "kept in a backlog while the port went away";
  for (Packet* packet : out) packet->release();
}

TEST(PcapPort, writes_frames_as_on_a_wire) {
  const File output("out.pcap");
  std::string error;
  const auto port = open_pcap_port({.output = output.path}, {}, error);
  ASSERT_TRUE(port) << error;
  EXPECT_TRUE(port->queues().empty());
  PacketPool pool(8);
  NoOwner owner;

  Packet* small = packet_of(pool, macs() + be16(0x88cc) + text("x"));
  const Bytes udp_frame = macs() + ipv4({}, udp(1, 2, filler(100)));
  Packet* blank = packet_of(pool, udp_frame);
  ASSERT_TRUE(setup_checksum(*blank));
  const Bytes large = macs() + ipv4({.proto = 6}, tcp(1, 2, 0x18, filler(9000)));
  Payload payload;
  Packet* gso = packet_with_payload(pool, payload, owner, large, 300);
  ASSERT_TRUE(setup_checksum(*gso));
  gso->gso = Gso::kTcpv4;
  gso->gso_size = 1448;
  Payload granted_payload;
  Packet* granted = packet_with_payload(pool, granted_payload, owner, large, 300);
  granted_payload.segments[0].memory = nullptr;
  Packet* const packets[] = {small, blank, gso, granted};
  port->transmit(2, packets);
  EXPECT_EQ(port->counters[2].tx_packets, 3u);
  EXPECT_EQ(dropped(*port, 2, Drop::kCopyFailed), 1u) << "granted, and nobody to copy it";

  const Bytes file = output.read();
  const auto written = as_bytes(read_pcap(file));
  ASSERT_EQ(written.size(), 2u + 7u);
  EXPECT_EQ(written[0], macs() + be16(0x88cc) + text("x") + Bytes(45, 0));
  EXPECT_EQ(written[1], udp_frame);
  Bytes joined;
  for (std::size_t i = 2; i < written.size(); ++i) {
    EXPECT_TRUE(checksums_right(written[i]));
    joined.insert(joined.end(), written[i].begin() + 54, written[i].end());
  }
  EXPECT_EQ(joined, filler(9000));
  for (Packet* packet : packets) packet->release();
  port->close();
}

TEST(PcapPort, threads_write_whole_frames) {
  constexpr unsigned kEach = 200;
  constexpr std::size_t kThreads = 4;
  const File output("threads.pcap");
  std::string error;
  const auto port = open_pcap_port({.output = output.path}, {}, error);
  ASSERT_TRUE(port) << error;
  std::vector<std::thread> threads;
  for (std::size_t thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] {
      PacketPool pool(1);
      for (unsigned i = 0; i < kEach; ++i) {
        Packet* packet = packet_of(pool, macs() + ipv4({}, udp(static_cast<unsigned>(thread), i, filler(200))));
        setup_checksum(*packet);
        Packet* const packets[] = {packet};
        port->transmit(thread, packets);
        packet->release();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  port->close();
  const Bytes file = output.read();
  const auto frames = as_bytes(read_pcap(file));
  EXPECT_EQ(frames.size(), kThreads * kEach);
  for (const Bytes& frame : frames) EXPECT_TRUE(checksums_right(frame));
}

TEST(PcapPort, says_what_is_wrong_with_a_file) {
  std::string error;
  EXPECT_EQ(open_pcap_port({.input = "/nonexistent/x.pcap"}, {}, error), nullptr);
  EXPECT_NE(error.find("/nonexistent/x.pcap: No such file"), std::string::npos) << error;
  EXPECT_EQ(open_pcap_port({.output = "/nonexistent/x.pcap"}, {}, error), nullptr);
  const File bad("bad.pcap");
  bad.write(text("hello"));
  EXPECT_EQ(open_pcap_port({.input = bad.path}, {}, error), nullptr);
  EXPECT_NE(error.find("not a pcap file"), std::string::npos);
}

}  // namespace
}  // namespace xvif::test
