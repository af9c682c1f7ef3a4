// Binary actions for tests.
#pragma once

#include "actions/iterate.h"
#include "packet/test_frames.h"

namespace xvif::test {

inline Bytes le16(unsigned v) { return {static_cast<std::uint8_t>(v), static_cast<std::uint8_t>(v >> 8)}; }
inline Bytes le32(std::uint32_t v) { return le16(v & 0xffff) + le16(v >> 16); }

/// `body` padded to a multiple of 8 with the header.
inline Bytes record(unsigned code, const Bytes& body) {
  Bytes out = Bytes{static_cast<std::uint8_t>(code), 0, 0, 0} + body;
  while (out.size() % 8 != 0) out.push_back(0);
  out[2] = static_cast<std::uint8_t>(out.size());
  out[3] = static_cast<std::uint8_t>(out.size() >> 8);
  return out;
}
inline Bytes action(Action code, const Bytes& body = {}) { return record(static_cast<unsigned>(code), body); }
inline Bytes instruction(Instruction code, const Bytes& body = {}) { return record(static_cast<unsigned>(code), body); }

inline Bytes output(std::uint32_t port, unsigned max_len = 0) {
  return action(Action::kOutput, le32(port) + le16(max_len) + Bytes(6, 0));
}
inline Bytes group(std::uint32_t id) { return action(Action::kGroup, le32(id) + Bytes(8, 0)); }
inline Bytes set_queue(std::uint32_t id) { return action(Action::kSetQueue, le32(id) + Bytes(8, 0)); }
inline Bytes push_vlan(unsigned type) { return action(Action::kPushVlan, le16(type)); }
inline Bytes push_mpls(unsigned type) { return action(Action::kPushMpls, le16(type)); }
inline Bytes pop_mpls(unsigned type) { return action(Action::kPopMpls, le16(type)); }
inline Bytes set_nw_ttl(std::uint8_t ttl) { return action(Action::kSetNwTtl, {ttl}); }
inline Bytes set_mpls_ttl(std::uint8_t ttl) { return action(Action::kSetMplsTtl, {ttl}); }
inline Bytes set_field(Field field, const Bytes& value) {
  return action(Action::kSetField,
                Bytes{static_cast<std::uint8_t>(field), static_cast<std::uint8_t>(value.size()), 0, 0} + value);
}

inline Bytes subfield(Field field, unsigned offset, unsigned bits) {
  return Bytes{static_cast<std::uint8_t>(field), 0} + le16(offset) + le16(bits) + Bytes{0, 0};
}
inline Bytes resubmit(ReservedPort port, std::uint8_t table) {
  return action(Action::kResubmit, le32(static_cast<std::uint32_t>(port)) + Bytes{table, 0, 0, 0, 0, 0, 0, 0});
}

}  // namespace xvif::test
