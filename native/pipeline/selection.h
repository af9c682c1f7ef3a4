// What a select group chooses a bucket by: Netronome's group property "selection method" as Open vSwitch has it.
#pragma once

#include <cstdint>
#include <vector>

#include "actions/subfield.h"
#include "base/schema.gen.h"
#include "packet/flow_key.h"

namespace xvif {

struct SelectionField {
  Field field;
  WideNumber mask;  // the bits of it that count
};

struct Selection {
  SelectionMethod method = SelectionMethod::kDefault;
  std::uint64_t parameter = 0;
  std::vector<SelectionField> fields;  // ascending; none: all that makes a flow
};

/// The same for packets that are to take the same bucket. A field that the packet does not have does not count.
std::uint32_t selection_hash(const Selection& selection, const FlowKey& key);

}  // namespace xvif
