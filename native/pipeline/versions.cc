#include "pipeline/versions.h"

#include "base/assert.h"

namespace xvif {

void Versions::publish() {
  XVIF_ASSERT(open_);
  // The one store: whoever reads the new number sees all that was marked with it.
  published_.store(working(), std::memory_order_release);
  for (const After& after : first_after_) epoch_.retire_first(after.action, after.owner, after.object);
  for (const After& after : after_) epoch_.retire(after.action, after.owner, after.object);
  first_after_.clear();
  after_.clear();
  undo_.clear();
  open_ = false;
}

void Versions::rollback() {
  XVIF_ASSERT(open_ && atomic_);
  for (auto undo = undo_.rbegin(); undo != undo_.rend(); ++undo) undo->undo(undo->owner, undo->first, undo->second);
  first_after_.clear();
  after_.clear();
  undo_.clear();
  open_ = false;
}

}  // namespace xvif
