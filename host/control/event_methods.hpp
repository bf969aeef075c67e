// The methods that put events onto the bus and show those that pass: events.emit, events.subscribe. Emits are those of
// the participant nexus.control, which may forward; streams are subscriptions of nexus.tap, whose mailbox has a thread
// of its own, so that a tap sees events even while every worker is busy.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host/bus/bus.hpp"
#include "host/control/raw_item.hpp"
#include "host/control/surface.hpp"

namespace nexus::host {
namespace control {

// Borrows from the frame.
struct EmitItem {
  std::string_view type;
  std::optional<RawItem> data;
  std::optional<std::span<const uint8_t>> bytes;  // instead of data, for other formats
  std::optional<uint32_t> data_format;            // NEXUS_DATA_*, with bytes
  int32_t priority = 0;
  std::optional<std::string_view> correlation_id, causation_id, key, subject, source, id, trace_id, span_id;
  std::optional<RawItem> metadata;
  std::optional<int64_t> time_unix_ns, expires_unix_ns;
  std::optional<uint32_t> schema_version, trace_flags;
};
NEXUS_STRUCT(EmitItem, type, data, bytes, data_format, priority, correlation_id, causation_id, key, subject, source, id,
             trace_id, span_id, metadata, time_unix_ns, expires_unix_ns, schema_version, trace_flags)

struct EmitParams {
  std::vector<EmitItem> events;
  // How long to wait for room in a full queue, in milliseconds; absent: the config's block_timeout; 0: not at all.
  std::optional<int64_t> timeout_ms;
};
NEXUS_STRUCT(EmitParams, events, timeout_ms)

struct EmitResult {
  std::string id;      // empty when rejected
  std::string status;  // ok, duplicate, rejected, unknown
  std::optional<int32_t> code;
  std::optional<std::string> reason;   // the code's name: "queue_full"
  std::optional<std::string> message;  // a sentence
};
NEXUS_STRUCT(EmitResult, id, status, code, reason, message)

struct EmitAnswer {
  uint64_t accepted = 0;
  std::vector<EmitResult> results;  // one for each event, in order
};
NEXUS_STRUCT(EmitAnswer, accepted, results)

struct SubscribeParams {
  std::string_view pattern = "*";
  uint64_t count = 0;  // the stream ends after so many; 0: never
  bool headers_only = false;
};
NEXUS_STRUCT(SubscribeParams, pattern, count, headers_only)

}  // namespace control

class EventMethods {
 public:
  // Adds the two participants; on the control thread, or before there is one. The bus outlives this.
  explicit EventMethods(Bus& bus);

  // This outlives the surface's calls.
  void add_to(Surface& surface);

  Participant& emitter() { return *emitter_; }

 private:
  Result<control::EmitAnswer> emit(const control::EmitParams& params);
  control::EmitResult emit_one(const control::EmitItem& item, int64_t timeout_ns);
  Result<std::unique_ptr<Stream>> subscribe(const control::SubscribeParams& params, std::shared_ptr<StreamSink> sink);

  Bus& bus_;
  std::shared_ptr<Participant> emitter_;
  std::shared_ptr<Participant> tap_;
};

}  // namespace nexus::host
