// What the tests of ports share.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "packet/test_frames.h"
#include "port/port.h"

namespace xvif::test {

/// A network namespace of its own; needs root.
class TestNetns {
 public:
  TestNetns() : name_("xvif-test-" + std::to_string(getpid()) + "-" + std::to_string(next_++)) {
    usable_ = geteuid() == 0 && access("/dev/net/tun", R_OK | W_OK) == 0 && ip_command("netns add " + name_);
    if (usable_) run("link set lo up");
  }
  ~TestNetns() {
    if (usable_) ip_command("netns del " + name_);
  }
  TestNetns(const TestNetns&) = delete;
  TestNetns& operator=(const TestNetns&) = delete;

  bool usable() const { return usable_; }
  const std::string& name() const { return name_; }
  /// `ip -n <name> <arguments>`
  bool run(const std::string& arguments) const { return ip_command("-n " + name_ + " " + arguments); }

 private:
  static bool ip_command(const std::string& arguments) {
    return std::system(("ip " + arguments + " >/dev/null 2>&1").c_str()) == 0;
  }
  static inline std::atomic<int> next_{0};
  std::string name_;
  bool usable_ = false;
};

inline bool eventually(const std::function<bool()>& holds) {
  for (int i = 0; i < 400; ++i) {
    if (holds()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return false;
}

inline std::uint64_t dropped(const Port& port, std::size_t thread, Drop reason) {
  return port.counters[thread].tx_dropped[static_cast<std::size_t>(reason)];
}

inline Bytes whole(const Packet& packet) {
  Bytes out(packet.size);
  EXPECT_TRUE(packet.read(0, out));
  return out;
}

/// A packet of any size: what does not fit the linear buffer lies in `payload`, which points into `bytes`.
inline Packet* packet_with_payload(PacketPool& pool, Payload& payload, PayloadOwner& owner, const Bytes& bytes,
                                   std::size_t linear) {
  Packet* packet = packet_of(pool, {bytes.data(), linear});
  payload = {};
  payload.owner = &owner;
  payload.refs = 1;
  payload.count = 1;
  payload.bytes = static_cast<std::uint32_t>(bytes.size() - linear);
  payload.segments[0] = {.memory = bytes.data() + linear, .ref = {}, .domid = {}, .offset = 0, .length = payload.bytes};
  packet->payload = &payload;
  packet->size = static_cast<std::uint32_t>(bytes.size());
  return packet;
}

struct NoOwner final : PayloadOwner {
  void payload_done(Payload&) override {}
};

}  // namespace xvif::test
