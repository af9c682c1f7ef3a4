// Reading and writing some bits of a field of a packet.
#pragma once

#include <array>
#include <cstdint>

#include "actions/iterate.h"
#include "packet/flow_key.h"
#include "packet/packet.h"

namespace xvif {

/// Up to 128 bits as a number in network order, the value in the last bytes.
using WideNumber = std::array<std::uint8_t, 16>;

/// The packet has the field: what it depends on is there (its prerequisites).
bool has_field(const FlowKey& key, Field field);

/// False, and nothing read, when the packet does not have the field.
bool read_subfield(const FlowKey& key, const Subfield& from, WideNumber& value);

/// Writes the lowest bits of `value` into a key that is no packet's: a match.
void put_bits(FlowKey& key, const Subfield& to, const WideNumber& value);

/// A port number that has 16 bits, of which the reserved ones begin at 0xff00 (OpenFlow 1.0), or 32.
PortNo port_of(const WideNumber& value);

/// Writes the lowest bits of `value`. A field that the packet does not have is left alone.
void write_subfield(Packet& packet, FlowKey& key, const Subfield& to, const WideNumber& value);

}  // namespace xvif
