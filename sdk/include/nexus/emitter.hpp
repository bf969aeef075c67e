// The calls behind Plugin::emit and its relatives. The payload is written into a buffer on the stack, so an event of
// the usual size is emitted without allocating. Not for plugin authors.
#pragma once

#include <chrono>
#include <cstdint>
#include <new>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "nexus/abi/control.h"
#include "nexus/core.hpp"
#include "nexus/emit.hpp"
#include "nexus/errors.hpp"
#include "nexus/known_type.hpp"
#include "nexus/request.hpp"
#include "nexus/schema.hpp"

namespace nexus {

// What became of a batch: `status` is OK, or that of the first event that was not accepted.
struct [[nodiscard]] BatchStatus {
  Status status;
  std::uint64_t accepted = 0;
  std::vector<Id> ids;  // of the accepted ones

  explicit operator bool() const { return status.ok(); }
};

namespace detail {

inline Id accepted(const Status& status) {
  if (!status.ok()) throw Rejected(status.code, status.message);
  return status.id;
}

inline Status finish_emit(std::int32_t code, const nexus_uuid& id, const ErrorBuffer& error) {
  Status status;
  status.code = code;
  if (code == NEXUS_OK || code == NEXUS_OK_DUPLICATE) {
    status.id = Id(id);
  } else {
    status.message = error.sentence(code);
  }
  return status;
}

inline Status emit_encoded(Core& core, std::uint64_t type, std::uint32_t version, std::uint32_t format,
                           nexus_bytes data, const EmitOptions& options) {
  cbor::Buffer metadata;
  const std::int64_t now_ns = options.expires.relative() ? core.now_unix_ns() : 0;
  const nexus_emit_options raw = to_abi(options, version, format, now_ns, metadata);
  nexus_uuid id{};
  ErrorBuffer error;
  const std::int32_t code = core.bus()->emit(core.bus()->ctx, type, &raw, data, &id, error.get());
  return finish_emit(code, id, error);
}

// The commonest emit has no options, and theirs are a constant of the type.
template <class T>
inline constexpr nexus_emit_options kPlainOptions = [] {
  nexus_emit_options raw{};
  raw.size = sizeof raw;
  raw.schema_version = EventTraits<T>::version;
  raw.data_format = NEXUS_DATA_CBOR;
  return raw;
}();

// `options` may be null.
template <class T>
Status emit_payload(Core& core, const T& payload, const EmitOptions* options) {
  std::uint64_t type = 0;
  ErrorBuffer error;
  std::int32_t code = core.type_handle(known_type<T>, type, error.get());
  if (code != NEXUS_OK) [[unlikely]]
    return finish_emit(code, {}, error);
  cbor::Buffer data;
  EventTraits<T>::encode(payload, data);
  if (options != nullptr) {
    return emit_encoded(core, type, EventTraits<T>::version, NEXUS_DATA_CBOR, data.abi(), *options);
  }
  nexus_uuid id{};
  code = core.bus()->emit(core.bus()->ctx, type, &kPlainOptions<T>, data.abi(), &id, error.get());
  return finish_emit(code, id, error);
}

inline Status emit_bytes(Core& core, std::string_view type_name, nexus_bytes data, std::uint32_t format,
                         const EmitOptions& options) {
  std::uint64_t type = 0;
  ErrorBuffer error;
  const std::int32_t code = core.type_handle(type_name, type, error.get());
  if (code != NEXUS_OK) return finish_emit(code, {}, error);
  return emit_encoded(core, type, 0, format, data, options);
}

template <class T>
BatchStatus emit_batch(Core& core, std::span<const T> payloads, const EmitOptions& options) {
  BatchStatus result;
  std::uint64_t type = 0;
  ErrorBuffer error;
  std::int32_t code = core.type_handle(known_type<T>, type, error.get());
  if (code == NEXUS_OK && !payloads.empty()) {
    cbor::Buffer data;
    std::vector<std::size_t> ends;
    ends.reserve(payloads.size());
    for (const T& payload : payloads) {
      EventTraits<T>::encode(payload, data);
      ends.push_back(data.size());
    }
    cbor::Buffer metadata;
    const std::int64_t now_ns = options.expires.relative() ? core.now_unix_ns() : 0;
    const nexus_emit_options raw = to_abi(options, EventTraits<T>::version, NEXUS_DATA_CBOR, now_ns, metadata);
    std::vector<nexus_emit_item> items;
    items.reserve(payloads.size());
    std::size_t begin = 0;
    for (const std::size_t end : ends) {
      items.push_back({type, &raw, {data.data() + begin, end - begin}});
      begin = end;
    }
    std::vector<nexus_uuid> ids(items.size());
    code =
        core.bus()->emit_batch(core.bus()->ctx, items.data(), items.size(), &result.accepted, ids.data(), error.get());
    for (std::size_t i = 0; i < result.accepted && i < ids.size(); ++i) result.ids.emplace_back(ids[i]);
  }
  result.status = finish_emit(code, result.ids.empty() ? nexus_uuid{} : result.ids.back().raw(), error);
  return result;
}

template <class T>
Request make_request(Core& core, const T& query, std::chrono::nanoseconds timeout, const EmitOptions& options) {
  std::uint64_t type = 0;
  ErrorBuffer error;
  const std::int32_t code = core.type_handle(known_type<T>, type, error.get());
  if (code != NEXUS_OK) throw Rejected(code, error.sentence(code));
  cbor::Buffer data;
  EventTraits<T>::encode(query, data);
  return Request(core, type, EventTraits<T>::version, std::move(data), options, timeout);
}

// Collects what a host function writes; running out of memory must not cross into the host.
struct Collector {
  static void append(void* user, const std::uint8_t* data, std::uint64_t size) noexcept {
    auto& self = *static_cast<Collector*>(user);
    try {
      self.bytes.append(data, static_cast<std::size_t>(size));
    } catch (...) {
      self.full = true;
    }
  }
  cbor::Buffer bytes;
  bool full = false;
};

inline cbor::Value call_control(Core& core, std::string_view method, const cbor::Value& params) {
  const auto* control = core.interface<nexus_control>(NEXUS_CONTROL_ID);
  if (control == nullptr) {
    throw Error(NEXUS_E_PERMISSION, "the config does not grant control: permissions = { control = true }");
  }
  cbor::Buffer input;
  if (!params.is_null()) {
    cbor::Writer writer(input);
    params.write(writer);
  }
  Collector output;
  ErrorBuffer error;
  const std::int32_t code =
      control->call(control->ctx, to_abi(method), input.abi(), &Collector::append, &output, error.get());
  if (code != NEXUS_OK) throw Error(code, error.sentence(code));
  if (output.full) throw std::bad_alloc();
  return output.bytes.empty() ? cbor::Value() : cbor::Value::decode(output.bytes.abi());
}

}  // namespace detail
}  // namespace nexus
