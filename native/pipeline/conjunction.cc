// Conjunctive match: flows that are clauses of a conjunction, and flows on its id, make one match together.
#include <algorithm>
#include <array>
#include <optional>

#include "pipeline/flow_tables.h"

namespace xvif {
namespace {

/// Conjunction actions that are looked at among flows of one priority.
constexpr std::size_t kLookedAtMax = 1024;

struct Matches {
  std::array<const Rule*, kConjunctiveMatchesMax> rules;
  std::size_t count;

  std::span<const Rule*> all() { return {rules.data(), count}; }
};

const Flow& flow_of(const Rule* rule) { return *static_cast<const Flow*>(rule); }
bool is_clause(const Rule* rule) { return flow_of(rule).instructions->conjunctive; }

Matches matches_of(const Table& table, const FlowKey& key, std::uint64_t version) {
  Matches matches;
  matches.count = table.match_all(key, version, matches.rules);
  std::sort(matches.rules.begin(), matches.rules.begin() + matches.count,
            [](const Rule* a, const Rule* b) { return a->priority > b->priority; });
  return matches;
}

/// Clauses seen of conjunctions, by id.
class Clauses {
 public:
  /// True when none is missing.
  bool see(const ActionView& action) {
    if (++looked_at_ > kLookedAtMax) return false;
    const std::uint64_t bit = std::uint64_t{1} << action.clause();
    const std::uint64_t all = ~std::uint64_t{0} >> (kClausesMax - action.clauses());
    for (std::size_t i = 0; i < count_; ++i) {
      if (seen_[i].id == action.conjunction()) return (seen_[i].clauses |= bit) == all;
    }
    if (count_ < seen_.size()) seen_[count_++] = {action.conjunction(), bit};
    return false;
  }

 private:
  struct Seen {
    std::uint32_t id;
    std::uint64_t clauses;
  };
  std::array<Seen, kConjunctiveMatchesMax> seen_;
  std::size_t count_ = 0;
  std::size_t looked_at_ = 0;
};

/// The lowest id of a conjunction whose clauses are all among these flows, which have one priority.
std::optional<std::uint32_t> whole_conjunction(std::span<const Rule* const> rules) {
  Clauses clauses;
  std::optional<std::uint32_t> whole;
  for (const Rule* rule : rules) {
    for (const ActionView action : Actions(flow_of(rule).instructions->apply)) {
      if (action.code() != Action::kConjunction || !clauses.see(action)) continue;
      if (!whole || action.conjunction() < *whole) whole = action.conjunction();
    }
  }
  return whole;
}

const Flow* best_without_clauses(Matches& matches) {
  const auto rules = matches.all();
  const auto at = std::find_if(rules.begin(), rules.end(), [](const Rule* rule) { return !is_clause(rule); });
  return at == rules.end() ? nullptr : static_cast<const Flow*>(*at);
}

}  // namespace

const Flow* FlowTables::resolve_conjunctions(std::size_t id, const FlowKey& key, std::uint64_t version) const {
  const Table& found = *table(id);
  Matches matches = matches_of(found, key, version);
  const Flow* const plain = best_without_clauses(matches);
  for (std::span<const Rule*> left = matches.all(); !left.empty();) {
    const std::uint16_t priority = left.front()->priority;
    if (plain != nullptr && plain->priority >= priority) return plain;
    const auto lower = std::find_if(left.begin(), left.end(), [&](const Rule* r) { return r->priority != priority; });
    const auto level = left.first(static_cast<std::size_t>(lower - left.begin()));
    if (const auto conjunction = whole_conjunction(level)) {
      FlowKey with_id = key;
      store_be32(with_id.at(key_at::kConjId), *conjunction);
      Matches again = matches_of(found, with_id, version);
      if (const Flow* flow = best_without_clauses(again)) return flow;
    }
    left = left.subspan(level.size());
  }
  return plain;
}

}  // namespace xvif
