#include <gtest/gtest.h>

#include "actions/test_actions.h"
#include "actions/validate.h"
#include "base/limits.h"

namespace xvif::test {
namespace {

const Bytes kNoBody(4, 0);

Bytes load(Field field, unsigned offset, unsigned bits, const Bytes& value) {
  return action(Action::kLoad, kNoBody + subfield(field, offset, bits) + value);
}
Bytes move(const Bytes& from, const Bytes& to) { return action(Action::kMove, kNoBody + from + to); }
Bytes clone(const Bytes& actions) { return action(Action::kClone, kNoBody + actions); }

TEST(ValidateNicira, takes_what_is_right) {
  EXPECT_EQ(validate_actions(load(Field::kReg0, 0, 32, hex("00000001"))), Status::kOk);
  EXPECT_EQ(validate_actions(load(Field::kXxreg3, 3, 120, Bytes(15, 0xff))), Status::kOk);
  EXPECT_EQ(validate_actions(load(Field::kEthDst, 47, 1, {1})), Status::kOk);
  EXPECT_EQ(validate_actions(load(Field::kInPort, 0, 32, Bytes(4, 0))), Status::kOk);
  EXPECT_EQ(validate_actions(move(subfield(Field::kNwTtl, 0, 8), subfield(Field::kXreg7, 56, 8))), Status::kOk);
  EXPECT_EQ(validate_actions(clone(output(1) + clone({}) + output(2))), Status::kOk);
  EXPECT_EQ(validate_actions(resubmit(ReservedPort::kInPort, kAllTables) + resubmit(ReservedPort::kInPort, 253)),
            Status::kOk);
}

TEST(ValidateNicira, refuses_bits_that_a_field_does_not_have) {
  EXPECT_EQ(validate_actions(load(static_cast<Field>(kFields), 0, 1, {1})), Status::kBadField);
  EXPECT_EQ(validate_actions(load(Field::kReg0, 0, 0, {0})), Status::kBadField);
  EXPECT_EQ(validate_actions(load(Field::kReg0, 1, 32, Bytes(4, 0))), Status::kBadField);
  EXPECT_EQ(validate_actions(load(Field::kReg0, 0xffff, 1, {0})), Status::kBadField);
  EXPECT_EQ(validate_actions(load(Field::kReg0, 0, 9, hex("0200"))), Status::kBadAction) << "more than 9 bits";
  EXPECT_EQ(validate_actions(load(Field::kIpFrag, 0, 1, {0})), Status::kBadField) << "cannot be written";
  EXPECT_EQ(validate_actions(move(subfield(Field::kReg0, 0, 8), subfield(Field::kReg1, 0, 9))), Status::kBadAction);
  EXPECT_EQ(validate_actions(action(Action::kCheckPktLarger, Bytes(4, 0) + subfield(Field::kReg0, 0, 2))),
            Status::kBadAction);
}

TEST(ValidateNicira, refuses_shapes) {
  EXPECT_EQ(validate_actions(action(Action::kLoad)), Status::kMalformed);
  EXPECT_EQ(validate_actions(action(Action::kMove, kNoBody + subfield(Field::kReg0, 0, 8))), Status::kMalformed);
  EXPECT_EQ(validate_actions(action(Action::kResubmit, Bytes(4, 0))), Status::kMalformed);
  Bytes noted = action(Action::kNote, le16(3) + le16(0) + hex("010203"));
  EXPECT_EQ(validate_actions(noted), Status::kOk);
  noted.back() = 1;
  EXPECT_EQ(validate_actions(noted), Status::kMalformed);
  EXPECT_EQ(validate_actions(action(Action::kNote, le16(99) + le16(0) + hex("010203"))), Status::kMalformed);
  EXPECT_EQ(validate_actions(action(Action::kController, le16(1) + le16(2) + Bytes{0, 0} + le16(0xffff) + Bytes(4, 0))),
            Status::kMalformed);
  EXPECT_EQ(validate_actions(action(Action::kDecNwTtlIds, le16(0xffff) + le16(0))), Status::kMalformed);
}

TEST(ValidateNicira, refuses_what_is_too_much_or_not_there) {
  Bytes nested;
  for (unsigned i = 0; i < kCloneNestingMax; ++i) nested = clone(nested);
  EXPECT_EQ(validate_actions(nested), Status::kOk);
  EXPECT_EQ(validate_actions(clone(nested)), Status::kBadAction);
  EXPECT_EQ(validate_actions(clone(push_vlan(0x0800))), Status::kBadAction);
  EXPECT_EQ(validate_actions(resubmit(ReservedPort::kInPort, 254)), Status::kBadAction);
}

Bytes learn(const Bytes& specs, std::uint8_t table = 1, std::uint8_t flags = 0, const Bytes& result = Bytes(8, 0)) {
  return action(Action::kLearn, Bytes(4, 0) + Bytes(8, 0) + le16(5) + Bytes{flags, 0} + Bytes(4, 0) + Bytes(4, 0) +
                                    Bytes{table, 0, 0, 0} + result + specs);
}
Bytes spec(LearnUse use, bool immediate, const Bytes& to, const Bytes& from) {
  return Bytes{static_cast<std::uint8_t>(use), immediate, 0, 0, 0, 0, 0, 0} + to + from;
}

TEST(ValidateNicira, learn) {
  const Bytes reg = subfield(Field::kReg0, 0, 32);
  const Bytes good = spec(LearnUse::kMatch, false, reg, subfield(Field::kIpv4Src, 0, 32));
  EXPECT_EQ(validate_actions(learn({})), Status::kOk);
  EXPECT_EQ(validate_actions(learn(good + spec(LearnUse::kOutput, false, Bytes(8, 0), reg))), Status::kOk);
  EXPECT_EQ(validate_actions(learn(good, 253, 7, subfield(Field::kReg1, 3, 1))), Status::kOk);
  EXPECT_EQ(validate_actions(learn(spec(LearnUse::kLoad, true, subfield(Field::kReg0, 0, 4), hex("0f00000000000000")))),
            Status::kOk);
  EXPECT_EQ(validate_actions(action(Action::kLearn)), Status::kMalformed);
  EXPECT_EQ(validate_actions(learn(good, 254)), Status::kBadAction);
  EXPECT_EQ(validate_actions(learn(good, 1, 8)), Status::kBadAction);
  EXPECT_EQ(validate_actions(learn(good, 1, 4)), Status::kBadField) << "no result";
  EXPECT_EQ(validate_actions(learn(good, 1, 4, subfield(Field::kReg1, 3, 2))), Status::kBadAction);
  EXPECT_EQ(validate_actions(learn(good, 1, 0, subfield(Field::kReg1, 3, 1))), Status::kMalformed);
  EXPECT_EQ(validate_actions(learn(Bytes(good.begin(), good.end() - 8))), Status::kMalformed);
  EXPECT_EQ(validate_actions(learn(spec(LearnUse{3}, false, reg, reg))), Status::kMalformed);
  EXPECT_EQ(validate_actions(learn(spec(LearnUse::kOutput, false, reg, reg))), Status::kMalformed);
  EXPECT_EQ(validate_actions(learn(spec(LearnUse::kMatch, false, reg, subfield(Field::kReg1, 0, 16)))),
            Status::kBadAction);
  EXPECT_EQ(validate_actions(learn(spec(LearnUse::kLoad, false, subfield(Field::kInPhyPort, 0, 32), reg))),
            Status::kBadField);
  EXPECT_EQ(validate_actions(learn(spec(LearnUse::kMatch, false, subfield(Field::kReg0, 30, 3), reg))),
            Status::kBadField);
  EXPECT_EQ(validate_actions(learn(spec(LearnUse::kLoad, true, subfield(Field::kReg0, 0, 4), hex("1f00000000000000")))),
            Status::kBadAction);
  EXPECT_EQ(validate_actions(learn(spec(LearnUse::kLoad, true, subfield(Field::kReg0, 0, 4), hex("0f01000000000000")))),
            Status::kMalformed);
  Bytes many;
  for (std::size_t i = 0; i < kLearnSpecsMax; ++i) many = many + good;
  EXPECT_EQ(validate_actions(learn(many)), Status::kOk);
  EXPECT_EQ(validate_actions(learn(many + good)), Status::kBadAction);
  EXPECT_EQ(validate_action_set(learn(good)), Status::kBadAction);
}

TEST(ValidateNicira, truncation_and_samples) {
  const auto truncate = [](std::uint32_t port, std::uint16_t bytes) {
    return action(Action::kOutputTrunc, le16(static_cast<std::uint16_t>(port)) +
                                            le16(static_cast<std::uint16_t>(port >> 16)) + le16(bytes) + Bytes(6, 0));
  };
  EXPECT_EQ(validate_actions(truncate(1, 14)), Status::kOk);
  EXPECT_EQ(validate_actions(truncate(static_cast<std::uint32_t>(ReservedPort::kInPort), 99)), Status::kOk);
  EXPECT_EQ(validate_actions(truncate(1, 13)), Status::kBadAction);
  EXPECT_EQ(validate_actions(truncate(0, 14)), Status::kBadAction);
  EXPECT_EQ(validate_actions(truncate(static_cast<std::uint32_t>(ReservedPort::kFlood), 99)), Status::kBadAction);
  const auto sample = [](std::uint16_t probability, std::uint8_t direction) {
    return action(Action::kSample, le16(probability) + Bytes(14, 0) + Bytes{direction, 1, 0, 0});
  };
  EXPECT_EQ(validate_actions(sample(1, 2)), Status::kOk);
  EXPECT_EQ(validate_actions(sample(0, 0)), Status::kBadAction);
  EXPECT_EQ(validate_actions(sample(1, 3)), Status::kBadAction);
  EXPECT_EQ(validate_actions(action(Action::kFinTimeout)), Status::kOk);
  EXPECT_EQ(validate_actions(action(Action::kFinTimeout, Bytes(8, 0))), Status::kMalformed);
}

TEST(ValidateNicira, action_sets_take_little) {
  EXPECT_EQ(validate_action_set(load(Field::kReg0, 0, 32, Bytes(4, 0)) + resubmit(ReservedPort::kInPort, 1)),
            Status::kOk);
  EXPECT_EQ(validate_action_set(load(Field::kReg0, 0, 8, {0})), Status::kBadAction);
  EXPECT_EQ(validate_action_set(clone({})), Status::kBadAction);
  EXPECT_EQ(validate_action_set(action(Action::kExit)), Status::kBadAction);
}

}  // namespace
}  // namespace xvif::test
