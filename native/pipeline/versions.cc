#include "pipeline/versions.h"

#include "base/assert.h"

namespace xvif {
namespace {

/// Bytes that an empty list keeps.
constexpr std::size_t kKeptBytes = 1024 * 1024;

template <typename T>
void empty(std::vector<T>& list) {
  list.clear();
  if (list.capacity() * sizeof(T) > kKeptBytes) list.shrink_to_fit();
}

}  // namespace

void Versions::publish() {
  XVIF_ASSERT(open_);
  // The one store: whoever reads the new number sees all that was marked with it.
  published_.store(working(), std::memory_order_release);
  for (const After& after : first_after_) epoch_.retire_first(after.action, after.owner, after.object);
  for (const After& after : after_) epoch_.retire(after.action, after.owner, after.object);
  empty(first_after_);
  empty(after_);
  empty(undo_);
  open_ = false;
}

void Versions::rollback() {
  XVIF_ASSERT(open_ && atomic_);
  for (auto undo = undo_.rbegin(); undo != undo_.rend(); ++undo) undo->undo(undo->owner, undo->first, undo->second);
  empty(first_after_);
  empty(after_);
  empty(undo_);
  open_ = false;
}

}  // namespace xvif
