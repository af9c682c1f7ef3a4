#include "port/netns.h"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <thread>

namespace xvif {

bool run_in_netns(const std::string& name, std::string& error, const std::function<void()>& task) {
  if (name.empty()) {
    task();
    return true;
  }
  if (name.find('/') != std::string::npos || name == "." || name == "..") {
    error = "netns " + name + ": not a name";
    return false;
  }
  const int ns = open(("/run/netns/" + name).c_str(), O_RDONLY | O_CLOEXEC);
  if (ns < 0) {
    error = "netns " + name + ": " + std::strerror(errno);
    return false;
  }
  bool entered = false;
  std::thread([&] {
    entered = setns(ns, CLONE_NEWNET) == 0;
    if (entered) {
      task();
    } else {
      error = "netns " + name + ": " + std::strerror(errno);
    }
  }).join();
  ::close(ns);
  return entered;
}

}  // namespace xvif
