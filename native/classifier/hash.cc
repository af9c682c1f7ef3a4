#include "classifier/hash.h"

namespace xvif {

HashKeys::HashKeys(std::uint64_t seed) {
  for (std::size_t i = 0; i < kFlowKeyWords; ++i) {
    add[i] = mix64(seed ^ mix64(2 * i + 1));
    multiply[i] = mix64(~seed ^ mix64(2 * i + 2)) | 1;
  }
}

}  // namespace xvif
