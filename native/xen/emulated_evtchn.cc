// Event channels: pending is one bit, delivery masks, unmasking delivers what came meanwhile.
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>

#include "base/assert.h"
#include "xen/emulated_state.h"

namespace xvif::xen {

EvtchnSink::State::~State() { ::close(fd); }

void EvtchnSink::State::fire(Line& line) {
  std::lock_guard lock(mutex);
  if (line.pending) return;
  line.pending = true;
  if (line.masked) return;
  fired.push_back(&line);
  if (signalled) return;
  signalled = true;
  const std::uint64_t one = 1;
  XVIF_ASSERT(::write(fd, &one, sizeof one) == sizeof one);
}

void EvtchnSink::State::unmask(Line& line) {
  {
    std::lock_guard lock(mutex);
    if (!line.masked) return;
    line.masked = false;
    if (!line.pending) return;
    line.pending = false;
  }
  fire(line);
}

std::size_t EvtchnSink::State::take(std::span<std::uint64_t> cookies) {
  std::lock_guard lock(mutex);
  const std::size_t count = std::min(cookies.size(), fired.size());
  for (std::size_t i = 0; i < count; ++i) {
    fired[i]->masked = true;
    fired[i]->pending = false;
    cookies[i] = fired[i]->cookie;
  }
  fired.erase(fired.begin(), fired.begin() + static_cast<std::ptrdiff_t>(count));
  settle();
  return count;
}

/// Nothing is pending any more: the descriptor is not readable.
void EvtchnSink::State::settle() {
  if (!fired.empty() || !signalled) return;
  std::uint64_t ignored;
  signalled = ::read(fd, &ignored, sizeof ignored) != sizeof ignored;
}

void EvtchnSink::State::remove(Line& line) {
  std::lock_guard lock(mutex);
  std::erase(fired, &line);
  settle();
}

EvtchnSink::EvtchnSink() {
  const int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  XVIF_ASSERT(fd >= 0);
  state_ = std::make_shared<State>(fd);
}
EvtchnSink::~EvtchnSink() = default;
int EvtchnSink::fd() const { return state_->fd; }
std::size_t EvtchnSink::take(std::span<std::uint64_t> out) { return state_->take(out); }

Channel* EmulatedState::channel(DomId owner, EvtchnPort port) {
  const auto table = tables.find(raw(owner));
  if (table == tables.end() || raw(port) >= table->second.channels.size()) return nullptr;
  Channel& found = table->second.channels[raw(port)];
  return found.kind == Channel::Kind::kClosed ? nullptr : &found;
}

std::optional<std::uint32_t> EmulatedState::allocate_port(EvtchnTable& table, std::uint32_t limit) {
  if (!table.free.empty()) {
    const std::uint32_t port = table.free.back();
    table.free.pop_back();
    return port;
  }
  if (table.channels.size() >= limit) return std::nullopt;
  table.channels.emplace_back();
  return static_cast<std::uint32_t>(table.channels.size() - 1);
}

std::optional<EvtchnPort> EmulatedState::open_channel(DomId owner, DomId remote,
                                                      std::shared_ptr<EvtchnSink::State> sink, std::uint64_t cookie) {
  std::unique_lock lock(evtchn_mutex);
  const auto table = tables.find(raw(owner));
  if (table == tables.end()) return std::nullopt;
  const auto port = allocate_port(table->second, kEvtchnsPerGuest);
  if (!port) return std::nullopt;
  Channel& opened = table->second.channels[*port];
  opened.kind = Channel::Kind::kUnbound;
  opened.remote = remote;
  opened.sink = std::move(sink);
  opened.line = std::make_unique<EvtchnSink::State::Line>(EvtchnSink::State::Line{cookie});
  return EvtchnPort{*port};
}

std::optional<EvtchnPort> EmulatedState::bind_channel(DomId owner, DomId remote, EvtchnPort remote_port,
                                                      std::shared_ptr<EvtchnSink::State> sink) {
  std::unique_lock lock(evtchn_mutex);
  Channel* peer = channel(remote, remote_port);
  if (peer == nullptr || peer->kind != Channel::Kind::kUnbound || peer->remote != owner) return std::nullopt;
  EvtchnTable& table = tables[raw(owner)];
  const auto port = allocate_port(table, kEvtchnsOfBackend);
  if (!port) return std::nullopt;
  peer = channel(remote, remote_port);  // the table may have moved when both ends are of one domain
  peer->kind = Channel::Kind::kInterdomain;
  peer->remote_port = *port;
  Channel& bound = table.channels[*port];
  bound.kind = Channel::Kind::kInterdomain;
  bound.remote = remote;
  bound.remote_port = raw(remote_port);
  bound.sink = std::move(sink);
  bound.line = std::make_unique<EvtchnSink::State::Line>(EvtchnSink::State::Line{*port});
  bound.sink->fire(*bound.line);  // as Xen does: notifications may have been lost while unbound
  return EvtchnPort{*port};
}

void EmulatedState::close_locked(DomId owner, std::uint32_t port) {
  Channel* closing = channel(owner, EvtchnPort{port});
  if (closing == nullptr) return;
  if (closing->kind == Channel::Kind::kInterdomain) {
    if (Channel* peer = channel(closing->remote, EvtchnPort{closing->remote_port}); peer != nullptr) {
      peer->kind = Channel::Kind::kUnbound;
      peer->remote_port = 0;
    }
  }
  closing->sink->remove(*closing->line);
  *closing = Channel{};
  tables[raw(owner)].free.push_back(port);
}

void EmulatedState::close_channel(DomId owner, EvtchnPort port) {
  std::unique_lock lock(evtchn_mutex);
  close_locked(owner, raw(port));
}

void EmulatedState::close_all(DomId owner) {
  std::unique_lock lock(evtchn_mutex);
  const auto table = tables.find(raw(owner));
  if (table == tables.end()) return;
  for (std::uint32_t port = 1; port < table->second.channels.size(); ++port) close_locked(owner, port);
  tables.erase(table);
}

void EmulatedState::notify(DomId owner, EvtchnPort port) {
  std::shared_lock lock(evtchn_mutex);
  const Channel* own = channel(owner, port);
  if (own == nullptr || own->kind != Channel::Kind::kInterdomain) return;
  Channel* peer = channel(own->remote, EvtchnPort{own->remote_port});
  if (peer != nullptr) peer->sink->fire(*peer->line);
}

void EmulatedState::unmask(DomId owner, EvtchnPort port) {
  std::shared_lock lock(evtchn_mutex);
  Channel* own = channel(owner, port);
  if (own != nullptr) own->sink->unmask(*own->line);
}

std::size_t EmulatedState::open_channels() {
  std::shared_lock lock(evtchn_mutex);
  std::size_t count = 0;
  for (const auto& [domid, table] : tables) {
    for (const Channel& one : table.channels) count += one.kind != Channel::Kind::kClosed;
  }
  return count;
}

/// The backend's channels of one worker.
class EmulatedEvtchns final : public EventChannels {
 public:
  explicit EmulatedEvtchns(std::shared_ptr<EmulatedState> state) : state_(std::move(state)) {}
  ~EmulatedEvtchns() override {
    for (const EvtchnPort port : bound_) state_->close_channel(kBackendDomain, port);
  }

