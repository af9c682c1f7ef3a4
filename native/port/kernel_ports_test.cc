// TAP and packet socket against the real kernel, in a network namespace of their own. Skipped without root.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <deque>

#include "port/packet_socket_port.h"
#include "port/tap_port.h"
#include "port/test_ports.h"

namespace xvif::test {
namespace {

/// Frames that a queue receives.
class Receiver {
 public:
  explicit Receiver(Port& port) : queue_(*port.queues()[0]) {}

  ~Receiver() {
    for (Packet* packet : waiting_) packet->release();
  }
  Receiver(const Receiver&) = delete;
  Receiver& operator=(const Receiver&) = delete;

  /// Waits for a frame that `wanted` accepts; those before it are let go. nullptr when none comes. The caller
  /// releases it.
  Packet* wait(
      const std::function<bool(const Packet&)>& wanted, const std::function<bool()>& enough = [] { return false; }) {
    Packet* found = nullptr;
    eventually([&] {
      std::array<Packet*, 4> out;
      const std::size_t n = queue_.receive(pool, out);
      waiting_.insert(waiting_.end(), out.begin(), out.begin() + static_cast<long>(n));
      while (found == nullptr && !waiting_.empty()) {
        Packet* packet = waiting_.front();
        waiting_.pop_front();
        if (wanted(*packet)) {
          found = packet;
        } else {
          packet->release();
        }
      }
      return found != nullptr || enough();
    });
    return found;
  }

  PacketPool pool{64};

