// Semantics that a driver relies on: xen/common/grant_table.c, event_channel.c (reference xen-netif.md §3.9).
#include "xen/emulated.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <cstring>
#include <thread>

namespace xvif::xen {
namespace {

constexpr DomId kGuest{7};

class EmulatedGrantsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(hypervisor.create_domain(kGuest));
    guest = hypervisor.domain(kGuest);
    table = hypervisor.open_grants();
    page = guest->allocate_page();
  }
  GrantStatus copy(CopyEnd source, CopyEnd dest, std::uint16_t length) {
    CopySegment segment{source, dest, length, GrantStatus::kOkay};
    table->copy({&segment, 1});
    return segment.status;
  }
  CopyEnd granted(GrantRef ref, std::uint16_t offset = 0, DomId domid = kGuest) const {
    return {nullptr, ref, domid, offset};
  }
  CopyEnd local() { return {buffer.data(), GrantRef{0}, DomId{0}, 0}; }

  EmulatedHypervisor hypervisor;
  std::shared_ptr<EmulatedDomain> guest;
  std::unique_ptr<GrantTable> table;
  std::uint8_t* page = nullptr;
  std::array<std::uint8_t, 8192> buffer{};
};

TEST_F(EmulatedGrantsTest, CopiesBothWaysAndGrantToGrant) {
  std::strcpy(reinterpret_cast<char*>(page) + 100, "hello");
  const GrantRef ref = guest->grant(page, kBackendDomain, false).value();
  EXPECT_EQ(copy(granted(ref, 100), local(), 6), GrantStatus::kOkay);
  EXPECT_STREQ(reinterpret_cast<char*>(buffer.data()), "hello");
  EXPECT_EQ(copy(local(), granted(ref, 4090), 6), GrantStatus::kOkay);
  EXPECT_EQ(page[4090], 'h');
  std::uint8_t* other = guest->allocate_page();
  const GrantRef other_ref = guest->grant(other, kBackendDomain, false).value();
  EXPECT_EQ(copy(granted(ref, 100), granted(other_ref, 1), 6), GrantStatus::kOkay);
  EXPECT_EQ(other[1], 'h');
}

TEST_F(EmulatedGrantsTest, FirstEightRefsAreReserved) {
  EXPECT_EQ(raw(guest->grant(page, kBackendDomain, false).value()), kGrantsReserved);
}

TEST_F(EmulatedGrantsTest, WriteThroughReadonlyIsGeneralError) {
  const GrantRef ref = guest->grant(page, kBackendDomain, true).value();
  EXPECT_EQ(copy(local(), granted(ref), 1), GrantStatus::kGeneralError);
  EXPECT_EQ(copy(granted(ref), local(), 1), GrantStatus::kOkay);
  EXPECT_EQ(table->map(kGuest, ref), nullptr) << "map is for writing";
}

TEST_F(EmulatedGrantsTest, GrantForAnotherDomainIsGeneralError) {
  const GrantRef ref = guest->grant(page, DomId{9}, false).value();
  EXPECT_EQ(copy(granted(ref), local(), 1), GrantStatus::kGeneralError);
  EXPECT_EQ(table->map(kGuest, ref), nullptr);
}

TEST_F(EmulatedGrantsTest, CrossingTheForeignPageIsBadCopyArg) {
  const GrantRef ref = guest->grant(page, kBackendDomain, false).value();
  EXPECT_EQ(copy(granted(ref, 4095), local(), 2), GrantStatus::kBadCopyArg);
  EXPECT_EQ(copy(local(), granted(ref, 4095), 2), GrantStatus::kBadCopyArg);
  EXPECT_EQ(copy(granted(ref, 4095), local(), 1), GrantStatus::kOkay);
  EXPECT_EQ(copy(local(), local(), 1), GrantStatus::kBadCopyArg) << "one end must be granted";
}

TEST_F(EmulatedGrantsTest, RefOutOfTableIsBadGrantRef) {
  EXPECT_EQ(copy(granted(GrantRef{kGrantsPerDomain}), local(), 1), GrantStatus::kBadGrantRef);
  EXPECT_EQ(copy(granted(GrantRef{0xffffffff}), local(), 1), GrantStatus::kBadGrantRef);
  EXPECT_EQ(table->map(kGuest, GrantRef{0xffffffff}), nullptr);
}

TEST_F(EmulatedGrantsTest, RevokedEntryIsGeneralError) {
  const GrantRef ref = guest->grant(page, kBackendDomain, false).value();
  EXPECT_TRUE(guest->end_access(ref));
  EXPECT_EQ(copy(granted(ref), local(), 1), GrantStatus::kGeneralError);
  EXPECT_EQ(hypervisor.usage().grants_granted, 0u);
}

TEST_F(EmulatedGrantsTest, UnknownDomainIsBadDomain) {
  EXPECT_EQ(copy(granted(GrantRef{8}, 0, DomId{8}), local(), 1), GrantStatus::kBadDomain);
  EXPECT_EQ(copy(granted(GrantRef{8}, 0, DomId{0xffff}), local(), 1), GrantStatus::kBadDomain);
}

