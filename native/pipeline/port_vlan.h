// VLANs of ports as NORMAL sees them: Open vSwitch's access and trunk ports (ovs-vswitchd.conf.db(5), table Port).
// What leaves or enters by explicit outputs, FLOOD and ALL is not concerned.
#pragma once

#include <cstdint>
#include <optional>

#include "packet/flow_key.h"
#include "packet/packet.h"
#include "port/settings.h"

namespace xvif {

/// Which VLAN a frame is in, and what it shows of that.
struct FrameVlan {
  std::uint16_t vlan;  // 0: none
  bool tagged;         // a whole tag leads the frame; with VLAN id 0 a priority tag
  bool odd;            // another tag behind it, or one that is cut off
  bool implied;        // the VLAN is that of an access port: a trunk has to be told by a tag
};

enum class TagChange : std::uint8_t { kNone, kPush, kSetVlan, kPop };

/// A frame that went through parse(), from a port that says nothing about VLANs.
FrameVlan frame_vlan(const Packet& packet, const FlowKey& key);
/// nullopt: the port does not take it. An access port takes untagged and priority-tagged frames, a trunk what it
/// carries; neither takes a tag that is cut off, which padding would complete.
std::optional<FrameVlan> vlan_in(const VlanMembership& port, const FrameVlan& frame);
/// What makes it fit for the port; nullopt: the port does not carry it. `port` may be nullptr, for a trunk of all.
/// An access port carries no frames of two tags: the second one would show up.
std::optional<TagChange> vlan_out(const VlanMembership* port, const FrameVlan& frame);
/// False: no headroom. Header offsets follow.
bool change_tag(Packet& packet, TagChange change, std::uint16_t vlan);

}  // namespace xvif
