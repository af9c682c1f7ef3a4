// Numbers with a meaning of their own. They do not convert into each other.
#pragma once

#include <cstdint>

namespace xvif {

/// OpenFlow port number: 1..kPortsMax-1, or a ReservedPort.
enum class PortNo : std::uint32_t {};
enum class DomId : std::uint16_t {};
enum class GrantRef : std::uint32_t {};
/// An event-channel number, local to the domain that holds it.
enum class EvtchnPort : std::uint32_t {};

constexpr std::uint32_t raw(PortNo id) { return static_cast<std::uint32_t>(id); }
constexpr std::uint16_t raw(DomId id) { return static_cast<std::uint16_t>(id); }
constexpr std::uint32_t raw(GrantRef id) { return static_cast<std::uint32_t>(id); }
constexpr std::uint32_t raw(EvtchnPort id) { return static_cast<std::uint32_t>(id); }

}  // namespace xvif
