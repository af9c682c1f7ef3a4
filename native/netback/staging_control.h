// Control requests 8 to 10: staging grants. Mapping and unmapping are system calls, and a page may have to wait for
// frames under way, so a request is carried out in steps of bounded work.
//
// Thread: the control ring's; close() on the control thread when nobody else knows the port any more.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "netback/hash_control.h"
#include "netback/staging.h"

namespace xvif::netback {

/// Entries of the list of one request.
inline constexpr std::size_t kStagingListMax = 512;

class StagingControl {
 public:
  /// One table per queue of the vif.
  StagingControl(DomId domid, std::span<const std::unique_ptr<StagingTable>> tables) : domid_(domid), tables_(tables) {}
  StagingControl(const StagingControl&) = delete;
  StagingControl& operator=(const StagingControl&) = delete;

  /// Types 8..10 only, when not busy(). nullopt: step() gives the reply.
  std::optional<ControlReply> handle(const xen::CtrlRequest& request, xen::GrantTable& grants);
  bool busy() const { return phase_ != Phase::kIdle; }
  /// When busy(). Maps or unmaps at most `budget` pages, and takes what it used off. nullopt: again later.
  std::optional<ControlReply> step(xen::GrantTable& grants, std::size_t& budget);
  /// Unmaps everything.
  void close(xen::GrantTable& grants);

 private:
  enum class Phase : std::uint8_t { kIdle, kMapping, kUnmapping };

  void* map(xen::GrantTable& grants, GrantRef ref, bool readonly);
  static void unmap(xen::GrantTable& grants, const StagedPage& page);
  std::optional<ControlReply> begin_add();
  std::optional<ControlReply> begin_remove(xen::GrantTable& grants);
  bool list_acceptable() const;
  bool write_back(xen::GrantTable& grants);
  std::optional<ControlReply> map_some(xen::GrantTable& grants, std::size_t& budget);
  std::optional<ControlReply> unmap_some(xen::GrantTable& grants, std::size_t& budget);

  const DomId domid_;
  const std::span<const std::unique_ptr<StagingTable>> tables_;
  Phase phase_ = Phase::kIdle;
  // Of the request in hand.
  GrantRef list_{0};
  std::size_t count_ = 0;
  std::array<xen::CtrlGref, kStagingListMax> entries_;
  StagingTable* table_ = nullptr;
  bool removing_ = false;
  std::uint32_t removed_ = 0;
  StagedPages pages_;  // kMapping: mapped so far; kUnmapping: to be unmapped
};

}  // namespace xvif::netback
