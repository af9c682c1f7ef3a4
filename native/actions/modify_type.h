// Packet types (OpenFlow 1.5.1 section 7.2.3.11), MPLS around frames, and the Network Service Header. Parts of
// modify().
//
// A packet without an Ethernet header is kept behind one that it does not have: addresses of 0 and the ethertype that
// its packet type is (Packet::bare). So all else works on it as on a frame.
#pragma once

#include "actions/modify.h"

namespace xvif {

/// kPacketType: the header does not go around packets of this type.
Verdict encap(Packet& packet, FlowKey& key, const ActionView& action);
/// kPacketType: there is no header that could be taken off, or what is behind it is of no type that is known.
Verdict decap(Packet& packet, FlowKey& key, std::uint32_t wanted);

Verdict dec_nsh_ttl(Packet& packet, FlowKey& key);
/// nsh_*; bits that the header does not have are dropped.
void set_nsh(Packet& packet, FlowKey& key, Field field, const std::uint8_t* value);

}  // namespace xvif
