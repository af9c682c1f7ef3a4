#include "pipeline/port_table.h"

namespace xvif {
namespace {

std::size_t index_of(PortNo number) {
  const std::uint32_t n = raw(number);
  if (n == static_cast<std::uint32_t>(ReservedPort::kLocal)) return kPortsMax;
  return n >= 1 && n < kPortsMax ? n : kPortsMax + 1;
}

std::uint32_t bits_of(const PortSettings& settings) {
  return (settings.vlan ? slot_bit::kVlan : 0u) | (settings.sources ? slot_bit::kGuarded : 0u) |
         (settings.disabled ? slot_bit::kDisabled : 0u);
}

/// nullptr: it asks for nothing.
std::unique_ptr<const PortPolicy> policy_of(const PortSettings& settings) {
  if (!settings.vlan && !settings.sources) return nullptr;
  return std::make_unique<const PortPolicy>(settings);
}

}  // namespace

PortPolicy::PortPolicy(const PortSettings& settings) : vlan(settings.vlan) {
  if (settings.sources) sources.emplace(*settings.sources);
}

std::uint32_t PortSlot::state() const {
  if (!port.link_up()) return static_cast<std::uint32_t>(PortState::kLinkDown);
  return is_live() ? static_cast<std::uint32_t>(PortState::kLive) : 0;
}

PortTable::PortTable(Epoch& epoch, std::size_t threads)
    : epoch_(epoch), threads_(threads), all_(new std::vector<PortSlot*>) {}

PortTable::~PortTable() {
  for (const auto& slot : slots_) delete slot.load(std::memory_order_relaxed);
  delete all_.load(std::memory_order_relaxed);
}

void PortTable::publish() {
  auto* const fresh = new std::vector<PortSlot*>;
  for (std::size_t i = 1; i <= kPortsMax; ++i) {
    if (PortSlot* slot = slots_[i].load(std::memory_order_relaxed)) fresh->push_back(slot);
  }
  const auto* const old = all_.load(std::memory_order_relaxed);
  all_.store(fresh, std::memory_order_release);
  epoch_.retire([](void*, void* list) { delete static_cast<std::vector<PortSlot*>*>(list); }, nullptr,
                const_cast<std::vector<PortSlot*>*>(old));
}

Status PortTable::attach(PortNo number, Port& port, std::uint64_t now_ns, const PortSettings& settings) {
  const std::size_t i = index_of(number);
  if (i > kPortsMax) return Status::kBadPort;
  if (slots_[i].load(std::memory_order_relaxed) != nullptr) return Status::kPortExists;
  auto* const slot = new PortSlot(number, port, threads_);
  slot->attached_ns = now_ns;
  slot->policy.store(policy_of(settings).release(), std::memory_order_relaxed);
  slot->config.store(bits_of(settings), std::memory_order_relaxed);
  slots_[i].store(slot, std::memory_order_release);
  publish();
  return Status::kOk;
}

bool PortTable::configure(PortNo number, const PortSettings& settings) {
  PortSlot* const slot = this->slot(number);
  if (slot == nullptr) return false;
  const std::uint32_t config = slot->config.load(std::memory_order_relaxed);
  const std::uint32_t wanted = slot->port_config() | bits_of(settings);
  std::unique_ptr<const PortPolicy> fresh = policy_of(settings);
  const PortPolicy* const old = slot->policy.load(std::memory_order_relaxed);
  const bool same = fresh != nullptr && old != nullptr ? *fresh == *old : fresh == nullptr && old == nullptr;
  if (same && wanted == config) return false;  // nobody needs to wait
  const std::optional<VlanMembership> none;
  const bool vlan_changed = (fresh != nullptr ? fresh->vlan : none) != (old != nullptr ? old->vlan : none);
  // A thread in the middle of a batch may see one of the two yet: it then goes by the old settings.
  slot->policy.store(fresh.release(), std::memory_order_release);
  slot->config.store(wanted, std::memory_order_release);
  epoch_.synchronize();
  delete old;
  return vlan_changed;
}

void PortTable::detach(PortNo number) {
  const std::size_t i = index_of(number);
  PortSlot* const slot = i > kPortsMax ? nullptr : slots_[i].load(std::memory_order_relaxed);
  if (slot == nullptr) return;
  slots_[i].store(nullptr, std::memory_order_release);
  publish();
  epoch_.synchronize();
  delete slot;
}

}  // namespace xvif
