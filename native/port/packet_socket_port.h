#pragma once

#include <memory>
#include <span>
#include <string>

#include "port/port.h"

namespace xvif {

struct PacketSocketOptions {
  std::string device = {};
  std::string netns = {};   // a name under /run/netns; empty: where we are
  bool promiscuous = true;  // take frames for all MAC addresses
};

/// A port on a network interface of the kernel, by an AF_PACKET socket. VLAN tags that the kernel took out of a frame
/// are put back; frames that this host sends through the interface are not received. `linearizers` is indexed by
/// thread. nullptr with a reason in `error`.
std::unique_ptr<Port> open_packet_socket_port(const PacketSocketOptions& options,
                                              std::span<Linearizer* const> linearizers, std::string& error);

}  // namespace xvif
