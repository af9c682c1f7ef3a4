#include "packet/packet.h"

#include <gtest/gtest.h>

#include "packet/flow_hash.h"
#include "packet/test_frames.h"

namespace xvif::test {
namespace {

struct CountingOwner final : PayloadOwner {
  void payload_done(Payload&) override { ++done; }
  int done = 0;
};

Payload payload_with(CountingOwner& owner, std::span<const std::span<const std::uint8_t>> parts) {
  Payload payload{};
  payload.owner = &owner;
  payload.refs = 1;
  for (const auto part : parts) {
    payload.segments[payload.count++] = {
        .memory = part.data(), .ref = {}, .domid = {}, .offset = 0, .length = static_cast<std::uint32_t>(part.size())};
    payload.bytes += static_cast<std::uint32_t>(part.size());
  }
  return payload;
}

TEST(PacketPool, gives_each_packet_once_and_empty) {
  PacketPool pool(3);
  EXPECT_EQ(pool.available(), 3u);
  Packet* a = pool.take();
  Packet* b = pool.take();
  Packet* c = pool.take();
  EXPECT_TRUE(a != b && b != c && a != c);
  EXPECT_EQ(pool.take(), nullptr);
  EXPECT_EQ(a->headroom(), kHeadroom);
  a->linear = a->size = 5;
  a->csum_blank = true;
  a->release();
  EXPECT_EQ(pool.available(), 1u);
  a = pool.take();
  EXPECT_EQ(a->size, 0u);
  EXPECT_FALSE(a->csum_blank);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(a) % 64, 0u);
  a->release();
  b->release();
  c->release();
}

TEST(Packet, clones_share_the_payload_and_own_their_headers) {
  PacketPool pool(3);
  CountingOwner owner;
  const Bytes tail = text("payload");
  const std::span<const std::uint8_t> parts[] = {tail};
  Payload payload = payload_with(owner, parts);
  Packet* a = packet_of(pool, text("headers"));
  a->payload = &payload;
  a->size += payload.bytes;
  a->data += 1;  // a header was popped
  a->linear -= 1;
  a->size -= 1;
  Packet* b = a->clone();
  ASSERT_NE(b, nullptr);
  EXPECT_EQ(payload.refs, 2u);
  EXPECT_EQ(b->headroom(), a->headroom());
  b->data[0] = 'E';
  EXPECT_EQ(bytes_of(*a), text("eaders"));
  EXPECT_EQ(bytes_of(*b), text("Eaders"));
  Packet* c = b->clone();
  EXPECT_EQ(b->clone(), nullptr) << "the pool is empty";
  EXPECT_EQ(payload.refs, 3u);
  a->release();
  b->release();
  EXPECT_EQ(owner.done, 0);
  c->release();
  EXPECT_EQ(owner.done, 1);
  EXPECT_EQ(pool.available(), 3u);
}

TEST(Packet, reads_across_pieces) {
  PacketPool pool(1);
  CountingOwner owner;
  const Bytes one = text("34");
  const Bytes two = text("5678");
  const std::span<const std::uint8_t> parts[] = {one, two};
  Payload payload = payload_with(owner, parts);
  Packet* packet = packet_of(pool, text("012"));
  packet->payload = &payload;
  packet->size += payload.bytes;
  const Bytes whole = text("012345678");
  for (std::uint32_t from = 0; from <= whole.size(); ++from) {
    for (std::size_t n = 0; from + n <= whole.size(); ++n) {
      Bytes out(n);
      EXPECT_TRUE(packet->read(from, out));
      EXPECT_EQ(out, Bytes(whole.begin() + from, whole.begin() + static_cast<int>(from + n)));
    }
  }
  Bytes out(2);
  EXPECT_FALSE(packet->read(8, out));
  EXPECT_FALSE(packet->read(10, out));
  payload.segments[1].memory = nullptr;  // granted
  EXPECT_TRUE(packet->read(3, out));
  EXPECT_FALSE(packet->read(4, out));
  packet->release();
}

FlowKey key_of(Bytes bytes) {
  Packet packet = view(bytes);
  FlowKey key{};
  parse(packet, key);
  return key;
}

TEST(FlowHash, depends_on_the_flow_and_nothing_else) {
  const Bytes data = text("0123456789abcdefghij");
  const auto hash = [&](const Ipv4& ip, unsigned source) {
    return flow_hash(key_of(macs() + ipv4(ip, udp(source, 2, data))));
  };
  EXPECT_EQ(hash({.ttl = 3, .tos = 4}, 1), hash({}, 1));
  EXPECT_NE(hash({}, 1), hash({}, 3));
  EXPECT_NE(hash({.source = hex("0a000002"), .dest = hex("0a000001")}, 1), hash({}, 1)) << "directions differ";
  EXPECT_EQ(flow_hash(key_of(macs() + ipv4({.fragment = 0x2000}, udp(1, 2, data)))),
            flow_hash(key_of(macs() + ipv4({.fragment = 0x0003}, data))))
      << "all fragments of a packet go one way";
  EXPECT_NE(flow_hash(key_of(macs() + be16(0x88cc) + filler(46))),
            flow_hash(key_of(hex("020000000002 020000000003 88cc") + filler(46))));
  const auto hash6 = [&](const char* source) {
    return flow_hash(key_of(macs() + ipv6({.source = hex(source)}, udp(1, 2, data))));
  };
  EXPECT_NE(hash6("fd000000000000000000000000000001"), hash6("fd000000000000010000000000000001"));
}

TEST(FlowHash, spreads_evenly_over_buckets) {
  // Sources that differ in few bits, over numbers of buckets that are no powers of two, by high and by low bits.
  constexpr unsigned kFlows = 12000;
  for (const unsigned buckets : {2u, 3u, 5u, 16u}) {
    std::vector<unsigned> low(buckets);
    std::vector<unsigned> high(buckets);
    for (unsigned i = 0; i < kFlows; ++i) {
      FlowKey key{};
      store_be16(key.at(key_at::kEthType), 0x0800);
      store_be32(key.at(key_at::kIpv4Src), 0x0a000000 + i);
      const std::uint32_t hash = flow_hash(key);
      ++low[hash % buckets];
      ++high[static_cast<std::uint64_t>(hash) * buckets >> 32];
    }
    for (unsigned b = 0; b < buckets; ++b) {
      EXPECT_NEAR(low[b], kFlows / buckets, kFlows / buckets / 5) << buckets;
      EXPECT_NEAR(high[b], kFlows / buckets, kFlows / buckets / 5) << buckets;
    }
  }
}

}  // namespace
}  // namespace xvif::test
