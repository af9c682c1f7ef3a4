#pragma once

#include <memory>

#include "port/port.h"

namespace xvif {

/// A port that counts and discards what is sent, and receives nothing.
std::unique_ptr<Port> make_null_port();

}  // namespace xvif
