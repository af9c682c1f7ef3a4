#include "actions/modify_type.h"

#include <gtest/gtest.h>

#include "actions/test_actions.h"
#include "actions/validate.h"

namespace xvif::test {
namespace {

constexpr std::uint32_t kNsh = packet_type::of(ethertype::kNsh);
constexpr std::uint32_t kMpls = packet_type::of(ethertype::kMpls);
constexpr std::uint32_t kIpv4 = packet_type::of(ethertype::kIpv4);

Bytes encap(std::uint32_t type, std::uint8_t md_type = 0, const Bytes& context = {}) {
  return action(Action::kEncap,
                le32(type) + Bytes{md_type, 0} + le16(static_cast<unsigned>(context.size())) + Bytes(4, 0) + context);
}
Bytes decap(std::uint32_t wanted = kPacketTypeNext) { return action(Action::kDecap, le32(wanted)); }
const Bytes kDecTtl = action(Action::kDecNshTtl);

class PacketType : public testing::Test {
 protected:
  ~PacketType() override {
    if (packet_ != nullptr) packet_->release();
  }
  void start(const Bytes& frame) {
    if (packet_ != nullptr) packet_->release();
    packet_ = packet_of(pool_, frame);
    parse(*packet_, key_);
  }
  Verdict act(const Bytes& actions) {
    EXPECT_EQ(validate_actions(actions), Status::kOk) << to_hex(actions);
    for (const ActionView one : Actions(actions)) {
      if (Verdict verdict = modify(*packet_, key_, one); verdict != Verdict::kOk) return verdict;
    }
    return Verdict::kOk;
  }
  std::string frame() const { return to_hex(bytes_of(*packet_)); }
  std::string field(Field which) const {
    std::uint8_t value[16];
    get_field(key_, which, value);
    return to_hex({value, field_bytes(which)});
  }