TEST_F(EmulatedGrantsTest, EachSegmentHasItsOwnStatus) {
  const GrantRef ref = guest->grant(page, kBackendDomain, false).value();
  page[0] = 42;
  std::array<CopySegment, 40> segments;
  for (std::size_t i = 0; i < segments.size(); ++i) {
    segments[i] = {
        granted(i % 3 == 1 ? GrantRef{99} : ref), {&buffer[i], GrantRef{0}, DomId{0}, 0}, 1, GrantStatus::kEagain};
  }
  table->copy(segments);
  for (std::size_t i = 0; i < segments.size(); ++i) {
    EXPECT_EQ(segments[i].status, i % 3 == 1 ? GrantStatus::kGeneralError : GrantStatus::kOkay);
    EXPECT_EQ(buffer[i], i % 3 == 1 ? 0 : 42);
  }
}

TEST_F(EmulatedGrantsTest, MappedGrantCannotBeEnded) {
  const GrantRef ref = guest->grant(page, kBackendDomain, false).value();
  void* mapped = table->map(kGuest, ref);
  ASSERT_EQ(mapped, page);
  void* again = table->map(kGuest, ref);
  EXPECT_FALSE(guest->end_access(ref));
  table->unmap(mapped);
  EXPECT_FALSE(guest->end_access(ref));
  EXPECT_EQ(hypervisor.usage().grants_mapped, 1u);
  table->unmap(again);
  EXPECT_TRUE(guest->end_access(ref));
  EXPECT_DEATH(table->unmap(mapped), "broken invariant");
}

TEST_F(EmulatedGrantsTest, MemoryOutlivesTheDomainWhileMapped) {
  const GrantRef ref = guest->grant(page, kBackendDomain, false).value();
  auto* mapped = static_cast<std::uint8_t*>(table->map(kGuest, ref));
  hypervisor.destroy_domain(kGuest);
  EXPECT_TRUE(guest->dead());
  guest.reset();
  mapped[5] = 1;  // still there
  EXPECT_EQ(copy(granted(ref), local(), 1), GrantStatus::kBadDomain);
  EXPECT_EQ(hypervisor.usage().domains, 0u);
  EXPECT_EQ(hypervisor.usage().grants_mapped, 1u);
  table->unmap(mapped);
  EXPECT_EQ(hypervisor.usage().grants_mapped, 0u);
  EXPECT_TRUE(hypervisor.create_domain(kGuest)) << "the id is free again";
}

TEST_F(EmulatedGrantsTest, DeadDomainGivesNothing) {
  hypervisor.destroy_domain(kGuest);
  EvtchnSink sink;
  EXPECT_EQ(guest->allocate_page(), nullptr);
  EXPECT_FALSE(guest->grant(page, kBackendDomain, false));
  EXPECT_FALSE(guest->alloc_unbound(kBackendDomain, sink, 0));
}

TEST_F(EmulatedGrantsTest, TableAndMemoryAreBounded) {
  std::size_t grants = 0;
  while (guest->grant(page, kBackendDomain, true)) ++grants;
  EXPECT_EQ(grants, kGrantsPerDomain - kGrantsReserved);
  EXPECT_FALSE(hypervisor.create_domain(kGuest));
  EXPECT_FALSE(hypervisor.create_domain(DomId{0}));
  EXPECT_FALSE(hypervisor.create_domain(DomId{kDomainsMax}));
}

// After end_access() returned true the page is the guest's own: nobody writes it any more.
TEST_F(EmulatedGrantsTest, EndAccessWaitsForCopies) {
  std::atomic<bool> stop{false};
  std::atomic<std::uint32_t> current{0};
  std::thread copier([&] {
    std::array<std::uint8_t, 4096> ones;
    ones.fill(1);
    while (!stop) {
      std::array<CopySegment, 8> segments;
      for (CopySegment& s : segments) {
        s = {{ones.data(), GrantRef{0}, DomId{0}, 0}, granted(GrantRef{current.load()}), 4096, GrantStatus::kOkay};
      }
      table->copy(segments);
    }
  });
  for (int round = 0; round < 2000; ++round) {
    const GrantRef ref = guest->grant(page, kBackendDomain, false).value();
    current = raw(ref);
    if (round % 8 == 0) std::this_thread::yield();
    ASSERT_TRUE(guest->end_access(ref));
    std::memset(page, 0, kPageBytes);
    for (std::size_t i = 0; i < kPageBytes; i += 64) ASSERT_EQ(page[i], 0);
  }
  stop = true;
  copier.join();
}

class EmulatedEvtchnTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(hypervisor.create_domain(kGuest));
    guest = hypervisor.domain(kGuest);
    backend = hypervisor.open_evtchns();
  }
  static bool readable(int fd) {
    pollfd p{fd, POLLIN, 0};
    return ::poll(&p, 1, 0) == 1;
  }
  std::vector<EvtchnPort> take() {
    std::array<EvtchnPort, 8> ports;
    bool overflow = true;
    const std::size_t count = backend->take(ports, overflow);
    EXPECT_FALSE(overflow);
    return {ports.begin(), ports.begin() + static_cast<std::ptrdiff_t>(count)};
  }

  EmulatedHypervisor hypervisor;
  std::shared_ptr<EmulatedDomain> guest;
  std::unique_ptr<EventChannels> backend;
  EvtchnSink sink;
};

TEST_F(EmulatedEvtchnTest, CoalescesMasksAndFiresOnUnmask) {
  const EvtchnPort remote = guest->alloc_unbound(kBackendDomain, sink, 5).value();
  const EvtchnPort local = backend->bind_interdomain(kGuest, remote).value();
  EXPECT_EQ(take(), std::vector{local}) << "binding notifies, as something may have been lost before";
  guest->notify(remote);
  EXPECT_FALSE(readable(backend->fd())) << "masked by take()";
  backend->unmask({&local, 1});
  EXPECT_TRUE(readable(backend->fd()));
  guest->notify(remote);
  guest->notify(remote);
  EXPECT_EQ(take().size(), 1u);
  EXPECT_FALSE(readable(backend->fd()));
  backend->unmask({&local, 1});
  EXPECT_EQ(take().size(), 0u);
}

TEST_F(EmulatedEvtchnTest, NotifiesTheFrontend) {
  const EvtchnPort remote = guest->alloc_unbound(kBackendDomain, sink, 5).value();
  const EvtchnPort local = backend->bind_interdomain(kGuest, remote).value();
  backend->notify(local);
  EXPECT_TRUE(readable(sink.fd()));
  std::array<std::uint64_t, 4> cookies;
  ASSERT_EQ(sink.take(cookies), 1u);
  EXPECT_EQ(cookies[0], 5u);
  backend->notify(local);
  EXPECT_FALSE(readable(sink.fd()));
  guest->unmask(remote);
  EXPECT_EQ(sink.take(cookies), 1u);
}

TEST_F(EmulatedEvtchnTest, BindingNeedsAnUnboundPortForUs) {
  const EvtchnPort remote = guest->alloc_unbound(kBackendDomain, sink, 0).value();
  EXPECT_FALSE(backend->bind_interdomain(kGuest, EvtchnPort{raw(remote) + 1}));
  EXPECT_FALSE(backend->bind_interdomain(kGuest, EvtchnPort{0}));
  EXPECT_FALSE(backend->bind_interdomain(DomId{8}, remote));
  EXPECT_TRUE(backend->bind_interdomain(kGuest, remote));
  EXPECT_FALSE(backend->bind_interdomain(kGuest, remote)) << "taken";
  const EvtchnPort other = guest->alloc_unbound(DomId{3}, sink, 0).value();
  EXPECT_FALSE(backend->bind_interdomain(kGuest, other)) << "meant for domain 3";
}

TEST_F(EmulatedEvtchnTest, ClosingOneEndMakesTheOtherUnbound) {
  const EvtchnPort remote = guest->alloc_unbound(kBackendDomain, sink, 0).value();
  const EvtchnPort local = backend->bind_interdomain(kGuest, remote).value();
  backend->unbind(local);
  EXPECT_EQ(hypervisor.usage().evtchns, 1u);
  guest->notify(remote);  // goes nowhere
  EXPECT_FALSE(readable(backend->fd())) << "closing takes what was pending with it";
  const EvtchnPort again = backend->bind_interdomain(kGuest, remote).value();
  guest->close_evtchn(remote);
  backend->notify(again);
  backend->unbind(again);
  EXPECT_EQ(hypervisor.usage().evtchns, 0u);
}

TEST_F(EmulatedEvtchnTest, PortsAreBounded) {
  std::size_t ports = 0;
  while (guest->alloc_unbound(kBackendDomain, sink, 0)) ++ports;
  EXPECT_EQ(ports, kEvtchnsPerGuest - 1);
  hypervisor.destroy_domain(kGuest);
  EXPECT_EQ(hypervisor.usage().evtchns, 0u);
}

TEST_F(EmulatedEvtchnTest, ManyThreads) {
  const EvtchnPort remote = guest->alloc_unbound(kBackendDomain, sink, 0).value();
  const EvtchnPort local = backend->bind_interdomain(kGuest, remote).value();
  std::thread front([&] {
    std::array<std::uint64_t, 4> cookies;
    for (int i = 0; i < 20000; ++i) {
      guest->notify(remote);
      if (sink.take(cookies) > 0) guest->unmask(remote);
    }
  });
  for (int i = 0; i < 20000; ++i) {
    backend->notify(local);
    if (!take().empty()) backend->unmask({&local, 1});
  }
  front.join();
}

}  // namespace
}  // namespace xvif::xen
