#include "port/local_payload.h"

namespace xvif {

LocalPayloads::Handle LocalPayloads::make(std::size_t count, std::size_t bytes, std::shared_ptr<const void> keep) {
  return Handle(new LocalPayloads(count, bytes, std::move(keep)));
}

LocalPayloads::LocalPayloads(std::size_t count, std::size_t bytes, std::shared_ptr<const void> keep)
    : bytes_(bytes),
      keep_(std::move(keep)),
      memory_(new std::uint8_t[count * bytes]),  // not touched before it is used
      payloads_(count) {
  free_.reserve(count);
  for (std::size_t i = count; i-- > 0;) {
    payloads_[i].owner = this;
    payloads_[i].cookie = static_cast<std::uint32_t>(i);
    free_.push_back(&payloads_[i]);
  }
}

Payload* LocalPayloads::take() {
  if (free_.empty()) return nullptr;
  Payload* payload = free_.back();
  free_.pop_back();
  payload->refs = 1;
  payload->count = 0;
  payload->bytes = 0;
  holders_.fetch_add(1, std::memory_order_relaxed);
  return payload;
}

void LocalPayloads::payload_done(Payload& payload) {
  free_.push_back(&payload);
  unref();
}

void LocalPayloads::fill(Payload& payload, const std::uint8_t* memory, std::uint32_t bytes) {
  payload.segments[0] = {.memory = memory, .ref = GrantRef{}, .domid = DomId{}, .offset = 0, .length = bytes};
  payload.count = 1;
  payload.bytes = bytes;
}

void LocalPayloads::unref() {
  // Acquire: what other threads did to the payloads happens before they are freed.
  if (holders_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
}

}  // namespace xvif
