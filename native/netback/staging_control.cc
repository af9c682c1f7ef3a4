#include "netback/staging_control.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include "base/limits.h"

namespace xvif::netback {

namespace ctrl = xen::ctrl;

namespace {

std::atomic<std::size_t> staged_in_all{0};

}  // namespace

/// nullptr: the grant does not allow it, or there are too many.
void* StagingControl::map(xen::GrantTable& grants, GrantRef ref, bool readonly) {
  if (staged_in_all.fetch_add(1, std::memory_order_relaxed) < kStagedPagesInAll) {
    void* const memory = readonly ? grants.map_readonly(domid_, ref) : grants.map(domid_, ref);
    if (memory != nullptr) return memory;
  }
  staged_in_all.fetch_sub(1, std::memory_order_relaxed);
  return nullptr;
}

void StagingControl::unmap(xen::GrantTable& grants, const StagedPage& page) {
  grants.unmap(page.memory);
  staged_in_all.fetch_sub(1, std::memory_order_relaxed);
}

std::optional<ControlReply> StagingControl::handle(const xen::CtrlRequest& request, xen::GrantTable& grants) {
  const std::uint32_t queue = request.data[0];
  if (queue >= tables_.size()) return ControlReply{ctrl::kInvalidParameter};
  if (request.type == ctrl::kGetGrefMappingSize) return ControlReply{ctrl::kSuccess, kStagedPagesMax};
  const std::uint32_t count = request.data[2];
  if (count == 0 || count > kStagingListMax) return ControlReply{ctrl::kInvalidParameter};
  list_ = GrantRef{request.data[1]};
  count_ = count;
  table_ = tables_[queue].get();
  const auto bytes = std::span(entries_).first(count_);
  if (!fetch_page(grants, domid_, list_, {reinterpret_cast<std::uint8_t*>(bytes.data()), bytes.size_bytes()})) {
    return ControlReply{ctrl::kInvalidParameter};
  }
  return request.type == ctrl::kAddGrefMapping ? begin_add() : begin_remove(grants);
}

/// No unknown flag, nothing twice, and room for all. Reference 0 is none.
bool StagingControl::list_acceptable() const {
  if (count_ > kStagedPagesMax - table_->size()) return false;
  std::vector<std::uint32_t> refs;
  refs.reserve(count_);
  for (const xen::CtrlGref& entry : std::span(entries_).first(count_)) {
    const bool known = table_->contains(GrantRef{entry.ref});
    if ((entry.flags & ~ctrl::kGrefReadonly) != 0 || entry.ref == 0 || known) return false;
    refs.push_back(entry.ref);
  }
  std::sort(refs.begin(), refs.end());
  return std::adjacent_find(refs.begin(), refs.end()) == refs.end();
}

std::optional<ControlReply> StagingControl::begin_add() {
  if (!list_acceptable()) return ControlReply{ctrl::kInvalidParameter};
  removing_ = false;
  phase_ = Phase::kMapping;
  return std::nullopt;
}

std::optional<ControlReply> StagingControl::begin_remove(xen::GrantTable& grants) {
  const auto entries = std::span(entries_).first(count_);
  for (xen::CtrlGref& entry : entries) entry.status = ctrl::kInvalidParameter;
  if (!write_back(grants)) return ControlReply{ctrl::kInvalidParameter};  // before anything is lost
  std::vector<GrantRef> refs;
  refs.reserve(count_);
  for (const xen::CtrlGref& entry : entries) refs.push_back(GrantRef{entry.ref});
  pages_ = table_->remove(refs);
  for (std::size_t i = 0; i < count_; ++i) {
    if (pages_[i] != nullptr) entries[i].status = ctrl::kSuccess;
  }
  std::erase(pages_, nullptr);
  removed_ = static_cast<std::uint32_t>(pages_.size());
  removing_ = true;
  phase_ = Phase::kUnmapping;
  return std::nullopt;
}

bool StagingControl::write_back(xen::GrantTable& grants) {
  xen::CopySegment copy{{entries_.data(), GrantRef{0}, DomId{0}, 0},
                        {nullptr, list_, domid_, 0},
                        static_cast<std::uint16_t>(count_ * sizeof(xen::CtrlGref)),
                        xen::GrantStatus::kGeneralError};
  grants.copy({&copy, 1});
  return copy.status == xen::GrantStatus::kOkay;
}

std::optional<ControlReply> StagingControl::step(xen::GrantTable& grants, std::size_t& budget) {
  return phase_ == Phase::kMapping ? map_some(grants, budget) : unmap_some(grants, budget);
}

std::optional<ControlReply> StagingControl::map_some(xen::GrantTable& grants, std::size_t& budget) {
  for (; pages_.size() < count_; --budget) {
    if (budget == 0) return std::nullopt;
    const xen::CtrlGref& entry = entries_[pages_.size()];
    const bool readonly = (entry.flags & ctrl::kGrefReadonly) != 0;
    const GrantRef ref{entry.ref};
    void* const memory = map(grants, ref, readonly);
    if (memory == nullptr) {
      phase_ = Phase::kUnmapping;  // all or nothing
      return unmap_some(grants, budget);
    }
    auto page = std::make_unique<StagedPage>();
    page->ref = ref;
    page->readonly = readonly;
    page->memory = static_cast<std::uint8_t*>(memory);
    pages_.push_back(std::move(page));
  }
  table_->add(std::exchange(pages_, {}));
  phase_ = Phase::kIdle;
  return ControlReply{ctrl::kSuccess};
}

std::optional<ControlReply> StagingControl::unmap_some(xen::GrantTable& grants, std::size_t& budget) {
  for (; !pages_.empty(); --budget) {
    // The frontend takes its grants back when it hears of the end, and cannot while we map them.
    if (budget == 0 || pages_.back()->pinned()) return std::nullopt;
    unmap(grants, *pages_.back());
    pages_.pop_back();
  }
  phase_ = Phase::kIdle;
  if (!removing_ || !write_back(grants)) return ControlReply{ctrl::kInvalidParameter, removing_ ? removed_ : 0};
  return ControlReply{ctrl::kSuccess, removed_};
}

void StagingControl::close(xen::GrantTable& grants) {
  for (const auto& page : pages_) unmap(grants, *page);
  pages_.clear();
  phase_ = Phase::kIdle;
  for (const auto& table : tables_) {
    for (const auto& page : table->remove_all()) unmap(grants, *page);
  }
}

}  // namespace xvif::netback
