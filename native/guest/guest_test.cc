// Whole guests over real rings, switched by a thread that forwards between two vifs.
#include "guest/guest.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <cstdlib>
#include <future>
#include <thread>

#include "netback/vif_port.h"
#include "packet/parse.h"

namespace xvif::guest {
namespace {

/// Joins two vifs as a wire, on one worker thread.
class Wire {
 public:
  Wire(xen::EmulatedHypervisor& hypervisor, Guest& a, DomId a_id, Guest& b, DomId b_id,
       const netback::VifSpec& features)
      : source_(hypervisor.open_evtchns()),
        worker_(hypervisor.open_grants()),
        control_(hypervisor.open_grants()),
        threads_{&worker_, &control_} {
    a_ = attach(a, a_id, features);
    b_ = attach(b, b_id, features);
    thread_ = std::thread([this] { loop(); });
    a.connect();
    b.connect();
  }
  ~Wire() {
    stop_ = true;
    thread_.join();
  }
  bool healthy() const { return a_->link_up() && b_->link_up(); }

 private:
  struct Nobody final : ActiveQueues {
    void activate(PortQueue&) override {}
  };
  std::unique_ptr<netback::VifPort> attach(Guest& guest, DomId id, netback::VifSpec spec) {
    spec.domid = id;
    std::vector<netback::VifQueueHome> homes;
    for (const auto& refs : guest.queues()) {
      spec.queues.push_back({refs.tx_ring, refs.rx_ring, refs.evtchn_tx, refs.evtchn_rx});
      homes.push_back({0, &source_});
    }
    std::string error;
    auto port = netback::VifPort::attach(spec, threads_, homes, error);
    EXPECT_NE(port, nullptr) << error;
    return port;
  }
  bool forward(Port& from, Port& to) {
    bool worked = false;
    for (PortQueue* queue : from.queues()) {
      std::array<Packet*, kBatchMax> batch;
      const std::size_t count = queue->receive(pool_, batch);
      const auto packets = std::span<Packet* const>(batch).first(count);
      FlowKey key;
      for (Packet* packet : packets) parse(*packet, key);
      if (count > 0) to.transmit(0, packets);
      for (Packet* packet : packets) packet->release();
      queue->flush();
      worked |= count > 0;
    }
    return worked;
  }
  void loop() {
    Nobody nobody;
    while (!stop_) {
      const bool there = forward(*a_, *b_), back = forward(*b_, *a_);
      if (there || back) continue;
      bool work = false;
      for (Port* port : {a_.get(), b_.get()}) {
        for (PortQueue* queue : port->queues()) work |= queue->arm();
      }
      if (work) continue;
      pollfd p{source_.fd(), POLLIN, 0};
      ::poll(&p, 1, 20);
      source_.dispatch(nobody);
    }
  }

  netback::EvtchnSource source_;
  netback::VifThread worker_, control_;
  std::array<netback::VifThread*, 2> threads_;
  PacketPool pool_{512};
  std::unique_ptr<netback::VifPort> a_, b_;
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

netback::VifSpec features() { return {DomId{0}, 0, {}, true, true, true, true, true, true, {}}; }

class GuestTest : public ::testing::Test {
 protected:
  std::unique_ptr<Guest> make(std::uint16_t domid, FrontendOptions options = {}) {
    hypervisor.create_domain(DomId{domid});
    options.mac = {2, 0, 0, 0, 0, static_cast<std::uint8_t>(domid)};
    const auto* tap = std::get_if<TapStackOptions>(&options.stack);
    if (tap != nullptr && tap->device.empty()) {  // no stack was chosen
      options.stack = BuiltinStackOptions{"10.0.0." + std::to_string(domid), "fd00::" + std::to_string(domid)};
    }
    std::string error;
    auto guest = Guest::create(hypervisor, thread, DomId{domid}, options, error);
    EXPECT_NE(guest, nullptr) << error;
    return guest;
  }
  static PingResult ping(Guest& guest, PingOptions options) {
    std::promise<PingResult> promise;
    guest.ping(options, [&](const PingResult& result) { promise.set_value(result); });
    return promise.get_future().get();
  }