 private:
  PortQueue& queue_;
  std::deque<Packet*> waiting_;
};

std::function<bool(const Packet&)> of_type(unsigned type) {
  return [type](const Packet& packet) { return load_be16(packet.data + 12) == type; };
}

/// TCP over IPv4 or IPv6: not what the kernel says of its own accord.
bool is_tcp(const Packet& packet) {
  const unsigned type = load_be16(packet.data + 12);
  return (type == 0x0800 && packet.data[23] == 6) || (type == 0x86dd && packet.data[20] == 6);
}

#define XVIF_NEED(ns) \
  if (!(ns).usable()) FAIL() << "needs root and /dev/net/tun"

TEST(TapPort, talks_with_the_kernel_of_its_namespace) {
  const TestNetns ns;
  XVIF_NEED(ns);
  struct stat before;
  struct stat after;
  ASSERT_EQ(stat("/proc/thread-self/ns/net", &before), 0);
  std::string error;
  const auto port =
      open_tap_port({.device = "tap0", .netns = ns.name(), .mac = "02:00:00:00:00:aa", .mtu = 1400}, {}, error);
  ASSERT_TRUE(port) << error;
  ASSERT_EQ(stat("/proc/thread-self/ns/net", &after), 0);
  EXPECT_EQ(before.st_ino, after.st_ino) << "the caller stays where it is";
  ASSERT_TRUE(ns.run("addr add 10.0.0.2/24 dev tap0"));

  Receiver receiver(*port);
  Packet* request = packet_of(receiver.pool, macs() + arp(1));
  std::memset(request->data, 0xff, 6);
  Packet* const packets[] = {request};
  port->transmit(0, packets);
  EXPECT_EQ(port->counters[0].tx_packets, 1u);
  request->release();
  Packet* reply = receiver.wait([](const Packet& p) { return load_be16(p.data + 12) == 0x0806 && p.data[21] == 2; });
  ASSERT_NE(reply, nullptr);
  EXPECT_EQ(to_hex({reply->data + 22, 10}), "0200000000aa0a000002");
  EXPECT_FALSE(reply->csum_blank);
  reply->release();
  EXPECT_GE(port->counters[0].rx_packets, 1u);
  EXPECT_GE(port->queues()[0]->fd(), 0);
  port->close();
}

TEST(TapPort, says_why_it_cannot_be_opened) {
  std::string error;
  EXPECT_EQ(open_tap_port({.device = "tap0", .netns = "no-such-netns"}, {}, error), nullptr);
  EXPECT_NE(error.find("no-such-netns: No such file"), std::string::npos) << error;
  EXPECT_EQ(open_tap_port({.device = "tap0", .netns = "../x"}, {}, error), nullptr);
  EXPECT_EQ(open_tap_port({.device = "a-name-that-is-too-long"}, {}, error), nullptr);
  const TestNetns ns;
  XVIF_NEED(ns);
  EXPECT_EQ(open_tap_port({.device = "tap0", .netns = ns.name(), .mac = "02:00"}, {}, error), nullptr);
  EXPECT_NE(error.find("not a MAC address"), std::string::npos) << error;
}

/// Two TAP ports joined by a bridge of the kernel.
struct Bridged {
  explicit Bridged(bool second_offloads) {
    if (!ns.usable()) return;
    std::string error;
    a = open_tap_port({.device = "tapa", .netns = ns.name()}, {}, error);
    b = open_tap_port({.device = "tapb", .netns = ns.name(), .offload = second_offloads}, {}, error);
    EXPECT_TRUE(a && b) << error;
    usable = ns.run("link add bridge0 type bridge") && ns.run("link set bridge0 up") &&
             ns.run("link set tapa master bridge0") && ns.run("link set tapb master bridge0");
  }
  TestNetns ns;
  std::unique_ptr<Port> a;
  std::unique_ptr<Port> b;
  bool usable = false;
};

TEST(TapPort, large_and_blank_frames_pass_as_they_are) {
  Bridged net(true);
  if (!net.usable) FAIL() << "needs root and a kernel with bridges";
  Receiver receiver(*net.b);
  NoOwner owner;
  Payload payload;
  const Bytes large = macs() + ipv4({.proto = 6}, tcp(1, 2, 0x18, filler(40000)));
  Packet* packet = packet_with_payload(receiver.pool, payload, owner, large, 300);
  ASSERT_TRUE(setup_checksum(*packet));
  packet->gso = Gso::kTcpv4;
  packet->gso_size = 1448;
  const Bytes sent = whole(*packet);
  Packet* const packets[] = {packet};
  net.a->transmit(0, packets);
  EXPECT_EQ(net.a->counters[0].tx_packets, 1u);
  Packet* got = receiver.wait(is_tcp);
  ASSERT_NE(got, nullptr);
  EXPECT_EQ(got->linear, kLinearMax);
  EXPECT_TRUE(got->csum_blank);
  EXPECT_EQ(got->csum_start, 34);
  EXPECT_EQ(got->csum_offset, 16);
  EXPECT_EQ(got->gso, Gso::kTcpv4);
  EXPECT_EQ(got->gso_size, 1448);
  EXPECT_EQ(whole(*got), sent);
  net.b->close();
  EXPECT_EQ(whole(*got), sent) << "kept in a backlog while the port went away";
  got->release();
  packet->release();
}

TEST(TapPort, without_offload_the_kernel_makes_whole_frames) {
  Bridged net(false);
  if (!net.usable) FAIL() << "needs root and a kernel with bridges";
  Receiver receiver(*net.b);
  NoOwner owner;
  Payload payload;
  const Bytes large = macs() + ipv6({.next = 6, .l4 = 6}, tcp(1, 2, 0x18, filler(10000)));
  Packet* packet = packet_with_payload(receiver.pool, payload, owner, large, 300);
  ASSERT_TRUE(setup_checksum(*packet));
  packet->gso = Gso::kTcpv6;
  packet->gso_size = 1428;
  Packet* const packets[] = {packet};
  net.a->transmit(0, packets);
  Bytes joined;
  while (joined.size() < 10000) {
    Packet* got = receiver.wait(is_tcp);
    ASSERT_NE(got, nullptr);
    const Bytes frame = whole(*got);
    EXPECT_FALSE(got->csum_blank);
    EXPECT_TRUE(checksums_right(frame));
    joined.insert(joined.end(), frame.begin() + 74, frame.end());
    got->release();
  }
  EXPECT_EQ(joined, filler(10000));
  packet->release();
}

/// And the other way: our port segments for a device that takes no large frames.
TEST(TapPort, without_offload_it_sends_whole_frames) {
  Bridged net(false);
  if (!net.usable) FAIL() << "needs root and a kernel with bridges";
  Receiver receiver(*net.a);
  NoOwner owner;
  Payload payload;
  const Bytes large = macs() + ipv4({.proto = 6}, tcp(1, 2, 0x18, filler(5000)));
  Packet* packet = packet_with_payload(receiver.pool, payload, owner, large, 300);
  ASSERT_TRUE(setup_checksum(*packet));
  packet->gso = Gso::kTcpv4;
  packet->gso_size = 1000;
  Packet* const packets[] = {packet};
  net.b->transmit(0, packets);
  for (std::size_t i = 0; i < 5; ++i) {
    Packet* got = receiver.wait(is_tcp);
    ASSERT_NE(got, nullptr);
    EXPECT_EQ(got->size, 1054u);
    EXPECT_TRUE(checksums_right(whole(*got)));
    got->release();
  }
  packet->release();
}

TEST(PacketSocketPort, frames_tags_and_offloads_between_two_ends) {
  const TestNetns ns;
  XVIF_NEED(ns);
  if (!ns.run("link add va type veth peer name vb")) FAIL() << "needs a kernel with veth";
  ASSERT_TRUE(ns.run("link set va up") && ns.run("link set vb up"));
  std::string error;
  const auto a = open_packet_socket_port({.device = "va", .netns = ns.name()}, {}, error);
  const auto b = open_packet_socket_port({.device = "vb", .netns = ns.name()}, {}, error);
  ASSERT_TRUE(a && b) << error;
  Receiver receiver(*b);
  PacketPool& pool = receiver.pool;

  // The kernel takes the outer tag out of the frame; it must be back.
  const Bytes tagged = macs() + tag(0x88a8, 0x2005) + tag(0x8100, 0x4006) + ipv4({}, udp(1000, 2000, filler(40)));
  Packet* packet = packet_of(pool, tagged);
  Packet* const one[] = {packet};
  a->transmit(0, one);
  packet->release();
  Packet* got = receiver.wait(of_type(0x88a8));
  ASSERT_NE(got, nullptr);
  EXPECT_EQ(whole(*got), tagged);
  got->release();

  // A blank checksum stays blank, tag or not.
  packet = packet_of(pool, tagged);
  ASSERT_TRUE(setup_checksum(*packet));
  Packet* const blank[] = {packet};
  a->transmit(0, blank);
  packet->release();
  got = receiver.wait(of_type(0x88a8));
  ASSERT_NE(got, nullptr);
  EXPECT_TRUE(got->csum_blank);
  EXPECT_TRUE(fill_checksum(*got));
  EXPECT_EQ(whole(*got), tagged);
  got->release();

  // Short frames are padded.
  packet = packet_of(pool, macs() + be16(0x88cc) + text("x"));
  Packet* const small[] = {packet};
  a->transmit(0, small);
  packet->release();
  got = receiver.wait(of_type(0x88cc));
  ASSERT_NE(got, nullptr);
  EXPECT_EQ(got->size, kFrameMin);
  got->release();

  // Our own frames do not come back: the kernel handed them over before b saw them.
  Receiver own(*a);
  int looks = 0;
  EXPECT_EQ(own.wait(of_type(0x88cc), [&] { return ++looks == 4; }), nullptr);
  a->close();
  b->close();
}

TEST(PacketSocketPort, large_frames_and_batches) {
  const TestNetns ns;
  XVIF_NEED(ns);
  if (!ns.run("link add va type veth peer name vb")) FAIL() << "needs a kernel with veth";
  ASSERT_TRUE(ns.run("link set va up") && ns.run("link set vb up"));
  std::string error;
  const auto a = open_packet_socket_port({.device = "va", .netns = ns.name()}, {}, error);
  const auto b = open_packet_socket_port({.device = "vb", .netns = ns.name()}, {}, error);
  ASSERT_TRUE(a && b) << error;
  Receiver receiver(*b);
  NoOwner owner;
  Payload payload;
  const Bytes large = macs() + ipv4({.proto = 6}, tcp(1, 2, 0x18, filler(30000)));
  Packet* packet = packet_with_payload(receiver.pool, payload, owner, large, 300);
  ASSERT_TRUE(setup_checksum(*packet));
  packet->gso = Gso::kTcpv4;
  packet->gso_size = 1448;
  const Bytes sent = whole(*packet);
  Packet* const packets[] = {packet};
  a->transmit(0, packets);
  Packet* got = receiver.wait(is_tcp);
  ASSERT_NE(got, nullptr);
  EXPECT_EQ(got->gso, Gso::kTcpv4);
  EXPECT_EQ(whole(*got), sent);
  got->release();
  packet->release();

  PacketPool pool(kBatchMax);
  std::vector<Packet*> batch;
  for (unsigned i = 0; i < kBatchMax; ++i)
    batch.push_back(packet_of(pool, macs() + be16(0x88cc) + be32(i) + Bytes(50, 0)));
  a->transmit(1, batch);
  EXPECT_EQ(a->counters[1].tx_packets, kBatchMax);
  for (Packet* p : batch) p->release();
  const auto& received = b->counters[0].rx_packets;
  receiver.wait([&](const Packet&) { return false; }, [&] { return received > kBatchMax; });
  EXPECT_GE(b->counters[0].rx_packets, kBatchMax + 1);

  ASSERT_TRUE(ns.run("link set va down"));
  packet = packet_of(pool, macs() + be16(0x88cc) + Bytes(50, 0));
  Packet* const lost[] = {packet};
  a->transmit(2, lost);
  EXPECT_EQ(dropped(*a, 2, Drop::kIoError), 1u);
  EXPECT_TRUE(eventually([&] { return !a->link_up(); }));
  ASSERT_TRUE(ns.run("link set va up"));
  EXPECT_TRUE(eventually([&] { return a->link_up(); }));
  packet->release();
}

TEST(PacketSocketPort, says_why_it_cannot_be_opened) {
  std::string error;
  EXPECT_EQ(open_packet_socket_port({.device = "no-such-dev"}, {}, error), nullptr);
  EXPECT_NE(error.find("no such interface"), std::string::npos) << error;
}

}  // namespace
}  // namespace xvif::test
