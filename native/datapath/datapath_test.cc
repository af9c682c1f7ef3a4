// The verbs of a datapath over real workers.
#include "datapath/datapath.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <map>

#include "datapath/test_records.h"

namespace xvif {
namespace {

using kit::put;

template <typename T>
T load(std::span<const std::uint8_t> from, std::size_t at) {
  T value;
  std::memcpy(&value, from.data() + at, sizeof value);
  return value;
}

std::vector<kit::Bytes> split(const std::vector<std::uint8_t>& records) {
  std::vector<kit::Bytes> out;
  for (std::size_t at = 0; at < records.size();) {
    const auto length = load<std::uint32_t>(records, at + 4);
    EXPECT_TRUE(length >= 8 && length % 8 == 0 && at + length <= records.size()) << length;
    if (length == 0 || at + length > records.size()) break;
    const auto begin = records.begin() + static_cast<std::ptrdiff_t>(at);
    out.emplace_back(begin, begin + length);
    at += length;
  }
  return out;
}

kit::Bytes flow(std::uint16_t priority, const kit::Bytes& instructions, const kit::Bytes& match = {},
                std::uint16_t flags = 0) {
  return kit::flow_mod_record(FlowCommand::kAdd, 0, priority, match, instructions, flags);
}
kit::Bytes flow_to(std::uint16_t priority, ReservedPort port) {
  return flow(priority, kit::apply({kit::output(port)}));
}
const kit::Bytes kForgetAll = kit::flow_mod_record(FlowCommand::kDelete, 255, 0, {}, {});

std::vector<std::uint8_t> statuses(std::initializer_list<Status> list) {
  std::vector<std::uint8_t> out;
  for (const Status status : list) out.push_back(static_cast<std::uint8_t>(status));
  return out;
}

class DatapathTest : public ::testing::Test {
 protected:
  void attach(std::uint32_t number, const PortSpec& spec) {
    std::string error;
    ASSERT_TRUE(datapath->attach(PortNo{number}, spec, {}, error)) << error;
  }
  std::size_t flows() {
    std::size_t count = 0;
    kit::Bytes query = kit::query_record(Query::kFlows);
    while (!query.empty()) {
      ReadPart part = datapath->read(query, 4096);
      for (std::size_t at = 0; at < part.data.size(); at += load<std::uint32_t>(part.data, at)) ++count;
      query = part.next;
    }
    return count;
  }
  std::uint64_t dropped(std::uint32_t port, Drop reason) {
    kit::Bytes query = kit::query_record(Query::kDrops);
    put(query, 4, port);
    const ReadPart part = datapath->read(query, 4096);
    return load<std::uint64_t>(part.data, 8 + (kDropReasons + static_cast<std::size_t>(reason)) * 8);
  }
  std::vector<kit::Bytes> drain(std::size_t limit = 1 << 20) {
    std::vector<std::uint8_t> out;
    while (datapath->drain_upcalls(out, out.size() + limit)) {
    }
    return split(out);
  }
  Status send(const kit::Bytes& actions, const kit::Bytes& frame) {
    return datapath->packet_out(
        kit::packet_out_record(static_cast<std::uint32_t>(ReservedPort::kController), actions, frame));
  }

