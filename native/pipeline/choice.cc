#include "pipeline/choice.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>

#include "classifier/hash.h"

namespace xvif {
namespace {

constexpr std::size_t kPlacesMin = 256;
constexpr std::size_t kPlacesMax = 65536;
/// Places per bucket, so that shares are right to a percent.
constexpr std::size_t kPlacesPerBucket = 128;

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
  for (const Share& share : shares) divisor = std::gcd(divisor, std::uint64_t{share.weight});
  const std::uint64_t wanted = std::max<std::uint64_t>(kPlacesPerBucket * shares.size(), 4 * total / divisor);
  return std::bit_ceil(std::clamp<std::uint64_t>(wanted, kPlacesMin, kPlacesMax));
}

}  // namespace

std::vector<std::uint16_t> make_choice(std::span<const Share> shares) {
  constexpr std::uint16_t kFree = 0xffff;
  std::uint64_t total = 0;
  for (const Share& share : shares) total += share.weight;
  if (total == 0) return {};
  const std::size_t places = places_for(shares, total);
  std::vector<Preference> preferences;
  for (std::size_t i = 0; i < shares.size(); ++i) {
    const auto twins = std::count_if(shares.begin(), shares.begin() + static_cast<std::ptrdiff_t>(i),
                                     [&](const Share& other) { return other.identity == shares[i].identity; });
    preferences.emplace_back(mix64(shares[i].identity + static_cast<std::uint64_t>(twins)), places);
  }
  std::vector<std::uint16_t> choice(places, kFree);
  // Buckets take turns, each as often as its weight says, and take the first free place of their own order.
  std::vector<std::uint64_t> credit(shares.size(), 0);
  const std::uint64_t heaviest = std::max_element(shares.begin(), shares.end(), [](const Share& a, const Share& b) {
                                   return a.weight < b.weight;
                                 })->weight;
  for (std::size_t filled = 0;;) {
    for (std::size_t i = 0; i < shares.size(); ++i) {
      credit[i] += shares[i].weight;
      if (credit[i] < heaviest) continue;
      credit[i] -= heaviest;
      std::size_t place = preferences[i].next();
      while (choice[place] != kFree) place = preferences[i].next();
      choice[place] = static_cast<std::uint16_t>(i);
      if (++filled == places) return choice;
    }
  }
}

double choice_score(const Share& share, std::uint32_t hash) {
  if (share.weight == 0) return -1;
  // Uniform in (0, 1].
  const double uniform = static_cast<double>((mix64(share.identity ^ mix64(hash)) >> 11) + 1) * 0x1p-53;
  return share.weight / (1e-12 - std::log(uniform));
}

}  // namespace xvif
