// The data plane's side of groups: liveness (OpenFlow 1.3.5 section 5.6.1) and the choice of a bucket.
#include "pipeline/group_table.h"

namespace xvif {
namespace {

/// Buckets looked at for one choice, those of watched groups included: groups that watch groups could make it any
/// number.
constexpr unsigned kChecksMax = 2 * kBucketsMax;

}  // namespace

bool GroupTable::is_live(const Bucket& bucket, std::uint64_t version, unsigned depth, unsigned& checks) const {
  const bool watches_port = bucket.watch_port != static_cast<std::uint32_t>(ReservedPort::kAny);
  const bool watches_group = bucket.watch_group != kGroupAny;
  if (!watches_port && !watches_group) return true;
  if (checks == 0) return false;
  --checks;
  if (watches_port) {
    const PortSlot* const slot = ports_.slot(PortNo{bucket.watch_port});
    if (slot != nullptr && slot->is_live()) return true;
  }
  return watches_group && is_live_group(bucket.watch_group, version, depth + 1, checks);
}

bool GroupTable::is_live_group(std::uint32_t id, std::uint64_t version, unsigned depth, unsigned& checks) const {
  if (depth > kGroupDepthMax) return false;
  const Group* const group = find(id, version);
  if (group == nullptr) return false;
  for (const Bucket& bucket : group->buckets) {
    if (is_live(bucket, version, depth, checks)) return true;
  }
  return false;
}

std::vector<bool> GroupTable::liveness(const Group& group, std::uint64_t version) const {
  unsigned checks = kChecksMax;
  std::vector<bool> live;
  for (const Bucket& bucket : group.buckets) live.push_back(is_live(bucket, version, 0, checks));
  return live;
}

const Bucket* GroupTable::choose(const Group& group, std::uint32_t hash, std::uint64_t version) const {
  unsigned checks = kChecksMax;
  if (group.type == GroupType::kFf) {
    for (const Bucket& bucket : group.buckets) {
      if (is_live(bucket, version, 0, checks)) return &bucket;
    }
    return nullptr;
  }
  if (group.choice.empty()) return nullptr;
  const Bucket& usual = group.buckets[group.choice[hash & (group.choice.size() - 1)]];
  if (is_live(usual, version, 0, checks)) return &usual;
  const Bucket* best = nullptr;
  double best_score = 0;
  for (const Bucket& bucket : group.buckets) {
    if (bucket.weight == 0 || !is_live(bucket, version, 0, checks)) continue;
    const double score = choice_score({bucket.weight, bucket.identity}, hash);
    if (score <= best_score) continue;
    best = &bucket;
    best_score = score;
  }
  return best;
}

}  // namespace xvif
