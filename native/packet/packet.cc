#include "packet/packet.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <new>

namespace xvif {

namespace {

/// Whole huge pages: a worker's packets then need a handful of TLB entries.
constexpr std::size_t kHugePage = 2 * 1024 * 1024;

}  // namespace

PacketPool::PacketPool(std::size_t packets) {
  const std::size_t bytes = (packets * Packet::kBytes + kHugePage - 1) / kHugePage * kHugePage;
  auto* memory = static_cast<std::uint8_t*>(std::aligned_alloc(kHugePage, bytes));
  if (memory == nullptr) throw std::bad_alloc();
  memory_.reset(memory);
  (void)madvise(memory, bytes, MADV_HUGEPAGE);  // an optimisation: may fail
  free_.reserve(packets);
  for (std::size_t i = packets; i-- > 0;) free_.push_back(new (memory + i * Packet::kBytes) Packet);
}

void PacketPool::Free::operator()(std::uint8_t* memory) const { std::free(memory); }

Packet* PacketPool::take() {
  if (free_.empty()) return nullptr;
  // The one given back last is still in the cache.
  Packet* packet = free_.back();
  free_.pop_back();
  *packet = Packet{};
  packet->pool = this;
  packet->data = packet->buffer() + kHeadroom;
  return packet;
}

void PacketPool::put(Packet* packet) { free_.push_back(packet); }

Packet* Packet::clone() {
  Packet* copy = pool->take();
  if (copy == nullptr) return nullptr;
  std::uint8_t* const copy_data = copy->buffer() + (data - buffer());
  *copy = *this;
  copy->data = copy_data;
  std::memcpy(copy_data, data, linear);
  if (payload != nullptr) ++payload->refs;
  return copy;
}

void Packet::release() {
  if (Payload* shared = payload; shared != nullptr) {
    payload = nullptr;
    if (--shared->refs == 0) shared->owner->payload_done(*shared);
  }
  pool->put(this);
}

bool Packet::read(std::uint32_t from, std::span<std::uint8_t> out) const {
  if (from > size || out.size() > size - from) return false;
  std::uint8_t* to = out.data();
  std::size_t left = out.size();
  const auto copy = [&](const std::uint8_t* bytes, std::size_t length) {
    if (from >= length) {
      from -= static_cast<std::uint32_t>(length);
      return;
    }
    const std::size_t n = std::min<std::size_t>(length - from, left);
    std::memcpy(to, bytes + from, n);
    to += n;
    left -= n;
    from = 0;
  };
  if (left != 0) copy(data, linear);
  for (std::uint32_t i = 0; payload != nullptr && left != 0 && i < payload->count; ++i) {
    const Segment& segment = payload->segments[i];
    if (from < segment.length && segment.memory == nullptr) return false;
    copy(segment.memory, segment.length);
  }
  return left == 0;
}

}  // namespace xvif
