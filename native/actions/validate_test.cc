#include "actions/validate.h"

#include <gtest/gtest.h>

#include "actions/test_actions.h"

namespace xvif::test {
namespace {

std::vector<Bytes> good_actions() {
  return {output(1, 128),
          group(7),
          set_queue(3),
          push_vlan(0x8100),
          push_vlan(0x88a8),
          action(Action::kPopVlan),
          push_mpls(0x8847),
          push_mpls(0x8848),
          pop_mpls(0x0800),
          set_mpls_ttl(3),
          action(Action::kDecMplsTtl),
          action(Action::kCopyTtlOut),
          action(Action::kCopyTtlIn),
          set_nw_ttl(3),
          action(Action::kDecNwTtl),
          set_field(Field::kEthDst, hex("020304050607")),
          set_field(Field::kVlanVid, hex("1fff")),
          set_field(Field::kVlanPcp, hex("07")),
          set_field(Field::kMetadata, hex("0102030405060708")),
          set_field(Field::kIpv6Src, Bytes(16, 1)),
          set_field(Field::kIpv6Flabel, hex("0fffff")),
          set_field(Field::kMplsBos, hex("01"))};
}

TEST(ValidateActions, takes_every_action) {
  Bytes all;
  for (const Bytes& a : good_actions()) {
    EXPECT_EQ(validate_actions(a), Status::kOk) << to_hex(a);
    all = all + a;
  }
  EXPECT_EQ(validate_actions(all), Status::kOk);
  EXPECT_EQ(validate_actions({}), Status::kOk);
}

TEST(ValidateActions, refuses_every_truncation_and_any_padding) {
  for (const Bytes& a : good_actions()) {
    for (std::size_t n = 1; n < a.size(); ++n) {
      EXPECT_EQ(validate_actions({a.data(), n}), Status::kMalformed) << to_hex(a) << ' ' << n;
    }
    Bytes longer = a + Bytes(8, 0);
    longer[2] = static_cast<std::uint8_t>(longer.size());
    EXPECT_NE(validate_actions(longer), Status::kOk) << to_hex(a);
    Bytes shorter = a;
    shorter[2] = 4;
    EXPECT_EQ(validate_actions(shorter), Status::kMalformed);
    Bytes second = a;
    second[1] = 1;
    EXPECT_EQ(validate_actions(second), Status::kMalformed);
  }
  Bytes padded = set_nw_ttl(3);
  padded[7] = 1;
  EXPECT_EQ(validate_actions(padded), Status::kMalformed);
  padded = set_field(Field::kEthDst, hex("020304050607"));
  padded[15] = 1;
  EXPECT_EQ(validate_actions(padded), Status::kMalformed);
}

TEST(ValidateActions, refuses_what_cannot_be_done) {
  EXPECT_EQ(validate_actions(record(0, {})), Status::kBadAction);
  EXPECT_EQ(validate_actions(record(200, {})), Status::kBadAction);
  EXPECT_EQ(validate_actions(push_vlan(0x0800)), Status::kBadAction);
  EXPECT_EQ(validate_actions(push_mpls(0x8100)), Status::kBadAction);
  EXPECT_EQ(validate_actions(pop_mpls(0x05ff)), Status::kBadAction);
  EXPECT_EQ(validate_actions(action(Action::kPushPbb, le16(0x88a8))), Status::kBadAction);
  EXPECT_EQ(validate_actions(set_field(Field::kInPort, Bytes(4, 1))), Status::kBadField);
  EXPECT_EQ(validate_actions(set_field(Field::kIpv6Exthdr, Bytes(2, 0))), Status::kBadField);
  EXPECT_EQ(validate_actions(set_field(Field::kPbbIsid, Bytes(4, 0))), Status::kBadField);
  EXPECT_EQ(validate_actions(set_field(Field{static_cast<std::uint8_t>(kFields)}, Bytes(4, 0))), Status::kBadField);
  EXPECT_EQ(validate_actions(set_field(Field::kEthDst, Bytes(5, 0))), Status::kBadField);
  EXPECT_EQ(validate_actions(set_field(Field::kVlanVid, hex("2000"))), Status::kBadAction);
  EXPECT_EQ(validate_actions(set_field(Field::kVlanPcp, hex("08"))), Status::kBadAction);
  EXPECT_EQ(validate_actions(set_field(Field::kMplsLabel, hex("100000"))), Status::kBadAction);
}

TEST(ValidateInstructions, order_and_shapes) {
  const Bytes meter = instruction(Instruction::kMeter, le32(5));
  const Bytes apply = instruction(Instruction::kApplyActions, Bytes(4, 0) + output(1) + push_vlan(0x8100));
  const Bytes clear = instruction(Instruction::kClearActions);
  const Bytes write = instruction(Instruction::kWriteActions, Bytes(4, 0) + output(2));
  const Bytes metadata =
      instruction(Instruction::kWriteMetadata, Bytes(4, 0) + hex("0000000000000001 00000000000000ff"));
  const Bytes go = instruction(Instruction::kGotoTable, {9});
  const Bytes all = meter + apply + clear + write + metadata + go;
  EXPECT_EQ(validate_instructions(all), Status::kOk);
  EXPECT_EQ(validate_instructions({}), Status::kOk);
  for (std::size_t n = 1; n < all.size(); ++n) {
    const Status status = validate_instructions({all.data(), n});
    const bool boundary = n == meter.size() || n == (meter + apply).size() || n == (meter + apply + clear).size() ||
                          n == (meter + apply + clear + write).size() || n == all.size() - go.size();
    EXPECT_EQ(status == Status::kOk, boundary) << n;
  }
  EXPECT_EQ(validate_instructions(apply + meter), Status::kMalformed) << "order";
  EXPECT_EQ(validate_instructions(clear + clear), Status::kMalformed) << "each once";
  EXPECT_EQ(validate_instructions(record(200, {})), Status::kMalformed);
  EXPECT_EQ(validate_instructions(instruction(Instruction::kGotoTable, {254})), Status::kBadTable);
  EXPECT_EQ(validate_instructions(instruction(Instruction::kApplyActions, Bytes(4, 0) + push_vlan(1))),
            Status::kBadAction);

  std::vector<Instruction> seen;
  for (const InstructionView view : Instructions(all)) {
    seen.push_back(view.code());
    switch (view.code()) {
      case Instruction::kMeter:
        EXPECT_EQ(view.meter(), 5u);
        break;
      case Instruction::kApplyActions: {
        std::vector<Action> codes;
        for (const ActionView a : Actions(view.actions())) codes.push_back(a.code());
        EXPECT_EQ(codes, (std::vector{Action::kOutput, Action::kPushVlan}));
        break;
      }
      case Instruction::kWriteMetadata:
        EXPECT_EQ(view.metadata(), 1u);
        EXPECT_EQ(view.metadata_mask(), 0xffu);
        break;
      case Instruction::kGotoTable:
        EXPECT_EQ(view.table(), 9);
        break;
      default:
        break;
    }
  }
  EXPECT_EQ(seen.size(), 6u);
}

}  // namespace
}  // namespace xvif::test
