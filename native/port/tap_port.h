#pragma once

#include <memory>
#include <span>
#include <string>

#include "port/port.h"
#include "port/tap_device.h"

namespace xvif {

/// A port whose outside is a TAP device: LOCAL, and other kernel-facing ports. With offload, frames go both ways as
/// they are: checksum blank, TCP not segmented. `linearizers` is indexed by thread.
/// nullptr with a reason in `error` when the device cannot be opened.
std::unique_ptr<Port> open_tap_port(const TapOptions& options, std::span<Linearizer* const> linearizers,
                                    std::string& error);

}  // namespace xvif
