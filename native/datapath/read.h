// Answers to queries: tables, counters and ports of a datapath as records (docs/native-boundary.md).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <vector>

#include "datapath/records.h"
#include "pipeline/pipeline.h"

namespace xvif {

/// Writes a part of the answer to `query` to `out`, up to about `limit` bytes, starting at its cursor. Returns the
/// cursor to go on with, 0 when that was all. Unknown queries have an empty answer.
std::uint64_t read_pipeline(const Pipeline& pipeline, const QueryRecord& query, std::uint64_t now_ns, std::size_t limit,
                            std::vector<std::uint8_t>& out);

/// A flow as in the answer to Query::kFlows. `is_new`: it appeared after the version that was asked for.
void write_flow(RecordWriter& out, const FlowView& view, bool is_new);

/// The match of a record: `field u8, width u8, hasMask u8, zero u8, value, mask` for each field. Returns its bytes.
std::size_t write_match(RecordWriter& out, const FlowKey& value, const FlowKey& mask);

}  // namespace xvif
