#include "port/pcap_file.h"

#include <time.h>

#include <cerrno>
#include <cstring>

#include "base/limits.h"

namespace xvif {

namespace {

constexpr std::uint32_t kMagicMicro = 0xa1b2c3d4;
constexpr std::uint32_t kMagicNano = 0xa1b23c4d;
constexpr std::uint32_t kLinkEthernet = 1;
constexpr std::uint32_t kSnapLength = 262144;
constexpr std::size_t kFileHeader = 24;
constexpr std::size_t kRecordHeader = 16;
constexpr std::size_t kEthernetHeader = 14;

std::uint32_t load(const std::uint8_t* at, bool swapped) {
  std::uint32_t value;
  std::memcpy(&value, at, sizeof value);
  return swapped ? __builtin_bswap32(value) : value;
}

}  // namespace

PcapFrames read_pcap(std::span<const std::uint8_t> file) {
  PcapFrames out;
  if (file.size() < kFileHeader) {
    out.error = "not a pcap file";
    return out;
  }
  const std::uint32_t magic = load(file.data(), false);
  const bool swapped = magic == __builtin_bswap32(kMagicMicro) || magic == __builtin_bswap32(kMagicNano);
  if (!swapped && magic != kMagicMicro && magic != kMagicNano) {
    out.error = "not a pcap file (pcapng is not supported)";
    return out;
  }
  // The upper bits tell of a frame check sequence, which the frames then end with.
  const std::uint32_t link = load(file.data() + 20, swapped);
  if ((link & 0xffff) != kLinkEthernet) {
    out.error = "link type is not Ethernet";
    return out;
  }
  const std::size_t check_bytes = (link & 1u << 26) != 0 ? (link >> 28) * 2u : 0;  // FCS present; length in 16 bits
  std::size_t at = kFileHeader;
  while (file.size() - at >= kRecordHeader) {
    const std::size_t captured = load(file.data() + at + 8, swapped);
    const std::size_t original = load(file.data() + at + 12, swapped);
    at += kRecordHeader;
    if (captured > file.size() - at) break;
    const auto frame = file.subspan(at, captured);
    at += captured;
    if (captured < original || captured < kEthernetHeader + check_bytes || captured - check_bytes > kFrameMax) {
      ++out.skipped;
      continue;
    }
    out.frames.push_back(frame.first(captured - check_bytes));
  }
  return out;
}

std::unique_ptr<PcapWriter> PcapWriter::create(const std::string& path, std::string& error) {
  constexpr std::size_t kBuffer = 1 << 20;
  std::unique_ptr<PcapWriter> writer(new PcapWriter(std::fopen(path.c_str(), "wbe")));
  std::FILE* const file = writer->file_.get();
  if (file == nullptr) {
    error = path + ": " + std::strerror(errno);
    return nullptr;
  }
  std::setvbuf(file, nullptr, _IOFBF, kBuffer);
  const std::uint32_t header[6] = {kMagicNano, 4u << 16 | 2, 0, 0, kSnapLength, kLinkEthernet};
  static_assert(sizeof header == kFileHeader);
  if (std::fwrite(header, sizeof header, 1, file) != 1 || std::fflush(file) != 0) {
    error = path + ": " + std::strerror(errno);
    return nullptr;
  }
  return writer;
}

bool PcapWriter::write(std::span<const std::uint8_t> frame) {
  timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  const auto bytes = static_cast<std::uint32_t>(frame.size());
  const std::uint32_t header[4] = {static_cast<std::uint32_t>(now.tv_sec), static_cast<std::uint32_t>(now.tv_nsec),
                                   bytes, bytes};
  static_assert(sizeof header == kRecordHeader);
  return std::fwrite(header, sizeof header, 1, file_.get()) == 1 &&
         std::fwrite(frame.data(), frame.size(), 1, file_.get()) == 1;
}

}  // namespace xvif
