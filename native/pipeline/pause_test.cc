// Packets that stop until the controller resumes them.
#include <gtest/gtest.h>

#include "base/limits.h"
#include "pipeline/continuation.h"
#include "pipeline/test_kit.h"

namespace xvif {
namespace {

using kit::apply;
using kit::Bytes;
using kit::go;
using kit::of_parts;
using kit::output;
using kit::Udp;
using Counts = std::vector<std::size_t>;

Bytes pause() {
  Bytes out = kit::record(static_cast<std::uint8_t>(Action::kController), 16);
  kit::put(out, 4, std::uint16_t{0xffff});
  out[8] = static_cast<std::uint8_t>(PacketInReason::kAction);
  out[9] = 1;
  return out;
}
Bytes resubmit(std::uint8_t table) {
  return of_parts(Action::kResubmit, {Bytes{table, 0, 0, 0, 0, 0, 0, 0}},
                  static_cast<std::uint32_t>(ReservedPort::kInPort));
}
Bytes part(Field field) {
  Bytes out(8, 0);
  out[0] = static_cast<std::uint8_t>(field);
  kit::put(out, 4, std::uint16_t{32});
  return out;
}
Bytes load(Field field, std::uint32_t value) {
  Bytes number(4);
  store_be32(number.data(), value);
  return of_parts(Action::kLoad, {part(field), number});
}
Bytes push(Field field) { return of_parts(Action::kStackPush, {part(field)}); }
Bytes pop(Field field) { return of_parts(Action::kStackPop, {part(field)}); }

class PauseTest : public testing::Test {
 protected:
  void SetUp() override {
    switch_.pipeline.begin(switch_.now, false);
    switch_.pipeline.controller_state(true);
    switch_.pipeline.publish();
  }
  void TearDown() override { EXPECT_EQ(switch_.pool.available(), 1024u) << "packets were lost"; }

  void flow(std::uint8_t table, const Bytes& instructions, const kit::Match& match = kit::any()) {
    ASSERT_EQ(switch_.flow(table, 1, match, instructions), Status::kOk);
  }
  /// What went up since the last call: the frame and the continuation of the one packet.
  void take(Bytes& frame, Bytes& continuation) {
    const Bytes record = switch_.upcalls();
    ASSERT_GE(record.size(), 56u);
    ASSERT_EQ(load_host<std::uint32_t>(&record[4]), record.size()) << "one packet";
    const std::size_t bytes = load_host<std::uint32_t>(&record[28]);
    frame.assign(record.begin() + 64, record.begin() + 64 + static_cast<std::ptrdiff_t>(bytes));
    ASSERT_EQ(record[3], 1) << "it is paused";
    std::size_t registers = 0;
    for (unsigned set = load_host<std::uint16_t>(&record[54]); set != 0; set &= set - 1) registers += 4;
    const std::size_t tail = 64 + (bytes + 7) / 8 * 8 + (registers + 7) / 8 * 8;
    continuation.assign(record.begin() + static_cast<std::ptrdiff_t>(tail), record.end());
  }
  Status resume(const Bytes& frame, const Bytes& continuation, const Bytes& fields = {}) {
    Packet* const packet = kit::make_packet(switch_.pool, 1, frame);
    return switch_.pipeline.packet_out(1, switch_.now, PortNo{1}, fields, packet, continuation);
  }
  /// Pauses once on its way, and goes on. Where it left by then and afterwards.
  void pass(const Counts& before, const Counts& after) {
    switch_.receive(1, Udp{}.frame());
    EXPECT_EQ(switch_.sent(), before);
    Bytes frame, continuation;
    take(frame, continuation);
    EXPECT_EQ(frame, Udp{}.frame());
    EXPECT_EQ(resume(frame, continuation), Status::kOk);
    EXPECT_EQ(switch_.sent(), after);
  }

