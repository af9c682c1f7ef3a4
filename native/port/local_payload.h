// Payload in our own memory, for frames that do not fit the linear buffer.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "packet/packet.h"

namespace xvif {

/// A fixed number of payloads, each with `bytes` bytes of memory. Packets may keep them after the port is closed: the
/// last one to come back frees all.
///
/// Thread: take() and payload_done() on the thread that polls the queue; the Handle ends on the control thread.
class LocalPayloads final : public PayloadOwner {
 public:
  struct Retire {
    void operator()(LocalPayloads* payloads) const { payloads->unref(); }
  };
  using Handle = std::unique_ptr<LocalPayloads, Retire>;

  /// `bytes` may be 0: the segments then point into something that `keep` owns.
  static Handle make(std::size_t count, std::size_t bytes, std::shared_ptr<const void> keep = nullptr);

  /// One reference, no segments; nullptr when all are in use.
  Payload* take();
  /// The memory of a payload.
  std::uint8_t* memory(const Payload& payload) { return memory_.get() + payload.cookie * bytes_; }
  std::size_t bytes() const { return bytes_; }

  void payload_done(Payload& payload) override;

  /// One segment, all of it local.
  static void fill(Payload& payload, const std::uint8_t* memory, std::uint32_t bytes);

 private:
  LocalPayloads(std::size_t count, std::size_t bytes, std::shared_ptr<const void> keep);
  ~LocalPayloads() = default;
  void unref();

  const std::size_t bytes_;
  std::shared_ptr<const void> keep_;
  std::unique_ptr<std::uint8_t[]> memory_;
  std::vector<Payload> payloads_;
  std::vector<Payload*> free_;           // polling thread
  std::atomic<std::size_t> holders_{1};  // payloads in use, and the handle
};

}  // namespace xvif
