// A packet: a private copy of its first bytes (always all headers that we parse), plus payload segments that may
// still lie in pages the sender granted. Payload is touched only where an action or a port needs its bytes.
//
// Thread: a packet belongs to one data plane thread from PacketPool::take() to Packet::release(); so the reference
// count of a payload needs no atomics.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/assert.h"
#include "base/ids.h"
#include "base/limits.h"

namespace xvif {

/// A piece of payload: local memory, or `length` bytes at `offset` in a page that `domid` granted as `ref`, or both:
/// with `memory` and a `ref` other than 0 the page is mapped there, and the sender may change it at any moment.
struct Segment {
  const std::uint8_t* memory;  // nullptr: granted, not mapped
  GrantRef ref;
  DomId domid;
  std::uint16_t offset;
  std::uint32_t length;
};

/// Gets payloads back when the last packet that shares one is gone.
class PayloadOwner {
 public:
  virtual void payload_done(struct Payload& payload) = 0;

 protected:
  ~PayloadOwner() = default;
};

/// Payload of a packet and its clones. Made by a port, given back to it through `owner`.
struct Payload {
  PayloadOwner* owner;
  std::uint32_t refs;
  std::uint32_t cookie;  // the owner's
  std::uint32_t count;   // of segments
  std::uint32_t bytes;   // sum of their lengths
  std::array<Segment, kSegmentsMax> segments;
};

enum class Gso : std::uint8_t { kNone = 0, kTcpv4 = 1, kTcpv6 = 2 };  // netif.h XEN_NETIF_GSO_TYPE_*

class PacketPool;

struct Packet {
  PacketPool* pool;
  Payload* payload;      // may be nullptr
  std::uint8_t* data;    // first byte of the frame, in the linear buffer
  std::uint32_t linear;  // bytes at data
  std::uint32_t size;    // whole frame: linear + payload->bytes
  // What the sender left to us. csum_blank: the checksum at csum_start + csum_offset holds the pseudo-header sum
  // only; both offsets count from `data` and must be moved when headers are pushed or popped before them.
  bool csum_blank;
  Gso gso;
  std::uint16_t gso_size;  // MSS
  std::uint16_t csum_start;
  std::uint16_t csum_offset;
  /// It has no Ethernet header: what stands there are addresses of 0 and the ethertype that is its packet type.
  bool bare;
  // Offsets of headers from data, 0 when absent; set by parse().
  std::uint16_t mpls;  // first label stack entry
  std::uint16_t l3;    // IPv4, IPv6 or ARP header
  std::uint16_t l4;    // TCP, UDP, SCTP, ICMP
  PortNo in_port;

  /// First byte of the linear buffer; kHeadroom bytes lie before a fresh packet's data.
  std::uint8_t* buffer() { return reinterpret_cast<std::uint8_t*>(this) + kBufferAt; }
  /// Bytes at `data` that are not the packet's own: the Ethernet header that it does not have.
  std::uint32_t before() const { return bare ? kNoEthernetBytes : 0; }
  std::uint32_t headroom() { return static_cast<std::uint32_t>(data - buffer()); }

  /// A second packet with the same bytes: headers copied, payload shared. nullptr when the pool is empty.
  Packet* clone();
  /// Gives the packet back to its pool and drops its share of the payload.
  void release();
  /// Copies `out.size()` bytes from `from` (an offset in the frame, linear part included); granted segments cannot
  /// be read this way: see Linearizer. False when a segment is granted or the frame ends before.
  bool read(std::uint32_t from, std::span<std::uint8_t> out) const;

  static constexpr std::uint32_t kNoEthernetBytes = 14;
  static constexpr std::size_t kBufferAt = 128;
  static constexpr std::size_t kBytes = kBufferAt + kHeadroom + kLinearMax;
};
static_assert(sizeof(Packet) <= Packet::kBufferAt);

/// Fixed number of packets of one thread. No allocation after construction.
class PacketPool {
 public:
  explicit PacketPool(std::size_t packets = kPacketsPerThread);
  PacketPool(const PacketPool&) = delete;
  PacketPool& operator=(const PacketPool&) = delete;

  /// An empty packet with kHeadroom bytes before data and everything else zero; nullptr when all are in use.
  Packet* take();
  void put(Packet* packet);
  std::size_t available() const { return free_.size(); }

 private:
  struct Free {
    void operator()(std::uint8_t* memory) const;
  };
  std::unique_ptr<std::uint8_t[], Free> memory_;
  std::vector<Packet*> free_;
};

/// Brings granted payload into local memory, for actions and ports that need its bytes (packet-in, TAP, checksum
/// fill, segmentation). Implemented by netback for grants; one per thread.
class Linearizer {
 public:
  /// Copies the whole frame into `out` (out.size() >= packet.size). False when a grant copy failed.
  virtual bool copy_out(const Packet& packet, std::span<std::uint8_t> out) = 0;

 protected:
  ~Linearizer() = default;
};

}  // namespace xvif
