#include "port/packet_socket_port.h"

#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>

#include "base/bytes.h"
#include "base/clock.h"
#include "packet/gap.h"
#include "port/kernel_frames.h"
#include "port/netns.h"
#include "port/port_count.h"

namespace xvif {

namespace {

constexpr std::size_t kSpill = kFrameMax - kLinearMax;
constexpr std::size_t kAddressesBytes = 12;
/// How old the answer to link_up() may be.
constexpr std::uint64_t kCarrierPollNs = 20'000'000;
/// Messages of one recvmmsg or sendmmsg.
constexpr std::size_t kMessages = kBatchMax;

struct Socket {
  explicit Socket(int number) : fd(number) {}
  ~Socket() {
    if (fd >= 0) ::close(fd);
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  const int fd;
};

/// What the kernel tells beside a frame: the VLAN tag it took out (packet(7), PACKET_AUXDATA).
struct Tag {
  bool present = false;
  std::uint16_t type = ETH_P_8021Q;
  std::uint16_t tci = 0;
};

Tag tag_of(msghdr& message) {
  Tag tag;
  for (cmsghdr* c = CMSG_FIRSTHDR(&message); c != nullptr; c = CMSG_NXTHDR(&message, c)) {
    if (c->cmsg_level != SOL_PACKET || c->cmsg_type != PACKET_AUXDATA) continue;
    tpacket_auxdata aux;
    std::memcpy(&aux, CMSG_DATA(c), sizeof aux);
    if ((aux.tp_status & TP_STATUS_VLAN_VALID) == 0) continue;
    tag.present = true;
    tag.tci = aux.tp_vlan_tci;
    if ((aux.tp_status & TP_STATUS_VLAN_TPID_VALID) != 0) tag.type = aux.tp_vlan_tpid;
  }
  return tag;
}

bool restore_tag(Packet& packet, const Tag& tag) {
  if (!open_gap(packet, kAddressesBytes, 4)) return false;
  store_be16(packet.data + kAddressesBytes, tag.type);
  store_be16(packet.data + kAddressesBytes + 2, tag.tci);
  return true;
}

class SocketQueue final : public PortQueue {
 public:
  SocketQueue(Port& owner, int fd) : owner_(owner), fd_(fd), payloads_(LocalPayloads::make(kLocalPayloads, kSpill)) {}
  ~SocketQueue() override {
    for (FrameSlot& slot : slots_) slot.reset();
  }

  std::size_t receive(PacketPool& pool, std::span<Packet*> out) override {
    const std::size_t prepared = prepare(pool, std::min(out.size(), kMessages));
    const int got =
        prepared == 0 ? 0 : recvmmsg(fd_, messages_.data(), static_cast<unsigned>(prepared), MSG_DONTWAIT, nullptr);
    std::size_t count = 0;
    for (int i = 0; i < got; ++i) {
      if (Packet* packet = finish(static_cast<std::size_t>(i))) out[count++] = packet;
    }
    for (std::size_t i = 0; i < prepared; ++i) slots_[i].give_back_packet();
    count_received(owner_, out.first(count));
    return count;
  }

  void flush() override {}

  bool arm() override {
    pollfd poll_fd{.fd = fd_, .events = POLLIN, .revents = 0};
    return poll(&poll_fd, 1, 0) > 0 && (poll_fd.revents & POLLIN) != 0;
  }
  int fd() const override { return fd_; }

 private:
  std::size_t prepare(PacketPool& pool, std::size_t wanted) {
    for (std::size_t i = 0; i < wanted; ++i) {
      if (!slots_[i].prepare(pool, *payloads_)) {
        slots_[i].give_back_packet();
        return i;
      }
      const auto memory = slots_[i].pieces(*payloads_);
      pieces_[i] = {{{&headers_[i], sizeof headers_[i]}, memory[0], memory[1]}};
      msghdr& message = messages_[i].msg_hdr;
      message = {};
      message.msg_name = &from_[i];
      message.msg_namelen = sizeof from_[i];
      message.msg_iov = pieces_[i].data();
      message.msg_iovlen = pieces_[i].size();
      message.msg_control = control_[i].data();
      message.msg_controllen = control_[i].size();
    }
    return wanted;
  }

