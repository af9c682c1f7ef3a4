// Checks binary actions and instructions as the control side sent them, once, so that carrying them out needs no
// checks.
#pragma once

#include <cstdint>
#include <span>

#include "base/schema.gen.h"

namespace xvif {

/// What a list of actions refers to outside itself is not checked here: ports, groups, queues.
///   kMalformed  lengths, padding, unknown instruction, instructions out of order
///   kBadAction  unknown action, ethertype that the action cannot take, value with bits that the
///               field does not have
///   kBadField   set_field of a field that does not exist or cannot be set, or with the wrong width
Status validate_actions(std::span<const std::uint8_t> actions);

/// For write_actions and buckets. Also kBadAction: what an action set cannot hold. Of the actions that are not
/// 1.3's own it takes meter, resubmit, set_masked, encap, decap, dec_nsh_ttl, and load of a whole field.
Status validate_action_set(std::span<const std::uint8_t> actions);

/// Also kBadTable: goto_table to a table that does not exist; kBadAction: conjunction beside anything but others of it
/// and notes.
Status validate_instructions(std::span<const std::uint8_t> instructions);

}  // namespace xvif
