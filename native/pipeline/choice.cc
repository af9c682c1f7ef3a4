#include "pipeline/choice.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>
#include <numeric>
#include <queue>
#include <unordered_map>

#include "classifier/hash.h"

namespace xvif {
namespace {

constexpr std::size_t kPlacesMin = 256;
constexpr std::size_t kPlacesMax = 65536;
constexpr std::size_t kPlacesPerBucket = 128;
/// Of the lightest bucket, so that its share is right to a percent, as far as that takes no more than kPlacesForIt.
constexpr std::size_t kPlacesOfLightest = 160;
constexpr std::size_t kPlacesForIt = 16384;
/// More places than this are given back when a quarter is enough. That moves flows, so a few are kept.
constexpr std::size_t kPlacesKept = 4096;
constexpr std::uint16_t kFree = 0xffff;

/// Goes through the places in an order of the bucket's own.
class Preference {
 public:
  Preference(std::uint64_t identity, std::size_t places)
      : at_(mix64(identity) & (places - 1)), step_((mix64(~identity) | 1) & (places - 1)), mask_(places - 1) {}
  std::size_t next() {
    const std::size_t place = at_;
    at_ = (at_ + step_) & mask_;
    return place;
  }

 private:
  std::size_t at_;
  std::size_t step_;  // odd: reaches every place
  std::size_t mask_;
};

std::size_t places_for(std::span<const Share> shares, std::uint64_t total) {
  std::uint64_t divisor = 0;
  std::uint64_t lightest = total;
  for (const Share& share : shares) {
    divisor = std::gcd(divisor, std::uint64_t{share.weight});
    if (share.weight > 0) lightest = std::min(lightest, std::uint64_t{share.weight});
  }
  const std::uint64_t wanted =
      std::max<std::uint64_t>({kPlacesPerBucket * shares.size(), 4 * total / divisor,
                               std::min<std::uint64_t>(kPlacesOfLightest * total / lightest, kPlacesForIt)});
  return std::bit_ceil(std::clamp<std::uint64_t>(wanted, kPlacesMin, kPlacesMax));
}

/// Identities of buckets, of which the second of two equal ones has another than the first.
std::vector<std::uint64_t> names_of(std::span<const Share> shares) {
  std::vector<std::uint64_t> names;
  std::unordered_map<std::uint64_t, std::uint64_t> twins;
  for (const Share& share : shares) names.push_back(mix64(share.identity + twins[share.identity]++));
  return names;
}

/// Places of each bucket, by largest remainder.
std::vector<std::size_t> quotas_of(std::span<const Share> shares, std::uint64_t total, std::size_t places) {
  std::vector<std::size_t> quotas;
  std::size_t left = places;
  for (const Share& share : shares) {
    quotas.push_back(places * share.weight / total);
    left -= quotas.back();
  }
  std::vector<std::size_t> order(shares.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(order, std::greater{}, [&](std::size_t i) { return places * shares[i].weight % total; });
  for (std::size_t i = 0; i < left; ++i) ++quotas[order[i]];
  return quotas;
}

/// When a bucket takes its next place: at (taken + 1/2) / weight.
struct Turn {
  std::uint64_t twice;  // 2 taken + 1
  std::uint16_t weight;
  std::uint16_t bucket;
  bool operator>(const Turn& other) const {
    const std::uint64_t at = twice * other.weight;
    const std::uint64_t other_at = other.twice * weight;
    return at != other_at ? at > other_at : bucket > other.bucket;
  }
};

/// As the weights alone say it.
std::vector<std::uint16_t> fresh_choice(std::span<const Share> shares, std::span<const std::uint64_t> names,
                                        std::span<const std::size_t> quotas, std::size_t places) {
  std::vector<Preference> preferences;
  std::priority_queue<Turn, std::vector<Turn>, std::greater<>> turns;
  for (std::size_t i = 0; i < shares.size(); ++i) {
    preferences.emplace_back(names[i], places);
    if (quotas[i] > 0) turns.push({1, shares[i].weight, static_cast<std::uint16_t>(i)});
  }
  std::vector<std::uint16_t> choice(places, kFree);
  // Buckets take turns, each as often as its weight says, and take the first free place of their own order.
  while (!turns.empty()) {
    Turn turn = turns.top();
    turns.pop();
    std::size_t place = preferences[turn.bucket].next();
    while (choice[place] != kFree) place = preferences[turn.bucket].next();
    choice[place] = turn.bucket;
    turn.twice += 2;
    if (turn.twice < 2 * quotas[turn.bucket]) turns.push(turn);
  }
  return choice;
}

/// The buckets that the places had before, by their number now; kFree: gone.
std::vector<std::uint16_t> renamed(const ChoiceBefore& before, std::span<const std::uint64_t> names) {
  std::unordered_map<std::uint64_t, std::uint16_t> now;
  for (std::size_t i = 0; i < names.size(); ++i) now.emplace(names[i], static_cast<std::uint16_t>(i));
  std::vector<std::uint16_t> numbers;
  for (const std::uint64_t name : names_of(before.shares)) {
    const auto at = now.find(name);
    numbers.push_back(at == now.end() ? kFree : at->second);
  }
  std::vector<std::uint16_t> choice;
  for (const std::uint16_t bucket : before.choice) choice.push_back(numbers[bucket]);
  return choice;
}

/// Of the places that become one when there are fewer, the bucket of most of them; with more places, that of the place
/// that becomes several.
std::vector<std::uint16_t> folded(std::span<const std::uint16_t> had, std::size_t places) {
  std::vector<std::uint16_t> choice;
  for (std::size_t place = 0; place < places; ++place) {
    std::uint16_t bucket = kFree;
    std::size_t votes = 0;
    for (std::size_t at = place & (had.size() - 1); at < had.size(); at += places) {
      if (had[at] == kFree) continue;
      if (votes == 0) bucket = had[at];
      had[at] == bucket ? ++votes : --votes;
    }
    choice.push_back(bucket);
  }
  return choice;
}

}  // namespace

std::vector<std::uint16_t> make_choice(std::span<const Share> shares) { return make_choice(shares, ChoiceBefore{}); }

std::vector<std::uint16_t> make_choice(std::span<const Share> shares, const ChoiceBefore& before) {
  std::uint64_t total = 0;
  for (const Share& share : shares) total += share.weight;
  if (total == 0) return {};
  const std::size_t wanted = places_for(shares, total);
  const std::size_t had_places = before.choice.size();
  const bool shrinks = had_places > kPlacesKept && wanted <= had_places / 4;
  const std::size_t places = shrinks ? wanted : std::max(wanted, had_places);
  const std::vector<std::uint64_t> names = names_of(shares);
  std::vector<std::size_t> due = quotas_of(shares, total, places);
  std::vector<std::uint16_t> fresh = fresh_choice(shares, names, due, places);
  if (before.choice.empty()) return fresh;
  // Each bucket gets as many places as in the fresh table: first those that it has and had, then those that it had.
  const std::vector<std::uint16_t> had = renamed(before, names);
  const std::vector<std::uint16_t> kept = folded(had, places);
  std::vector<std::uint16_t> choice(places, kFree);
  const auto take = [&](std::size_t place, std::uint16_t bucket) {
    if (choice[place] != kFree || bucket == kFree || due[bucket] == 0) return;
    choice[place] = bucket;
    --due[bucket];
  };
  for (std::size_t place = 0; place < places; ++place) {
    if (kept[place] == fresh[place]) take(place, fresh[place]);
  }
  for (std::size_t place = 0; place < places; ++place) take(place, kept[place]);
  for (std::size_t at = 0; at < had.size(); ++at) take(at & (places - 1), had[at]);  // where those had too many
  for (std::size_t place = 0; place < places; ++place) take(place, fresh[place]);
  std::uint16_t wanting = 0;
  for (std::uint16_t& bucket : choice) {
    if (bucket != kFree) continue;
    while (due[wanting] == 0) ++wanting;
    bucket = wanting;
    --due[wanting];
  }
  return choice;
}

double choice_score(const Share& share, std::uint32_t hash) {
  if (share.weight == 0) return -1;
  // Uniform in (0, 1].
  const double uniform = static_cast<double>((mix64(share.identity ^ mix64(hash)) >> 11) + 1) * 0x1p-53;
  return share.weight / (1e-12 - std::log(uniform));
}

}  // namespace xvif
