// Random changes and frames. The input is a list of calls; what they refer to is made of its bytes, some of it right,
// much of it wrong. The sanitizers judge, and that no packet is lost.
#include <cstdlib>
#include <memory>

#include "pipeline/match_entries.h"
#include "pipeline/test_kit.h"

namespace xvif {
namespace {

using kit::Bytes;

/// Reads numbers off the input; zero behind its end.
class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) : data_(data), size_(size) {}
  bool empty() const { return size_ == 0; }
  std::uint8_t byte() {
    if (size_ == 0) return 0;
    --size_;
    return *data_++;
  }
  std::uint16_t two() { return static_cast<std::uint16_t>(byte() << 8 | byte()); }
  Bytes bytes(std::size_t count) {
    Bytes out(count);
    for (std::uint8_t& one : out) one = byte();
    return out;
  }

 private:
  const std::uint8_t* data_;
  std::size_t size_;
};

std::uint32_t port_of(std::uint8_t pick) {
  constexpr std::array kReserved = {ReservedPort::kInPort,     ReservedPort::kNormal, ReservedPort::kFlood,
                                    ReservedPort::kController, ReservedPort::kTable,  ReservedPort::kAny};
  return pick % 16 < 10 ? pick % 8u : static_cast<std::uint32_t>(kReserved[pick % 6]);
}

Bytes actions_of(Input& in);

Bytes subfield_of(Input& in) {
  Bytes out(8);
  const std::uint8_t field = in.byte() % kFields;
  out[0] = field;
  const std::uint16_t width = kFieldPlaces[field].bits;
  const auto bits = static_cast<std::uint16_t>(1 + in.byte() % width);
  kit::put(out, 2, static_cast<std::uint16_t>(in.byte() % (width - bits + 1)));
  kit::put(out, 4, bits);
  return out;
}

/// One of Nicira's actions with a shape that is mostly right.
Bytes nicira_of(Input& in) {
  const auto code = static_cast<Action>(static_cast<unsigned>(Action::kLoad) + in.byte() % 24);
  Bytes body;
  std::size_t field = 0;
  switch (code) {
    case Action::kLoad: {
      const Bytes to = subfield_of(in);
      Bytes value = in.bytes((load_host<std::uint16_t>(to.data() + 4) + 7u) / 8u);
      value[0] = 0;
      body = kit::join({to, value});
      break;
    }
    case Action::kMove: {
      const Bytes from = subfield_of(in);
      Bytes to = from;
      to[0] = static_cast<std::uint8_t>(kFirstRegister + in.byte() % (kFields - kFirstRegister));
      body = kit::join({from, to});
      break;
    }
    case Action::kResubmit:
      body = Bytes(8);
      body[0] = in.byte() % 2 == 0 ? std::uint8_t{255} : in.byte() % 4;
      break;
    case Action::kConjunction:
      body = Bytes(8);
      body[1] = static_cast<std::uint8_t>(2 + in.byte() % 3);
      body[0] = in.byte() % body[1];
      break;
    case Action::kClone:
      body = actions_of(in);
      break;
    case Action::kMultipath:
      body = kit::join({Bytes(8), subfield_of(in)});
      break;
    case Action::kBundle:
      body = kit::join({Bytes(8), in.byte() % 2 == 0 ? Bytes(8) : subfield_of(in), in.bytes(4)});
      break;
    case Action::kController:
      body = Bytes(8);
      body[0] = in.byte();
      break;
    case Action::kExit:
    case Action::kMeter:
    case Action::kDecNwTtlIds:
    case Action::kNote:
      break;
    case Action::kDecap:
    case Action::kDecNshTtl:
      break;
    case Action::kEncap:
      body = Bytes(8);
      break;
    case Action::kSetMasked: {
      field = in.byte() % kFields;
      const std::size_t width = field_bytes(static_cast<Field>(field));
      body = kit::join({Bytes(width), in.bytes(width)});
      body[width] = 0;
      break;
    }
    default:
      body = subfield_of(in);
      break;
  }
  Bytes out = kit::record(static_cast<std::uint8_t>(code), 8 + body.size());
  std::copy(body.begin(), body.end(), out.begin() + 8);
  if (code == Action::kSetMasked) {
    out[4] = static_cast<std::uint8_t>(field);
    out[5] = static_cast<std::uint8_t>(field_bytes(static_cast<Field>(field)));
  }
  if (code == Action::kEncap) kit::put(out, 4, in.byte() % 2 == 0 ? 0x1894fu : 0u);
  if (code == Action::kDecap) kit::put(out, 4, kPacketTypeNext);
  if (code == Action::kMeter) kit::put(out, 4, in.byte() % 3u);
  if (code == Action::kResubmit) kit::put(out, 4, static_cast<std::uint32_t>(ReservedPort::kInPort));
  if (code == Action::kBundle || code == Action::kConjunction) kit::put(out, 4, std::uint16_t{1});
  return out;
}