  Runtime runtime{2};
  std::atomic<unsigned> wakes{0};
  std::unique_ptr<Datapath> datapath = std::make_unique<Datapath>(runtime, [this] { ++wakes; });
};

TEST_F(DatapathTest, AFailureUndoesAnAtomicBatchOnly) {
  const kit::Bytes bad = flow(2, kit::go(0));
  const kit::Bytes group = kit::group_mod_record(ModCommand::kAdd, 1, {kit::bucket(kit::output(1))});
  const kit::Bytes batch =
      kit::join({flow_to(1, ReservedPort::kNormal), group, bad, group, flow_to(3, ReservedPort::kAll)});
  // What comes after the failure is only counted: the second group is not tried.
  EXPECT_EQ(datapath->apply(batch, true),
            statuses({Status::kOk, Status::kOk, Status::kBadTable, Status::kOk, Status::kOk}));
  EXPECT_EQ(flows(), 0u);
  EXPECT_TRUE(datapath->read(kit::query_record(Query::kGroups), 4096).data.empty());
  EXPECT_EQ(datapath->apply(batch, false),
            statuses({Status::kOk, Status::kOk, Status::kBadTable, Status::kGroupExists, Status::kOk}));
  EXPECT_EQ(flows(), 2u);
  EXPECT_EQ(datapath->apply(kit::join({kForgetAll, bad}), true), statuses({Status::kOk, Status::kBadTable}));
  EXPECT_EQ(flows(), 2u) << "a deletion is undone too";
}

TEST_F(DatapathTest, ABatchEndsWhereItIsMalformed) {
  for (const bool atomic : {false, true}) {
    datapath->apply(kForgetAll, false);
    kit::Bytes batch = kit::join({flow_to(1, ReservedPort::kNormal), flow_to(2, ReservedPort::kNormal)});
    put(batch, flow_to(1, ReservedPort::kNormal).size() + 4, std::uint32_t{0xfffffff8});
    EXPECT_EQ(datapath->apply(batch, atomic), statuses({Status::kOk, Status::kMalformed}));
    EXPECT_EQ(flows(), atomic ? 0u : 1u);
  }
  EXPECT_EQ(datapath->apply(kit::Bytes(7), false), statuses({Status::kMalformed}));
  EXPECT_EQ(datapath->apply(kit::op_record(Op{77}, 0, 16), false), statuses({Status::kMalformed}));
  EXPECT_EQ(datapath->apply(kit::op_record(Op::kSetConfig, 0, 24), false), statuses({Status::kMalformed}));
  EXPECT_EQ(datapath->apply(kit::op_record(Op::kControllerState, 0, 8), false), statuses({Status::kMalformed}));
  EXPECT_EQ(datapath->apply(kit::op_record(Op::kPortConfig, 0, 24), false), statuses({Status::kBadPort}));
  EXPECT_TRUE(datapath->apply({}, true).empty());
}

TEST_F(DatapathTest, LongBatchesAndReadsInParts) {
  kit::Bytes batch;
  constexpr std::uint16_t kFlows = 3000;
  for (std::uint16_t i = 0; i < kFlows; ++i) {
    const kit::Bytes one = flow_to(i, ReservedPort::kNormal);
    batch.insert(batch.end(), one.begin(), one.end());
  }
  EXPECT_EQ(datapath->apply(batch, false).size(), kFlows);
  EXPECT_EQ(flows(), kFlows);
  EXPECT_TRUE(datapath->read(kit::Bytes(39), 4096).data.empty());
  kit::Bytes query = kit::query_record(Query::kFlows);
  for (const std::uint64_t cursor : {~std::uint64_t{0}, std::uint64_t{1} << 63, std::uint64_t{0xffffffff}}) {
    put(query, 32, cursor);
    datapath->read(query, 4096);  // the sanitizers judge
  }
}

TEST_F(DatapathTest, PortNumbers) {
  std::string error;
  for (const std::uint32_t number : {0u, static_cast<std::uint32_t>(kPortsMax), 0xfffffff8u, 0xffffffffu}) {
    EXPECT_FALSE(datapath->attach(PortNo{number}, NullPortSpec{}, {}, error)) << number;
  }
  attach(1, NullPortSpec{});
  EXPECT_FALSE(datapath->attach(PortNo{1}, NullPortSpec{}, {}, error));
  EXPECT_EQ(error, "port 1 is taken");
  attach(static_cast<std::uint32_t>(ReservedPort::kLocal), NullPortSpec{});
  datapath->detach(PortNo{77});
  datapath->detach(PortNo{1});
  attach(1, NullPortSpec{});
  EXPECT_FALSE(datapath->attach(PortNo{2}, netback::VifSpec{}, {}, error)) << "without queues";
  EXPECT_FALSE(datapath->attach(PortNo{2}, PcapPortSpec{.input = "/nowhere", .output = ""}, {}, error));
}

TEST_F(DatapathTest, PacketOutsOfEverySize) {
  attach(1, CapturePortSpec{});
  attach(2, NullPortSpec{});
  for (const std::size_t bytes : {14u, 60u, 2048u, 2049u, 9000u, 65535u}) {
    kit::Bytes frame(bytes);
    for (std::size_t i = 0; i < bytes; ++i) frame[i] = static_cast<std::uint8_t>(i * 31 + i / 256);
    frame[12] = frame[13] = 0xff;
    ASSERT_EQ(send(kit::join({kit::output(1), kit::output(2)}), frame), Status::kOk) << bytes;
    const auto records = drain();
    ASSERT_EQ(records.size(), 1u) << bytes;
    ASSERT_EQ(load<std::uint32_t>(records[0], 12), std::max<std::size_t>(bytes, 60));
    EXPECT_TRUE(std::equal(frame.begin(), frame.end(), records[0].begin() + 16)) << bytes;
  }
  EXPECT_EQ(runtime.pool(runtime.control_thread()).available(), 512u);
  for (const std::size_t bytes : {0u, 1u, 13u, 65536u, 1'000'000u}) {
    EXPECT_EQ(send(kit::output(1), kit::Bytes(bytes)), Status::kMalformed) << bytes;
  }
  EXPECT_EQ(send(kit::group(5), kit::Bytes(60)), Status::kUnknownGroup);
  EXPECT_EQ(send(kit::Bytes(8), kit::Bytes(60)), Status::kMalformed) << "an action without a length";
  EXPECT_TRUE(drain().empty());
  EXPECT_EQ(runtime.pool(runtime.control_thread()).available(), 512u);
}

TEST_F(DatapathTest, UpcallsComeInPartsAndPacketInsAreNotHeldUp) {
  attach(1, CapturePortSpec{});
  datapath->apply(kit::controller_record(true), false);
  kit::Bytes frame(1000);
  for (int i = 0; i < 300; ++i) {
    ASSERT_EQ(send(kit::join({kit::output(1), kit::output(ReservedPort::kController)}), frame), Status::kOk);
  }
  EXPECT_GT(wakes, 0u);
  constexpr std::size_t kLimit = 16 * 1024;
  std::map<std::uint8_t, unsigned> kinds;
  bool more = true;
  for (int part = 0; more; ++part) {
    std::vector<std::uint8_t> out;
    more = datapath->drain_upcalls(out, kLimit);
    EXPECT_LE(out.size(), kLimit + 2200);
    const auto records = split(out);
    for (const kit::Bytes& record : records) ++kinds[record[0]];
    if (part == 0) {
      EXPECT_EQ(kinds.size(), 2u) << "both kinds";
    }
  }
  EXPECT_EQ(kinds[static_cast<std::uint8_t>(Upcall::kPortOutput)], 300u);
  EXPECT_EQ(kinds[static_cast<std::uint8_t>(Upcall::kPacketIn)], 300u);
}

TEST_F(DatapathTest, RemovedFlowsAreToldInParts) {
  constexpr std::uint16_t kFlows = 2000;
  for (std::uint16_t i = 0; i < kFlows; ++i) {
    datapath->apply(flow(i, {}, {}, static_cast<std::uint16_t>(FlowFlag::kSendFlowRem)), false);
  }
  datapath->apply(kForgetAll, false);
  std::vector<std::uint8_t> first;
  for (int i = 0; first.empty() && i < 100; ++i) {
    datapath->tick();
    datapath->drain_upcalls(first, 8192);
  }
  EXPECT_LE(first.size(), 8192u + 200);
  EXPECT_EQ(split(first).size() + drain(4096).size(), kFlows);
}

TEST_F(DatapathTest, CapturedFramesAreBounded) {
  attach(1, CapturePortSpec{});
  const kit::Bytes frame(65535);
  for (int i = 0; i < 400; ++i) ASSERT_EQ(send(kit::output(1), frame), Status::kOk);
  const std::uint64_t lost = dropped(1, Drop::kBacklogFull);
  EXPECT_GT(lost, 0u);
  EXPECT_EQ(drain().size() + lost, 400u);
  ASSERT_EQ(send(kit::output(1), frame), Status::kOk) << "there is room again";
  EXPECT_EQ(drain().size(), 1u);
}

/// A file of `count` small frames.
class TestPcap {
 public:
  explicit TestPcap(unsigned count) : path_("/tmp/xvif-datapath-test-" + std::to_string(getpid()) + ".pcap") {
    std::FILE* const file = std::fopen(path_.c_str(), "wb");
    const std::uint32_t header[6] = {0xa1b2c3d4, 4u << 16 | 2, 0, 0, 65535, 1};
    std::fwrite(header, sizeof header, 1, file);
    for (unsigned i = 0; i < count; ++i) {
      const kit::Bytes frame = kit::Udp{.source_mac = static_cast<std::uint8_t>(i), .bytes = 60 + i * 100}.frame();
      const auto bytes = static_cast<std::uint32_t>(frame.size());
      const std::uint32_t record[4] = {0, 0, bytes, bytes};
      std::fwrite(record, sizeof record, 1, file);
      std::fwrite(frame.data(), frame.size(), 1, file);
    }
    std::fclose(file);
  }
  ~TestPcap() { std::remove(path_.c_str()); }
  TestPcap(const TestPcap&) = delete;
  TestPcap& operator=(const TestPcap&) = delete;
  const std::string& path() const { return path_; }