  kit::Switch switch_;
};

TEST_F(PauseTest, TheRestOfTheListAndOfTheInstructionsIsDone) {
  flow(0, kit::join({apply({output(2), pause(), output(3)}), kit::write({output(4)}), kit::metadata(7, 0xff), go(1)}));
  flow(1, apply({output(5)}), kit::Match().with(Field::kMetadata, 7));
  pass({0, 1, 0, 0, 0, 0}, {0, 0, 1, 1, 1, 0});
}

TEST_F(PauseTest, TheActionSetComesBack) {
  flow(0, kit::join({kit::write({kit::set_field(Field::kUdpDst, 5), output(4)}), go(1)}));
  flow(1, apply({pause()}));
  switch_.receive(1, Udp{}.frame());
  Bytes frame, continuation;
  take(frame, continuation);
  EXPECT_EQ(resume(frame, continuation), Status::kOk);
  ASSERT_EQ(switch_.port(4).sent.size(), 1u);
  EXPECT_EQ(load_be16(&switch_.port(4).sent[0][36]), 5);
}

TEST_F(PauseTest, FlowsThatLedThereGoOn) {
  flow(0, kit::join({apply({resubmit(1), output(4)}), kit::write({output(5)})}));
  flow(1, kit::join({apply({resubmit(2), output(3)}), go(3)}));
  flow(2, apply({pause(), output(2)}));
  flow(3, apply({output(6)}));
  pass({0, 0, 0, 0, 0, 0}, {0, 1, 1, 1, 1, 1});
}

TEST_F(PauseTest, ACloneIsPausedAlone) {
  flow(0, apply({of_parts(Action::kClone, {pause(), output(2)}), output(3)}));
  pass({0, 0, 1, 0, 0, 0}, {0, 1, 0, 0, 0, 0});
}

TEST_F(PauseTest, ABucketIsPausedAlone) {
  flow(1, apply({pause(), output(2)}));
  BucketMod first, second;
  first.actions = resubmit(1);
  const Bytes other = output(3);
  second.actions = other;
  const Bytes lead = resubmit(1);
  first.actions = lead;
  ASSERT_EQ(switch_.group(ModCommand::kAdd, 1, GroupType::kAll, {first, second}), Status::kOk);
  flow(0, apply({kit::group(1), output(4)}));
  pass({0, 0, 1, 1, 0, 0}, {0, 1, 0, 0, 0, 0});
}

TEST_F(PauseTest, TheStackComesBackAndFieldsAreWhatTheControllerSays) {
  flow(0, apply({load(Field::kReg0, 3), push(Field::kReg0), load(Field::kReg1, 9), pause(), pop(Field::kReg2),
                 resubmit(1)}));
  flow(1, apply({output(2)}), kit::Match().with(Field::kReg2, 3).with(Field::kReg1, 8));
  switch_.receive(1, Udp{}.frame());
  Bytes frame, continuation;
  take(frame, continuation);
  EXPECT_EQ(resume(frame, continuation, load(Field::kReg1, 8)), Status::kOk);
  EXPECT_EQ(switch_.sent(), (Counts{0, 1, 0, 0, 0, 0}));
}

TEST_F(PauseTest, WhatPausesAgainHasTheRestLeft) {
  flow(0, kit::join({apply({resubmit(1), pause(), output(4)}), kit::write({output(5)})}));
  flow(1, apply({pause(), pause(), output(3)}));
  switch_.receive(1, Udp{}.frame());
  Bytes frame, continuation;
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(switch_.sent(), (Counts{0, 0, 0, 0, 0, 0}));
    take(frame, continuation);
    ASSERT_EQ(resume(frame, continuation), Status::kOk);
    if (i == 1) {
      EXPECT_EQ(switch_.sent(), (Counts{0, 0, 1, 0, 0, 0}));
    }
  }
  EXPECT_EQ(switch_.sent(), (Counts{0, 0, 0, 1, 1, 0}));
}

TEST_F(PauseTest, PacketOutsPause) {
  const Bytes actions = kit::join({pause(), output(3), output(static_cast<std::uint32_t>(ReservedPort::kTable))});
  flow(0, apply({output(2)}));
  Packet* const packet = kit::make_packet(switch_.pool, 1, Udp{}.frame());
  ASSERT_EQ(switch_.pipeline.packet_out(1, switch_.now, PortNo{1}, actions, packet), Status::kOk);
  Bytes frame, continuation;
  take(frame, continuation);
  EXPECT_EQ(resume(frame, continuation), Status::kOk);
  EXPECT_EQ(switch_.sent(), (Counts{0, 1, 1, 0, 0, 0}));
}

TEST_F(PauseTest, WhatIsLeftShortensNoTimeouts) {
  Bytes shorten = kit::record(static_cast<std::uint8_t>(Action::kFinTimeout), 8);
  kit::put(shorten, 4, std::uint16_t{1});
  Bytes fin = Udp{}.frame();
  fin[23] = 6;     // TCP
  fin[46] = 0x50;  // its words
  fin[47] = 0x11;  // FIN, ACK
  flow(0, apply({pause(), shorten, output(3)}));
  switch_.receive(1, fin);
  Bytes frame, continuation;
  take(frame, continuation);
  EXPECT_EQ(resume(frame, continuation), Status::kOk);
  EXPECT_EQ(switch_.sent(), (Counts{0, 0, 1, 0, 0, 0}));
}

TEST_F(PauseTest, WhatIsTooLongIsDropped) {
  Bytes list = pause();
  while (list.size() < kContinuationMax) list = kit::join({list, output(2)});
  flow(0, apply({list}));
  switch_.receive(1, Udp{}.frame());
  EXPECT_TRUE(switch_.upcalls().empty());
  EXPECT_EQ(switch_.port(1).dropped(Drop::kTooBig), 1u);
}

TEST_F(PauseTest, CutAndChangedBytesAreRefusedOrHarmless) {
  flow(0, kit::join({apply({push(Field::kInPort), resubmit(1), output(4)}), kit::write({output(5)}), go(2)}));
  flow(1, apply({pause(), output(2)}));
  switch_.receive(1, Udp{}.frame());
  Bytes frame, continuation;
  take(frame, continuation);
  for (std::size_t length = 1; length < continuation.size(); ++length) {
    if (length % 8 != 0) {
      EXPECT_FALSE(read_continuation(std::span(continuation).first(length))) << length;
    }
  }
  for (std::size_t at = 0; at < continuation.size(); ++at) {
    Bytes changed = continuation;
    changed[at] ^= 0xff;
    const Status status = resume(frame, changed);
    EXPECT_TRUE(status == Status::kOk || status == Status::kMalformed);
    switch_.upcalls();
  }
}

}  // namespace
}  // namespace xvif
