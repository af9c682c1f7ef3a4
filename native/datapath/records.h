// Binary records of docs/native-boundary.md to what the pipeline takes. The sender is our own TypeScript, but a record
// is checked as if it were not: nothing in it can make us read outside it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/ids.h"
#include "base/schema.gen.h"
#include "packet/flow_key.h"
#include "pipeline/mods.h"

namespace xvif {

using Bytes = std::span<const std::uint8_t>;

/// Takes the first record off `batch`; nullopt when its length is not a multiple of 8 within the batch.
std::optional<Bytes> take_record(Bytes& batch);
Op op_of(Bytes record);

// Each: nullopt when the record is malformed. Spans in the result point into the record.
std::optional<FlowMod> decode_flow_mod(Bytes record);
std::optional<GroupMod> decode_group_mod(Bytes record);
std::optional<MeterMod> decode_meter_mod(Bytes record);

struct PortConfigMod {
  PortNo port;
  std::uint32_t config;
  std::uint32_t mask;
};
std::optional<PortConfigMod> decode_port_config(Bytes record);

struct TableConfigMod {
  std::uint8_t table;
  TableConfig config;
};
std::optional<TableConfigMod> decode_table_config(Bytes record);

struct PacketOut {
  PortNo in_port;
  Bytes actions;
  Bytes continuation;  // of a paused packet that goes on; else empty
  Bytes frame;
};
std::optional<PacketOut> decode_packet_out(Bytes record);

/// `value` has pipeline fields alone: metadata, the tunnel's id, registers.
struct TraceRequest {
  PortNo in_port;
  FlowKey value;
  Bytes frame;
};
std::optional<TraceRequest> decode_trace_request(Bytes record);

struct QueryRecord {
  Query query;
  std::uint8_t table;
  std::uint32_t id;
  std::uint64_t cookie;
  std::uint64_t cookie_mask;
  std::uint32_t out_port;
  std::uint32_t out_group;
  std::uint64_t cursor;
  std::uint64_t since;
  FlowKey value;
  FlowKey mask;
};
std::optional<QueryRecord> decode_query(Bytes record);
/// The same query, to go on at `cursor`.
std::vector<std::uint8_t> query_from(Bytes record, std::uint64_t cursor);

/// Appends to a buffer in host byte order, and keeps records on 8 bytes.
class RecordWriter {
 public:
  explicit RecordWriter(std::vector<std::uint8_t>& out) : out_(out) {}

  template <typename T>
  void put(T value) {
    const auto* at = reinterpret_cast<const std::uint8_t*>(&value);
    out_.insert(out_.end(), at, at + sizeof value);
  }
  void put_bytes(Bytes bytes) { out_.insert(out_.end(), bytes.begin(), bytes.end()); }
  void zero(std::size_t count) { out_.insert(out_.end(), count, 0); }
  void align() { zero((8 - out_.size() % 8) % 8); }
  std::size_t at() const { return out_.size(); }
  template <typename T>
  void patch(std::size_t at, T value) {
    std::memcpy(out_.data() + at, &value, sizeof value);
  }

 private:
  std::vector<std::uint8_t>& out_;
};

}  // namespace xvif
