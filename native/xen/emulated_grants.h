// The backend's side of the emulated grant tables. Private to xen/emulated*.cc.
#pragma once

#include "xen/emulated_state.h"

namespace xvif::xen {

// Grant entry in one word: GTF flags u16, domid u16, frame u32 (as grant_entry_v1).
inline constexpr std::uint64_t kPermitAccess = 1;  // GTF_permit_access
inline constexpr std::uint64_t kReadonly = 4;      // GTF_readonly
constexpr std::uint64_t grant_word(std::uint32_t frame, DomId to, bool readonly) {
  return kPermitAccess | (readonly ? kReadonly : 0) | std::uint64_t{raw(to)} << 16 | std::uint64_t{frame} << 32;
}

class EmulatedGrants final : public GrantTable {
 public:
  explicit EmulatedGrants(std::shared_ptr<EmulatedState> state);
  /// Unmaps what is still mapped, as closing gntdev does.
  ~EmulatedGrants() override;

  void* map(DomId domid, GrantRef ref) override { return map_page(domid, ref, false); }
  void* map_readonly(DomId domid, GrantRef ref) override { return map_page(domid, ref, true); }
  /// Of a page mapped through two references, either.
  void unmap(void* page) override;
  void copy(std::span<CopySegment> segments) override;

 private:
  struct Mapping {
    void* page;
    GrantRef ref;
    std::shared_ptr<EmulatedDomain> domain;  // the page outlives the domain's death
  };
  void* map_page(DomId domid, GrantRef ref, bool readonly);
  GrantStatus resolve(const CopyEnd& end, std::uint32_t length, bool write, std::uint8_t*& at) const;
  void release(const Mapping& mapping);

  const std::shared_ptr<EmulatedState> state_;
  CopySection section_;
  std::mutex mutex_;  // guards mappings_
  std::vector<Mapping> mappings_;
};

}  // namespace xvif::xen
