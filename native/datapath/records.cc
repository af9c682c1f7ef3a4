#include "datapath/records.h"

#include <algorithm>
#include <cstring>

namespace xvif {
namespace {

constexpr std::size_t kRecordHeader = 8;
constexpr std::size_t kFlowModHead = 48;
constexpr std::size_t kGroupModHead = 32;
constexpr std::size_t kBucketHead = 24;
constexpr std::size_t kMeterModHead = 16;
constexpr std::size_t kBandBytes = 16;
constexpr std::size_t kPortConfigBytes = 24;
constexpr std::size_t kTableConfigHead = 16;
constexpr std::size_t kPacketOutHead = 16;
constexpr std::size_t kTraceHead = 16;
constexpr std::size_t kQueryHead = 48;
constexpr std::size_t kQueryCursor = 32;

template <typename T>
T load(Bytes from, std::size_t at) {
  T value;
  std::memcpy(&value, from.data() + at, sizeof value);
  return value;
}

constexpr std::size_t aligned(std::size_t bytes) { return (bytes + 7) & ~std::size_t{7}; }

/// Bits of a value that lie above the field's width must be zero.
bool fits(const FieldPlace& place, const std::uint8_t* value) {
  const unsigned spare = static_cast<unsigned>((8 - place.bits % 8) % 8);
  return spare == 0 || (value[0] >> (8 - spare)) == 0;
}

/// `field u8, width u8, hasMask u8, zero u8, value, mask`, fields ascending.
bool decode_match(Bytes match, FlowKey& value, FlowKey& mask) {
  value = FlowKey{};
  mask = FlowKey{};
  int last = -1;
  while (!match.empty()) {
    if (match.size() < 4) return false;
    const std::size_t field = match[0], width = match[1];
    const bool has_mask = match[2] == 1;
    if (field >= kMatchFields || match[2] > 1 || match[3] != 0 || static_cast<int>(field) <= last) return false;
    last = static_cast<int>(field);
    const FieldPlace& place = kFieldPlaces[field];
    const std::size_t body = width * (has_mask ? 2 : 1);
    if (width != field_bytes(static_cast<Field>(field)) || match.size() < 4 + body) return false;
    const std::uint8_t* const bits = match.data() + 4;
    std::uint8_t ones[16];
    std::memset(ones, 0xff, sizeof ones);
    if (place.bits % 8 != 0) ones[0] = static_cast<std::uint8_t>((1u << (place.bits % 8)) - 1);
    const std::uint8_t* const mask_bits = has_mask ? bits + width : ones;
    if (!fits(place, bits) || !fits(place, mask_bits)) return false;
    for (std::size_t i = 0; i < width; ++i) {
      if ((bits[i] & ~mask_bits[i]) != 0) return false;
    }
    set_field(value, static_cast<Field>(field), bits);
    set_field(mask, static_cast<Field>(field), mask_bits);
    match = match.subspan(4 + body);
  }
  return true;
}

/// As a match whose values are 0 and whose masks say which bits count.
bool decode_selection_fields(Bytes from, std::vector<SelectionField>& fields) {
  FlowKey value, mask;
  if (!decode_match(from, value, mask)) return false;
  while (!from.empty()) {
    const std::size_t width = from[1];
    if (from[2] != 1) return false;
    const std::uint8_t* const bits = from.data() + 4 + width;
    SelectionField& field = fields.emplace_back(SelectionField{.field = static_cast<Field>(from[0]), .mask = {}});
    std::copy(bits, bits + width, field.mask.end() - static_cast<std::ptrdiff_t>(width));
    from = from.subspan(4 + 2 * width);
  }
  return true;
}

bool decode_bucket(Bytes& from, BucketMod& bucket) {
  if (from.size() < kBucketHead) return false;
  const std::size_t length = load<std::uint32_t>(from, 0);
  if (length < kBucketHead || length % 8 != 0 || length > from.size()) return false;
  bucket.weight = load<std::uint16_t>(from, 4);
  bucket.watch_port = load<std::uint32_t>(from, 8);
  bucket.watch_group = load<std::uint32_t>(from, 12);
  bucket.id = load<std::uint32_t>(from, 16);
  bucket.actions = from.subspan(kBucketHead, length - kBucketHead);
  from = from.subspan(length);
  return true;
}

}  // namespace

std::optional<Bytes> take_record(Bytes& batch) {
  if (batch.size() < kRecordHeader) return std::nullopt;
  const std::size_t length = load<std::uint32_t>(batch, 4);
  if (length < kRecordHeader || length % 8 != 0 || length > batch.size()) return std::nullopt;
  const Bytes record = batch.first(length);
  batch = batch.subspan(length);
  return record;
}

Op op_of(Bytes record) { return static_cast<Op>(record[0]); }

std::optional<FlowMod> decode_flow_mod(Bytes record) {
  if (record.size() < kFlowModHead) return std::nullopt;
  FlowMod mod;
  if (record[1] > static_cast<std::uint8_t>(FlowCommand::kDeleteStrict)) return std::nullopt;
  mod.command = static_cast<FlowCommand>(record[1]);
  mod.table = record[2];
  mod.cookie = load<std::uint64_t>(record, 8);
  mod.cookie_mask = load<std::uint64_t>(record, 16);
  mod.priority = load<std::uint16_t>(record, 24);
  mod.flags = load<std::uint16_t>(record, 26);
  mod.idle_timeout = load<std::uint16_t>(record, 28);
  mod.hard_timeout = load<std::uint16_t>(record, 30);
  mod.out_port = load<std::uint32_t>(record, 32);
  mod.out_group = load<std::uint32_t>(record, 36);
  mod.importance = load<std::uint16_t>(record, 42);
  const std::size_t match = load<std::uint16_t>(record, 40), instructions = load<std::uint32_t>(record, 44);
  if (instructions > record.size() || kFlowModHead + aligned(match) + instructions != record.size()) {
    return std::nullopt;
  }
  if (!decode_match(record.subspan(kFlowModHead, match), mod.value, mod.mask)) return std::nullopt;
  mod.instructions = record.subspan(kFlowModHead + aligned(match), instructions);
  return mod;
}

std::optional<GroupMod> decode_group_mod(Bytes record) {
  if (record.size() < kGroupModHead) return std::nullopt;
  GroupMod mod;
  mod.command = static_cast<ModCommand>(record[1]);
  const bool edits = mod.command == ModCommand::kInsertBucket || mod.command == ModCommand::kRemoveBucket;
  if (mod.command > ModCommand::kDelete && !edits) return std::nullopt;
  mod.type = record[2];
  if (record[3] > static_cast<std::uint8_t>(SelectionMethod::kDpHash)) return std::nullopt;
  mod.selection.method = static_cast<SelectionMethod>(record[3]);
  mod.group = load<std::uint32_t>(record, 8);
  const std::size_t count = load<std::uint32_t>(record, 12);
  mod.place = load<std::uint32_t>(record, 16);
  const std::size_t fields = load<std::uint32_t>(record, 20);
  mod.selection.parameter = load<std::uint64_t>(record, 24);
  Bytes rest = record.subspan(kGroupModHead);
  if (fields > rest.size() || aligned(fields) > rest.size()) return std::nullopt;
  if (!decode_selection_fields(rest.first(fields), mod.selection.fields)) return std::nullopt;
  rest = rest.subspan(aligned(fields));
  if (count > rest.size() / kBucketHead) return std::nullopt;
  mod.buckets.resize(count);
  for (BucketMod& bucket : mod.buckets) {
    if (!decode_bucket(rest, bucket)) return std::nullopt;
  }
  if (!rest.empty()) return std::nullopt;
  return mod;
}

std::optional<MeterMod> decode_meter_mod(Bytes record) {
  if (record.size() < kMeterModHead || record[1] > static_cast<std::uint8_t>(ModCommand::kDelete)) return std::nullopt;
  MeterMod mod;
  mod.command = static_cast<ModCommand>(record[1]);
  mod.meter = load<std::uint32_t>(record, 8);
  mod.flags = load<std::uint16_t>(record, 12);
  const std::size_t count = load<std::uint16_t>(record, 14);
  if (record.size() != kMeterModHead + count * kBandBytes) return std::nullopt;
  for (std::size_t i = 0; i < count; ++i) {
    const Bytes band = record.subspan(kMeterModHead + i * kBandBytes, kBandBytes);
    mod.bands.push_back({load<std::uint16_t>(band, 0), load<std::uint16_t>(band, 2), load<std::uint32_t>(band, 4),
                         load<std::uint32_t>(band, 8)});
  }
  return mod;
}

std::optional<PortConfigMod> decode_port_config(Bytes record) {
  if (record.size() != kPortConfigBytes) return std::nullopt;
  return PortConfigMod{PortNo{load<std::uint32_t>(record, 8)}, load<std::uint32_t>(record, 12),
                       load<std::uint32_t>(record, 16)};
}

std::optional<TableConfigMod> decode_table_config(Bytes record) {
  constexpr unsigned kEvictionFlags = static_cast<unsigned>(EvictionFlag::kOther) |
                                      static_cast<unsigned>(EvictionFlag::kImportance) |
                                      static_cast<unsigned>(EvictionFlag::kLifetime);
  if (record.size() < kTableConfigHead) return std::nullopt;
  const std::size_t fields = load<std::uint16_t>(record, 14);
  const bool legal = record.size() == kTableConfigHead + aligned(fields) &&
                     record[12] <= static_cast<std::uint8_t>(TableMiss::kDrop) && record[13] <= kEvictionFlags;
  if (!legal) return std::nullopt;
  TableConfigMod mod{.table = record[2],
                     .config = {.max_entries = load<std::uint32_t>(record, 8),
                                .miss = static_cast<TableMiss>(record[12]),
                                .eviction = record[13]}};
  // Groups have no values, only bits that count.
  FlowKey value;
  if (!decode_match(record.subspan(kTableConfigHead, fields), value, mod.config.groups)) return std::nullopt;
  if (value != FlowKey{}) return std::nullopt;
  return mod;
}

std::optional<PacketOut> decode_packet_out(Bytes record) {
  if (record.size() < kPacketOutHead) return std::nullopt;
  const std::size_t actions = load<std::uint32_t>(record, 4), frame = load<std::uint32_t>(record, 8);
  const std::size_t continuation = load<std::uint32_t>(record, 12);
  Bytes rest = record.subspan(kPacketOutHead);
  if (actions > rest.size() || actions % 8 != 0 || continuation > rest.size() - actions || continuation % 8 != 0 ||
      frame > rest.size() - actions - continuation) {
    return std::nullopt;
  }
  return PacketOut{PortNo{load<std::uint32_t>(record, 0)}, rest.first(actions), rest.subspan(actions, continuation),
                   rest.subspan(actions + continuation, frame)};
}

std::optional<TraceRequest> decode_trace_request(Bytes record) {
  if (record.size() < kTraceHead) return std::nullopt;
  const std::size_t match = load<std::uint32_t>(record, 4), frame = load<std::uint32_t>(record, 8);
  const std::size_t rest = record.size() - kTraceHead;
  if (match > rest || aligned(match) > rest || frame > rest - aligned(match)) return std::nullopt;
  const Bytes fields = record.subspan(kTraceHead, match);
  TraceRequest request{.in_port = PortNo{load<std::uint32_t>(record, 0)},
                       .value = {},
                       .frame = record.subspan(kTraceHead + aligned(match), frame)};
  FlowKey mask;
  if (!decode_match(fields, request.value, mask)) return std::nullopt;
  for (Bytes left = fields; !left.empty(); left = left.subspan(4 + left[1])) {
    const auto field = static_cast<Field>(left[0]);
    const bool carried = field == Field::kMetadata || field == Field::kTunnelId || field >= Field::kReg0;
    if (!carried || left[2] != 0) return std::nullopt;
  }
  return request;
}

std::optional<QueryRecord> decode_query(Bytes record) {
  if (record.size() < kQueryHead) return std::nullopt;
  QueryRecord query{};
  query.query = static_cast<Query>(record[0]);
  query.table = record[1];
  query.id = load<std::uint32_t>(record, 4);
  query.cookie = load<std::uint64_t>(record, 8);
  query.cookie_mask = load<std::uint64_t>(record, 16);
  query.out_port = load<std::uint32_t>(record, 24);
  query.out_group = load<std::uint32_t>(record, 28);
  query.cursor = load<std::uint64_t>(record, kQueryCursor);
  query.since = load<std::uint64_t>(record, 40);
  const std::size_t match = load<std::uint16_t>(record, 2);
  if (match > record.size() - kQueryHead) return std::nullopt;
  if (!decode_match(record.subspan(kQueryHead, match), query.value, query.mask)) return std::nullopt;
  return query;
}

std::vector<std::uint8_t> query_from(Bytes record, std::uint64_t cursor) {
  std::vector<std::uint8_t> next(record.begin(), record.end());
  std::memcpy(next.data() + kQueryCursor, &cursor, sizeof cursor);
  return next;
}

}  // namespace xvif
