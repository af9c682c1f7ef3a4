#pragma once

#include <memory>
#include <span>
#include <string>

#include "port/port.h"

namespace xvif {

struct PcapOptions {
  std::string input = {};   // file to receive from; empty: nothing is received
  bool loop = false;        // replay the input for ever, as fast as it is polled
  std::string output = {};  // file that takes what is sent, replaced if it exists; empty: it is discarded
};

/// Classic pcap files (both byte orders, microseconds or nanoseconds, link type Ethernet); a frame that the file holds
/// cut is skipped. Output is written in nanoseconds, frames as on a wire. `linearizers` is indexed by thread.
/// nullptr with a reason in `error` when a file cannot be opened or read.
std::unique_ptr<Port> open_pcap_port(const PcapOptions& options, std::span<Linearizer* const> linearizers,
                                     std::string& error);

}  // namespace xvif
