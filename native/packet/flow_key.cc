#include "packet/flow_key.h"

namespace xvif {

namespace {

const FieldPlace& place_of(Field field) { return kFieldPlaces[static_cast<std::size_t>(field)]; }

/// Numbers of 1 to 8 bytes in network order.
std::uint64_t load_number(const std::uint8_t* at, std::size_t bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < bytes; ++i) value = value << 8 | at[i];
  return value;
}
void store_number(std::uint8_t* at, std::size_t bytes, std::uint64_t value) {
  for (std::size_t i = bytes; i-- > 0; value >>= 8) at[i] = static_cast<std::uint8_t>(value);
}

bool fills_container(const FieldPlace& place) { return place.bits == place.bytes * 8u; }

std::uint64_t mask_of(const FieldPlace& place) { return (std::uint64_t{1} << place.bits) - 1; }

}  // namespace

bool takes_any_type(const FlowKey& mask) {
  static_assert(key_at::kInPort == 0 && key_at::kEthType == 4 && key_at::kMetadata == 48 && key_at::kTunnelId == 56);
  static_assert(key_at::kInPhyPort == 128 && key_at::kPacketType == 132 && key_at::kReg == 136);
  if (mask.packet_type() != 0) return true;
  std::uint64_t headers = mask.be32(key_at::kEthType);
  for (std::size_t i = 1; i < 6; ++i) headers |= mask.words[i];
  for (std::size_t i = 8; i < 16; ++i) headers |= mask.words[i];
  return headers == 0;
}

void set_field(FlowKey& key, Field field, const std::uint8_t* value) {
  const FieldPlace& place = place_of(field);
  if (fills_container(place)) {
    std::memcpy(key.at(place.offset), value, place.bytes);
    return;
  }
  const std::uint64_t mask = mask_of(place) << place.shift;
  const std::uint64_t placed = load_number(value, field_bytes(field)) << place.shift;
  const std::uint64_t container = load_number(key.at(place.offset), place.bytes);
  store_number(key.at(place.offset), place.bytes, (container & ~mask) | (placed & mask));
}

void get_field(const FlowKey& key, Field field, std::uint8_t* value) {
  const FieldPlace& place = place_of(field);
  if (fills_container(place)) {
    std::memcpy(value, key.at(place.offset), place.bytes);
    return;
  }
  const std::uint64_t container = load_number(key.at(place.offset), place.bytes);
  store_number(value, field_bytes(field), (container >> place.shift) & mask_of(place));
}

}  // namespace xvif
