// A frame and a list of actions, both any bytes. Lists that validate are carried out; afterwards the key must be what
// parse() finds in the frame. So that lists validate often, lengths and padding are put right first.
#include <algorithm>
#include <cstdlib>
#include <memory>
#include <vector>

#include "actions/action_set.h"
#include "actions/modify.h"
#include "actions/validate.h"
#include "packet/checksum.h"
#include "packet/headers.h"
#include "packet/parse.h"

using namespace xvif;

namespace {

constexpr std::size_t kFrameBytesMax = 512;

/// Makes well-formed records of `bytes`: a code, then what belongs to it.
std::vector<std::uint8_t> repaired(std::span<const std::uint8_t> bytes) {
  std::vector<std::uint8_t> out;
  while (bytes.size() >= 2 && out.size() < 2048) {
    std::vector<std::uint8_t> record(8);
    const unsigned pick = bytes[0] % 19u;
    const auto code = pick < 16 ? static_cast<Action>(1 + pick)
                                : static_cast<Action>(static_cast<unsigned>(Action::kEncap) + pick - 16);
    record[0] = static_cast<std::uint8_t>(code);
    std::size_t used = 1;
    if (code == Action::kSetField) {
      const std::size_t field = bytes[1] % kFields;
      const std::size_t width = field_bytes(static_cast<Field>(field));
      if (bytes.size() < 2 + width) break;
      record[4] = static_cast<std::uint8_t>(field);
      record[5] = static_cast<std::uint8_t>(width);
      record.insert(record.end(), bytes.begin() + 2, bytes.begin() + 2 + static_cast<long>(width));
      const unsigned top = kFieldPlaces[field].bits % 8;
      if (top != 0) record[8] &= static_cast<std::uint8_t>((1u << top) - 1);
      record.resize((record.size() + 7) / 8 * 8);
      used = 2 + width;
      if (!kFieldPlaces[field].settable) record.clear();
    } else if (code == Action::kPushVlan || code == Action::kPushMpls || code == Action::kPopMpls) {
      static constexpr std::uint16_t kTypes[3][4] = {
          {0x8100, 0x88a8, 0x8100, 0x88a8}, {0x8847, 0x8848, 0x8847, 0x8848}, {0x0800, 0x86dd, 0x8847, 0x0806}};
      const std::uint16_t type = kTypes[code == Action::kPushVlan   ? 0
                                        : code == Action::kPushMpls ? 1
                                                                    : 2][bytes[1] & 3];
      std::memcpy(record.data() + 4, &type, sizeof type);
      used = 2;
    } else if (code == Action::kEncap || code == Action::kDecap) {
      static constexpr std::uint32_t kTypes[4] = {packet_type::of(ethertype::kNsh), packet_type::kEthernet,
                                                  packet_type::of(ethertype::kMpls), packet_type::of(ethertype::kNsh)};
      const std::uint32_t type = code == Action::kEncap ? kTypes[bytes[1] & 3]
                                 : (bytes[1] & 4) != 0  ? kPacketTypeNext
                                                        : packet_type::of(static_cast<std::uint16_t>(bytes[1] << 8));
      std::memcpy(record.data() + 4, &type, sizeof type);
      if (code == Action::kEncap) record.resize(16);
      if (code == Action::kEncap && type == kTypes[0]) record[8] = bytes[1] >> 4 & 3 ? 2 : 1;
      used = 2;
    } else if (code == Action::kPushPbb) {
      std::memcpy(record.data() + 4, &ethertype::kPbb, sizeof ethertype::kPbb);
    } else if (code == Action::kSetMplsTtl || code == Action::kSetNwTtl) {
      record[4] = bytes[1];
      used = 2;
    } else if (code == Action::kOutput || code == Action::kGroup || code == Action::kSetQueue) {
      record.resize(16);
    }
    if (!record.empty()) record[2] = static_cast<std::uint8_t>(record.size());
    out.insert(out.end(), record.begin(), record.end());
    bytes = bytes.subspan(used);
  }
  return out;
}

void check(const Packet& packet, const FlowKey& key) {
  XVIF_ASSERT(packet.linear == packet.size);
  Packet fresh{};
  fresh.data = packet.data;
  fresh.bare = packet.bare;
  fresh.linear = fresh.size = packet.linear;
  FlowKey again = key;
  parse(fresh, again);
  XVIF_ASSERT(again == key && fresh.mpls == packet.mpls && fresh.l3 == packet.l3 && fresh.l4 == packet.l4);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static PacketPool pool(1);
  if (size < 2) return 0;
  const std::size_t frame_bytes = std::min<std::size_t>({data[0] * 2u, size - 2, kFrameBytesMax});
  const bool raw = (data[1] & 1) != 0;
  const std::span<const std::uint8_t> rest(data + 2 + frame_bytes, size - 2 - frame_bytes);
  std::vector<std::uint8_t> actions = raw ? std::vector<std::uint8_t>(rest.begin(), rest.end()) : repaired(rest);
  (void)validate_instructions(rest);
  const Status status = validate_actions(actions);
  XVIF_ASSERT(raw || status == Status::kOk);
  if (status != Status::kOk) return 0;

  Packet* packet = pool.take();
  // The frame ends where the buffer does, so that AddressSanitizer sees a byte too many.
  packet->data = packet->buffer() + kHeadroom + kLinearMax - frame_bytes;
  std::memcpy(packet->data, data + 2, frame_bytes);
  packet->linear = packet->size = static_cast<std::uint32_t>(frame_bytes);
  packet->bare = (data[1] & 8) != 0;
  if ((data[1] & 2) != 0) setup_checksum(*packet);
  FlowKey key{};
  parse(*packet, key);
  if ((data[1] & 4) != 0) {
    actions = ordered_as_set(actions);
    XVIF_ASSERT(validate_actions(actions) == Status::kOk);
  }
  for (const ActionView action : Actions(actions)) {
    if (modify(*packet, key, action) != Verdict::kOk) break;
  }
  check(*packet, key);
  if (packet->csum_blank) XVIF_ASSERT(packet->csum_start + packet->csum_offset + 2u <= packet->linear);
  packet->release();
  return 0;
}
