// Bytes as a control plane would hand them over: batches, packet-outs and queries, as they come or with lengths made
// right, into a datapath with null and capture ports.
#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>

#include "datapath/datapath.h"

namespace xvif {
namespace {

Runtime& runtime() {
  static Runtime one(1);
  return one;
}

/// Takes the next `n` bytes of the input, or what is left.
std::vector<std::uint8_t> take(std::span<const std::uint8_t>& input, std::size_t n) {
  const auto part = input.first(std::min(n, input.size()));
  input = input.subspan(part.size());
  return {part.begin(), part.end()};
}

/// One record as long as it says.
void mend(std::vector<std::uint8_t>& record) {
  record.resize(std::max<std::size_t>((record.size() + 7) & ~std::size_t{7}, 8));
  const auto length = static_cast<std::uint32_t>(record.size());
  std::memcpy(record.data() + 4, &length, sizeof length);
}

void read_all(Datapath& datapath, std::vector<std::uint8_t> query) {
  for (int part = 0; part < 8 && !query.empty(); ++part) query = datapath.read(query, 4096).next;
}

}  // namespace
}  // namespace xvif

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace xvif;
  Datapath datapath(runtime(), [] {});
  std::string error;
  XVIF_ASSERT(datapath.attach(PortNo{1}, NullPortSpec{}, {}, error) &&
              datapath.attach(PortNo{2}, CapturePortSpec{}, {}, error));
  std::span<const std::uint8_t> input(data, size);
  while (input.size() >= 3) {
    const auto head = take(input, 3);
    auto part = take(input, head[1] | (head[2] & 3u) << 8);
    switch (head[0] % 9) {
      case 0:
      case 1:
        datapath.apply(part, head[0] % 2 == 1);
        break;
      case 2:
      case 3:
        mend(part);
        datapath.apply(part, head[0] % 2 == 1);
        break;
      case 4:
        datapath.packet_out(part);
        break;
      case 5:
        datapath.read(part, 4096);
        break;
      case 8: {
        std::vector<std::uint8_t> steps;
        datapath.trace(part, steps);
        break;
      }
      case 6:
        part.resize(std::max<std::size_t>(part.size(), 48));
        part[2] = part[3] = 0;  // without a match
        read_all(datapath, part);
        break;
      default:
        datapath.tick();
        std::vector<std::uint8_t> upcalls;
        datapath.drain_upcalls(upcalls, head[1] * std::size_t{64});
    }
  }
  return 0;
}
