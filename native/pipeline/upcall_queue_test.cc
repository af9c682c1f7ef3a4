#include "pipeline/upcall_queue.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <thread>

namespace xvif {
namespace {

/// Records of 8 bytes and more: length, number, filled with the number.
bool write(UpcallQueue& queue, std::uint32_t number, std::uint32_t length) {
  std::uint8_t* const at = queue.reserve(length);
  if (at == nullptr) return false;
  std::memset(at, static_cast<int>(number & 0xff), length);
  std::memcpy(at, &length, 4);
  std::memcpy(at + 4, &number, 4);
  queue.commit(length);
  return true;
}

/// Takes what is there; false when the numbers or contents are not as written.
bool take(UpcallQueue& queue, std::uint32_t& expected) {
  const auto records = queue.front();
  std::size_t at = 0;
  while (at < records.size()) {
    std::uint32_t length, number;
    std::memcpy(&length, &records[at], 4);
    std::memcpy(&number, &records[at + 4], 4);
    if (number != expected++ || at + length > records.size()) return false;
    if (length > 8 && records[at + length - 1] != (number & 0xff)) return false;
    at += length;
  }
  queue.pop(at);
  return true;
}

TEST(UpcallQueue, RefusesWhenFullAndGoesOnAfterwards) {
  UpcallQueue queue;
  std::uint32_t written = 0, expected = 0;
  while (write(queue, written, 65'536)) ++written;
  EXPECT_EQ(written, kUpcallBytes / 65'536);
  while (expected < written) ASSERT_TRUE(take(queue, expected));
  EXPECT_TRUE(queue.front().empty());
  EXPECT_TRUE(write(queue, written, 65'536));
}

TEST(UpcallQueue, AbandonedRoomIsLost) {
  UpcallQueue queue;
  std::uint32_t expected = 0;
  for (std::uint32_t i = 0; i < 3000; ++i) {
    ASSERT_NE(queue.reserve(40'000), nullptr);
    ASSERT_TRUE(write(queue, i, 16'000));
    ASSERT_TRUE(take(queue, expected));
  }
  EXPECT_EQ(expected, 3000u);
}

TEST(UpcallQueue, RoundsAdvanceAsRecordsAreTaken) {
  UpcallQueue queue;
  std::uint32_t expected = 0;
  write(queue, 0, 64);
  const std::uint64_t round = queue.round();
  write(queue, 1, 64);
  const std::uint64_t next = queue.round();
  EXPECT_EQ(queue.round(), next);
  EXPECT_LE(next - round, 1u);
  take(queue, expected);
  EXPECT_GT(queue.round(), next);
}

TEST(UpcallQueue, OneThreadToAnother) {
  UpcallQueue queue;
  constexpr std::uint32_t kRecords = 50'000;
  std::thread producer([&] {
    std::mt19937 random(2);
    for (std::uint32_t i = 0; i < kRecords;) {
      i += write(queue, i, static_cast<std::uint32_t>(8 * (1 + random() % 1000)));
    }
  });
  std::uint32_t expected = 0;
  bool right = true;
  while (right && expected < kRecords) right = take(queue, expected);
  EXPECT_TRUE(right) << expected;
  producer.join();
}

}  // namespace
}  // namespace xvif