  xen::EmulatedHypervisor hypervisor;
  GuestThread thread;
};

TEST_F(GuestTest, PingsOverBothFamiliesAndSizes) {
  auto a = make(1), b = make(2);
  Wire wire(hypervisor, *a, DomId{1}, *b, DomId{2}, features());
  for (const char* address : {"10.0.0.2", "fd00::2"}) {
    for (const unsigned size : {0u, 56u, 1400u}) {
      const PingResult result = ping(*a, {address, 5, 1, 2000, size});
      EXPECT_EQ(result.sent, 5u) << address;
      EXPECT_EQ(result.received, 5u) << address << ' ' << size;
      EXPECT_EQ(result.rtt_us.size(), 5u);
    }
  }
  EXPECT_EQ(a->stats().rx_errors, 0u);
}

TEST_F(GuestTest, PingsOfNobodyEnd) {
  auto a = make(1), b = make(2);
  EXPECT_EQ(ping(*a, {"10.0.0.2", 3, 1, 50, 56}).received, 0u) << "no carrier";
  Wire wire(hypervisor, *a, DomId{1}, *b, DomId{2}, features());
  const PingResult nobody = ping(*a, {"10.0.0.77", 3, 1, 100, 56});
  EXPECT_EQ(nobody.sent, 3u);
  EXPECT_EQ(nobody.received, 0u);
  EXPECT_EQ(ping(*a, {"not an address", 3, 1, 100, 56}).sent, 0u);
  EXPECT_EQ(ping(*a, {"10.0.0.2", 3, 1, 100, 1473}).sent, 0u) << "beyond the MTU";
  EXPECT_EQ(ping(*a, {"10.0.0.2", 3, 1, 100, 0xffff'fff0u}).sent, 0u) << "beyond an unsigned";
  bool ended = false;
  a->ping({"10.0.0.77", 3, 1000, 100000, 56}, [&](const PingResult&) { ended = true; });
  a->close();
  EXPECT_TRUE(ended);
}

TEST_F(GuestTest, JumboOverManyQueuesWithoutSplitChannels) {
  FrontendOptions options;
  options.mtu = 9000;
  options.queues = 4;
  options.split_event_channels = false;
  auto a = make(1, options), b = make(2, options);
  Wire wire(hypervisor, *a, DomId{1}, *b, DomId{2}, features());
  const PingResult result = ping(*a, {"10.0.0.2", 20, 1, 2000, 8900});
  EXPECT_EQ(result.received, 20u);
}

TEST_F(GuestTest, PacedTraffic) {
  auto a = make(1), b = make(2);
  Wire wire(hypervisor, *a, DomId{1}, *b, DomId{2}, features());
  ASSERT_TRUE(a->start_traffic({"10.0.0.2", 9, 100, 2000}));
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  a->stop_traffic();
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  const auto sent = a->stats().tx_packets, received = b->stats().udp_received;
  EXPECT_GT(received, 500u);
  EXPECT_LT(received, 1100u);
  EXPECT_LE(received, sent);
  EXPECT_FALSE(a->start_traffic({"10.0.0.2", 9, 41, 0})) << "shorter than its headers";
}

TEST_F(GuestTest, UnboundedTrafficAndBackAgain) {
  auto a = make(1), b = make(2);
  Wire wire(hypervisor, *a, DomId{1}, *b, DomId{2}, features());
  ASSERT_TRUE(a->start_traffic({"10.0.0.2", 9, 64, 0}));
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  a->stop_traffic();
  EXPECT_GT(b->stats().udp_received, 1000u);
  std::this_thread::sleep_for(std::chrono::milliseconds(200));  // what was full when it stopped drains
  EXPECT_EQ(ping(*a, {"10.0.0.2", 3, 1, 2000, 56}).received, 3u);
  EXPECT_TRUE(wire.healthy());
}

TEST_F(GuestTest, RawFramesOutAndIn) {
  auto a = make(1), b = make(2);
  EXPECT_TRUE(b->take_frames().empty());
  std::vector<std::uint8_t> frame(5000, 0x55);
  EXPECT_FALSE(a->send_frame(frame, {})) << "no carrier";
  Wire wire(hypervisor, *a, DomId{1}, *b, DomId{2}, features());
  EXPECT_TRUE(a->send_frame(frame, {}));
  std::vector<TakenFrame> taken;
  for (int i = 0; i < 100 && taken.empty(); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    for (TakenFrame& one : b->take_frames()) {
      if (one.frame.size() == 5000) taken.push_back(std::move(one));
    }
  }
  ASSERT_EQ(taken.size(), 1u);
  EXPECT_EQ(taken[0].frame, frame);
  EXPECT_EQ(taken[0].slots, 3u);
}

TEST_F(GuestTest, ReopensWithFreshReferences) {
  auto a = make(1), b = make(2);
  const auto before = hypervisor.usage().grants_granted;
  {
    Wire wire(hypervisor, *a, DomId{1}, *b, DomId{2}, features());
    EXPECT_EQ(ping(*a, {"10.0.0.2", 1, 1, 2000, 56}).received, 1u);
    a->disconnect();
  }
  std::string error;
  ASSERT_TRUE(a->reopen(error)) << error;
  b->disconnect();
  ASSERT_TRUE(b->reopen(error)) << error;
  EXPECT_EQ(hypervisor.usage().grants_granted, before);
  Wire wire(hypervisor, *a, DomId{1}, *b, DomId{2}, features());
  EXPECT_EQ(ping(*a, {"10.0.0.2", 1, 1, 2000, 56}).received, 1u);
}

TEST_F(GuestTest, DomainDeathStopsItAndNothingLeaks) {
  {
    auto a = make(1), b = make(2);
    Wire wire(hypervisor, *a, DomId{1}, *b, DomId{2}, features());
    ASSERT_TRUE(a->start_traffic({"10.0.0.2", 9, 1500, 0}));
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    hypervisor.destroy_domain(DomId{1});
    const auto sent = a->stats().tx_packets;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    EXPECT_EQ(a->stats().tx_packets, sent);
    a->close();
    a->close();
    EXPECT_EQ(a->stats().tx_packets, sent) << "kept";
  }
  const auto usage = hypervisor.usage();
  EXPECT_EQ(usage.grants_granted, 0u);
  EXPECT_EQ(usage.grants_mapped, 0u);
  EXPECT_EQ(usage.evtchns, 0u);
}

TEST_F(GuestTest, BadOptionsAreRefused) {
  std::string error;
  FrontendOptions options;
  options.stack = BuiltinStackOptions{"10.0.0.1", ""};
  EXPECT_EQ(Guest::create(hypervisor, thread, DomId{9}, options, error), nullptr);
  EXPECT_EQ(error, "there is no domain 9");
  hypervisor.create_domain(DomId{9});
  options.queues = 9;
  EXPECT_EQ(Guest::create(hypervisor, thread, DomId{9}, options, error), nullptr);
  options.queues = 1;
  options.stack = BuiltinStackOptions{"ten", ""};
  EXPECT_EQ(Guest::create(hypervisor, thread, DomId{9}, options, error), nullptr);
  options.stack = BuiltinStackOptions{"10.0.0.1", "10.0.0.1"};
  EXPECT_EQ(Guest::create(hypervisor, thread, DomId{9}, options, error), nullptr);
  options.stack = BuiltinStackOptions{"10.0.0.1", ""};
  options.mtu = 65536;
  EXPECT_EQ(Guest::create(hypervisor, thread, DomId{9}, options, error), nullptr);
  EXPECT_EQ(hypervisor.usage().grants_granted, 0u);
}

TEST_F(GuestTest, TwoHundredIdleGuestsSleep) {
  std::vector<std::unique_ptr<Guest>> guests;
  for (std::uint16_t i = 1; i <= 200; ++i) guests.push_back(make(i));
  for (auto& guest : guests) guest->connect();
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  const std::clock_t before = std::clock();
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  EXPECT_LT(std::clock() - before, CLOCKS_PER_SEC / 20);
}

/// A real kernel's TCP over the ring, in two network namespaces. Needs root.
TEST_F(GuestTest, KernelTcpThroughTaps) {
  if (geteuid() != 0 || access("/dev/net/tun", R_OK | W_OK) != 0) FAIL() << "needs root and /dev/net/tun";
  const std::string tag = std::to_string(getpid() % 10000);
  const auto shell = [](const std::string& command) { return std::system((command + " >/dev/null 2>&1").c_str()); };
  const std::string left = "xvt" + tag + "a", right = "xvt" + tag + "b";
  if (shell("ip netns add " + left) != 0 || shell("ip netns add " + right) != 0) {
    shell("ip netns del " + left);
    FAIL() << "cannot make network namespaces";
  }
  {
    FrontendOptions options;
    options.stack = TapStackOptions{"eth0", left};
    auto a = make(1, options);
    options.stack = TapStackOptions{"eth0", right};
    auto b = make(2, options);
    ASSERT_NE(a, nullptr);
    ASSERT_NE(b, nullptr);
    Wire wire(hypervisor, *a, DomId{1}, *b, DomId{2}, features());
    EXPECT_EQ(shell("ip -n " + left + " addr add 10.9.0.1/24 dev eth0"), 0);
    EXPECT_EQ(shell("ip -n " + right + " addr add 10.9.0.2/24 dev eth0"), 0);
    EXPECT_EQ(shell("ip netns exec " + left + " ping -c 2 -W 2 10.9.0.2"), 0);
    const std::string server = "ip netns exec " + right +
                               " timeout 20 python3 -c \"import socket,hashlib\n"
                               "s=socket.create_server(('10.9.0.2',5001));c,_=s.accept();h=hashlib.sha256();n=0\n"
                               "while True:\n d=c.recv(1<<20)\n if not d: break\n n+=len(d)\n"
                               "open('/tmp/" +
                               left + "','w').write(str(n))\"";
    std::thread receiver([&] { shell(server); });
    const std::string client = "ip netns exec " + left +
                               " timeout 20 python3 -c \"import socket,time\n"
                               "for i in range(50):\n"
                               " try:\n  s=socket.create_connection(('10.9.0.2',5001),2);break\n"
                               " except OSError: time.sleep(.1)\n"
                               "b=bytes(1<<20)\n"
                               "for i in range(64): s.sendall(b)\n"
                               "s.close()\"";
    EXPECT_EQ(shell(client), 0);
    receiver.join();
    EXPECT_EQ(shell("grep -qx " + std::to_string(64u << 20) + " /tmp/" + left), 0) << "all bytes arrived";
    const GuestStats stats = a->stats();
    EXPECT_GT(stats.tx_bytes / stats.tx_packets, 5000u) << "large frames crossed whole";
    EXPECT_EQ(stats.tx_dropped, 0u);
    EXPECT_EQ(b->stats().rx_errors, 0u);
    EXPECT_TRUE(wire.healthy());
    std::remove(("/tmp/" + left).c_str());
  }
  shell("ip netns del " + left);
  shell("ip netns del " + right);
}

}  // namespace
}  // namespace xvif::guest