Bytes actions_of(Input& in) {
  Bytes out;
  for (unsigned n = in.byte() % 5; n > 0; --n) {
    switch (in.byte() % 10) {
      case 0:
      case 1:
        out = kit::join({out, kit::output(port_of(in.byte()))});
        break;
      case 2:
        out = kit::join({out, kit::group(in.byte() % 6)});
        break;
      case 3:
        out = kit::join({out, kit::set_field(static_cast<Field>(in.byte() % kFields), in.two())});
        break;
      case 4:
        out = kit::join({out, kit::action(Action::kPushVlan, 0x8100)});
        break;
      case 5:
        out = kit::join({out, kit::action(Action::kPushMpls, 0x8847)});
        break;
      case 6:
        out = kit::join({out, kit::action(Action::kDecNwTtl)});
        break;
      case 7:
        out = kit::join({out, kit::action(static_cast<Action>(in.byte() % 36), in.two())});
        break;
      case 8:
        out = kit::join({out, nicira_of(in)});
        break;
      default:
        out = kit::join({out, in.bytes(8)});
        break;
    }
  }
  return out;
}

Bytes instructions_of(Input& in) {
  const std::uint8_t which = in.byte();
  Bytes out;
  if (which & 1) out = kit::join({out, kit::meter(in.byte() % 3)});
  if (which & 2) out = kit::join({out, kit::apply({actions_of(in)})});
  if (which & 4) out = kit::join({out, kit::clear()});
  if (which & 8) out = kit::join({out, kit::write({actions_of(in)})});
  if (which & 16) out = kit::join({out, kit::metadata(in.two(), in.two())});
  if (which & 32) out = kit::join({out, kit::go(in.byte() % 5)});
  if (which & 64) out = kit::join({out, kit::trigger(in.byte() % 4, {{static_cast<Stat>(in.byte() % 6), in.two()}})});
  if (which == 0xff) out = in.bytes(16);
  return out;
}

kit::Match match_of(Input& in) {
  kit::Match match;
  for (unsigned n = in.byte() % 4; n > 0; --n) {
    const auto field = static_cast<Field>(in.byte() % kFields);
    const std::uint8_t kind = in.byte();
    match.with(field, in.two(), kind % 2 == 0 ? ~std::uint64_t{0} : std::uint64_t{kind} << 4);
  }
  // As decoded records are: no bit outside the mask.
  for (std::size_t i = 0; i < kFlowKeyWords; ++i) match.value.words[i] &= match.mask.words[i];
  return match;
}

