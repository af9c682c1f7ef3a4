#include "actions/validate_nicira.h"

#include <algorithm>

#include "actions/iterate.h"
#include "base/limits.h"
#include "packet/flow_key.h"
#include "packet/headers.h"
#include "packet/nsh.h"

namespace xvif {

namespace {

constexpr std::size_t round_up(std::size_t bytes) { return (bytes + kActionUnit - 1) / kActionUnit * kActionUnit; }

/// What load, move and pop may write: what set_field may, the registers with their views, and the ingress port, so that
/// a packet may leave where it came in.
bool is_writable(std::size_t field) {
  return kFieldPlaces[field].settable || field >= kFirstRegister || field == static_cast<std::size_t>(Field::kInPort);
}

enum class Access { kRead, kWrite };

/// `record` has room for a subfield at `at`.
Status check_subfield(std::span<const std::uint8_t> record, std::size_t at, Access access) {
  if (record.size() < at + 8) return Status::kMalformed;
  if (record[at + 1] != 0 || !all_zero(record.subspan(at + 6, 2))) return Status::kMalformed;
  const std::size_t field = record[at];
  const std::size_t offset = load_host<std::uint16_t>(record.data() + at + 2);
  const std::size_t bits = load_host<std::uint16_t>(record.data() + at + 4);
  if (field >= kFields || bits == 0 || offset + bits > kFieldPlaces[field].bits) return Status::kBadField;
  return access == Access::kRead || is_writable(field) ? Status::kOk : Status::kBadField;
}

Status validate_load(std::span<const std::uint8_t> record) {
  if (Status s = check_subfield(record, 8, Access::kWrite); s != Status::kOk) return s;
  const std::size_t bits = ActionView(record.data()).subfield().bits;
  const std::size_t width = (bits + 7) / 8;
  if (!all_zero(record.subspan(4, 4))) return Status::kMalformed;
  if (Status s = action_shape(record, 16 + round_up(width), 16 + width); s != Status::kOk) return s;
  return bits % 8 != 0 && record[16] >> (bits % 8) != 0 ? Status::kBadAction : Status::kOk;
}

/// set_field of some bits.
Status validate_set_masked(std::span<const std::uint8_t> record) {
  const std::size_t field = record[4];
  const std::size_t width = record[5];
  if (field >= kFields || width != field_bytes(Field{record[4]}) || !is_writable(field)) return Status::kBadField;
  if (!all_zero(record.subspan(6, 2))) return Status::kMalformed;
  const std::size_t used = 8 + 2 * width;
  if (Status s = action_shape(record, round_up(used), std::min(used, record.size())); s != Status::kOk) return s;
  const ActionView action(record.data());
  const unsigned top_bits = kFieldPlaces[field].bits % 8;
  if (top_bits != 0 && action.mask()[0] >> top_bits != 0) return Status::kBadAction;
  for (std::size_t i = 0; i < width; ++i) {
    if ((action.value()[i] & ~action.mask()[i]) != 0) return Status::kBadAction;
  }
  return Status::kOk;
}

Status validate_move(std::span<const std::uint8_t> record) {
  if (Status s = check_subfield(record, 8, Access::kRead); s != Status::kOk) return s;
  if (Status s = check_subfield(record, 16, Access::kWrite); s != Status::kOk) return s;
  const ActionView action(record.data());
  if (action.subfield().bits != action.destination().bits) return Status::kBadAction;
  return all_zero(record.subspan(4, 4)) ? action_shape(record, 24, 24) : Status::kMalformed;
}

Status validate_stack(std::span<const std::uint8_t> record, Access access) {
  if (Status s = check_subfield(record, 8, access); s != Status::kOk) return s;
  return all_zero(record.subspan(4, 4)) ? action_shape(record, 16, 16) : Status::kMalformed;
}

Status validate_output_reg(std::span<const std::uint8_t> record) {
  if (Status s = check_subfield(record, 8, Access::kRead); s != Status::kOk) return s;
  return all_zero(record.subspan(6, 2)) ? action_shape(record, 16, 16) : Status::kMalformed;
}

Status validate_resubmit(std::span<const std::uint8_t> record) {
  if (record.size() != 16) return Status::kMalformed;
  const std::uint8_t table = ActionView(record.data()).resubmit_table();
  if (table >= kTables && table != kAllTables) return Status::kBadAction;
  return action_shape(record, 16, 9);
}

Status validate_clone(std::span<const std::uint8_t> record, unsigned nesting) {
  if (!all_zero(record.subspan(4, 4))) return Status::kMalformed;
  if (nesting >= kCloneNestingMax) return Status::kBadAction;
  return validate_nested(ActionView(record.data()).nested(), nesting + 1);
}

Status validate_controller(std::span<const std::uint8_t> record) {
  if (record.size() < 16 || record[9] > 1) return Status::kMalformed;
  const std::size_t length = load_host<std::uint16_t>(record.data() + 10);
  return action_shape(record, 16 + round_up(length), std::min(16 + length, record.size()));
}

/// `count` numbers of `width` bytes behind a head.
Status validate_list(std::span<const std::uint8_t> record, std::size_t head, std::size_t count, std::size_t width) {
  const std::size_t used = head + count * width;
  return action_shape(record, round_up(used), std::min(used, record.size()));
}

Status validate_dec_ttl(std::span<const std::uint8_t> record) {
  if (!all_zero(record.subspan(6, 2))) return Status::kMalformed;
  return validate_list(record, 8, ActionView(record.data()).count(), 2);
}

Status validate_note(std::span<const std::uint8_t> record) {
  if (!all_zero(record.subspan(6, 2))) return Status::kMalformed;
  return validate_list(record, 8, ActionView(record.data()).count(), 1);
}

Status validate_check_pkt_larger(std::span<const std::uint8_t> record) {
  if (Status s = check_subfield(record, 8, Access::kWrite); s != Status::kOk) return s;
  if (ActionView(record.data()).subfield().bits != 1) return Status::kBadAction;
  return all_zero(record.subspan(6, 2)) ? action_shape(record, 16, 16) : Status::kMalformed;
}

/// NX_HASH_FIELDS, NX_MP_ALG and NX_BD_ALG end before these (ovs-actions(7)).
constexpr std::uint16_t kHashFieldsEnd = 7;
constexpr std::uint16_t kMultipathAlgorithmsEnd = 4;
constexpr std::uint16_t kBundleAlgorithmsEnd = 2;

Status validate_multipath(std::span<const std::uint8_t> record) {
  if (Status s = check_subfield(record, 16, Access::kWrite); s != Status::kOk) return s;
  const ActionView action(record.data());
  const bool known = action.algorithm() < kMultipathAlgorithmsEnd && action.hash_fields() < kHashFieldsEnd;
  const unsigned bits = action.destination().bits;
  const bool fits = bits >= 17 || action.links() <= 1u << bits;
  return known && fits ? action_shape(record, 24, 24) : Status::kBadAction;
}

Status validate_bundle(std::span<const std::uint8_t> record) {
  if (record.size() < 24 || !all_zero(record.subspan(12, 4))) return Status::kMalformed;
  const ActionView action(record.data());
  if (action.destination().bits != 0) {
    if (Status s = check_subfield(record, 16, Access::kWrite); s != Status::kOk) return s;
  } else if (!all_zero(record.subspan(16, 8))) {
    return Status::kMalformed;
  }
  if (action.algorithm() >= kBundleAlgorithmsEnd || action.hash_fields() >= kHashFieldsEnd) return Status::kBadAction;
  if (action.count() > kBundleMembersMax) return Status::kBadAction;
  return validate_list(record, 24, action.count(), 4);
}

Status validate_conjunction(std::span<const std::uint8_t> record) {
  if (Status s = action_shape(record, 16, 10); s != Status::kOk) return s;
  const ActionView action(record.data());
  const bool right = action.clauses() >= 2 && action.clauses() <= kClausesMax && action.clause() < action.clauses();
  return right ? Status::kOk : Status::kBadAction;
}

Status validate_output_trunc(std::span<const std::uint8_t> record) {
  if (Status s = action_shape(record, 16, 12); s != Status::kOk) return s;
  const ActionView action(record.data());
  const std::uint32_t port = raw(action.port());
  const bool one = (port > 0 && port < kPortsMax) || port == static_cast<std::uint32_t>(ReservedPort::kInPort) ||
                   port == static_cast<std::uint32_t>(ReservedPort::kLocal);
  return one && action.truncated_bytes() >= kTruncatedMin ? Status::kOk : Status::kBadAction;
}

/// Context headers of MD type 2, one behind the other (RFC 8300 section 2.5.1).
bool are_contexts(std::span<const std::uint8_t> bytes) {
  constexpr std::size_t kHead = 4;  // class, type, length of the value
  while (!bytes.empty()) {
    if (bytes.size() < kHead || bytes[3] > kNshContextValueMax) return false;
    const std::size_t padded = kHead + (bytes[3] + 3u) / 4u * 4u;
    if (padded > bytes.size() || !all_zero(bytes.subspan(kHead + bytes[3], padded - kHead - bytes[3]))) return false;
    bytes = bytes.subspan(padded);
  }
  return true;
}

Status validate_encap(std::span<const std::uint8_t> record) {
  if (record.size() < 16 || record[9] != 0 || !all_zero(record.subspan(12, 4))) return Status::kMalformed;
  const ActionView action(record.data());
  const std::size_t bytes = load_host<std::uint16_t>(record.data() + 10);
  if (Status s = validate_list(record, 16, bytes, 1); s != Status::kOk) return s;
  const std::uint32_t type = action.packet_type();
  const bool service = type == packet_type::of(ethertype::kNsh);
  const bool mpls = type == packet_type::of(ethertype::kMpls) || type == packet_type::of(ethertype::kMplsMulticast);
  if (!service && !mpls && type != packet_type::kEthernet) return Status::kBadAction;
  if (!service && (action.md_type() != 0 || bytes != 0)) return Status::kBadAction;
  const bool right = action.md_type() <= nsh::kMdType2 && bytes <= kNshContextMax && are_contexts(action.context());
  return right ? Status::kOk : Status::kBadAction;
}

/// How NXAST_SAMPLE3 says where the sample is taken: as it comes, coming in or going out.
constexpr std::uint8_t kSampleDirectionsEnd = 3;

Status validate_sample(std::span<const std::uint8_t> record) {
  if (Status s = action_shape(record, 24, 22); s != Status::kOk) return s;
  const ActionView action(record.data());
  return action.probability() != 0 && record[20] < kSampleDirectionsEnd ? Status::kOk : Status::kBadAction;
}

Status validate_learn_spec(std::span<const std::uint8_t> record) {
  if (record.size() < 24 || record[0] > static_cast<std::uint8_t>(LearnUse::kOutput) || record[1] > 1) {
    return Status::kMalformed;
  }
  if (!all_zero(record.subspan(2, 6))) return Status::kMalformed;
  const LearnSpecView spec(record.data());
  if (spec.use() == LearnUse::kOutput) {
    if (spec.immediate() || !all_zero(record.subspan(8, 8))) return Status::kMalformed;
    return check_subfield(record, 16, Access::kRead);
  }
  const Access access = spec.use() == LearnUse::kLoad ? Access::kWrite : Access::kRead;
  if (Status s = check_subfield(record, 8, access); s != Status::kOk) return s;
  const std::size_t bits = spec.destination().bits;
  if (!spec.immediate()) {
    if (Status s = check_subfield(record, 16, Access::kRead); s != Status::kOk) return s;
    return spec.source().bits == bits ? Status::kOk : Status::kBadAction;
  }
  const std::size_t width = (bits + 7) / 8;
  if (record.size() < spec.length()) return Status::kMalformed;
  if (!all_zero(record.subspan(16 + width, spec.length() - 16 - width))) return Status::kMalformed;
  return bits % 8 != 0 && record[16] >> (bits % 8) != 0 ? Status::kBadAction : Status::kOk;
}

Status validate_learn(std::span<const std::uint8_t> record) {
  constexpr std::size_t kHead = 40;
  constexpr unsigned kFlags = 7;
  if (record.size() < kHead || !all_zero(record.subspan(29, 3))) return Status::kMalformed;
  const ActionView action(record.data());
  if (action.learn_table() >= kTables || load_host<std::uint16_t>(record.data() + 18) > kFlags) {
    return Status::kBadAction;
  }
  if (!action.learn_has(LearnFlag::kWriteResult)) {
    if (!all_zero(record.subspan(32, 8))) return Status::kMalformed;
  } else {
    if (Status s = check_subfield(record, 32, Access::kWrite); s != Status::kOk) return s;
    if (action.learn_result().bits != 1) return Status::kBadAction;
  }
  std::size_t count = 0;
  for (auto rest = record.subspan(kHead); !rest.empty(); ++count) {
    if (count == kLearnSpecsMax) return Status::kBadAction;
    if (Status s = validate_learn_spec(rest); s != Status::kOk) return s;
    rest = rest.subspan(LearnSpecView(rest.data()).length());
  }
  return Status::kOk;
}

}  // namespace

bool is_conjunctive(std::span<const std::uint8_t> actions) {
  for (const ActionView action : Actions(actions)) {
    if (action.code() == Action::kConjunction) return true;
  }
  return false;
}

Status validate_nicira(std::span<const std::uint8_t> record, unsigned nesting) {
  switch (static_cast<Action>(record[0])) {
    case Action::kLoad:
      return validate_load(record);
    case Action::kMove:
      return validate_move(record);
    case Action::kOutputReg:
      return validate_output_reg(record);
    case Action::kResubmit:
      return validate_resubmit(record);
    case Action::kStackPush:
      return validate_stack(record, Access::kRead);
    case Action::kStackPop:
      return validate_stack(record, Access::kWrite);
    case Action::kClone:
      return validate_clone(record, nesting);
    case Action::kExit:
      return action_shape(record, 8, 4);
    case Action::kController:
      return validate_controller(record);
    case Action::kDecNwTtlIds:
      return validate_dec_ttl(record);
    case Action::kNote:
      return validate_note(record);
    case Action::kCheckPktLarger:
      return validate_check_pkt_larger(record);
    case Action::kMultipath:
      return validate_multipath(record);
    case Action::kBundle:
      return validate_bundle(record);
    case Action::kSetMasked:
      return validate_set_masked(record);
    case Action::kConjunction:
      return nesting == 0 ? validate_conjunction(record) : Status::kBadAction;
    case Action::kOutputTrunc:
      return validate_output_trunc(record);
    case Action::kFinTimeout:
    case Action::kDecap:
      return action_shape(record, 8, 8);
    case Action::kDecNshTtl:
      return action_shape(record, 8, 4);
    case Action::kEncap:
      return validate_encap(record);
    case Action::kSample:
      return validate_sample(record);
    case Action::kLearn:
      return validate_learn(record);
    default:
      return Status::kBadAction;
  }
}

}  // namespace xvif