  Packet* finish(std::size_t i) {
    if (from_[i].sll_pkttype == PACKET_OUTGOING) return nullptr;  // where PACKET_IGNORE_OUTGOING is not known
    msghdr& message = messages_[i].msg_hdr;
    const std::size_t got = messages_[i].msg_len;
    const std::size_t bytes = got < sizeof(VnetHeader) ? 0 : got - sizeof(VnetHeader);
    const bool cut = (message.msg_flags & MSG_TRUNC) != 0;
    Packet* packet = cut ? nullptr : slots_[i].finish(bytes, headers_[i], *payloads_);
    if (packet == nullptr) {
      count_receive_drop(owner_, cut ? Drop::kTooBig : Drop::kMalformed);
      return nullptr;
    }
    if (const Tag tag = tag_of(message); tag.present && !restore_tag(*packet, tag)) {
      packet->release();
      count_receive_drop(owner_, Drop::kNoRoom);
      return nullptr;
    }
    return packet;
  }

  Port& owner_;
  const int fd_;
  LocalPayloads::Handle payloads_;
  // worker
  std::array<FrameSlot, kMessages> slots_;
  std::array<mmsghdr, kMessages> messages_{};
  std::array<std::array<iovec, 3>, kMessages> pieces_;
  std::array<VnetHeader, kMessages> headers_;
  std::array<sockaddr_ll, kMessages> from_;
  struct alignas(cmsghdr) Control : std::array<std::uint8_t, CMSG_SPACE(sizeof(tpacket_auxdata))> {};
  std::array<Control, kMessages> control_;
};

/// Frames gathered for one sendmmsg, on the stack of one transmit().
class SendBatch {
 public:
  SendBatch(int fd, PortCounters& counters) : fd_(fd), counters_(counters) {}

  /// Copies the header and the list of pieces, not the bytes: flush() before they change.
  void add(const KernelFrame& frame) {
    if (count_ == kMessages) flush();
    headers_[count_] = frame.header;
    auto& pieces = pieces_[count_];
    pieces[0] = {&headers_[count_], sizeof headers_[count_]};
    std::copy_n(frame.pieces.begin(), frame.count, pieces.begin() + 1);
    messages_[count_] = {};
    messages_[count_].msg_hdr.msg_iov = pieces.data();
    messages_[count_].msg_hdr.msg_iovlen = frame.count + 1;
    sizes_[count_] = 0;
    for (std::size_t i = 0; i < frame.count; ++i) sizes_[count_] += frame.pieces[i].iov_len;
    ++count_;
  }

  /// Sends and counts. A frame that the kernel refuses is dropped; the ones behind it are tried.
  void flush() {
    for (std::size_t at = 0; at < count_;) {
      const int sent = sendmmsg(fd_, &messages_[at], static_cast<unsigned>(count_ - at), MSG_DONTWAIT);
      const std::size_t done = sent > 0 ? static_cast<std::size_t>(sent) : 0;
      for (std::size_t i = at; i < at + done; ++i) PortCounters::add(counters_.tx_bytes, sizes_[i]);
      PortCounters::add(counters_.tx_packets, done);
      at += done;
      if (sent > 0) continue;
      PortCounters::add(counters_.tx_dropped[static_cast<std::size_t>(Drop::kIoError)], 1);
      PortCounters::add(counters_.tx_errors, 1);
      ++at;
    }
    count_ = 0;
  }

 private:
  const int fd_;
  PortCounters& counters_;
  std::size_t count_ = 0;
  std::array<mmsghdr, kMessages> messages_;
  std::array<std::array<iovec, kSegmentsMax + 2>, kMessages> pieces_;
  std::array<VnetHeader, kMessages> headers_;
  std::array<std::size_t, kMessages> sizes_;
};

class PacketSocketPort final : public Port {
 public:
  PacketSocketPort(const std::string& device, std::unique_ptr<Socket> socket, std::span<Linearizer* const> linearizers)
      : socket_(std::move(socket)),
        frames_(linearizers, true),
        queue_(std::make_unique<SocketQueue>(*this, socket_->fd)),
        queues_{queue_.get()} {
    std::copy_n(device.begin(), std::min(device.size(), sizeof interface_.ifr_name - 1), interface_.ifr_name);
  }