void change(Input& in, Pipeline& pipeline) {
  switch (in.byte() % 8) {
    case 0: {
      const auto command = static_cast<ModCommand>(in.byte() % 6);
      const std::uint32_t id = in.byte() % 7 == 6 ? kGroupAll : in.byte() % 6;
      std::vector<Bytes> actions;
      std::vector<BucketMod> buckets;
      for (unsigned n = in.byte() % 4; n > 0; --n) actions.push_back(actions_of(in));
      for (const Bytes& list : actions) {
        buckets.push_back({.id = in.byte() % 5u, .weight = static_cast<std::uint16_t>(in.byte() % 3), .actions = list});
        if (in.byte() % 2 == 0) buckets.back().watch_port = port_of(in.byte());
        if (in.byte() % 4 == 0) buckets.back().watch_group = in.byte() % 6;
      }
      const std::array<std::uint32_t, 5> places = {0, 1, kFirstBucket, kLastBucket, kAllBuckets};
      pipeline.group_mod({command, static_cast<std::uint8_t>(in.byte() % 5), id, buckets, places[in.byte() % 5]});
      return;
    }
    case 1:
      pipeline.meter_mod({static_cast<ModCommand>(in.byte() % 4),
                          in.byte() % 4u,
                          in.byte(),
                          {{.type = static_cast<std::uint16_t>(in.byte() % 3), .rate = in.two(), .burst = in.two()}}});
      return;
    case 2:
      pipeline.port_config(PortNo{in.byte() % 8u}, in.byte(), in.byte());
      return;
    case 3:
      pipeline.set_config(static_cast<FragMode>(in.byte() % 2), in.byte() % 4);
      return;
    case 4:
      pipeline.controller_state(in.byte() % 4 != 0);
      return;
    default:
      break;
  }
  const Bytes instructions = instructions_of(in);
  FlowMod mod = kit::add(static_cast<std::uint8_t>(in.byte() % 5), in.byte() % 4, match_of(in), instructions);
  mod.command = static_cast<FlowCommand>(in.byte() % 6);
  if (in.byte() % 16 == 0) mod.table = in.byte();
  mod.flags = in.byte();
  mod.cookie = in.byte();
  mod.cookie_mask = in.byte() % 4 == 0 ? 1 : 0;
  mod.idle_timeout = in.byte() % 4;
  mod.hard_timeout = in.byte() % 4;
  if (in.byte() % 4 == 0) mod.out_port = port_of(in.byte());
  if (in.byte() % 4 == 0) mod.out_group = in.byte() % 6;
  pipeline.flow_mod(mod);
}

class Told final : public FlowRemovedSink {
 public:
  void flow_removed(const FlowView& view, FlowRemovedReason) override {
    std::array<MatchEntry, kMatchFields> entries;
    match_entries(view.value, view.mask, entries);
  }
};

void packet_out(Input& in, kit::Switch& model) {
  const Bytes actions = actions_of(in);
  Packet* const packet = kit::make_packet(model.pool, port_of(in.byte()), in.bytes(14 + in.byte() % 100));
  if (packet != nullptr) model.pipeline.packet_out(1, model.now, packet->in_port, actions, packet);
}

void receive(Input& in, kit::Switch& model) {
  std::vector<Bytes> frames;
  for (unsigned n = 1 + in.byte() % 4; n > 0; --n) {
    Bytes frame = kit::Udp{.ttl = in.byte(), .bytes = 60u + in.byte()}.frame();
    for (unsigned changes = in.byte() % 8; changes > 0; --changes) frame[in.byte() % frame.size()] = in.byte();
    frames.push_back(frame);
  }
  model.receive(1 + in.byte() % 7, frames);
}

void call(Input& in, kit::Switch& model) {
  switch (in.byte() % 8) {
    case 0:
    case 1:
    case 2: {
      const bool atomic = in.byte() % 2 == 0;
      model.pipeline.begin(model.now, atomic);
      for (unsigned n = 1 + in.byte() % 6; n > 0; --n) change(in, model.pipeline);
      if (atomic && in.byte() % 2 == 0) {
        model.pipeline.rollback();
      } else {
        model.pipeline.publish();
      }
      return;
    }
    case 3:
      packet_out(in, model);
      return;
    case 4:
      model.now += std::uint64_t{in.byte()} * 50'000'000;
      model.pipeline.tick(model.now);
      return;
    case 5:
      if (in.byte() % 2 == 0) {
        model.pipeline.detach(PortNo{2});
      } else {
        model.pipeline.attach(PortNo{2}, model.port(2), model.now);
      }
      model.upcalls();
      return;
    default:
      receive(in, model);
  }
}

}  // namespace
}  // namespace xvif

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  xvif::Told told;
  xvif::kit::Switch model;
  model.pipeline.on_flow_removed(&told);
  xvif::Input in(data, size);
  while (!in.empty()) xvif::call(in, model);
  if (model.pool.available() != 1024) std::abort();
  std::size_t rules = 0;
  for (std::size_t id = 0; id < xvif::kTables; ++id) rules += model.pipeline.flows().size(id);
  if (rules != model.flows().size() || rules != model.pipeline.flows().rules()) std::abort();
  return 0;
}
