// An event as a handler sees it: a borrowed, read-only view of the host's nexus_event. A view costs one pointer, lives
// until the handler returns and is copied freely; keep one for longer with nexus::KeptEvent. Nothing of the data is
// read before value(), as<T>() or metadata() is called.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "nexus/abi/bus.h"
#include "nexus/abi/event.h"
#include "nexus/cbor.hpp"
#include "nexus/errors.hpp"
#include "nexus/id.hpp"
#include "nexus/schema.hpp"

namespace nexus {

using TimePoint = std::chrono::time_point<std::chrono::system_clock, std::chrono::nanoseconds>;

class Event {
 public:
  explicit Event(const nexus_event& raw) : raw_(&raw) {}

  std::string_view type() const { return detail::from_abi(raw_->type); }
  Id id() const { return Id(raw_->id); }
  // The id of the plugin that emitted it.
  std::string_view source() const { return detail::from_abi(raw_->source); }
  std::string_view subject() const { return detail::from_abi(raw_->subject); }
  // The ordering and partition key, or empty.
  std::string_view key() const { return detail::from_abi(raw_->key); }
  // Never empty: a root event's is the text of its own id.
  std::string_view correlation_id() const { return detail::from_abi(raw_->correlation_id); }
  // The event whose handler emitted this one; none for a root event.
  Id causation_id() const { return Id(raw_->causation_id); }
  TimePoint time() const { return TimePoint(std::chrono::nanoseconds(raw_->time_unix_ns)); }
  std::optional<TimePoint> expires() const {
    if (raw_->expires_unix_ns == 0) return std::nullopt;
    return TimePoint(std::chrono::nanoseconds(raw_->expires_unix_ns));
  }
  std::int32_t priority() const { return raw_->priority; }
  // The version of the data's schema, 0 where unknown.
  std::uint32_t schema_version() const { return raw_->schema_version; }
  // NEXUS_DATA_CBOR unless the emitter said otherwise.
  std::uint32_t data_format() const { return raw_->data_format; }
  nexus_bytes data() const { return raw_->data; }

  // The data as a typed payload, whatever the type's name is. Throws SchemaError, which names the field.
  template <class T>
  T as() const {
    static_assert(EventType<T>, "Event::as<T>() takes a type that was declared with NEXUS_EVENT");
    T payload{};
    EventTraits<T>::decode(raw_->data, payload);
    return payload;
  }

  // Is it an event of T's own name?
  template <class T>
  bool is() const {
    static_assert(EventType<T>, "Event::is<T>() takes a type that was declared with NEXUS_EVENT");
    return type() == std::string_view(EventTraits<T>::type);
  }

  // The data as a tree, for handlers that do not know the type; null where there is none. Throws SchemaError when it is
  // not CBOR.
  cbor::Value value() const { return raw_->data.size == 0 ? cbor::Value() : cbor::Value::decode(raw_->data); }

  // The text of a metadata entry; nothing if there is no such entry, or if it is not text.
  std::optional<std::string_view> metadata(std::string_view key) const {
    std::optional<std::string_view> found;
    cbor::Reader reader(raw_->metadata);
    cbor::Items items;
    if (reader.peek() != cbor::Kind::map || !reader.enter_map(items)) return found;
    while (reader.next(items)) {
      std::string_view name;
      if (!reader.read_text(name)) return found;
      if (name != key) {
        if (!reader.skip()) return found;
        continue;
      }
      std::string_view text;
      if (reader.peek() == cbor::Kind::text && reader.read_text(text)) found = text;
      return found;
    }
    return found;
  }
  // All of the metadata, as the CBOR map that it is, or empty.
  nexus_bytes metadata() const { return raw_->metadata; }

  const nexus_event& raw() const { return *raw_; }

 private:
  const nexus_event* raw_;
};

// Keeps an event beyond its handler. Move-only; must not outlive the plugin.
class KeptEvent {
 public:
  KeptEvent() = default;
  KeptEvent(const nexus_bus& bus, const nexus_event& event) : bus_(&bus), event_(bus.retain(bus.ctx, &event)) {}
  KeptEvent(KeptEvent&& other) noexcept
      : bus_(std::exchange(other.bus_, nullptr)), event_(std::exchange(other.event_, nullptr)) {}
  KeptEvent& operator=(KeptEvent&& other) noexcept {
    std::swap(bus_, other.bus_);
    std::swap(event_, other.event_);
    return *this;
  }
  ~KeptEvent() {
    if (event_ != nullptr) bus_->release(bus_->ctx, event_);
  }

  explicit operator bool() const { return event_ != nullptr; }
  Event operator*() const { return Event(*event_); }

 private:
  const nexus_bus* bus_ = nullptr;
  const nexus_event* event_ = nullptr;
};

}  // namespace nexus
