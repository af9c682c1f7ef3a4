// What holds of every action on every kind of frame: the key stays what parse() finds, checksums that were right stay
// right, and a checksum that is still blank comes out as if it had been complete from the start.
#include <gtest/gtest.h>

#include <random>

#include "actions/modify.h"
#include "actions/test_actions.h"
#include "actions/validate.h"

namespace xvif::test {
namespace {

/// Set-field of every settable field with several values, and all other actions.
std::vector<Bytes> every_action() {
  std::vector<Bytes> out = {push_vlan(0x8100),
                            push_vlan(0x88a8),
                            action(Action::kPopVlan),
                            push_mpls(0x8847),
                            push_mpls(0x8848),
                            pop_mpls(0x0800),
                            pop_mpls(0x86dd),
                            pop_mpls(0x8847),
                            set_mpls_ttl(0),
                            set_mpls_ttl(255),
                            action(Action::kDecMplsTtl),
                            action(Action::kCopyTtlOut),
                            action(Action::kCopyTtlIn),
                            set_nw_ttl(0),
                            set_nw_ttl(200),
                            action(Action::kDecNwTtl),
                            action(Action::kPushPbb, le16(0x88e7)),
                            action(Action::kPopPbb),
                            output(1),
                            group(1),
                            set_queue(1)};
  std::mt19937 random(4);
  for (std::size_t i = 0; i < kFields; ++i) {
    const auto field = static_cast<Field>(i);
    if (!kFieldPlaces[i].settable) continue;
    const unsigned top = kFieldPlaces[i].bits % 8;
    for (int round = 0; round < 4; ++round) {
      Bytes value(field_bytes(field));
      for (auto& byte : value) byte = static_cast<std::uint8_t>(round == 0 ? 0 : round == 1 ? 0xff : random());
      if (top != 0) value[0] &= static_cast<std::uint8_t>((1u << top) - 1);
      out.push_back(set_field(field, value));
    }
  }
  for (const Bytes& a : out) EXPECT_EQ(validate_actions(a), Status::kOk) << to_hex(a);
  return out;
}

/// Makes another protocol of the bytes, whose checksum stands somewhere else.
bool changes_protocol(const Bytes& a) {
  const ActionView view(a.data());
  if (view.code() == Action::kPopMpls) return true;
  if (view.code() != Action::kSetField) return false;
  return view.field() == Field::kIpProto || view.field() == Field::kEthType;
}

void expect_parsed(const Packet& packet, const FlowKey& key, const std::string& what) {
  Bytes frame = bytes_of(packet);
  Packet fresh = view(frame);
  FlowKey again = key;
  parse(fresh, again);
  EXPECT_EQ(key, again) << what << '\n' << describe(packet, key) << '\n' << describe(fresh, again);
  EXPECT_EQ(packet.mpls, fresh.mpls) << what;
  EXPECT_EQ(packet.l3, fresh.l3) << what;
  EXPECT_EQ(packet.l4, fresh.l4) << what;
  EXPECT_EQ(packet.size, packet.linear) << what;
}

TEST(ModifyProperties, one_action) {
  PacketPool pool(1);
  for (const auto& [name, bytes] : all_frames()) {
    for (const Bytes& a : every_action()) {
      const std::string what = std::string(name) + ' ' + to_hex(a);
      Packet* packet = packet_of(pool, bytes);
      FlowKey key{};
      parse(*packet, key);
      const Verdict verdict = modify(*packet, key, ActionView(a.data()));
      EXPECT_NE(verdict, Verdict::kNoRoom);
      expect_parsed(*packet, key, what);
      if (!changes_protocol(a)) {
        EXPECT_TRUE(checksums_right(bytes_of(*packet))) << what;
      }
      packet->release();
    }
  }
}

TEST(ModifyProperties, ten_random_actions) {
  PacketPool pool(1);
  std::mt19937 random(5);
  const auto actions = every_action();
  const auto frames = all_frames();
  for (int round = 0; round < 30000; ++round) {
    const auto& [name, bytes] = frames[random() % frames.size()];
    Packet* packet = packet_of(pool, bytes);
    FlowKey key{};
    parse(*packet, key);
    std::string what = name;
    bool compare = true;
    for (int i = 0; i < 10; ++i) {
      const Bytes& a = actions[random() % actions.size()];
      what += ' ' + to_hex(a);
      compare = compare && !changes_protocol(a);
      modify(*packet, key, ActionView(a.data()));
    }
    expect_parsed(*packet, key, what);
    if (compare) {
      EXPECT_TRUE(checksums_right(bytes_of(*packet))) << what;
    }
    packet->release();
  }
}

TEST(ModifyProperties, blank_checksums) {
  PacketPool pool(2);
  std::mt19937 random(6);
  const auto actions = every_action();
  const auto frames = all_frames();
  for (int round = 0; round < 30000; ++round) {
    const auto& [name, bytes] = frames[random() % frames.size()];
    Packet* complete = packet_of(pool, bytes);
    Packet* blank = packet_of(pool, bytes);
    if (name == std::string("udp without checksum") || !setup_checksum(*blank)) {
      complete->release();
      blank->release();
      continue;
    }
    FlowKey key{};
    FlowKey key_blank{};
    parse(*complete, key);
    parse(*blank, key_blank);
    std::string what = name;
    for (int i = 0; i < 6; ++i) {
      const Bytes& a = actions[random() % actions.size()];
      if (changes_protocol(a)) continue;
      what += ' ' + to_hex(a);
      modify(*complete, key, ActionView(a.data()));
      modify(*blank, key_blank, ActionView(a.data()));
    }
    EXPECT_EQ(key, key_blank) << what;
    EXPECT_TRUE(blank->csum_blank);
    EXPECT_TRUE(fill_checksum(*blank));
    EXPECT_EQ(to_hex(bytes_of(*blank)), to_hex(bytes_of(*complete))) << what;
    complete->release();
    blank->release();
  }
}

}  // namespace
}  // namespace xvif::test
