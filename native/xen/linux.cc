#include "xen/linux.h"

#include <fcntl.h>

#include <cerrno>
#include <cstring>
#include <optional>

#include "base/assert.h"
#include "xen/linux_evtchns.h"
#include "xen/linux_grants.h"

namespace xvif::xen {
namespace {

bool open_devices(const char* path, int flags, std::size_t count, std::vector<DeviceFd>& devices, std::string& error) {
  while (devices.size() < count) {
    const int fd = ::open(path, O_RDWR | O_CLOEXEC | flags);
    if (fd < 0) {
      error = std::string("cannot open ") + path + ": " + std::strerror(errno);
      return false;
    }
    devices.emplace_back(fd);
  }
  return true;
}

DeviceFd take(std::vector<DeviceFd>& devices) {
  XVIF_ASSERT(!devices.empty());
  DeviceFd device = std::move(devices.back());
  devices.pop_back();
  return device;
}

}  // namespace

std::unique_ptr<LinuxHypervisor> LinuxHypervisor::open(std::size_t tables, std::size_t channels, std::string& error) {
  std::unique_ptr<LinuxHypervisor> hypervisor(new LinuxHypervisor);
  if (!open_devices("/dev/xen/gntdev", 0, tables, hypervisor->gntdev_, error)) return nullptr;
  if (!open_devices("/dev/xen/evtchn", O_NONBLOCK, channels, hypervisor->evtchn_, error)) return nullptr;
  // Only makes copies cheaper.
  std::string ignored;
  open_devices("/dev/xen/gntalloc", 0, tables, hypervisor->gntalloc_, ignored);
  return hypervisor;
}

std::unique_ptr<GrantTable> LinuxHypervisor::open_grants() {
  std::optional<DeviceFd> gntalloc;
  if (!gntalloc_.empty()) gntalloc.emplace(take(gntalloc_));
  return std::make_unique<LinuxGrants>(take(gntdev_), std::move(gntalloc));
}

std::unique_ptr<EventChannels> LinuxHypervisor::open_evtchns() { return std::make_unique<LinuxEvtchns>(take(evtchn_)); }

}  // namespace xvif::xen