  std::span<PortQueue* const> queues() override { return queues_; }

  void transmit(std::size_t thread, std::span<Packet* const> packets) override {
    SendBatch batch(socket_->fd, counters[thread]);
    const KernelFrames::Emit emit = [&batch](const KernelFrame& frame, bool lasting) {
      batch.add(frame);
      if (!lasting) batch.flush();
      return Drop::kNone;
    };
    for (Packet* packet : packets) {
      const Drop reason = frames_.each(thread, *packet, emit);
      if (reason != Drop::kNone) count_sent(counters[thread], *packet, reason);
    }
    batch.flush();
  }

  bool link_up() const override {
    const std::uint64_t now = now_ns();
    if (now >= next_look_ns_.load(std::memory_order_relaxed)) {
      next_look_ns_.store(now + kCarrierPollNs, std::memory_order_relaxed);
      ifreq request = interface_;
      const bool known = ioctl(socket_->fd, SIOCGIFFLAGS, &request) == 0;
      up_.store(known && (request.ifr_flags & IFF_RUNNING) != 0, std::memory_order_relaxed);
    }
    return up_.load(std::memory_order_relaxed);
  }

  void close() override {
    queue_.reset();
    socket_.reset();
  }

 private:
  // Any thread, relaxed: whoever looks when it is time writes the answer.
  mutable std::atomic<std::uint64_t> next_look_ns_{0};
  mutable std::atomic<bool> up_{false};
  ifreq interface_{};
  // Any thread: the kernel takes concurrent sends.
  std::unique_ptr<Socket> socket_;
  KernelFrames frames_;
  std::unique_ptr<SocketQueue> queue_;
  std::array<PortQueue*, 1> queues_;
};

bool set_option(int fd, int option, int value) { return setsockopt(fd, SOL_PACKET, option, &value, sizeof value) == 0; }

/// nullptr with a reason.
std::unique_ptr<Socket> open_socket(const PacketSocketOptions& options, std::string& error) {
  const auto failed = [&](const char* what) {
    error = options.device + ": " + what + ": " + std::strerror(errno);
    return nullptr;
  };
  const unsigned index = if_nametoindex(options.device.c_str());
  if (index == 0) return failed("no such interface");
  // Protocol 0: nothing comes before the socket is bound to its interface.
  auto made = std::make_unique<Socket>(socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const int fd = made->fd;
  if (fd < 0) return failed("packet socket");
  if (!set_option(fd, PACKET_VNET_HDR, 1)) return failed("PACKET_VNET_HDR");
  if (!set_option(fd, PACKET_AUXDATA, 1)) return failed("PACKET_AUXDATA");
  (void)set_option(fd, PACKET_IGNORE_OUTGOING, 1);  // Linux 4.20; else sorted out by type
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = __builtin_bswap16(ETH_P_ALL);
  address.sll_ifindex = static_cast<int>(index);
  if (bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return failed("bind");
  if (options.promiscuous) {
    packet_mreq membership{};
    membership.mr_ifindex = static_cast<int>(index);
    membership.mr_type = PACKET_MR_PROMISC;
    if (setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &membership, sizeof membership) != 0) {
      return failed("promiscuous");
    }
  }
  return made;
}

}  // namespace

std::unique_ptr<Port> open_packet_socket_port(const PacketSocketOptions& options,
                                              std::span<Linearizer* const> linearizers, std::string& error) {
  std::unique_ptr<Socket> socket;
  if (!run_in_netns(options.netns, error, [&] { socket = open_socket(options, error); }) || !socket) return nullptr;
  return std::make_unique<PacketSocketPort>(options.device, std::move(socket), linearizers);
}

}  // namespace xvif
