#include "actions/learn.h"

#include <cstring>

#include "actions/subfield.h"

namespace xvif {
namespace {

constexpr unsigned kPortBits16 = 16;
constexpr unsigned kPortBits = 32;
constexpr std::size_t kInstructionHead = 8;

WideNumber value_of(const FlowKey& packet, const LearnSpecView& spec) {
  WideNumber value{};
  if (spec.immediate()) {
    const std::size_t width = (spec.destination().bits + 7u) / 8u;
    std::memcpy(value.data() + value.size() - width, spec.value(), width);
  } else {
    read_subfield(packet, spec.source(), value);
  }
  return value;
}

/// All of in_port where a port number of 16 bits is put there: the reserved ones have other numbers in 32.
Subfield widened(Subfield to, WideNumber& value) {
  if (to.field != Field::kInPort || to.offset != 0 || to.bits != kPortBits16) return to;
  const PortNo port = port_of(value);
  store_be32(value.data() + 12, raw(port));
  return {to.field, 0, kPortBits};
}

bool is_output(PortNo port) {
  switch (static_cast<ReservedPort>(raw(port))) {
    case ReservedPort::kInPort:
    case ReservedPort::kFlood:
    case ReservedPort::kAll:
    case ReservedPort::kLocal:
      return true;
    default:
      return raw(port) > 0 && raw(port) < kPortsMax;
  }
}

/// Appends a zero action with its code and length.
std::uint8_t* append(std::vector<std::uint8_t>& out, Action code, std::size_t length) {
  const std::size_t at = out.size();
  out.resize(at + length, 0);
  out[at] = static_cast<std::uint8_t>(code);
  const auto size = static_cast<std::uint16_t>(length);
  std::memcpy(out.data() + at + 2, &size, sizeof size);
  return out.data() + at;
}

void put_load(std::vector<std::uint8_t>& out, const Subfield& to, const WideNumber& value) {
  const std::size_t width = (to.bits + 7u) / 8u;
  std::uint8_t* const at = append(out, Action::kLoad, 16 + (width + 7) / 8 * 8);
  at[8] = static_cast<std::uint8_t>(to.field);
  std::memcpy(at + 10, &to.offset, sizeof to.offset);
  std::memcpy(at + 12, &to.bits, sizeof to.bits);
  std::memcpy(at + 16, value.data() + value.size() - width, width);
}

void put_output(std::vector<std::uint8_t>& out, const WideNumber& value) {
  const PortNo port = port_of(value);
  const bool narrow = load_be64(value.data()) == 0 && load_be32(value.data() + 8) == 0;
  if (narrow && is_output(port)) std::memcpy(append(out, Action::kOutput, 16) + 4, &port, sizeof port);
}

void put_fin_timeout(std::vector<std::uint8_t>& out, std::uint16_t idle, std::uint16_t hard) {
  std::uint8_t* const at = append(out, Action::kFinTimeout, 8);
  std::memcpy(at + 4, &idle, sizeof idle);
  std::memcpy(at + 6, &hard, sizeof hard);
}

constexpr WideNumber kOnes = [] {
  WideNumber ones{};
  ones.fill(0xff);
  return ones;
}();

}  // namespace

void learn_from(const FlowKey& packet, const ActionView& action, LearnedFlow& flow) {
  flow.value = FlowKey{};
  flow.mask = FlowKey{};
  std::vector<std::uint8_t>& out = flow.instructions;
  out.assign(kInstructionHead, 0);
  if (action.fin_idle_timeout() != 0 || action.fin_hard_timeout() != 0) {
    put_fin_timeout(out, action.fin_idle_timeout(), action.fin_hard_timeout());
  }
  for (const LearnSpecView spec : LearnSpecs(action.learn_specs())) {
    WideNumber value = value_of(packet, spec);
    if (spec.use() == LearnUse::kOutput) {
      put_output(out, value);
      continue;
    }
    const Subfield to = widened(spec.destination(), value);
    if (spec.use() == LearnUse::kLoad) {
      put_load(out, to, value);
    } else {
      put_bits(flow.value, to, value);
      put_bits(flow.mask, to, kOnes);
    }
  }
  if (out.size() == kInstructionHead) return out.clear();
  out[0] = static_cast<std::uint8_t>(Instruction::kApplyActions);
  const auto length = static_cast<std::uint16_t>(out.size());
  std::memcpy(out.data() + 2, &length, sizeof length);
}

}  // namespace xvif