 private:
  const std::string path_;
};

// Two sources flood everything while ports come and go, the controller sends and flows change. The sanitizers judge.
TEST_F(DatapathTest, PortsComeAndGoUnderTraffic) {
  const TestPcap pcap(30);
  const PcapPortSpec source{.input = pcap.path(), .output = "", .loop = true};
  attach(1, source);
  attach(2, source);
  datapath->apply(kit::join({kit::controller_record(true), flow_to(1, ReservedPort::kFlood)}), false);
  const kit::Bytes frame = kit::Udp{.bytes = 3000}.frame();
  for (int i = 0; i < 100; ++i) {
    attach(3, CapturePortSpec{});
    attach(4, NullPortSpec{});
    if (i % 4 == 0) attach(5, source);
    datapath->apply(
        flow_to(static_cast<std::uint16_t>(2 + i % 3), i % 2 == 0 ? ReservedPort::kAll : ReservedPort::kController),
        false);
    EXPECT_EQ(send(kit::join({kit::output(ReservedPort::kTable), kit::output(3)}), frame), Status::kOk);
    std::vector<std::uint8_t> out;
    datapath->drain_upcalls(out, 64 * 1024);
    datapath->tick();
    datapath->detach(PortNo{3});
    EXPECT_EQ(send(kit::output(3), frame), Status::kOk) << "to nobody";
    datapath->detach(PortNo{5});
    datapath->detach(PortNo{4});
    if (i % 10 == 0) {
      datapath->detach(PortNo{1});
      attach(1, source);
    }
  }
  datapath.reset();  // with ports attached and upcalls waiting
  for (std::size_t thread = 0; thread < runtime.workers(); ++thread) {
    EXPECT_EQ(runtime.worker(thread).load(), 0u);
    EXPECT_EQ(runtime.pool(thread).available(), kPacketsPerThread);
  }
  EXPECT_EQ(runtime.pool(runtime.control_thread()).available(), 512u);
}

TEST_F(DatapathTest, BridgesShareTheWorkers) {
  const TestPcap pcap(5);
  const PcapPortSpec source{.input = pcap.path(), .output = "", .loop = true};
  auto other = std::make_unique<Datapath>(runtime, [] {});
  std::string error;
  ASSERT_TRUE(other->attach(PortNo{1}, source, {}, error));
  attach(1, source);
  for (int i = 0; i < 200; ++i) {
    for (Datapath* one : {datapath.get(), other.get()}) {
      one->apply(flow(1, {}, {}, static_cast<std::uint16_t>(FlowFlag::kSendFlowRem)), false);
      one->apply(kForgetAll, false);
    }
    if (i == 100) {
      other.reset();
      other = std::make_unique<Datapath>(runtime, [] {});
    }
  }
  other.reset();
  for (int i = 0; i < 20; ++i) datapath->tick();
  EXPECT_EQ(drain().size(), 200u);
}

}  // namespace
}  // namespace xvif
