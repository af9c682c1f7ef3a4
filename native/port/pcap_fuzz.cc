// Any bytes as a pcap file: all frames lie within it.
#include <cstdlib>
#include <memory>

#include "base/assert.h"
#include "base/limits.h"
#include "port/pcap_file.h"

using namespace xvif;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const PcapFrames read = read_pcap({data, size});
  XVIF_ASSERT(read.error == nullptr || read.frames.empty());
  std::size_t total = 0;
  for (const auto frame : read.frames) {
    XVIF_ASSERT(frame.data() >= data && frame.data() + frame.size() <= data + size);
    XVIF_ASSERT(frame.size() <= kFrameMax);
    total += frame.size();
  }
  XVIF_ASSERT(total <= size);
  return 0;
}
