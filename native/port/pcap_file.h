// Classic pcap files (https://www.ietf.org/archive/id/draft-ietf-opsawg-pcap-04.html).
#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace xvif {

/// The frames of a file that lies in memory. Views into it.
struct PcapFrames {
  std::vector<std::span<const std::uint8_t>> frames;
  std::size_t skipped = 0;  // cut when they were captured, shorter than an Ethernet header, or longer than kFrameMax
  const char* error = nullptr;
};
/// Both byte orders, microseconds and nanoseconds; times are not kept. A file that ends within a record gives the
/// frames before it.
PcapFrames read_pcap(std::span<const std::uint8_t> file);

/// Writes frames with the time of day. One thread at a time.
class PcapWriter {
 public:
  /// nullptr with a reason in `error`.
  static std::unique_ptr<PcapWriter> create(const std::string& path, std::string& error);
  /// False when the disk is full.
  bool write(std::span<const std::uint8_t> frame);
  /// What was written so far can be read by others.
  void flush() { std::fflush(file_.get()); }

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  explicit PcapWriter(std::FILE* file) : file_(file) {}

  std::unique_ptr<std::FILE, Close> file_;
};

}  // namespace xvif
