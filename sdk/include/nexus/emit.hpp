// What an emit may say beside the payload itself.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include "nexus/abi/bus.h"
#include "nexus/cbor.hpp"
#include "nexus/event.hpp"
#include "nexus/id.hpp"

namespace nexus {

// When an event is too old to be handled: so long after it was emitted, or at a point in time.
class Expiry {
 public:
  constexpr Expiry() = default;
  template <class Rep, class Period>
  constexpr Expiry(std::chrono::duration<Rep, Period> after_emit)
      : ns_(std::chrono::duration_cast<std::chrono::nanoseconds>(after_emit).count()), relative_(true) {}
  template <class Duration>
  constexpr Expiry(std::chrono::time_point<std::chrono::system_clock, Duration> at)
      : ns_(std::chrono::duration_cast<std::chrono::nanoseconds>(at.time_since_epoch()).count()) {}

  constexpr bool relative() const { return relative_; }
  constexpr std::int64_t ns() const { return ns_; }

 private:
  std::int64_t ns_ = 0;
  bool relative_ = false;
};

// emit(OrderCreated{...}, {.priority = 100, .key = order_id}). Texts are borrowed for the call.
struct EmitOptions {
  std::int32_t priority = 0;       // higher first
  std::string_view key{};          // events of one key stay in order; at most 255 bytes
  std::string_view correlation{};  // empty: inherited from the event being handled, else the event's own id
  cbor::Value metadata{};          // a map, {{"environment", "production"}}, or nothing
  Expiry expires{};                // 30s, or a point in time
  std::chrono::nanoseconds delay{0};  // leave that much later
  bool now = false;                   // in a handler: leave at once, even if the handler fails later
  std::string_view subject{};         // what the event is about
  std::optional<std::chrono::nanoseconds> timeout{};  // how long to wait for room, on the plugin's own threads
  Id id{};                    // your own id: the same id twice is accepted once
  Id causation{};             // none: the event being handled
  bool root = false;          // begin a new correlation, even inside a handler
  bool replay = false;        // leave even though the event being handled is replayed
  std::string_view source{};  // pass a foreign event on; needs the grant "forward"
  TimePoint time{};           // with source: when the foreign event happened
};

namespace detail {

// The ABI's form of `options`. `metadata` holds the encoded map and must live as long as the result is used.
inline nexus_emit_options to_abi(const EmitOptions& options, std::uint32_t schema_version, std::uint32_t data_format,
                                 std::int64_t now_unix_ns, cbor::Buffer& metadata) {
  nexus_emit_options raw{};
  raw.size = sizeof raw;
  raw.priority = options.priority;
  raw.schema_version = schema_version;
  raw.data_format = data_format;
  raw.subject = to_abi(options.subject);
  raw.key = to_abi(options.key);
  raw.correlation_id = to_abi(options.correlation);
  if (!options.metadata.is_null()) {
    cbor::Writer writer(metadata);
    options.metadata.write(writer);
    raw.metadata = metadata.abi();
  }
  if (options.expires.ns() != 0) {
    raw.expires_unix_ns = options.expires.relative() ? now_unix_ns + options.expires.ns() : options.expires.ns();
  }
  raw.delay_ns = options.delay.count();
  if (options.timeout) raw.timeout_ns = options.timeout->count() > 0 ? options.timeout->count() : -1;
  if (options.now) raw.flags |= NEXUS_EMIT_NOW;
  if (options.root) raw.flags |= NEXUS_EMIT_ROOT;
  if (options.replay) raw.flags |= NEXUS_EMIT_REPLAY;
  if (options.id) {
    raw.flags |= NEXUS_EMIT_HAS_ID;
    raw.id = options.id.raw();
  }
  if (options.causation) raw.causation_id = options.causation.raw();
  if (!options.source.empty()) {
    raw.flags |= NEXUS_EMIT_FORWARD;
    raw.source = to_abi(options.source);
    raw.time_unix_ns = options.time.time_since_epoch().count();
  }
  return raw;
}

}  // namespace detail
}  // namespace nexus
