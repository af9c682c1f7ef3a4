#include "datapath/read.h"

#include <algorithm>
#include <array>

#include "pipeline/match_entries.h"

namespace xvif {
namespace {

/// Of a part of an answer, which a caller may want to be of any length, and of the flow that goes beyond it.
constexpr std::size_t kPartBytes = 128 * 1024;
constexpr std::size_t kFlowBytes = 4096;

FlowFilter filter_of(const QueryRecord& query) {
  FlowFilter filter;
  filter.table = query.table;
  filter.cookie = query.cookie;
  filter.cookie_mask = query.cookie_mask;
  filter.out_port = query.out_port;
  filter.out_group = query.out_group;
  filter.since = query.since;
  filter.value = query.value;
  filter.mask = query.mask;
  return filter;
}

/// Writes as long as there is room; a part always has at least one record. Returns the cursor to go on with.
template <typename View, typename Read, typename Write>
std::uint64_t write_part(std::uint64_t cursor, std::size_t limit, std::vector<std::uint8_t>& out, Read&& read,
                         Write&& write) {
  const bool done = read(cursor, [&](const View& view) {
    if (out.size() >= limit) return false;
    write(view);
    return true;
  });
  return done ? 0 : cursor;
}

std::uint64_t read_flows(const Pipeline& pipeline, const QueryRecord& query, std::uint64_t now, std::size_t limit,
                         std::vector<std::uint8_t>& out) {
  // Of the first part it is not known whether there is more than a flow.
  if (query.cursor != 0) out.reserve(std::min(limit, kPartBytes) + kFlowBytes);
  RecordWriter writer(out);
  return write_part<FlowView>(
      query.cursor, limit, out,
      [&](std::uint64_t& cursor, const auto& visit) {
        return pipeline.flows().read(filter_of(query), now, cursor, visit);
      },
      [&](const FlowView& view) { write_flow(writer, view, query.since != 0 && view.flow.born > query.since); });
}

void read_aggregate(const Pipeline& pipeline, const QueryRecord& query, std::uint64_t now, RecordWriter& out) {
  std::uint64_t packets = 0, bytes = 0, cursor = 0;
  std::uint32_t flows = 0;
  pipeline.flows().read(filter_of(query), now, cursor, [&](const FlowView& view) {
    packets += view.packets;
    bytes += view.bytes;
    ++flows;
    return true;
  });
  out.put<std::uint64_t>(packets);
  out.put<std::uint64_t>(bytes);
  out.put<std::uint32_t>(flows);
  out.put<std::uint32_t>(0);
}

void read_tables(const Pipeline& pipeline, RecordWriter& out) {
  for (std::size_t id = 0; id < kTables; ++id) {
    const Pipeline::TableView view = pipeline.table(id);
    out.put<std::uint32_t>(static_cast<std::uint32_t>(view.active));
    out.put<std::uint32_t>(0);
    out.put<std::uint64_t>(view.lookups);
    out.put<std::uint64_t>(view.matched);
  }
}

void write_bucket(RecordWriter& out, const Bucket& bucket, const CountSum& count) {
  out.put<std::uint64_t>(count.packets);
  out.put<std::uint64_t>(count.bytes);
  const std::size_t start = out.at();
  out.put<std::uint32_t>(0);
  out.put<std::uint16_t>(bucket.weight);
  out.put<std::uint16_t>(0);
  out.put<std::uint32_t>(bucket.watch_port);
  out.put<std::uint32_t>(bucket.watch_group);
  out.put<std::uint32_t>(bucket.id);
  out.put<std::uint32_t>(0);
  out.put_bytes(bucket.actions);
  out.patch<std::uint32_t>(start, static_cast<std::uint32_t>(out.at() - start));
}

/// As in group_mod; returns their bytes without the padding.
std::uint32_t write_selection_fields(RecordWriter& out, const Selection& selection) {
  const std::size_t start = out.at();
  for (const auto& [field, mask] : selection.fields) {
    const std::size_t width = field_bytes(field);
    out.put<std::uint8_t>(static_cast<std::uint8_t>(field));
    out.put<std::uint8_t>(static_cast<std::uint8_t>(width));
    out.put<std::uint8_t>(1);
    out.zero(1 + width);
    out.put_bytes(std::span(mask).last(width));
  }
  const std::size_t length = out.at() - start;
  out.align();
  return static_cast<std::uint32_t>(length);
}

void write_group(RecordWriter& out, const GroupTable& groups, const GroupView& view) {
  const std::size_t start = out.at();
  out.put<std::uint32_t>(0);
  out.put<std::uint32_t>(view.group.id);
  out.put<std::uint8_t>(static_cast<std::uint8_t>(view.group.type));
  out.put<std::uint8_t>(static_cast<std::uint8_t>(view.group.selection.method));
  out.zero(2);
  out.put<std::uint32_t>(view.references);
  out.put<std::uint64_t>(view.count.packets);
  out.put<std::uint64_t>(view.count.bytes);
  out.put<std::uint64_t>(view.duration_ns);
  out.put<std::uint32_t>(static_cast<std::uint32_t>(view.group.buckets.size()));
  const std::size_t length = out.at();
  out.put<std::uint32_t>(0);
  out.put<std::uint64_t>(view.group.selection.parameter);
  out.patch<std::uint32_t>(length, write_selection_fields(out, view.group.selection));
  for (const Bucket& bucket : view.group.buckets) write_bucket(out, bucket, groups.count(bucket));
  out.patch<std::uint32_t>(start, static_cast<std::uint32_t>(out.at() - start));
}

void write_meter(RecordWriter& out, const MeterTable& meters, const MeterView& view) {
  const std::size_t start = out.at();
  out.put<std::uint32_t>(0);
  out.put<std::uint32_t>(view.meter.id);
  out.put<std::uint16_t>(view.meter.flags);
  out.put<std::uint16_t>(static_cast<std::uint16_t>(view.meter.bands.size()));
  out.put<std::uint32_t>(view.flows);
  out.put<std::uint64_t>(view.count.packets);
  out.put<std::uint64_t>(view.count.bytes);
  out.put<std::uint64_t>(view.duration_ns);
  for (const auto& band : view.meter.bands) {
    const CountSum count = meters.count(*band);
    out.put<std::uint64_t>(count.packets);
    out.put<std::uint64_t>(count.bytes);
    out.put<std::uint16_t>(band->mod.type);
    out.put<std::uint16_t>(band->mod.prec_level);
    out.put<std::uint32_t>(band->mod.rate);
    out.put<std::uint32_t>(band->mod.burst);
    out.put<std::uint32_t>(0);
  }
  out.patch<std::uint32_t>(start, static_cast<std::uint32_t>(out.at() - start));
}

using Drops = std::array<std::uint64_t, kDropReasons>;

std::uint64_t total(const Drops& drops) {
  std::uint64_t sum = 0;
  for (const std::uint64_t count : drops) sum += count;
  return sum;
}

/// Counters of all threads.
struct PortSum {
  explicit PortSum(const Port& port) {
    const auto get = [](const std::atomic<std::uint64_t>& count) { return count.load(std::memory_order_relaxed); };
    for (const PortCounters& one : port.counters) {
      rx_packets += get(one.rx_packets);
      tx_packets += get(one.tx_packets);
      rx_bytes += get(one.rx_bytes);
      tx_bytes += get(one.tx_bytes);
      rx_errors += get(one.rx_errors);
      tx_errors += get(one.tx_errors);
      for (std::size_t i = 0; i < kDropReasons; ++i) {
        rx_dropped[i] += get(one.rx_dropped[i]);
        tx_dropped[i] += get(one.tx_dropped[i]);
      }
    }
  }
  std::uint64_t rx_packets = 0, tx_packets = 0, rx_bytes = 0, tx_bytes = 0, rx_errors = 0, tx_errors = 0;
  Drops rx_dropped{}, tx_dropped{};
};

void write_port(RecordWriter& out, const PortSlot& slot, std::uint64_t now) {
  const PortSum sum(slot.port);
  out.put<std::uint32_t>(raw(slot.number));
  out.put<std::uint32_t>(slot.port_config());
  out.put<std::uint32_t>(slot.state());
  out.put<std::uint32_t>(0);
  for (const std::uint64_t value : {sum.rx_packets, sum.tx_packets, sum.rx_bytes, sum.tx_bytes, total(sum.rx_dropped),
                                    total(sum.tx_dropped), sum.rx_errors, sum.tx_errors, now - slot.attached_ns}) {
    out.put<std::uint64_t>(value);
  }
}

void write_drops(RecordWriter& out, const PortSlot& slot) {
  const PortSum sum(slot.port);
  out.put<std::uint32_t>(raw(slot.number));
  out.put<std::uint32_t>(0);
  for (const std::uint64_t count : sum.rx_dropped) out.put<std::uint64_t>(count);
  for (const std::uint64_t count : sum.tx_dropped) out.put<std::uint64_t>(count);
}

void read_samples(const Pipeline& pipeline, RecordWriter& out) {
  for (const SampleView& view : pipeline.flows().samples()) {
    out.put<std::uint32_t>(view.collector_set);
    out.put<std::uint32_t>(0);
    out.put<std::uint64_t>(view.count.packets);
    out.put<std::uint64_t>(view.count.bytes);
  }
}

template <typename Write>
void each_port(const Pipeline& pipeline, std::uint32_t id, Write&& write) {
  for (const PortSlot* slot : pipeline.ports().all()) {
    if (id == static_cast<std::uint32_t>(ReservedPort::kAny) || id == raw(slot->number)) write(*slot);
  }
}

}  // namespace

void write_flow(RecordWriter& out, const FlowView& view, bool is_new) {
  constexpr std::uint64_t kSecond = 1'000'000'000;
  const Flow& flow = view.flow;
  const std::size_t start = out.at();
  const std::span<const std::uint8_t> instructions = view.instructions();
  out.put<std::uint32_t>(0);
  out.put<std::uint8_t>(flow.table);
  out.put<std::uint8_t>(is_new ? 1 : 0);
  out.put<std::uint16_t>(flow.priority);
  out.put<std::uint64_t>(flow.cookie);
  out.put<std::uint64_t>(view.packets);
  out.put<std::uint64_t>(view.bytes);
  out.put<std::uint64_t>(view.duration_ns);
  out.put<std::uint16_t>(flow.idle_timeout);
  out.put<std::uint16_t>(flow.hard_timeout);
  out.put<std::uint16_t>(flow.flags);
  const std::size_t match_length = out.at();
  out.put<std::uint16_t>(0);
  out.put<std::uint32_t>(static_cast<std::uint32_t>(instructions.size()));
  out.put<std::uint16_t>(flow.importance);
  out.put<std::uint16_t>(static_cast<std::uint16_t>(std::min<std::uint64_t>(view.unchanged_ns / kSecond, 0xffff)));
  out.put<std::uint64_t>(view.idle_ns);
  out.patch<std::uint16_t>(match_length, static_cast<std::uint16_t>(write_match(out, view.value, view.mask)));
  out.align();
  out.put_bytes(instructions);
  out.align();
  out.patch<std::uint32_t>(start, static_cast<std::uint32_t>(out.at() - start));
}

std::size_t write_match(RecordWriter& out, const FlowKey& value, const FlowKey& mask) {
  std::array<MatchEntry, kMatchFields> entries;
  const std::size_t count = match_entries(value, mask, entries);
  const std::size_t start = out.at();
  for (const MatchEntry& entry : std::span(entries).first(count)) {
    out.put<std::uint8_t>(static_cast<std::uint8_t>(entry.field));
    out.put<std::uint8_t>(entry.width);
    out.put<std::uint8_t>(entry.has_mask ? 1 : 0);
    out.put<std::uint8_t>(0);
    out.put_bytes(std::span(entry.value).first(entry.width));
    if (entry.has_mask) out.put_bytes(std::span(entry.mask).first(entry.width));
  }
  return out.at() - start;
}

std::uint64_t read_pipeline(const Pipeline& pipeline, const QueryRecord& query, std::uint64_t now, std::size_t limit,
                            std::vector<std::uint8_t>& out) {
  RecordWriter writer(out);
  switch (query.query) {
    case Query::kFlows:
      return read_flows(pipeline, query, now, limit, out);
    case Query::kAggregate:
      read_aggregate(pipeline, query, now, writer);
      return 0;
    case Query::kTables:
      read_tables(pipeline, writer);
      return 0;
    case Query::kGroups:
      return write_part<GroupView>(
          query.cursor, limit, out,
          [&](std::uint64_t& cursor, const auto& visit) {
            return pipeline.groups().read(query.id, now, cursor, visit);
          },
          [&](const GroupView& view) { write_group(writer, pipeline.groups(), view); });
    case Query::kMeters:
      return write_part<MeterView>(
          query.cursor, limit, out,
          [&](std::uint64_t& cursor, const auto& visit) {
            return pipeline.meters().read(query.id, now, cursor, visit);
          },
          [&](const MeterView& view) { write_meter(writer, pipeline.meters(), view); });
    case Query::kPorts:
      each_port(pipeline, query.id, [&](const PortSlot& slot) { write_port(writer, slot, now); });
      return 0;
    case Query::kDrops:
      each_port(pipeline, query.id, [&](const PortSlot& slot) { write_drops(writer, slot); });
      return 0;
    case Query::kSamples:
      read_samples(pipeline, writer);
      return 0;
    case Query::kQueues:   // no port has queues of its own yet
    case Query::kRuntime:  // the datapath's own
      return 0;
  }
  return 0;
}

}  // namespace xvif
