#include "classifier/rule.h"

#include <algorithm>

namespace xvif {

std::size_t packed_words(const FlowKey& mask) {
  return static_cast<std::size_t>(
      std::count_if(mask.words.begin(), mask.words.end(), [](std::uint64_t word) { return word != 0; }));
}

void pack(const FlowKey& value, const FlowKey& mask, std::uint64_t* out) {
  for (std::size_t i = 0; i < kFlowKeyWords; ++i) {
    if (mask.words[i] != 0) *out++ = value.words[i] & mask.words[i];
  }
}

}  // namespace xvif
