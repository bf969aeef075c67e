// The engine's way of an event from an emit to the ready queue. Included by engine.hpp.
#pragma once

#include "nexus/testing/engine.hpp"

namespace nexus::testing::detail {

inline Id Engine::next_id() {
  // A UUIDv7 made of the virtual time and a count, so that a test's ids are the same in every run.
  nexus_uuid raw{};
  const auto ms = static_cast<std::uint64_t>(now_ns_ / 1'000'000);
  for (int i = 0; i < 6; ++i) raw.bytes[i] = static_cast<std::uint8_t>(ms >> (40 - 8 * i));
  const std::uint64_t count = ++last_id_;
  raw.bytes[6] = 0x70;
  raw.bytes[8] = 0x80;
  for (int i = 0; i < 7; ++i) raw.bytes[9 + i] = static_cast<std::uint8_t>(count >> (48 - 8 * i));
  return Id(raw);
}

inline std::int32_t Engine::intern(Member& member, std::string_view type, std::uint64_t& handle, nexus_error* error) {
  const std::lock_guard lock(mutex_);
  if (member.revoked) return write_error(error, NEXUS_E_HANDLE, "this instance is gone");
  if (const char* problem = type_name_problem(type)) {
    return write_error(error, NEXUS_E_TYPE_NAME, std::string(type) + " is no event type: " + problem);
  }
  if (type.starts_with("system.") || type.starts_with("plugin.")) {
    return write_error(error, NEXUS_E_RESERVED, std::string(type) + ": system.* and plugin.* are the host's alone");
  }
  const auto found = std::find(types_.begin(), types_.end(), type);
  handle = static_cast<std::uint64_t>(found - types_.begin()) + 1;
  if (found == types_.end()) types_.emplace_back(type);
  return NEXUS_OK;
}

inline std::shared_ptr<StoredEvent> Engine::build(Member* member, std::string_view type,
                                                  const nexus_emit_options& options, nexus_bytes data,
                                                  std::int32_t& code, nexus_error* error) {
  const auto refuse = [&](std::int32_t why, std::string_view sentence) {
    code = write_error(error, why, sentence);
    return nullptr;
  };
  if (options.key.size > 255) return refuse(NEXUS_E_TOO_LARGE, "a key has at most 255 bytes");
  if (options.data_format == NEXUS_DATA_CBOR && data.size != 0) {
    cbor::Error fault;
    if (!cbor::check(cbor::view(data), fault)) return refuse(NEXUS_E_CBOR, fault.message());
  }
  if (options.metadata.size != 0 &&
      (!cbor::check(cbor::view(options.metadata)) || cbor::Reader(options.metadata).peek() != cbor::Kind::map)) {
    return refuse(NEXUS_E_CBOR, "metadata must be one CBOR map");
  }
  const StoredEvent* cause = inside(member) && (options.flags & NEXUS_EMIT_ROOT) == 0 ? current_event_.get() : nullptr;

  auto event = std::make_shared<StoredEvent>();
  event->type = type;
  event->source = member != nullptr ? member->id : "test";
  event->subject = from_abi(options.subject);
  event->key = from_abi(options.key);
  if (data.size != 0) event->data.assign(data.data, data.data + data.size);
  if (options.metadata.size != 0)
    event->metadata.assign(options.metadata.data, options.metadata.data + options.metadata.size);
  const Id id = (options.flags & NEXUS_EMIT_HAS_ID) != 0 ? Id(options.id) : next_id();
  event->raw.id = id.raw();
  event->correlation_id = from_abi(options.correlation_id);
  if (event->correlation_id.empty()) event->correlation_id = cause != nullptr ? cause->correlation_id : id.str();
  if (Id(options.causation_id)) {
    event->raw.causation_id = options.causation_id;
  } else if (cause != nullptr) {
    event->raw.causation_id = cause->raw.id;
  }
  event->hops = cause != nullptr ? cause->hops + 1 : 0;
  if (event->hops > options_.hops_max) {
    return refuse(NEXUS_E_LOOP, "a chain of more than " + std::to_string(options_.hops_max) + " events");
  }
  event->raw.time_unix_ns = now_ns_;
  if ((options.flags & NEXUS_EMIT_FORWARD) != 0) {
    event->source = from_abi(options.source);
    if (options.time_unix_ns != 0) event->raw.time_unix_ns = options.time_unix_ns;
  }
  event->raw.expires_unix_ns = options.expires_unix_ns;
  event->raw.priority = options.priority;
  event->raw.schema_version = options.schema_version;
  event->raw.data_format = options.data_format;
  event->seal();
  return event;
}

// NEXUS_OK for an id that is new.
inline std::int32_t Engine::check_id(const StoredEvent& event, nexus_error* error) {
  const std::string id = event.event().id().str();
  const auto found = seen_ids_.find(id);
  if (found == seen_ids_.end() || found->second.until_ns <= now_ns_) return NEXUS_OK;
  const StoredEvent& known = *found->second.event;
  if (known.type == event.type && known.key == event.key && known.subject == event.subject && known.data == event.data)
    return NEXUS_OK_DUPLICATE;
  return write_error(error, NEXUS_E_CONFLICT, "the id was used before with other content");
}

inline std::int32_t Engine::accept(Member* member, std::shared_ptr<StoredEvent> event,
                                   const nexus_emit_options& options, nexus_error* error) {
  if (options.expires_unix_ns != 0 && options.expires_unix_ns <= now_ns_) {
    return write_error(error, NEXUS_E_EXPIRED, "the event has expired already");
  }
  const HeldEmit held{std::move(event), std::max<std::int64_t>(options.delay_ns, 0)};
  if ((options.flags & NEXUS_EMIT_HAS_ID) != 0) {
    if (const std::int32_t code = check_id(*held.event, error); code != NEXUS_OK) return code;
    const std::int64_t until_ns = now_ns_ + options_.dedup_window.count();
    seen_ids_.insert_or_assign(held.event->event().id().str(), SeenId{held.event, until_ns});
  }
  if (inside(member) && current_delivery_ != nullptr && (options.flags & NEXUS_EMIT_NOW) == 0) {
    current_delivery_->collected.push_back(held);
  } else {
    send(held);
  }
  return NEXUS_OK;
}

// Now, or when its delay is over, which begins here.
inline void Engine::send(const HeldEmit& held) {
  if (held.delay_ns == 0) return publish(held.event);
  at(now_ns_ + held.delay_ns, {0, nullptr, [this, event = held.event] { publish(event); }});
}

inline std::int32_t Engine::emit(Member& member, std::uint64_t type, const nexus_emit_options* options,
                                 nexus_bytes data, nexus_uuid* id, nexus_error* error) {
  const std::lock_guard lock(mutex_);
  if (member.revoked || type == 0 || type > types_.size()) {
    return write_error(error, NEXUS_E_HANDLE, "the type's number is not one that intern gave to this instance");
  }
  nexus_emit_options given{};
  if (options != nullptr) given = *options;
  std::int32_t code = NEXUS_OK;
  const std::shared_ptr<StoredEvent> event = build(&member, types_[type - 1], given, data, code, error);
  if (event == nullptr) return code;
  if (id != nullptr) *id = event->raw.id;
  return accept(&member, event, given, error);
}

inline std::int32_t Engine::emit_as(const std::string& source, bool by_test, std::string_view type,
                                    const nexus_emit_options& options, nexus_bytes data, Id& id, nexus_error* error) {
  const std::lock_guard lock(mutex_);
  if (const char* problem = type_name_problem(type)) {
    return write_error(error, NEXUS_E_TYPE_NAME, std::string(type) + " is no event type: " + problem);
  }
  std::int32_t code = NEXUS_OK;
  const std::shared_ptr<StoredEvent> event = build(nullptr, type, options, data, code, error);
  if (event == nullptr) return code;
  if ((options.flags & NEXUS_EMIT_FORWARD) == 0) event->source = source;
  event->by_test = by_test;
  event->seal();
  id = Id(event->raw.id);
  return accept(nullptr, event, options, error);
}

inline void Engine::emit_from_host(std::string_view type, const cbor::Value& data, const StoredEvent* cause) {
  cbor::Buffer buffer;
  cbor::Writer writer(buffer);
  data.write(writer);
  nexus_emit_options options{};
  options.size = sizeof options;
  if (cause != nullptr) {
    options.correlation_id = to_abi(cause->correlation_id);
    options.causation_id = cause->raw.id;
  }
  Id ignored;
  emit_as("nexus", false, type, options, buffer.abi(), ignored, nullptr);
}

inline void Engine::publish(const EventRef& event) {
  events_.push_back(event);
  bool heard = wake_waiters(event);
  auto flow = std::make_shared<Flow>();
  flow->event = event;
  std::map<std::int32_t, std::vector<std::shared_ptr<Subscription>>, std::greater<>> by_priority;
  for (const std::shared_ptr<Subscription>& subscription : subscriptions_) {
    if (!pattern_matches(subscription->pattern, event->type)) continue;
    heard = true;
    if ((subscription->options.flags & NEXUS_SUBSCRIBE_NO_SELF) != 0 && subscription->member->id == event->source)
      continue;
    by_priority[subscription->options.priority].push_back(subscription);
  }
  if (!heard) answer_unheard(event);
  for (auto& [priority, stage] : by_priority) flow->stages.push_back(std::move(stage));
  next_stage(flow);
}

inline void Engine::next_stage(const std::shared_ptr<Flow>& flow) {
  while (flow->open == 0 && !flow->stages.empty()) {
    const auto stage = std::move(flow->stages.front());
    flow->stages.pop_front();
    for (const std::shared_ptr<Subscription>& subscription : stage) {
      if (subscription->ended) continue;
      auto delivery = std::make_shared<Delivery>();
      delivery->event = flow->event;
      delivery->subscription = subscription;
      delivery->flow = flow;
      delivery->sequence = ++last_sequence_;
      ready_.push_back(std::move(delivery));
      ++flow->open;
    }
  }
}

inline void Engine::end_first_attempt(const std::shared_ptr<Flow>& flow) {
  if (--flow->open == 0) next_stage(flow);
}

}  // namespace nexus::testing::detail
