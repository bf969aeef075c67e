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
  std::int32_t priority = 0;          // higher first
  std::string_view key{};             // events of one key stay in order; at most 255 bytes
  std::string_view correlation{};     // empty: inherited from the event being handled, else the event's own id
  cbor::Value metadata{};             // a map, {{"environment", "production"}}, or nothing
  Expiry expires{};                   // 30s, or a point in time
  std::chrono::nanoseconds delay{0};  // leave that much later
  bool now = false;                   // in a handler: leave at once, even if the handler fails later
  std::string_view subject{};         // what the event is about
  std::optional<std::chrono::nanoseconds> timeout{};  // how long to wait for room, on the plugin's own threads
  Id id{};                                            // your own id: the same id twice is accepted once
  Id causation{};                                     // none: the event being handled
  bool root = false;                                  // begin a new correlation, even inside a handler
  bool replay = false;                                // leave even though the event being handled is replayed
  std::string_view source{};                          // pass a foreign event on; needs the grant "forward"
  TimePoint time{};                                   // with source: when the foreign event happened
};

namespace detail {

inline std::uint32_t emit_flags(const EmitOptions& options) {
  return (options.now ? NEXUS_EMIT_NOW : 0U) | (options.replay ? NEXUS_EMIT_REPLAY : 0U) |
         (options.id ? NEXUS_EMIT_HAS_ID : 0U) | (options.source.empty() ? 0U : NEXUS_EMIT_FORWARD) |
         (options.root ? NEXUS_EMIT_ROOT : 0U);
}

// The ABI's form of `options`. `metadata` holds the encoded map and must live as long as the result is used. Every
// member is named, since zeroing the struct first would be the dearest step of an emit.
inline nexus_emit_options to_abi(const EmitOptions& options, std::uint32_t schema_version, std::uint32_t data_format,
                                 std::int64_t now_unix_ns, cbor::Buffer& metadata) {
  if (!options.metadata.is_null()) {
    cbor::Writer writer(metadata);
    options.metadata.write(writer);
  }
  const bool expires = options.expires.ns() != 0;
  const std::int64_t expires_from = options.expires.relative() ? now_unix_ns : 0;
  const std::int64_t timeout = !options.timeout ? 0 : options.timeout->count() > 0 ? options.timeout->count() : -1;
  return {
      .size = sizeof(nexus_emit_options),
      .flags = emit_flags(options),
      .priority = options.priority,
      .schema_version = schema_version,
      .data_format = data_format,
      .reserved = 0,
      .subject = to_abi(options.subject),
      .key = to_abi(options.key),
      .correlation_id = to_abi(options.correlation),
      .metadata = metadata.abi(),
      .expires_unix_ns = expires ? expires_from + options.expires.ns() : 0,
      .delay_ns = options.delay.count(),
      .timeout_ns = timeout,
      .id = options.id.raw(),
      .causation_id = options.causation.raw(),
      .source = to_abi(options.source),
      .time_unix_ns = options.time.time_since_epoch().count(),
      .trace_id = {},
      .parent_span_id = {},
      .trace_flags = 0,
      .reserved2 = 0,
  };
}

}  // namespace detail
}  // namespace nexus
