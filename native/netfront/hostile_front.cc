#include "netfront/hostile_front.h"

#include <algorithm>

#include "xen/guest_memory.h"
#include "xen/ring.h"

namespace xvif::netfront {

using xen::kPageBytes;

HostileFront::HostileFront(std::shared_ptr<xen::EmulatedDomain> domain) : domain_(std::move(domain)) {}

HostileFront::~HostileFront() {
  stop();
  for (const EvtchnPort port : channels_) domain_->close_evtchn(port);
  for (const GrantRef ref : grants_) domain_->end_access(ref);
}

std::optional<std::uint32_t> HostileFront::allocate_page() {
  std::uint8_t* page = domain_->allocate_page();
  if (page == nullptr) return std::nullopt;
  pages_.push_back(page);
  return static_cast<std::uint32_t>(pages_.size() - 1);
}

std::optional<GrantRef> HostileFront::grant(std::uint32_t page, DomId to, bool readonly) {
  if (page >= pages_.size()) return std::nullopt;
  const auto ref = domain_->grant(pages_[page], to, readonly);
  if (ref) grants_.push_back(*ref);
  return ref;
}

bool HostileFront::revoke(GrantRef ref) {
  if (!domain_->end_access(ref)) return false;
  std::erase(grants_, ref);
  return true;
}

bool HostileFront::write(std::uint32_t page, std::uint32_t offset, std::span<const std::uint8_t> bytes) {
  if (page >= pages_.size() || bytes.size() > kPageBytes || offset > kPageBytes - bytes.size()) return false;
  xen::copy_shared(pages_[page] + offset, bytes.data(), bytes.size());
  return true;
}

bool HostileFront::read(std::uint32_t page, std::uint32_t offset, std::span<std::uint8_t> bytes) const {
  if (page >= pages_.size() || bytes.size() > kPageBytes || offset > kPageBytes - bytes.size()) return false;
  xen::copy_shared(bytes.data(), pages_[page] + offset, bytes.size());
  return true;
}

std::optional<EvtchnPort> HostileFront::open_channel(DomId remote) {
  const auto port = domain_->alloc_unbound(remote, sink_, 0);
  if (port) channels_.push_back(*port);
  return port;
}

void HostileFront::close_channel(EvtchnPort port) {
  if (std::erase(channels_, port) > 0) domain_->close_evtchn(port);
}

void HostileFront::notify(EvtchnPort port, std::uint32_t times) {
  for (; times > 0; --times) domain_->notify(port);
}

bool HostileFront::valid(const HostileStep& step) const {
  if (step.values.empty()) return false;
  if (step.kind == HostileStep::Kind::kNotify) return true;
  return step.page < pages_.size() && step.offset % 4 == 0 && step.offset < kPageBytes;
}

bool HostileFront::start(std::vector<HostileStep> program) {
  if (thread_.joinable() || program.empty()) return false;
  if (!std::all_of(program.begin(), program.end(), [this](const HostileStep& each) { return valid(each); })) {
    return false;
  }
  stop_.store(false);
  rounds_.store(0);
  thread_ = std::thread([this, program = std::move(program)] { run(program); });
  return true;
}

std::uint64_t HostileFront::stop() {
  if (!thread_.joinable()) return 0;
  stop_.store(true);
  thread_.join();
  return rounds_.load();
}

void HostileFront::run(const std::vector<HostileStep>& program) {
  for (std::uint64_t round = 0; !stop_.load(std::memory_order_relaxed); ++round) {
    for (const HostileStep& each : program) step(each, round);
    rounds_.store(round + 1, std::memory_order_relaxed);
  }
}

void HostileFront::step(const HostileStep& what, std::uint64_t round) {
  if (what.kind == HostileStep::Kind::kNotify) {
    domain_->notify(EvtchnPort{what.values[0]});
    return;
  }
  xen::RingPage page(pages_[what.page]);
  switch (what.kind) {
    case HostileStep::Kind::kStore:
      page.store(what.offset, what.values[round % what.values.size()], std::memory_order_release);
      break;
    case HostileStep::Kind::kAdd:
      page.store(what.offset, page.load(what.offset, std::memory_order_relaxed) + what.values[0],
                 std::memory_order_release);
      break;
    default:
      page.store(xen::ring_at::kReqProd, page.load(xen::ring_at::kRspProd, std::memory_order_acquire) + what.values[0],
                 std::memory_order_release);
  }
}

}  // namespace xvif::netfront
