// An emulated guest's network interface: a true frontend (netfront/) and a stack behind it, either a TAP device that
// joins a real kernel's stack, or a small built-in one that needs no privileges.
//
// Threads: the public calls are for one control thread; rings and stack belong to the GuestThread, which carries out
// each call between two rounds of its loop.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/ids.h"
#include "guest/guest_thread.h"
#include "guest/options.h"
#include "netfront/front_control.h"
#include "netfront/front_queue.h"
#include "xen/emulated.h"

namespace xvif::guest {

class GuestPort;  // the part that lives on the GuestThread

class Guest {
 public:
  /// nullptr and a sentence in `error` when the domain is not there, an address is wrong, or a TAP cannot be had.
  static std::unique_ptr<Guest> create(xen::EmulatedHypervisor& hypervisor, GuestThread& thread, DomId domid,
                                       const FrontendOptions& options, std::string& error);
  /// As close().
  ~Guest();
  Guest(const Guest&) = delete;
  Guest& operator=(const Guest&) = delete;

  /// Valid after create, and anew after reopen().
  const std::vector<netfront::QueueRefs>& queues() const { return refs_; }
  /// nullopt: it was not asked to have a control ring. Anew after reopen().
  const std::optional<netfront::ControlRefs>& control() const { return control_refs_; }
  /// One request on the control ring. `done` is called on the GuestThread when the answer is there or the ring goes
  /// away, or at once on this one when it cannot be sent.
  void control_request(const netfront::ControlRequest& request, netfront::FrontControl::Done done);
  /// Makes staging grants of all buffers of all queues, or takes them back; `done` as above, true when all of it was
  /// done.
  void stage_buffers(bool on, std::function<void(bool)> done);
  void connect();
  void disconnect();
  /// False and a sentence when the domain has no more to give, or is dead.
  bool reopen(std::string& error);
  /// `done` is called on the GuestThread, or at once on this one when it cannot start (TAP, unusable address).
  /// Closing ends it with what was received.
  void ping(const PingOptions& options, std::function<void(const PingResult&)> done);
  /// False: not the built-in stack, or an unusable address or frame size.
  bool start_traffic(const TrafficOptions& options);
  void stop_traffic();
  /// False when the ring is full or the frame cannot be sent.
  bool send_frame(std::span<const std::uint8_t> frame, const SendOptions& options);
  /// Asks the backend to add (xen::extra::kMcastAdd) or remove (kMcastDel) a multicast address. As send_frame.
  bool send_multicast(std::uint8_t type, const std::array<std::uint8_t, 6>& address);
  /// Frames received since the last call; the first call turns it on. At most kTakenFramesMax are kept.
  std::vector<TakenFrame> take_frames();
  GuestStats stats();
  /// What the guest's kernel did not survive, also after close(); empty: it lives.
  std::string panicked();
  void close();

 private:
  Guest(GuestThread& thread, std::shared_ptr<GuestPort> port, std::uint64_t number);
  void read_refs();

  GuestThread& thread_;
  std::shared_ptr<GuestPort> port_;  // nullptr after close(); its inside is touched on thread_ only
  const std::uint64_t number_;
  std::vector<netfront::QueueRefs> refs_;
  std::optional<netfront::ControlRefs> control_refs_;
  GuestStats last_stats_{};
  std::string last_panic_;
};

}  // namespace xvif::guest
