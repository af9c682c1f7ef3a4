// The part of a guest that lives on the GuestThread: its rings and the stack behind them.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "guest/options.h"
#include "guest/stack.h"
#include "netfront/front_control.h"
#include "netfront/front_queue.h"

namespace xvif::guest {

class GuestThread;

class GuestPort final : private netfront::RxHandler, private FrameOutput {
 public:
  GuestPort(GuestThread& thread, std::shared_ptr<xen::EmulatedDomain> domain, const FrontendOptions& options);
  ~GuestPort();
  GuestPort(const GuestPort&) = delete;
  GuestPort& operator=(const GuestPort&) = delete;

  /// Rings and stack. False and a sentence when something cannot be had. `number` is its own on the thread.
  bool open(std::uint64_t number, std::string& error);
  bool open_queues(std::string& error);
  std::vector<netfront::QueueRefs> refs() const;
  /// nullptr: it has no control ring.
  netfront::FrontControl* control() { return control_.get(); }
  /// Has the backend map all buffers, or no longer. `done` hears whether it did all of it.
  void stage_buffers(bool on, std::function<void(bool)> done);
  void connect();
  void disconnect() { connected_ = false; }
  void close();

  // The thread's loop.
  bool poll(std::uint64_t now_ns);
  /// Before it is no longer polled. True when there is work after all.
  bool arm();
  std::uint64_t deadline() const { return stack_->deadline(); }

  Stack& stack() { return *stack_; }
  bool send_frame(std::span<const std::uint8_t> frame, const SendOptions& options);
  bool send_multicast(std::uint8_t type, const std::array<std::uint8_t, 6>& address);
  std::vector<TakenFrame> take_frames();
  GuestStats stats() const;
  /// What the guest's kernel did not survive; empty: it lives.
  std::string panicked() const;

  bool active = false;             // on the thread's list
  std::uint64_t last_work_ns = 0;  // the thread's

 private:
  bool running() const { return connected_ && !domain_->dead(); }
  void note_panic(const std::string& why);
  bool make_stack(std::string& error);
  void on_frame(const netfront::RxFrame& frame) override;
  bool send(std::size_t queue, std::span<const iovec> frame, const netfront::TxMeta& meta) override;
  std::size_t queues() const override { return queues_.size(); }

  GuestThread& thread_;
  const std::shared_ptr<xen::EmulatedDomain> domain_;
  const FrontendOptions options_;
  std::uint64_t number_ = 0;
  std::vector<std::unique_ptr<netfront::FrontQueue>> queues_;
  std::unique_ptr<netfront::FrontControl> control_;
  std::unique_ptr<Stack> stack_;
  netfront::FrontCounters retired_;  // of queues that are gone
  bool connected_ = false;
  std::string panic_;
  bool taking_ = false;
  std::vector<TakenFrame> taken_;
};

}  // namespace xvif::guest
