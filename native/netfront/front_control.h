// The control ring of an emulated frontend (netif.h, "Control ring"): requests out, answers in.
//
// Thread: as FrontQueue, all of it belongs to one thread.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/ids.h"
#include "xen/emulated.h"
#include "xen/ring.h"

namespace xvif::netfront {

/// What goes into xenstore.
struct ControlRefs {
  GrantRef ring;
  EvtchnPort evtchn;
};

struct ControlRequest {
  std::uint16_t type;  // xen::ctrl
  std::array<std::uint32_t, 3> data{};
  /// Not empty: bytes, at most a page, put into a page granted for the request; its reference becomes data[page_at].
  std::vector<std::uint8_t> page;
  std::size_t page_at = 0;
  bool page_readonly = false;
};
struct ControlResult {
  bool answered = false;  // false: the ring went away before
  std::uint32_t status = 0;
  std::uint32_t data = 0;
  std::vector<std::uint8_t> page;  // as long as the request's, as the backend left it
};

class FrontControl {
 public:
  using Done = std::function<void(const ControlResult&)>;

  /// nullptr and a sentence in `error` when the domain has no more.
  static std::unique_ptr<FrontControl> create(std::shared_ptr<xen::EmulatedDomain> domain, xen::EvtchnSink& sink,
                                              std::uint64_t cookie, std::string& error);
  /// Requests without an answer end unanswered.
  ~FrontControl();
  FrontControl(const FrontControl&) = delete;
  FrontControl& operator=(const FrontControl&) = delete;

  const ControlRefs& refs() const { return refs_; }
  /// Puts a request on the ring and tells the backend; `done` is called by poll(). False: the ring is full, the page
  /// too long, or the domain has no more pages or grants.
  bool request(const ControlRequest& request, Done done);
  /// Takes answers in. Returns how many.
  std::size_t poll();
  /// What the backend did that the driver does not survive: an answer of another type than its request. Empty: nothing.
  const std::string& panicked() const { return panic_; }
  /// Asks for an event and looks again. True when there are answers after all.
  bool arm();
  void unmask() { domain_->unmask(refs_.evtchn); }

  // For tests.
  xen::RingPage& page() { return ring_; }
  void notify() { domain_->notify(refs_.evtchn); }

 private:
  struct Buffer {
    std::uint8_t* page = nullptr;
    GrantRef ref{0};
  };
  struct Pending {
    Done done;  // empty: free
    std::uint16_t id = 0, type = 0;
    Buffer buffer;
    std::size_t bytes = 0;
  };

  explicit FrontControl(std::shared_ptr<xen::EmulatedDomain> domain) : domain_(std::move(domain)) {}
  bool allocate(Buffer& buffer, bool readonly);
  void release(Buffer& buffer);
  void finish(Pending& pending, ControlResult result);

  const std::shared_ptr<xen::EmulatedDomain> domain_;
  ControlRefs refs_{};
  Buffer ring_buffer_;
  xen::RingPage ring_;
  Pending* pending(std::uint16_t id);

  std::array<Pending, xen::kCtrlRingSlots> pending_;
  /// As xenvif: whatever it was when the driver was loaded, counted on, never zero.
  std::uint16_t next_id_ = 0xfffe;
  std::string panic_;
  std::uint32_t req_prod_ = 0, rsp_cons_ = 0;  // free-running
};

}  // namespace xvif::netfront
