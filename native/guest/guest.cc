#include "guest/guest.h"

#include "guest/guest_port.h"

namespace xvif::guest {

Guest::Guest(GuestThread& thread, std::shared_ptr<GuestPort> port, std::uint64_t number)
    : thread_(thread), port_(std::move(port)), number_(number) {}

std::unique_ptr<Guest> Guest::create(xen::EmulatedHypervisor& hypervisor, GuestThread& thread, DomId domid,
                                     const FrontendOptions& options, std::string& error) {
  std::shared_ptr<xen::EmulatedDomain> domain = hypervisor.domain(domid);
  if (!domain) {
    error = "there is no domain " + std::to_string(raw(domid));
    return nullptr;
  }
  auto port = std::make_shared<GuestPort>(thread, std::move(domain), options);
  std::uint64_t number = 0;
  bool opened = false;
  thread.run([&] {
    number = thread.add(port);
    opened = port->open(number, error);
    if (!opened) thread.remove(number);
  });
  if (!opened) return nullptr;
  std::unique_ptr<Guest> guest(new Guest(thread, std::move(port), number));
  guest->read_refs();
  return guest;
}

void Guest::read_refs() {
  refs_ = port_->refs();
  control_refs_.reset();
  if (port_->control() != nullptr) control_refs_ = port_->control()->refs();
}

Guest::~Guest() { close(); }

void Guest::close() {
  if (!port_) return;
  thread_.run([&] {
    port_->close();
    last_stats_ = port_->stats();
    last_panic_ = port_->panicked();
    thread_.remove(number_);
  });
  port_.reset();
}

void Guest::connect() {
  if (port_) thread_.run([&] { port_->connect(); });
}

void Guest::disconnect() {
  if (port_) thread_.run([&] { port_->disconnect(); });
}

bool Guest::reopen(std::string& error) {
  if (!port_) {
    error = "the guest is closed";
    return false;
  }
  bool opened = false;
  thread_.run([&] {
    opened = port_->open_queues(error);
    read_refs();
  });
  return opened;
}

void Guest::control_request(const netfront::ControlRequest& request, netfront::FrontControl::Done done) {
  bool sent = false;
  if (port_) {
    thread_.run([&] {
      sent = port_->control() != nullptr && port_->control()->request(request, done);
      if (sent) thread_.activate(*port_);
    });
  }
  if (!sent) done({});
}

void Guest::stage_buffers(bool on, std::function<void(bool)> done) {
  if (!port_) return done(false);
  thread_.run([&] { port_->stage_buffers(on, std::move(done)); });
}

void Guest::ping(const PingOptions& options, std::function<void(const PingResult&)> done) {
  bool started = false;
  if (port_) {
    thread_.run([&] {
      started = port_->stack().ping(options, done);
      if (started) thread_.activate(*port_);
    });
  }
  if (!started) done(PingResult{});
}

bool Guest::start_traffic(const TrafficOptions& options) {
  bool started = false;
  if (port_) {
    thread_.run([&] {
      started = port_->stack().start_traffic(options);
      if (started) thread_.activate(*port_);
    });
  }
  return started;
}

void Guest::stop_traffic() {
  if (port_) thread_.run([&] { port_->stack().stop_traffic(); });
}

bool Guest::send_frame(std::span<const std::uint8_t> frame, const SendOptions& options) {
  bool sent = false;
  if (port_) thread_.run([&] { sent = port_->send_frame(frame, options); });
  return sent;
}

bool Guest::send_multicast(std::uint8_t type, const std::array<std::uint8_t, 6>& address) {
  bool sent = false;
  if (port_) thread_.run([&] { sent = port_->send_multicast(type, address); });
  return sent;
}

std::vector<TakenFrame> Guest::take_frames() {
  std::vector<TakenFrame> taken;
  if (port_) thread_.run([&] { taken = port_->take_frames(); });
  return taken;
}

GuestStats Guest::stats() {
  if (port_) thread_.run([&] { last_stats_ = port_->stats(); });
  return last_stats_;
}

std::string Guest::panicked() {
  if (port_) thread_.run([&] { last_panic_ = port_->panicked(); });
  return last_panic_;
}

}  // namespace xvif::guest
