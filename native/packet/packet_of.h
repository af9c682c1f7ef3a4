// Packets made of bytes that are at hand.
#pragma once

#include <cstdint>
#include <span>

#include "packet/packet.h"

namespace xvif {

/// A packet with a copy of these bytes, at most kFrameMax; nullptr when the pool is empty. What does not fit the linear
/// buffer lies on the heap until the last packet that shares it is gone.
Packet* packet_of(PacketPool& pool, PortNo in_port, std::span<const std::uint8_t> frame);

}  // namespace xvif
