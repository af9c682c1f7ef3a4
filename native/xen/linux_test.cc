// What can be said of the kernel's devices where there is no Xen; the rest is tested in the lab (test/xen).
#include "xen/linux.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <array>

#include "xen/linux_evtchns.h"
#include "xen/linux_grants.h"

namespace xvif::xen {
namespace {

/// A descriptor that knows none of the requests.
DeviceFd no_device() { return DeviceFd(::open("/dev/null", O_RDWR | O_CLOEXEC)); }

TEST(LinuxHypervisor, SaysWhichDeviceIsMissing) {
  if (::access("/dev/xen/gntdev", F_OK) == 0) GTEST_FAIL() << "run in the lab instead: this is a Xen domain";
  std::string error;
  EXPECT_EQ(LinuxHypervisor::open(2, 1, error), nullptr);
  EXPECT_EQ(error, "cannot open /dev/xen/gntdev: No such file or directory");
}

TEST(LinuxGrants, WhatTheKernelRefusesIsNotMapped) {
  LinuxGrants grants(no_device());
  EXPECT_EQ(grants.map(DomId{1}, GrantRef{8}), nullptr);
}

TEST(LinuxGrants, EverySegmentHasAStatusWhateverTheKernelSays) {
  LinuxGrants grants(no_device());
  std::array<std::uint8_t, 64> local{};
  const CopyEnd here{local.data(), GrantRef{0}, DomId{0}, 0};
  const CopyEnd there{nullptr, GrantRef{9}, DomId{1}, 4000};
  std::array<CopySegment, 300> segments;
  segments.fill({here, there, 10, GrantStatus::kOkay});
  segments[0] = {here, here, 10, GrantStatus::kOkay};
  segments[1] = {there, here, 97, GrantStatus::kOkay};
  segments[2] = {here, there, 0, GrantStatus::kGeneralError};
  grants.copy(segments);
  EXPECT_EQ(segments[0].status, GrantStatus::kBadCopyArg) << "both ends are ours";
  EXPECT_EQ(segments[1].status, GrantStatus::kBadCopyArg) << "crosses the page";
  EXPECT_EQ(segments[2].status, GrantStatus::kGeneralError) << "the call failed";
  for (std::size_t i = 3; i < segments.size(); ++i) EXPECT_EQ(segments[i].status, GrantStatus::kGeneralError) << i;
}

TEST(LinuxGrants, PagesOfOursAreNotNeeded) {
  LinuxGrants grants(no_device(), no_device());
  grants.set_own_domid(DomId{3});  // refused
  std::array<std::uint8_t, 64> local{};
  std::array<CopySegment, 1> segments{CopySegment{
      {nullptr, GrantRef{9}, DomId{1}, 0}, {local.data(), GrantRef{0}, DomId{0}, 0}, 10, GrantStatus::kOkay}};
  grants.copy(segments);
  EXPECT_EQ(segments[0].status, GrantStatus::kGeneralError);
}

TEST(LinuxEvtchns, FailuresAreAnswers) {
  LinuxEvtchns channels(no_device());
  EXPECT_EQ(channels.bind_interdomain(DomId{1}, EvtchnPort{3}), std::nullopt);
  channels.notify(EvtchnPort{1});
  channels.unbind(EvtchnPort{1});
  std::array<EvtchnPort, 4> ports;
  bool overflow = false;
  EXPECT_EQ(channels.take(ports, overflow), 0u);
  EXPECT_FALSE(overflow);
  channels.unmask(ports);
}

}  // namespace
}  // namespace xvif::xen
