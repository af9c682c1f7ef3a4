// The table of a select group that takes the place of another: a place changes its bucket only where that one goes or
// has too many, so that as few flows move as the weights allow, also when the number of places changes.
#pragma once

#include "pipeline/choice.h"

namespace xvif {

struct ChoiceBefore {
  std::span<const Share> shares;
  std::span<const std::uint16_t> choice;
};

/// As make_choice(shares), with fewer places than before only when those are many and a quarter is enough. What comes
/// back finds its places again.
std::vector<std::uint16_t> make_choice(std::span<const Share> shares, const ChoiceBefore& before);

}  // namespace xvif
