#include "packet/checksum.h"

#include <gtest/gtest.h>

#include <random>

#include "packet/crc32c.h"
#include "packet/test_frames.h"

namespace xvif::test {
namespace {

/// RFC 1071, a word at a time.
std::uint16_t slow_checksum(const Bytes& bytes) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < bytes.size(); i += 2) {
    sum += static_cast<std::uint32_t>(bytes[i] << 8 | (i + 1 < bytes.size() ? bytes[i + 1] : 0));
    sum = (sum & 0xffff) + (sum >> 16);
  }
  return static_cast<std::uint16_t>(~sum);
}

Bytes random_bytes(std::mt19937& random, std::size_t n) {
  Bytes out(n);
  for (auto& byte : out) byte = static_cast<std::uint8_t>(random());
  return out;
}

TEST(Checksum, rfc_1071_example) {
  EXPECT_EQ(internet_checksum(hex("0001 f203 f4f5 f6f7")), static_cast<std::uint16_t>(~0xddf2));
}

TEST(Checksum, equals_the_slow_one_in_any_pieces) {
  std::mt19937 random(1);
  for (int round = 0; round < 2000; ++round) {
    const Bytes bytes = random_bytes(random, random() % 200);
    EXPECT_EQ(internet_checksum(bytes), slow_checksum(bytes));
    InternetSum sum;
    for (std::size_t at = 0; at < bytes.size();) {
      const std::size_t n = std::min<std::size_t>(1 + random() % 17, bytes.size() - at);
      sum.add({bytes.data() + at, n});
      at += n;
    }
    EXPECT_EQ(sum.checksum(), slow_checksum(bytes));
  }
  EXPECT_EQ(internet_checksum(Bytes(65535, 0xff)), slow_checksum(Bytes(65535, 0xff)));
}

TEST(Checksum, rfc_1624_update_equals_recomputation) {
  std::mt19937 random(2);
  for (int round = 0; round < 5000; ++round) {
    Bytes bytes = random_bytes(random, 40);
    bytes[0] = 1;  // a sum of nothing but zeros has two representations and does not occur
    const std::uint16_t before = slow_checksum(bytes);
    const std::size_t at = 2 + random() % 11 * 2;
    const Bytes from(bytes.begin() + static_cast<int>(at), bytes.end());
    Bytes to = random() % 4 == 0 ? Bytes(16, random() % 2 == 0 ? 0xff : 0) : random_bytes(random, 16);
    const auto updated = [&](std::size_t n) {
      Bytes changed = bytes;
      std::copy(to.begin(), to.begin() + static_cast<int>(n), changed.begin() + static_cast<int>(at));
      return slow_checksum(changed);
    };
    EXPECT_EQ(updated_checksum(before, load_be16(from.data()), load_be16(to.data())), updated(2));
    EXPECT_EQ(updated_checksum(before, load_be32(from.data()), load_be32(to.data())), updated(4));
    EXPECT_EQ(updated_checksum(before, from.data(), to.data(), 16), updated(16));
  }
}

TEST(Checksum, every_frame_of_the_tests_is_right_and_no_flipped_bit_goes_unseen) {
  for (const auto& [name, bytes] : all_frames()) {
    EXPECT_TRUE(checksums_right(bytes)) << name;
  }
  Bytes frame = macs() + ipv4({.proto = 6}, tcp(1, 2, 0x10, filler(33)));
  for (std::size_t i = 14; i < frame.size(); ++i) {
    if (i == 23 || i == 20 || i == 21) continue;  // protocol and fragment: then it is no TCP any more
    Bytes bad = frame;
    bad[i] ^= 0x10;
    EXPECT_FALSE(checksums_right(bad) && i != 14 && i != 16 && i != 17) << i;
  }
}

TEST(Checksum, setup_then_fill_gives_the_right_one) {
  for (const bool v6 : {false, true}) {
    for (const unsigned proto : {6u, 17u}) {
      for (const std::size_t size : {0u, 1u, 100u}) {
        const Bytes l4 = proto == 6 ? tcp(1, 2, 0x10, filler(size)) : udp(1, 2, filler(size));
        const Bytes right =
            macs() + tag(0x8100, 3) + (v6 ? ipv6({.next = proto, .l4 = proto}, l4) : ipv4({.proto = proto}, l4));
        Bytes frame = right;
        const std::size_t at = 14 + 4 + (v6 ? 40 : 20) + (proto == 6 ? 16 : 6);
        frame[at] = 0xde;
        frame[at + 1] = 0xad;
        PacketPool pool(1);
        Packet* packet = packet_of(pool, frame);
        ASSERT_TRUE(setup_checksum(*packet));
        EXPECT_TRUE(packet->csum_blank);
        EXPECT_EQ(static_cast<std::size_t>(packet->csum_start + packet->csum_offset), at);
        EXPECT_TRUE(fill_checksum(*packet));
        EXPECT_FALSE(packet->csum_blank);
        EXPECT_EQ(to_hex(bytes_of(*packet)), to_hex(right));
        packet->release();
      }
    }
  }
}

TEST(Checksum, nothing_to_set_up_in_other_frames) {
  for (const auto& [name, bytes] : all_frames()) {
    Bytes copy = bytes;
    Packet packet = view(copy);
    packet.csum_blank = true;
    const std::string what = name;
    const bool expected = (what.find("udp") == 0 || what.find("tcp") == 0 || what == "ipv4 options" || what == "snap");
    EXPECT_EQ(setup_checksum(packet), expected) << name;
    EXPECT_EQ(packet.csum_blank, expected) << name;
  }
}

TEST(Checksum, fill_refuses_offsets_outside) {
  Bytes frame(60);
  EXPECT_FALSE(fill_checksum(frame, 61, 0));
  EXPECT_FALSE(fill_checksum(frame, 59, 0));
  EXPECT_FALSE(fill_checksum(frame, 30, 29));
  EXPECT_FALSE(fill_checksum(frame, 0, 65535));
  EXPECT_TRUE(fill_checksum(frame, 30, 28));
}

TEST(Crc32c, check_value_and_pieces) {
  EXPECT_EQ(crc32c(0, text("123456789")), 0xe3069283u);
  EXPECT_EQ(crc32c(crc32c(0, text("1234")), text("56789")), 0xe3069283u);
  EXPECT_EQ(crc32c(0, Bytes(32, 0)), 0x8a9136aau);  // RFC 3720 B.4
}

TEST(Crc32c, change_equals_recomputation) {
  std::mt19937 random(3);
  for (int round = 0; round < 500; ++round) {
    Bytes bytes = random_bytes(random, 4 + random() % 3000);
    const std::size_t at = random() % (bytes.size() - 3);
    const std::uint32_t before = crc32c(0, bytes);
    const auto difference = static_cast<std::uint32_t>(random());
    for (std::size_t i = 0; i < 4; ++i) bytes[at + i] ^= static_cast<std::uint8_t>(difference >> 8 * i);
    EXPECT_EQ(before ^ crc32c_change(difference, bytes.size() - at - 4), crc32c(0, bytes));
  }
}

}  // namespace
}  // namespace xvif::test
