#pragma once

#include "port/port.h"

namespace xvif {

/// Counts one packet as sent, or as dropped for `reason`.
inline void count_sent(PortCounters& counters, const Packet& packet, Drop reason) {
  if (reason == Drop::kNone) {
    PortCounters::add(counters.tx_packets, 1);
    PortCounters::add(counters.tx_bytes, packet.size);
    return;
  }
  PortCounters::add(counters.tx_dropped[static_cast<std::size_t>(reason)], 1);
  if (reason == Drop::kIoError || reason == Drop::kCopyFailed) PortCounters::add(counters.tx_errors, 1);
}

/// A port with a single queue counts what it receives in its first place, whichever worker polls: nobody else writes
/// these.
inline void count_received(Port& port, std::span<Packet* const> packets) {
  PortCounters& counters = port.counters[0];
  std::uint64_t bytes = 0;
  for (const Packet* packet : packets) bytes += packet->size;
  PortCounters::add(counters.rx_packets, packets.size());
  PortCounters::add(counters.rx_bytes, bytes);
}
inline void count_receive_drop(Port& port, Drop reason) {
  PortCounters::add(port.counters[0].rx_dropped[static_cast<std::size_t>(reason)], 1);
  PortCounters::add(port.counters[0].rx_errors, 1);
}

}  // namespace xvif
