#include "port/pcap_port.h"

#include <cerrno>
#include <cstring>
#include <mutex>
#include <vector>

#include "port/local_payload.h"
#include "port/pcap_file.h"
#include "port/port_count.h"
#include "port/wire_frames.h"

namespace xvif {

namespace {

constexpr std::size_t kLine = 64;

/// Frames one behind the other, each starting a cache line, so that replaying copies whole lines in order.
struct Preloaded {
  struct Place {
    std::uint32_t line;  // of memory
    std::uint32_t bytes;
  };
  struct alignas(kLine) Line {
    std::array<std::uint8_t, kLine> bytes;
  };
  std::vector<Line> memory;
  std::vector<Place> places;

  const std::uint8_t* at(const Place& place) const { return memory[place.line].bytes.data(); }

  void load(std::span<const std::span<const std::uint8_t>> frames) {
    for (const auto frame : frames) {
      const std::size_t line = memory.size();
      memory.resize(line + (frame.size() + kLine - 1) / kLine);
      std::memcpy(memory[line].bytes.data(), frame.data(), frame.size());
      places.push_back({static_cast<std::uint32_t>(line), static_cast<std::uint32_t>(frame.size())});
    }
  }
};

class PcapQueue final : public PortQueue {
 public:
  PcapQueue(Port& owner, std::shared_ptr<const Preloaded> frames, bool loop)
      : owner_(owner),
        frames_(std::move(frames)),
        loop_(loop),
        payloads_(LocalPayloads::make(kLocalPayloads, 0, frames_)) {}

  std::size_t receive(PacketPool& pool, std::span<Packet*> out) override {
    std::size_t count = 0;
    while (count < out.size() && next_ < frames_->places.size()) {
      Packet* packet = take(pool, frames_->places[next_]);
      if (packet == nullptr) break;
      out[count++] = packet;
      if (++next_ == frames_->places.size() && loop_) next_ = 0;
    }
    count_received(owner_, out.first(count));
    return count;
  }
  void flush() override {}
  bool arm() override { return next_ < frames_->places.size(); }

 private:
  Packet* take(PacketPool& pool, const Preloaded::Place& place) {
    constexpr std::size_t kAhead = 8 * kLine;
    const std::uint8_t* const from = frames_->at(place);
    __builtin_prefetch(from + kAhead);
    Payload* payload = nullptr;
    if (place.bytes > kLinearMax && (payload = payloads_->take()) == nullptr) return nullptr;
    Packet* packet = pool.take();
    if (packet == nullptr) {
      if (payload != nullptr) payloads_->payload_done(*payload);
      return nullptr;
    }
    packet->size = place.bytes;
    packet->linear = payload == nullptr ? place.bytes : static_cast<std::uint32_t>(kPullBytes);
    for (std::size_t at = 0; at < packet->linear; at += kLine) std::memcpy(packet->data + at, from + at, kLine);
    if (payload != nullptr) {
      LocalPayloads::fill(*payload, from + packet->linear, place.bytes - packet->linear);
      packet->payload = payload;
    }
    return packet;
  }

  Port& owner_;
  std::shared_ptr<const Preloaded> frames_;
  const bool loop_;
  std::size_t next_ = 0;  // worker
  LocalPayloads::Handle payloads_;
};
static_assert(kLinearMax % kLine == 0 && kPullBytes % kLine == 0, "whole lines are copied");

class PcapPort final : public Port {
 public:
  PcapPort(std::shared_ptr<const Preloaded> input, bool loop, std::unique_ptr<PcapWriter> writer,
           std::span<Linearizer* const> linearizers)
      : frames_(linearizers), writer_(std::move(writer)) {
    if (input) queue_ = std::make_unique<PcapQueue>(*this, std::move(input), loop);
    if (queue_) queues_[0] = queue_.get();
  }

  std::span<PortQueue* const> queues() override { return {queues_.data(), queue_ ? 1u : 0u}; }

  void transmit(std::size_t thread, std::span<Packet* const> packets) override {
    const WireFrames::Emit emit = [this](std::span<const std::uint8_t> frame) {
      const std::lock_guard lock(mutex_);
      return writer_->write(frame) ? Drop::kNone : Drop::kIoError;
    };
    for (Packet* packet : packets) {
      count_sent(counters[thread], *packet, writer_ ? frames_.each(thread, *packet, emit) : Drop::kNone);
    }
    const std::lock_guard lock(mutex_);
    if (writer_) writer_->flush();
  }

  void close() override {
    queue_.reset();
    writer_.reset();
  }

 private:
  WireFrames frames_;
  std::mutex mutex_;                    // a file is no hot path
  std::unique_ptr<PcapWriter> writer_;  // guarded by mutex_ while attached
  std::unique_ptr<PcapQueue> queue_;
  std::array<PortQueue*, 1> queues_{};
};

std::shared_ptr<const Preloaded> preload(const std::string& path, std::string& error) {
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  const std::unique_ptr<std::FILE, Close> file(std::fopen(path.c_str(), "rbe"));
  std::vector<std::uint8_t> bytes;
  if (file != nullptr) {
    constexpr std::size_t kChunk = 1 << 20;
    std::size_t got = kChunk;
    while (got == kChunk && bytes.size() <= kPcapBytesMax) {
      const std::size_t at = bytes.size();
      bytes.resize(at + kChunk);
      got = std::fread(bytes.data() + at, 1, kChunk, file.get());
      bytes.resize(at + got);
    }
  }
  if (file == nullptr || std::ferror(file.get()) != 0) {
    error = path + ": " + std::strerror(errno);
    return nullptr;
  }
  if (bytes.size() > kPcapBytesMax) {
    error = path + ": larger than " + std::to_string(kPcapBytesMax) + " bytes";
    return nullptr;
  }
  const PcapFrames read = read_pcap(bytes);
  if (read.error != nullptr) {
    error = path + ": " + read.error;
    return nullptr;
  }
  auto frames = std::make_shared<Preloaded>();
  frames->load(read.frames);
  return frames;
}

}  // namespace

std::unique_ptr<Port> open_pcap_port(const PcapOptions& options, std::span<Linearizer* const> linearizers,
                                     std::string& error) {
  std::shared_ptr<const Preloaded> input;
  if (!options.input.empty() && (input = preload(options.input, error)) == nullptr) return nullptr;
  std::unique_ptr<PcapWriter> writer;
  if (!options.output.empty() && (writer = PcapWriter::create(options.output, error)) == nullptr) return nullptr;
  return std::make_unique<PcapPort>(std::move(input), options.loop, std::move(writer), linearizers);
}

}  // namespace xvif
