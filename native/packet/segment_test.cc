#include "packet/segment.h"

#include <gtest/gtest.h>

#include "packet/test_frames.h"

namespace xvif::test {
namespace {

constexpr unsigned kFlags = 0x80 | 0x10 | 0x08 | 0x01;  // CWR, ACK, PSH, FIN

struct Case {
  const char* name;
  Bytes frame;
  Gso gso;
  std::size_t headers;
};

std::vector<Case> cases(std::size_t payload) {
  const Bytes data = filler(payload);
  const Bytes stamps = hex("0101080a 00000001 00000002");
  const Bytes ip = ipv4({.proto = 6}, tcp(1, 2, kFlags, data));
  return {
      {"ipv4", macs() + ipv4({.proto = 6}, tcp(1, 2, kFlags, data, stamps)), Gso::kTcpv4, 66},
      {"ipv4 options in vlan",
       macs() + tag(0x8100, 5) + ipv4({.proto = 6, .options = hex("01010101")}, tcp(1, 2, kFlags, data)), Gso::kTcpv4,
       62},
      {"ipv6", macs() + ipv6({.next = 6, .l4 = 6}, tcp(1, 2, kFlags, data)), Gso::kTcpv6, 74},
      {"ipv6 behind hop-by-hop",
       macs() + ipv6({.next = 0, .l4 = 6, .l4_at = 8}, hex("06 00 0104 00000000") + tcp(1, 2, kFlags, data)),
       Gso::kTcpv6, 82},
      {"mpls", macs() + be16(0x8847) + label(7, 0, false, 9) + label(8, 0, true, 9) + Bytes(ip.begin() + 2, ip.end()),
       Gso::kTcpv4, 62},
      {"nsh", macs() + be16(0x894f) + hex("0fc6 01 03 000001 ff") + Bytes(16, 0) + macs() + ip, Gso::kTcpv4, 92},
      {"nsh in nsh", macs() + hex("894f 0fc2 02 04 000001 ff 0fc2 02 01 000002 fe") + Bytes(ip.begin() + 2, ip.end()),
       Gso::kTcpv4, 70},
  };
}

TEST(Segment, pieces_make_up_the_original) {
  for (const std::size_t payload : {1u, 999u, 1000u, 1001u, 5000u, 65000u}) {
    for (const Case& c : cases(payload)) {
      auto segmenter = Segmenter::make(c.frame, c.gso, 1000, SegmentChecksum::kComplete);
      ASSERT_TRUE(segmenter) << c.name;
      EXPECT_EQ(segmenter->count(), (payload + 999) / 1000);
      Bytes joined;
      std::size_t pieces = 0;
      const std::size_t l4 = segmenter->csum_start();
      const unsigned first_id = load_be16(c.frame.data() + 14 + 4);
      while (const auto piece = segmenter->next()) {
        ASSERT_EQ(piece->headers.size(), c.headers) << c.name;
        const Bytes frame =
            Bytes(piece->headers.begin(), piece->headers.end()) + Bytes(piece->payload.begin(), piece->payload.end());
        if (c.name != std::string("mpls")) {
          EXPECT_TRUE(checksums_right(frame)) << c.name;
        }
        const bool last = pieces + 1 == segmenter->count();
        const std::uint8_t flags = frame[l4 + 13];
        EXPECT_EQ(load_be32(frame.data() + l4 + 4), 0x01020304 + joined.size());
        EXPECT_EQ((flags & 0x80) != 0, pieces == 0) << "CWR";
        EXPECT_EQ((flags & 0x09) == 0x09, last) << "FIN, PSH";
        EXPECT_EQ((flags & 0x09) == 0, !last);
        EXPECT_NE(flags & 0x10, 0) << "ACK";
        if (c.name == std::string("ipv4")) {
          EXPECT_EQ(load_be16(frame.data() + 18), first_id + pieces);
        }
        joined.insert(joined.end(), piece->payload.begin(), piece->payload.end());
        ++pieces;
      }
      EXPECT_EQ(pieces, segmenter->count());
      EXPECT_EQ(joined, filler(payload)) << c.name;
    }
  }
}

TEST(Segment, blank_checksums_are_pseudo_header_sums) {
  for (const Case& c : cases(3000)) {
    auto blank = Segmenter::make(c.frame, c.gso, 1448, SegmentChecksum::kBlank);
    auto complete = Segmenter::make(c.frame, c.gso, 1448, SegmentChecksum::kComplete);
    while (const auto piece = blank->next()) {
      Bytes frame =
          Bytes(piece->headers.begin(), piece->headers.end()) + Bytes(piece->payload.begin(), piece->payload.end());
      EXPECT_TRUE(fill_checksum(frame, blank->csum_start(), Segmenter::kCsumOffset));
      const auto other = complete->next();
      EXPECT_EQ(frame, Bytes(other->headers.begin(), other->headers.end()) +
                           Bytes(other->payload.begin(), other->payload.end()));
    }
  }
}

TEST(Segment, refuses_what_is_not_whole_tcp) {
  for (const Case& c : cases(300)) {
    for (std::size_t n = 0; n < c.frame.size(); ++n) {
      const Bytes cut(c.frame.begin(), c.frame.begin() + static_cast<int>(n));
      EXPECT_FALSE(Segmenter::make(cut, c.gso, 100, SegmentChecksum::kComplete)) << c.name << ' ' << n;
    }
    const Gso other = c.gso == Gso::kTcpv4 ? Gso::kTcpv6 : Gso::kTcpv4;
    EXPECT_FALSE(Segmenter::make(c.frame, other, 100, SegmentChecksum::kComplete));
    EXPECT_FALSE(Segmenter::make(c.frame, Gso::kNone, 100, SegmentChecksum::kComplete));
    EXPECT_FALSE(Segmenter::make(c.frame, c.gso, 0, SegmentChecksum::kComplete));
  }
  for (const auto& [name, bytes] : all_frames()) {
    const bool tcp4 = std::string(name).find("tcp") == 0 && std::string(name).find("tcp6") != 0;
    EXPECT_EQ(Segmenter::make(bytes, Gso::kTcpv4, 10, SegmentChecksum::kComplete).has_value(),
              tcp4 && name != std::string("tcp"))
        << name;  // "tcp" has SYN
  }
}

TEST(Segment, number_of_pieces_is_bounded) {
  const Bytes frame = macs() + ipv4({.proto = 6}, tcp(1, 2, 0x10, filler(kGsoFramesMax + 1)));
  EXPECT_FALSE(Segmenter::make(frame, Gso::kTcpv4, 1, SegmentChecksum::kComplete));
  EXPECT_TRUE(Segmenter::make(frame, Gso::kTcpv4, 2, SegmentChecksum::kComplete));
}

TEST(Segment, padding_behind_the_ip_packet_is_no_payload) {
  const Bytes frame = macs() + ipv4({.proto = 6}, tcp(1, 2, 0x10, text("abc"))) + Bytes(10, 0xee);
  auto segmenter = Segmenter::make(frame, Gso::kTcpv4, 100, SegmentChecksum::kComplete);
  ASSERT_TRUE(segmenter);
  const auto piece = segmenter->next();
  EXPECT_EQ(Bytes(piece->payload.begin(), piece->payload.end()), text("abc"));
}

}  // namespace
}  // namespace xvif::test
