#include "pipeline/selection.h"

#include "base/bytes.h"
#include "packet/flow_hash.h"

namespace xvif {

std::uint32_t selection_hash(const Selection& selection, const FlowKey& key) {
  if (selection.method == SelectionMethod::kDefault) [[likely]]
    return flow_hash(key);
  std::uint32_t hash = hash_mix(0x2545f491u, selection.parameter);
  if (selection.fields.empty()) return hash_finish(hash_mix(hash, flow_hash(key)));
  for (const SelectionField& each : selection.fields) {
    const auto bits = static_cast<std::uint16_t>(kFieldPlaces[static_cast<std::size_t>(each.field)].bits);
    WideNumber value;
    if (!read_subfield(key, {.field = each.field, .offset = 0, .bits = bits}, value)) continue;
    hash = hash_mix(hash, load_be64(value.data()) & load_be64(each.mask.data()));
    hash = hash_mix(hash, load_be64(value.data() + 8) & load_be64(each.mask.data() + 8));
  }
  return hash_finish(hash);
}

}  // namespace xvif
