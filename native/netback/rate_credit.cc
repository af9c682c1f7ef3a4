#include "netback/rate_credit.h"

#include <algorithm>
#include <mutex>

namespace xvif::netback {
namespace {

/// Timers are not finer than this, so at least what this long earns is saved.
constexpr std::uint64_t kTimerUs = 1000;
/// The largest `bytes` that the product with kTimerUs leaves within 64 bits; as good as no limit.
constexpr std::uint64_t kBytesMax = std::uint64_t{1} << 53;

}  // namespace

void RateCredit::configure(const std::optional<RateLimit>& limit, std::uint64_t now_ns) {
  std::lock_guard lock(lock_);
  const bool none = !limit || limit->bytes == 0 || limit->interval_us == 0;
  if (none ? !limit_ : limit_ && limit_->bytes == limit->bytes && limit_->interval_us == limit->interval_us) return;
  limit_.reset();
  if (!none) {
    const std::uint64_t bytes = std::min(limit->bytes, kBytesMax);
    limit_ = RateLimit{bytes, limit->interval_us};
    credit_ = static_cast<std::int64_t>(bytes);
    burst_ = static_cast<std::int64_t>(std::max({kRateBurstMin, bytes, bytes * kTimerUs / limit->interval_us}));
    counted_ns_ = now_ns;
  }
  limited_.store(!none, std::memory_order_release);
  changes_.fetch_add(1, std::memory_order_acq_rel);
}

std::uint64_t RateCredit::take(std::uint32_t bytes, std::uint64_t now_ns) {
  std::lock_guard lock(lock_);
  if (!limit_) return 0;
  const std::uint64_t interval_ns = std::uint64_t{limit_->interval_us} * 1000;
  const auto per_interval = static_cast<std::int64_t>(limit_->bytes);
  if (now_ns >= counted_ns_ + interval_ns) {
    const std::uint64_t passed = (now_ns - counted_ns_) / interval_ns;
    counted_ns_ += passed * interval_ns;
    const auto room = static_cast<std::uint64_t>(burst_ - credit_);
    credit_ = passed > room / limit_->bytes ? burst_ : credit_ + static_cast<std::int64_t>(passed) * per_interval;
  }
  if (credit_ > 0) {
    credit_ -= bytes;
    return 0;
  }
  const std::uint64_t wanted = (static_cast<std::uint64_t>(-credit_) + limit_->bytes) / limit_->bytes;
  return counted_ns_ + wanted * interval_ns;
}

}  // namespace xvif::netback
