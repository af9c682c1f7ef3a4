// A TAP device of the kernel, whichever end of it is ours: a port of the switch, or the frontend of an emulated guest.
#pragma once

#include <sys/types.h>
#include <sys/uio.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "port/vnet_header.h"

namespace xvif {

struct TapOptions {
  std::string device = {};  // name; made when it does not exist, and then gone with the last fd
  std::string netns = {};   // a name under /run/netns; empty: where we are
  std::string mac = {};     // aa:bb:cc:dd:ee:ff; empty: the kernel's choice
  unsigned mtu = 0;         // 0: the kernel's default
  /// Checksum and TCP segmentation may be left to the other side, both ways.
  bool offload = true;
};

/// Brought up by open(). The fd does not block. Any thread may write; one reads.
class TapDevice {
 public:
  /// nullptr with a reason in `error`. The caller's network namespace is never changed.
  static std::unique_ptr<TapDevice> open(const TapOptions& options, std::string& error);
  ~TapDevice();
  TapDevice(const TapDevice&) = delete;
  TapDevice& operator=(const TapDevice&) = delete;

  int fd() const { return fd_; }
  const std::string& name() const { return name_; }

  /// One frame: its bytes without the header, or -1 (errno EAGAIN: none waits). A frame longer than `frame` is cut;
  /// the value is then what was stored.
  ssize_t read(VnetHeader& header, std::span<std::uint8_t> frame);
  /// One frame, in at most kSegmentsMax + 1 pieces. False when the kernel takes no more now, or refuses it.
  bool write(const VnetHeader& header, std::span<const iovec> frame);

 private:
  TapDevice(int fd, std::string name) : fd_(fd), name_(std::move(name)) {}

  int fd_;
  std::string name_;
};

}  // namespace xvif