  int fd() const override { return sink_.fd(); }
  std::optional<EvtchnPort> bind_interdomain(DomId domid, EvtchnPort remote) override {
    const auto port = state_->bind_channel(kBackendDomain, domid, remote, sink_.state_);
    if (port) {
      std::lock_guard lock(mutex_);
      bound_.push_back(*port);
    }
    return port;
  }
  void unbind(EvtchnPort port) override {
    {
      std::lock_guard lock(mutex_);
      if (std::erase(bound_, port) == 0) return;
    }
    state_->close_channel(kBackendDomain, port);
  }
  void notify(EvtchnPort port) override { state_->notify(kBackendDomain, port); }
  std::size_t take(std::span<EvtchnPort> ports, bool& overflow) override {
    overflow = false;  // one entry per channel: the list cannot overflow
    std::array<std::uint64_t, 64> cookies;
    const std::size_t count = sink_.take(std::span(cookies).first(std::min(ports.size(), cookies.size())));
    for (std::size_t i = 0; i < count; ++i) ports[i] = EvtchnPort{static_cast<std::uint32_t>(cookies[i])};
    return count;
  }
  void unmask(std::span<const EvtchnPort> ports) override {
    for (const EvtchnPort port : ports) state_->unmask(kBackendDomain, port);
  }

 private:
  const std::shared_ptr<EmulatedState> state_;
  EvtchnSink sink_;
  std::mutex mutex_;  // guards bound_
  std::vector<EvtchnPort> bound_;
};

std::unique_ptr<EventChannels> EmulatedHypervisor::open_evtchns() { return std::make_unique<EmulatedEvtchns>(state_); }

}  // namespace xvif::xen
