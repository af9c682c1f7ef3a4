#pragma once

#include <sched.h>

#include <atomic>

namespace xvif::netback {

/// For short sections between data plane threads that never sleep. Yields after a while: there may be more threads
/// than processors.
class SpinLock {
 public:
  void lock() {
    for (unsigned spins = 0; locked_.exchange(true, std::memory_order_acquire);) {
      while (locked_.load(std::memory_order_relaxed)) {
        if (++spins % 256 == 0) sched_yield();
#if defined(__x86_64__)
        __builtin_ia32_pause();
#endif
      }
    }
  }
  void unlock() { locked_.store(false, std::memory_order_release); }

 private:
  std::atomic<bool> locked_{false};
};

}  // namespace xvif::netback
