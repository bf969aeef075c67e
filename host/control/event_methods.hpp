// The methods that put events onto the bus and show those that pass: events.emit, events.request, events.subscribe,
// events.wait. Emits are those of the participant nexus.control, which may forward; what is awaited comes to nexus.tap,
// whose mailbox has a thread of its own, so that a tap sees events even while every worker is busy.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host/bus/bus.hpp"
#include "host/control/emit_item.hpp"
#include "host/control/surface.hpp"

namespace nexus::host {
namespace control {

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

struct RequestParams {
  EmitItem event;
  std::string_view reply;     // a pattern of the reply's type; empty: any
  int64_t timeout_ms = 5000;  // from 1 to 3600000
};
NEXUS_STRUCT(RequestParams, event, reply, timeout_ms)

struct WaitParams {
  std::string_view pattern;
  uint64_t count = 1;
  int64_t timeout_ms = 0;  // for all of them; 0: for ever
};
NEXUS_STRUCT(WaitParams, pattern, count, timeout_ms)

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
  Result<std::unique_ptr<Stream>> request(const control::RequestParams& params, std::shared_ptr<StreamSink> sink);
  Result<std::unique_ptr<Stream>> wait(const control::WaitParams& params, std::shared_ptr<StreamSink> sink);

  Bus& bus_;
  std::shared_ptr<Participant> emitter_;
  std::shared_ptr<Participant> tap_;
};

}  // namespace nexus::host
