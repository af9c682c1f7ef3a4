#include "port/tap_device.h"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "base/limits.h"
#include "port/netns.h"

namespace xvif {

namespace {

std::string failed(const std::string& device, const char* what) {
  return device + ": " + what + ": " + std::strerror(errno);
}

bool parse_mac(const std::string& text, char* out) {
  unsigned byte[6];
  int end = 0;
  if (std::sscanf(text.c_str(), "%2x:%2x:%2x:%2x:%2x:%2x%n", &byte[0], &byte[1], &byte[2], &byte[3], &byte[4], &byte[5],
                  &end) != 6 ||
      static_cast<std::size_t>(end) != text.size()) {
    return false;
  }
  for (int i = 0; i < 6; ++i) out[i] = static_cast<char>(byte[i]);
  return true;
}

ifreq request_for(const std::string& device) {
  ifreq request{};
  std::memcpy(request.ifr_name, device.data(), std::min(device.size(), sizeof request.ifr_name - 1));
  return request;
}

/// MAC address, MTU, up. Empty, or what went wrong.
std::string configure(const TapOptions& options, const std::string& name) {
  const int control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (control < 0) return failed(name, "socket");
  std::string error;
  ifreq request = request_for(name);
  if (!options.mac.empty()) {
    request.ifr_hwaddr.sa_family = ARPHRD_ETHER;
    if (!parse_mac(options.mac, request.ifr_hwaddr.sa_data)) {
      error = name + ": not a MAC address: " + options.mac;
    } else if (ioctl(control, SIOCSIFHWADDR, &request) != 0) {
      error = failed(name, "MAC address");
    }
  }
  if (error.empty() && options.mtu != 0) {
    request = request_for(name);
    request.ifr_mtu = static_cast<int>(options.mtu);
    if (ioctl(control, SIOCSIFMTU, &request) != 0) error = failed(name, "MTU");
  }
  if (error.empty()) {
    request = request_for(name);
    if (ioctl(control, SIOCGIFFLAGS, &request) == 0) {
      request.ifr_flags = static_cast<short>(request.ifr_flags | IFF_UP);
      if (ioctl(control, SIOCSIFFLAGS, &request) != 0) error = failed(name, "up");
    } else {
      error = failed(name, "flags");
    }
  }
  ::close(control);
  return error;
}

/// The fd, or -1 with a reason; `name` is what the kernel called the device.
int open_tun(const TapOptions& options, std::string& name, std::string& error) {
  const int fd = ::open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) {
    error = failed("/dev/net/tun", "open");
    return -1;
  }
  ifreq request = request_for(options.device);
  request.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR;
  if (ioctl(fd, TUNSETIFF, &request) != 0) {
    error = failed(options.device, "TUNSETIFF");
    ::close(fd);
    return -1;
  }
  name = request.ifr_name;
  int header_bytes = sizeof(VnetHeader);
  const unsigned long offload = options.offload ? TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN : 0;
  if (ioctl(fd, TUNSETVNETHDRSZ, &header_bytes) != 0 || ioctl(fd, TUNSETOFFLOAD, offload) != 0) {
    error = failed(name, "offload");
    ::close(fd);
    return -1;
  }
  error = configure(options, name);
  if (!error.empty()) {
    ::close(fd);
    return -1;
  }
  return fd;
}

}  // namespace

std::unique_ptr<TapDevice> TapDevice::open(const TapOptions& options, std::string& error) {
  if (options.device.size() >= IFNAMSIZ) {
    error = options.device + ": longer than " + std::to_string(IFNAMSIZ - 1) + " characters";
    return nullptr;
  }
  int fd = -1;
  std::string name;
  if (!run_in_netns(options.netns, error, [&] { fd = open_tun(options, name, error); }) || fd < 0) return nullptr;
  return std::unique_ptr<TapDevice>(new TapDevice(fd, std::move(name)));
}

TapDevice::~TapDevice() { ::close(fd_); }

ssize_t TapDevice::read(VnetHeader& header, std::span<std::uint8_t> frame) {
  const std::array<iovec, 2> parts{{{&header, sizeof header}, {frame.data(), frame.size()}}};
  const ssize_t got = readv(fd_, parts.data(), static_cast<int>(parts.size()));
  if (got < 0) return -1;
  // The kernel reports the length of the whole frame even when it had to cut it.
  const auto bytes =
      static_cast<std::size_t>(got) - std::min<std::size_t>(static_cast<std::size_t>(got), sizeof header);
  return static_cast<ssize_t>(std::min(bytes, frame.size()));
}

bool TapDevice::write(const VnetHeader& header, std::span<const iovec> frame) {
  std::array<iovec, kSegmentsMax + 2> parts;
  if (frame.size() >= parts.size()) return false;
  parts[0] = {const_cast<VnetHeader*>(&header), sizeof header};
  std::copy(frame.begin(), frame.end(), parts.begin() + 1);
  return writev(fd_, parts.data(), static_cast<int>(frame.size() + 1)) >= 0;
}

}  // namespace xvif
