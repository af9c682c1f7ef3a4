// Inside of the emulated hypervisor. Private to xen/emulated*.cc.
#pragma once

#include <unordered_map>

#include "xen/emulated.h"

namespace xvif::xen {

/// One thread's copy() in progress: odd while inside.
struct alignas(64) CopySection {
  std::atomic<std::uint64_t> sequence{0};  // its thread: wo; those that revoke: ro
};

struct EvtchnSink::State {
  explicit State(int descriptor) : fd(descriptor) {}
  ~State();
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  const int fd;
  /// The receiving end of one channel.
  struct Line {
    std::uint64_t cookie;
    bool pending = false;
    bool masked = false;
  };
  void fire(Line& line);
  void unmask(Line& line);
  std::size_t take(std::span<std::uint64_t> cookies);
  void remove(Line& line);
  void settle();  // under mutex

  std::mutex mutex;          // guards what follows, and the lines delivered here
  std::vector<Line*> fired;  // pending and not masked
  bool signalled = false;    // the eventfd is readable
};

struct Channel {
  enum class Kind : std::uint8_t { kClosed, kUnbound, kInterdomain };
  Kind kind = Kind::kClosed;
  DomId remote{0};
  std::uint32_t remote_port = 0;
  std::shared_ptr<EvtchnSink::State> sink;
  std::unique_ptr<EvtchnSink::State::Line> line;
};

struct EvtchnTable {
  std::vector<Channel> channels = std::vector<Channel>(1);  // by port; port 0 is never given out
  std::vector<std::uint32_t> free;
};

struct EmulatedState : std::enable_shared_from_this<EmulatedState> {
  EmulatedState();

  /// Waits until every copy() that may have seen what was unpublished before has ended.
  void synchronise();
  void add_section(CopySection& section);
  void remove_section(CopySection& section);
  std::shared_ptr<EmulatedDomain> find(DomId id);
  void destroy(DomId id);

  // Event channels; each locks evtchn_mutex.
  std::optional<EvtchnPort> open_channel(DomId owner, DomId remote, std::shared_ptr<EvtchnSink::State> sink,
                                         std::uint64_t cookie);
  /// nullopt when `remote_port` is not unbound and meant for `owner`.
  std::optional<EvtchnPort> bind_channel(DomId owner, DomId remote, EvtchnPort remote_port,
                                         std::shared_ptr<EvtchnSink::State> sink);
  void close_channel(DomId owner, EvtchnPort port);
  void close_all(DomId owner);
  void notify(DomId owner, EvtchnPort port);
  void unmask(DomId owner, EvtchnPort port);
  std::size_t open_channels();

  std::array<std::atomic<EmulatedDomain*>, kDomainsMax> published{};  // for copy()
  std::atomic<std::size_t> mapped{0};

  std::mutex domains_mutex;
  std::unordered_map<std::uint16_t, std::shared_ptr<EmulatedDomain>> domains;
  std::mutex sections_mutex;
  std::vector<CopySection*> sections;
  std::shared_mutex evtchn_mutex;  // notify and unmask share it; guards tables
  std::unordered_map<std::uint16_t, EvtchnTable> tables;

 private:
  Channel* channel(DomId owner, EvtchnPort port);
  std::optional<std::uint32_t> allocate_port(EvtchnTable& table, std::uint32_t limit);
  void close_locked(DomId owner, std::uint32_t port);
};

}  // namespace xvif::xen