  PacketPool pool_{1};
  Packet* packet_ = nullptr;
  FlowKey key_{};
};

const Bytes kPlain = macs() + ipv4({}, udp(1000, 2000, text("0123456789abcdefghi")));
const Bytes kIp(kPlain.begin() + 14, kPlain.end());
const Bytes kNoMacs = Bytes(12, 0);
/// TTL 63, 6 words, MD type 1, Ethernet, path 0, index 255.
const Bytes kHeader = hex("0fc6 01 03 000000 ff") + Bytes(16, 0);

TEST_F(PacketType, a_service_header_around_a_frame_and_off_again) {
  start(kPlain);
  EXPECT_EQ(act(encap(kNsh)), Verdict::kOk);
  EXPECT_EQ(frame(), to_hex(kNoMacs + be16(0x894f) + kHeader + kPlain));
  EXPECT_EQ(key_.packet_type(), kNsh);
  EXPECT_EQ(field(Field::kNshTtl), "3f");
  EXPECT_EQ(field(Field::kNshNp), "03");
  EXPECT_EQ(field(Field::kNshSi), "ff");
  EXPECT_EQ(act(encap(packet_type::kEthernet) + set_field(Field::kEthDst, hex("020000000009"))), Verdict::kOk);
  EXPECT_EQ(key_.packet_type(), 0u);
  EXPECT_EQ(frame(), to_hex(hex("020000000009") + Bytes(6, 0) + be16(0x894f) + kHeader + kPlain));
  EXPECT_EQ(act(decap() + decap()), Verdict::kOk);
  EXPECT_EQ(frame(), to_hex(kPlain));
  EXPECT_EQ(key_.packet_type(), 0u);
}

TEST_F(PacketType, around_ip_and_around_another_service_header) {
  start(kPlain);
  EXPECT_EQ(act(decap()), Verdict::kOk);
  EXPECT_EQ(key_.packet_type(), kIpv4);
  EXPECT_EQ(field(Field::kIpv4Src), "0a000001");
  EXPECT_EQ(act(encap(kNsh) + encap(kNsh, 2, hex("0102 03 02 aabb0000"))), Verdict::kOk);
  EXPECT_EQ(frame(), to_hex(kNoMacs + hex("894f 0fc4 02 04 000000 ff 0102 03 02 aabb0000 0fc6 01 01 000000 ff") +
                            Bytes(16, 0) + kIp));
  EXPECT_EQ(act(decap() + decap()), Verdict::kOk);
  EXPECT_EQ(frame(), to_hex(kNoMacs + be16(0x0800) + kIp));
  EXPECT_EQ(act(encap(packet_type::kEthernet)), Verdict::kOk);
  EXPECT_EQ(key_.packet_type(), 0u);
}

TEST_F(PacketType, fields_of_the_service_header) {
  start(kPlain);
  EXPECT_EQ(act(encap(kNsh) + set_field(Field::kNshFlags, {7}) + set_field(Field::kNshTtl, {70}) +
                set_field(Field::kNshSpi, hex("010203")) + set_field(Field::kNshSi, {9}) +
                set_field(Field::kNshC1, hex("11111111")) + set_field(Field::kNshC4, hex("44444444"))),
            Verdict::kOk);
  EXPECT_EQ(frame(), to_hex(kNoMacs + hex("894f 3186 01 03 010203 09 11111111 00000000 00000000 44444444") + kPlain));
  EXPECT_EQ(field(Field::kNshFlags) + field(Field::kNshTtl) + field(Field::kNshSpi),
            "03"
            "06"
            "010203");
  EXPECT_EQ(act(kDecTtl), Verdict::kOk);
  EXPECT_EQ(field(Field::kNshTtl), "05");
  EXPECT_EQ(act(set_field(Field::kNshTtl, {1}) + kDecTtl), Verdict::kInvalidTtl);
  EXPECT_EQ(field(Field::kNshTtl), "01");
}

TEST_F(PacketType, what_cannot_be) {
  start(kPlain);
  EXPECT_EQ(act(encap(packet_type::kEthernet)), Verdict::kPacketType) << "it has an Ethernet header";
  start(macs() + tag(0x8100, 5) + ipv4({}, udp(1, 2, {})));
  EXPECT_EQ(act(decap()), Verdict::kPacketType) << "with a tag";
  start(macs() + arp(1));
  EXPECT_EQ(act(decap()), Verdict::kOk);
  EXPECT_EQ(act(encap(kNsh)), Verdict::kPacketType) << "no next protocol says ARP";
  EXPECT_EQ(act(decap()), Verdict::kPacketType) << "nor is there a header to take off";
  start(macs() + be16(0x894f) + hex("0fc6 01 09 000000 ff") + Bytes(16, 0) + kPlain);
  EXPECT_EQ(act(decap()), Verdict::kOk);
  EXPECT_EQ(act(decap()), Verdict::kPacketType) << "an unknown next protocol";
  start(macs() + be16(0x894f) + kHeader + Bytes(13, 0));
  EXPECT_EQ(act(decap() + decap()), Verdict::kPacketType) << "what it carries is no frame";
  start(kPlain);
  EXPECT_EQ(act(encap(kNsh) + encap(kNsh) + encap(kNsh)), Verdict::kNoRoom);
}

struct NoOwner : PayloadOwner {
  void payload_done(Payload&) override {}
};

TEST_F(PacketType, a_long_service_header_hides_no_inner_ones) {
  Bytes frame = kNoMacs + be16(0x894f) + hex("0fc0 02 03 000000 ff") + Bytes(200, 0) + kPlain;  // MD type 2, Ethernet
  frame[15] = static_cast<std::uint8_t>((frame[15] & 0xc0) | (8 + 200) / 4);
  start(frame);
  EXPECT_EQ(act(decap() + decap()), Verdict::kOk) << "all of it is in the buffer";
  EXPECT_EQ(this->frame(), to_hex(kPlain));

  NoOwner owner;
  Payload payload{};
  payload.owner = &owner;
  payload.refs = 2;
  payload.bytes = 1000;
  start(frame);
  packet_->payload = &payload;
  packet_->size += payload.bytes;
  EXPECT_EQ(act(decap() + decap()), Verdict::kPacketType) << "inner headers may go on in the payload";
  packet_->payload = nullptr;
  packet_->size -= payload.bytes;
}

TEST_F(PacketType, without_an_ethernet_header_there_are_no_addresses_and_tags) {
  start(kPlain);
  EXPECT_EQ(act(decap()), Verdict::kOk);
  const std::string before = frame();
  EXPECT_EQ(act(push_vlan(0x8100) + push_mpls(0x8847) + action(Action::kPushPbb, le16(0x88e7)) +
                set_field(Field::kEthDst, hex("020000000009")) + set_field(Field::kEthType, hex("86dd"))),
            Verdict::kOk);
  EXPECT_EQ(frame(), before);
  EXPECT_EQ(act(set_field(Field::kIpv4Dst, hex("0a000009"))), Verdict::kOk);
  EXPECT_NE(frame(), before);
}

TEST_F(PacketType, mpls) {
  start(kPlain);
  EXPECT_EQ(act(encap(kMpls)), Verdict::kOk);
  EXPECT_EQ(frame(), to_hex(kNoMacs + hex("8847 00000140") + kPlain)) << "around the frame";
  EXPECT_EQ(act(encap(kMpls) + set_field(Field::kMplsLabel, hex("000010"))), Verdict::kOk);
  EXPECT_EQ(frame(), to_hex(kNoMacs + hex("8847 00010040 00000140") + kPlain));
  EXPECT_EQ(act(decap()), Verdict::kOk);
  EXPECT_EQ(act(decap()), Verdict::kPacketType) << "what the last label carries must be said";
  EXPECT_EQ(act(decap(packet_type::kEthernet)), Verdict::kOk);
  EXPECT_EQ(frame(), to_hex(kPlain));
  EXPECT_EQ(act(decap() + encap(kMpls) + decap(kIpv4)), Verdict::kOk);
  EXPECT_EQ(frame(), to_hex(kNoMacs + be16(0x0800) + kIp));
}

TEST(ValidateEncap, types_and_context_headers) {
  const auto status = [](const Bytes& actions) { return validate_actions(actions); };
  EXPECT_EQ(status(encap(kIpv4)), Status::kBadAction);
  EXPECT_EQ(status(encap(packet_type::kEthernet, 1)), Status::kBadAction);
  EXPECT_EQ(status(encap(kNsh, 3)), Status::kBadAction);
  EXPECT_EQ(status(encap(kNsh, 2, Bytes(40, 0))), Status::kOk);
  EXPECT_EQ(status(encap(kNsh, 2, Bytes(44, 0))), Status::kBadAction) << "no room for an Ethernet header";
  EXPECT_EQ(status(encap(kNsh, 2, hex("0102 03 05 aabbccdd"))), Status::kBadAction) << "cut";
  EXPECT_EQ(status(encap(kNsh, 2, hex("0102 03 02 aabb0001"))), Status::kBadAction) << "padding";
  Bytes padded = encap(kNsh);
  padded[12] = 1;
  EXPECT_EQ(status(padded), Status::kMalformed);
  EXPECT_EQ(validate_action_set(encap(kNsh) + decap() + kDecTtl), Status::kOk);
}

}  // namespace
}  // namespace xvif::test
