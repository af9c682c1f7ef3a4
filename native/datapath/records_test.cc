// Malformed records of every kind are refused. Each lies in memory of exactly its size, so the address sanitizer sees
// whoever reads outside.
#include "datapath/records.h"

#include <gtest/gtest.h>

#include <random>

#include "datapath/test_records.h"

namespace xvif {
namespace {

using kit::put;

/// Decodes it as what it says it is. False: refused.
bool decodes(const kit::Bytes& record) {
  const kit::Bytes exact(record);  // capacity = size
  Bytes batch(exact);
  const auto taken = take_record(batch);
  if (!taken) return false;
  switch (op_of(*taken)) {
    case Op::kFlowMod:
      return decode_flow_mod(*taken).has_value();
    case Op::kGroupMod:
      return decode_group_mod(*taken).has_value();
    case Op::kMeterMod:
      return decode_meter_mod(*taken).has_value();
    case Op::kPortConfig:
      return decode_port_config(*taken).has_value();
    default:
      return false;
  }
}

const kit::Bytes kMatch =
    kit::join({kit::match_entry(Field::kInPort, {0, 0, 0, 1}), kit::match_entry(Field::kEthType, {8, 0}),
               kit::match_entry(Field::kIpv4Dst, {10, 0, 0, 0}, {255, 0, 0, 0})});

kit::Bytes flow_mod(const kit::Bytes& match = kMatch) {
  return kit::flow_mod_record(FlowCommand::kAdd, 0, 1, match, kit::apply({kit::output(1)}));
}
kit::Bytes group_mod() {
  return kit::group_mod_record(ModCommand::kAdd, 7, {kit::bucket(kit::output(1)), kit::bucket(kit::output(2))});
}
kit::Bytes meter_mod() { return kit::meter_mod_record(ModCommand::kAdd, 7, 1, 2); }
kit::Bytes port_config() { return kit::op_record(Op::kPortConfig, 0, 24); }

template <typename T>
kit::Bytes with(kit::Bytes record, std::size_t at, T value) {
  put(record, at, value);
  return record;
}

TEST(Records, WellFormedOnesDecode) {
  for (const kit::Bytes& record : {flow_mod(), flow_mod({}), group_mod(), meter_mod(), port_config()}) {
    EXPECT_TRUE(decodes(record)) << int{record[0]};
  }
  const kit::Bytes record = flow_mod();
  const auto mod = decode_flow_mod(record);
  ASSERT_TRUE(mod);
  EXPECT_EQ(mod->priority, 1);
  EXPECT_EQ(mod->instructions.size(), 24u);
  EXPECT_EQ(mod->value.be16(key_at::kEthType), 0x0800);
  EXPECT_EQ(mod->mask.be32(key_at::kInPort), 0xffffffffu);
}

TEST(Records, CutAnywhere) {
  for (const kit::Bytes& record : {flow_mod(), group_mod(), meter_mod(), port_config()}) {
    for (std::size_t bytes = 0; bytes < record.size(); ++bytes) {
      kit::Bytes cut(record.begin(), record.begin() + static_cast<std::ptrdiff_t>(bytes));
      EXPECT_FALSE(decodes(cut)) << int{record[0]} << " cut to " << bytes;
      if (bytes < 8) continue;
      put(cut, 4, static_cast<std::uint32_t>(bytes));
      EXPECT_FALSE(decodes(cut)) << int{record[0]} << " says it has " << bytes;
    }
    kit::Bytes longer(record);
    longer.resize(record.size() + 8);
    put(longer, 4, static_cast<std::uint32_t>(longer.size()));
    EXPECT_FALSE(decodes(longer)) << int{record[0]} << " with more behind it";
  }
}

TEST(Records, LengthsOfTheWhole) {
  for (const std::uint32_t length : {0u, 4u, 7u, 9u, 0x7ffffff8u, 0xfffffff8u, 0xffffffffu}) {
    EXPECT_FALSE(decodes(with(flow_mod(), 4, length))) << length;
  }
}

TEST(Records, LengthsInside) {
  for (const std::uint32_t length : {1u, 16u, 32u, 0xfffffff8u, 0xffffffffu}) {
    EXPECT_FALSE(decodes(with(flow_mod(), 44, length))) << "instructions " << length;
    EXPECT_FALSE(decodes(with(group_mod(), 32, length + 16))) << "bucket " << length + 16;
    EXPECT_FALSE(decodes(with(group_mod(), 12, length))) << "buckets " << length;
    EXPECT_FALSE(decodes(with(group_mod(), 20, length))) << "fields " << length;
  }
  for (const int bytes : {0, 1, 3, 47, 0xfff8, 0xffff}) {
    const auto length = static_cast<std::uint16_t>(bytes);
    EXPECT_FALSE(decodes(with(flow_mod(), 40, length))) << "match " << length;
    EXPECT_FALSE(decodes(with(meter_mod(), 14, length))) << "bands " << length;
  }
  // The sum is right, but the match swallows the instructions.
  EXPECT_FALSE(decodes(with(with(flow_mod(), 40, std::uint16_t{56}), 44, std::uint32_t{0})));
}

TEST(Records, UnknownCommands) {
  EXPECT_FALSE(decodes(with(flow_mod(), 1, std::uint8_t{5})));
  EXPECT_FALSE(decodes(with(group_mod(), 1, std::uint8_t{4})));
  EXPECT_FALSE(decodes(with(group_mod(), 3, std::uint8_t{3})));
  EXPECT_FALSE(decodes(with(meter_mod(), 1, std::uint8_t{255})));
}

TEST(Records, Matches) {
  const auto refused = [](const kit::Bytes& match) { return !decodes(flow_mod(match)); };
  const kit::Bytes in_port = kit::match_entry(Field::kInPort, {0, 0, 0, 1});
  const kit::Bytes eth_type = kit::match_entry(Field::kEthType, {8, 0});
  EXPECT_TRUE(refused(kit::join({eth_type, in_port}))) << "descending";
  EXPECT_TRUE(refused(kit::join({in_port, in_port}))) << "twice";
  EXPECT_TRUE(refused(kit::match_entry(static_cast<Field>(kMatchFields), kit::Bytes(8, 1)))) << "unknown field";
  EXPECT_TRUE(refused(kit::match_entry(static_cast<Field>(255), {1})));
  EXPECT_TRUE(refused(kit::match_entry(Field::kInPort, {0, 1}))) << "width";
  EXPECT_TRUE(refused(kit::match_entry(Field::kInPort, kit::Bytes(255))));
  EXPECT_TRUE(refused({0, 4, 2, 0, 0, 0, 0, 1})) << "hasMask is 0 or 1";
  EXPECT_TRUE(refused({0, 4, 0, 1, 0, 0, 0, 1})) << "zero is not";
  EXPECT_TRUE(refused({0, 4, 1, 0, 0, 0, 0, 1})) << "no mask where one is said to be";
  EXPECT_TRUE(refused({0, 4, 0})) << "cut in the head";
  EXPECT_TRUE(refused(kit::match_entry(Field::kIpv4Dst, {10, 0, 0, 1}, {255, 0, 0, 0}))) << "value outside the mask";
  EXPECT_FALSE(refused(kit::match_entry(Field::kVlanPcp, {7})));
  EXPECT_TRUE(refused(kit::match_entry(Field::kVlanPcp, {8}))) << "above its 3 bits";
}

TEST(Records, PacketOuts) {
  const kit::Bytes record = kit::packet_out_record(1, kit::output(2), kit::Bytes(61, 5));
  const auto out = decode_packet_out(record);
  ASSERT_TRUE(out);
  EXPECT_EQ(out->actions.size(), 16u);
  EXPECT_EQ(out->frame.size(), 61u);
  EXPECT_EQ(out->frame.back(), 5);
  for (std::size_t bytes = 0; bytes < 16 + 16 + 61; ++bytes) {
    const kit::Bytes cut(record.begin(), record.begin() + static_cast<std::ptrdiff_t>(bytes));
    EXPECT_FALSE(decode_packet_out(cut)) << bytes;
  }
  for (const std::uint32_t length : {1u, 12u, 0x7ffffff8u, 0xfffffff0u, 0xfffffff8u}) {
    EXPECT_FALSE(decode_packet_out(with(record, 4, length))) << "actions " << length;
    if (length > 80) {
      EXPECT_FALSE(decode_packet_out(with(record, 8, length))) << "frame " << length;
    }
  }
}

TEST(Records, Queries) {
  const kit::Bytes record = kit::query_record(Query::kFlows, kMatch);
  ASSERT_TRUE(decode_query(record));
  for (std::size_t bytes = 0; bytes < 40 + kMatch.size(); ++bytes) {
    const kit::Bytes cut(record.begin(), record.begin() + static_cast<std::ptrdiff_t>(bytes));
    EXPECT_FALSE(decode_query(cut)) << bytes;
  }
  EXPECT_FALSE(decode_query(with(record, 2, std::uint16_t{0xffff})));
  const auto next = decode_query(query_from(record, 77));
  ASSERT_TRUE(next);
  EXPECT_EQ(next->cursor, 77u);
}

// Only the sanitizers judge.
TEST(Records, RandomDamage) {
  std::mt19937 random(1);
  const std::array<kit::Bytes, 4> good{flow_mod(), group_mod(), meter_mod(), port_config()};
  for (int i = 0; i < 100'000; ++i) {
    kit::Bytes record = good[random() % good.size()];
    for (unsigned n = 1 + random() % 4; n > 0; --n) {
      record[random() % record.size()] = static_cast<std::uint8_t>(random() % 3 == 0 ? random() : random() % 9);
    }
    if (random() % 2 == 0) put(record, 4, static_cast<std::uint32_t>(record.size()));
    decodes(record);
    const kit::Bytes exact(record);
    decode_packet_out(exact);
    decode_query(exact);
  }
}

}  // namespace
}  // namespace xvif
