// A guest without a driver, for tests: raw pages, grants and event channels of an emulated domain, and a thread that
// plays a second virtual processor which writes into them while the backend reads. It keeps no rule of the protocol.
//
// Thread: one control thread; the program runs on a thread of its own.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <thread>
#include <vector>

#include "base/ids.h"
#include "xen/emulated.h"

namespace xvif::netfront {

/// One step of the program that the second processor repeats without end.
struct HostileStep {
  enum class Kind : std::uint8_t {
    kStore,   // the next of `values` to the word at `offset`
    kAdd,     // values[0] to the word at `offset`
    kFollow,  // req_prod of ring page `page` = its rsp_prod + values[0]: as full as the protocol allows, or more
    kNotify,  // values[0] is the port
  };
  Kind kind;
  std::uint32_t page = 0;
  std::uint32_t offset = 0;  // bytes, a multiple of 4
  std::vector<std::uint32_t> values;
};

class HostileFront {
 public:
  explicit HostileFront(std::shared_ptr<xen::EmulatedDomain> domain);
  /// Stops the program, ends grants and channels. Pages that the backend still maps stay granted.
  ~HostileFront();
  HostileFront(const HostileFront&) = delete;
  HostileFront& operator=(const HostileFront&) = delete;

  /// Number of a new, zeroed page; nullopt when the domain has no more, or is dead.
  std::optional<std::uint32_t> allocate_page();
  /// nullopt: no such page, no more grants, or dead.
  std::optional<GrantRef> grant(std::uint32_t page, DomId to, bool readonly);
  /// False when it is mapped.
  bool revoke(GrantRef ref);
  /// False when it is not within a page.
  bool write(std::uint32_t page, std::uint32_t offset, std::span<const std::uint8_t> bytes);
  bool read(std::uint32_t page, std::uint32_t offset, std::span<std::uint8_t> bytes) const;

  std::optional<EvtchnPort> open_channel(DomId remote);
  void close_channel(EvtchnPort port);
  void notify(EvtchnPort port, std::uint32_t times);

  /// False when a step names a page or word that is not there, or a program runs.
  bool start(std::vector<HostileStep> program);
  /// Rounds of the program since start(); 0 when none runs.
  std::uint64_t stop();

 private:
  bool valid(const HostileStep& step) const;
  void run(const std::vector<HostileStep>& program);
  void step(const HostileStep& what, std::uint64_t round);

  const std::shared_ptr<xen::EmulatedDomain> domain_;
  xen::EvtchnSink sink_;  // never listened to
  std::vector<std::uint8_t*> pages_;
  std::vector<GrantRef> grants_;
  std::vector<EvtchnPort> channels_;
  std::thread thread_;
  std::atomic<bool> stop_{false};
  std::atomic<std::uint64_t> rounds_{0};  // the program's thread: wo; control: ro
};

}  // namespace xvif::netfront
