// Records of docs/native-boundary.md, for the tests and fuzzers of this folder.
#pragma once

#include "base/schema.gen.h"
#include "datapath/datapath.h"
#include "pipeline/test_kit.h"

namespace xvif::kit {

/// `size` bytes, the type and length in place.
inline Bytes boundary_record(std::uint8_t kind, std::uint8_t command, std::size_t size) {
  Bytes out((size + 7) & ~std::size_t{7}, 0);
  out[0] = kind;
  out[1] = command;
  put(out, 4, static_cast<std::uint32_t>(out.size()));
  return out;
}
inline Bytes op_record(Op op, std::uint8_t command, std::size_t size) {
  return boundary_record(static_cast<std::uint8_t>(op), command, size);
}

inline Bytes match_entry(Field field, const Bytes& value, const Bytes& mask = {}) {
  Bytes out{static_cast<std::uint8_t>(field), static_cast<std::uint8_t>(value.size()),
            static_cast<std::uint8_t>(mask.empty() ? 0 : 1), 0};
  return join({out, value, mask});
}

/// Bytes of a fixed head, then a match padded to 8, then instructions.
inline Bytes flow_mod_record(FlowCommand command, std::uint8_t table, std::uint16_t priority, const Bytes& match,
                             const Bytes& instructions, std::uint16_t flags = 0) {
  const std::size_t padded = (match.size() + 7) & ~std::size_t{7};
  Bytes out = op_record(Op::kFlowMod, static_cast<std::uint8_t>(command), 48 + padded + instructions.size());
  out[2] = table;
  put(out, 24, priority);
  put(out, 26, flags);
  put(out, 32, static_cast<std::uint32_t>(ReservedPort::kAny));
  put(out, 36, kGroupAny);
  put(out, 40, static_cast<std::uint16_t>(match.size()));
  put(out, 44, static_cast<std::uint32_t>(instructions.size()));
  std::copy(match.begin(), match.end(), out.begin() + 48);
  std::copy(instructions.begin(), instructions.end(), out.begin() + static_cast<std::ptrdiff_t>(48 + padded));
  return out;
}

inline Bytes bucket(const Bytes& actions, std::uint16_t weight = 0, std::uint32_t id = 0) {
  Bytes out(24 + actions.size(), 0);
  put(out, 0, static_cast<std::uint32_t>(out.size()));
  put(out, 4, weight);
  put(out, 8, static_cast<std::uint32_t>(ReservedPort::kAny));
  put(out, 12, kGroupAny);
  put(out, 16, id);
  std::copy(actions.begin(), actions.end(), out.begin() + 24);
  return out;
}
inline Bytes group_mod_record(ModCommand command, std::uint32_t id, std::initializer_list<Bytes> buckets) {
  const Bytes body = join(buckets);
  Bytes out = op_record(Op::kGroupMod, static_cast<std::uint8_t>(command), 32 + body.size());
  put(out, 8, id);
  put(out, 16, kAllBuckets);
  put(out, 12, static_cast<std::uint32_t>(buckets.size()));
  std::copy(body.begin(), body.end(), out.begin() + 32);
  return out;
}
inline Bytes meter_mod_record(ModCommand command, std::uint32_t id, std::uint16_t flags, std::uint16_t bands) {
  Bytes out = op_record(Op::kMeterMod, static_cast<std::uint8_t>(command), 16 + bands * std::size_t{16});
  put(out, 8, id);
  put(out, 12, flags);
  put(out, 14, bands);
  for (std::size_t i = 0; i < bands; ++i) {
    put(out, 16 + i * 16, static_cast<std::uint16_t>(MeterBandType::kDrop));
    put(out, 20 + i * 16, std::uint32_t{1000});
  }
  return out;
}
inline Bytes controller_record(bool connected) {
  Bytes out = op_record(Op::kControllerState, 0, 16);
  out[8] = connected;
  return out;
}

inline Bytes packet_out_record(std::uint32_t in_port, const Bytes& actions, const Bytes& frame) {
  Bytes out(16 + actions.size() + ((frame.size() + 7) & ~std::size_t{7}), 0);
  put(out, 0, in_port);
  put(out, 4, static_cast<std::uint32_t>(actions.size()));
  put(out, 8, static_cast<std::uint32_t>(frame.size()));
  std::copy(actions.begin(), actions.end(), out.begin() + 16);
  std::copy(frame.begin(), frame.end(), out.begin() + static_cast<std::ptrdiff_t>(16 + actions.size()));
  return out;
}

inline Bytes query_record(Query query, const Bytes& match = {}) {
  Bytes out(48 + ((match.size() + 7) & ~std::size_t{7}), 0);
  out[0] = static_cast<std::uint8_t>(query);
  out[1] = 255;
  put(out, 2, static_cast<std::uint16_t>(match.size()));
  put(out, 4, query == Query::kGroups ? kGroupAll : ~std::uint32_t{0});
  put(out, 24, static_cast<std::uint32_t>(ReservedPort::kAny));
  put(out, 28, kGroupAny);
  std::copy(match.begin(), match.end(), out.begin() + 48);
  return out;
}

}  // namespace xvif::kit
