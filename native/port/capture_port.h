#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "port/port.h"

namespace xvif {

/// Where a capture port hands its frames. Called by any data plane thread, several at once.
class FrameSink {
 public:
  /// A whole frame as it would stand on a wire: checksums complete, at least 60 bytes, large frames segmented. False
  /// when there is no room for it: it is then counted as dropped (backlog_full).
  virtual bool put(PortNo port, std::span<const std::uint8_t> frame) = 0;

 protected:
  ~FrameSink() = default;
};

/// A port whose outside is `sink`, which must outlive it; receives nothing. `linearizers` is indexed by thread.
std::unique_ptr<Port> make_capture_port(PortNo number, FrameSink& sink, std::span<Linearizer* const> linearizers);

}  // namespace xvif
