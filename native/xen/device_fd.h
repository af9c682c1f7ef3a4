#pragma once

#include <unistd.h>

#include <utility>

namespace xvif::xen {

/// An open device, closed with its owner.
class DeviceFd {
 public:
  explicit DeviceFd(int fd) : fd_(fd) {}
  DeviceFd(DeviceFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  DeviceFd& operator=(DeviceFd&&) = delete;
  ~DeviceFd() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

}  // namespace xvif::xen
