#include "pipeline/port_table.h"

namespace xvif {
namespace {

std::size_t index_of(PortNo number) {
  const std::uint32_t n = raw(number);
  if (n == static_cast<std::uint32_t>(ReservedPort::kLocal)) return kPortsMax;
  return n >= 1 && n < kPortsMax ? n : kPortsMax + 1;
}

}  // namespace

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

Status PortTable::attach(PortNo number, Port& port, std::uint64_t now_ns) {
  const std::size_t i = index_of(number);
  if (i > kPortsMax) return Status::kBadPort;
  if (slots_[i].load(std::memory_order_relaxed) != nullptr) return Status::kPortExists;
  auto* const slot = new PortSlot(number, port, threads_);
  slot->attached_ns = now_ns;
  slots_[i].store(slot, std::memory_order_release);
  publish();
  return Status::kOk;
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
