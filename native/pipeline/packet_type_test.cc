// Which flows packets without an Ethernet header take, and that no port sees them.
#include <gtest/gtest.h>

#include "packet/headers.h"
#include "pipeline/test_kit.h"

namespace xvif::kit {
namespace {

constexpr std::uint32_t kNsh = packet_type::of(ethertype::kNsh);

Bytes encap(std::uint32_t type) {
  Bytes out = record(static_cast<std::uint8_t>(Action::kEncap), 16);
  put(out, 4, type);
  return out;
}
Bytes decap() {
  Bytes out = record(static_cast<std::uint8_t>(Action::kDecap), 8);
  put(out, 4, kPacketTypeNext);
  return out;
}
Bytes to_table(std::uint8_t table) {
  Bytes out = record(static_cast<std::uint8_t>(Action::kResubmit), 16);
  put(out, 4, static_cast<std::uint32_t>(ReservedPort::kInPort));
  out[8] = table;
  return out;
}

/// Table 0 makes service headers of all there is, and table 1 sees what comes of it.
class PacketTypes : public testing::TestWithParam<bool> {
 protected:
  PacketTypes() {
    const bool resubmits = GetParam();
    const Bytes actions = resubmits ? join({encap(kNsh), to_table(1)}) : encap(kNsh);
    const Bytes all = resubmits ? apply({actions}) : join({apply({actions}), go(1)});
    EXPECT_EQ(switch_.flow(0, 0, any(), all), Status::kOk);
  }
  void flow(std::uint16_t priority, const Match& match, const Bytes& actions) {
    EXPECT_EQ(switch_.flow(1, priority, match, apply({actions})), Status::kOk);
  }

  Switch switch_;
};

INSTANTIATE_TEST_SUITE_P(by, PacketTypes, testing::Bool(),
                         [](const auto& one) { return one.param ? "resubmit" : "goto_table"; });

TEST_P(PacketTypes, a_flow_on_headers_is_about_frames_unless_it_names_the_type) {
  flow(30, Match().with(Field::kEthDst, 0), output(2));
  flow(20, Match().with(Field::kEthType, ethertype::kNsh), output(2));
  flow(10, Match().with(Field::kPacketType, kNsh).with(Field::kNshSi, 255), join({encap(0), output(3)}));
  switch_.receive(1, Udp{}.frame());
  EXPECT_EQ(switch_.sent(), (std::vector<std::size_t>{0, 0, 1, 0, 0, 0}));
}

TEST_P(PacketTypes, a_flow_on_no_header_is_about_all) {
  flow(20, Match().with(Field::kPacketType, packet_type::of(ethertype::kIpv4)), output(2));
  flow(10, Match().with(Field::kInPort, 1), join({encap(0), output(4)}));
  switch_.receive(1, Udp{}.frame());
  EXPECT_EQ(switch_.sent(), (std::vector<std::size_t>{0, 0, 0, 1, 0, 0}));
}

TEST_P(PacketTypes, the_best_of_several_and_what_was_taken_off) {
  flow(20, Match().with(Field::kPacketType, kNsh), join({decap(), output(5)}));
  flow(30, Match().with(Field::kPacketType, kNsh).with(Field::kNshSi, 7), output(2));
  flow(10, any(), output(2));
  switch_.receive(1, Udp{}.frame());
  EXPECT_EQ(switch_.port(5).sent, std::vector<Bytes>{Udp{}.frame()});
}

TEST_P(PacketTypes, no_port_takes_them) {
  flow(10, any(), join({output(2), output(ReservedPort::kFlood), output(ReservedPort::kNormal)}));
  switch_.receive(1, Udp{}.frame());
  EXPECT_EQ(switch_.sent(), (std::vector<std::size_t>(6, 0)));
  EXPECT_EQ(switch_.port(1).dropped(Drop::kPacketType), 7u) << "once, to five others, and once";
}

TEST_P(PacketTypes, frames_of_the_same_batch_are_frames) {
  ASSERT_EQ(switch_.flow(0, 1, Match().with(Field::kEthType, 0x0806), join({apply({}), go(1)})), Status::kOk);
  flow(20, Match().with(Field::kEthType, 0x0806), output(2));
  flow(10, Match().with(Field::kPacketType, kNsh), join({encap(0), output(3)}));
  Bytes arp = Udp{}.frame();
  store_be16(&arp[12], 0x0806);
  switch_.receive(1, {arp, Udp{}.frame(), arp});
  EXPECT_EQ(switch_.sent(), (std::vector<std::size_t>{0, 2, 1, 0, 0, 0}));
}

TEST_P(PacketTypes, a_controller_is_told_the_type_and_gets_the_packet_alone) {
  switch_.pipeline.begin(switch_.now, false);
  EXPECT_EQ(switch_.pipeline.controller_state(true, false), Status::kOk);
  switch_.pipeline.publish();
  flow(10, any(), output(ReservedPort::kController));
  switch_.receive(1, Udp{}.frame());
  const Bytes told = switch_.upcalls();
  ASSERT_GE(told.size(), 64u + 24u);
  EXPECT_EQ(load_host<std::uint32_t>(told.data() + 56), kNsh);
  EXPECT_EQ(load_host<std::uint32_t>(told.data() + 28), 24u + Udp{}.bytes);
  EXPECT_EQ(load_be16(told.data() + 64), 0x0fc6) << "the service header";
}

}  // namespace
}  // namespace xvif::kit
