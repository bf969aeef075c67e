#include "host/base/uuid.hpp"

#include <chrono>
#include <random>

#include <boost/uuid/name_generator_sha1.hpp>

namespace nexus::host {
namespace {

// RFC 9562 section 6.6, the namespace for URLs.
constexpr Uuid kUrlNamespace{
    {0x6b, 0xa7, 0xb8, 0x11, 0x9d, 0xad, 0x11, 0xd1, 0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8}};

constexpr int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

using detail::is_hyphen_place;

}  // namespace

uint64_t system_random() {
  try {
    std::random_device device;
    return (static_cast<uint64_t>(device()) << 32) | device();
  } catch (const std::exception&) {
    const auto now = static_cast<uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
    return FastRandom(now ^ reinterpret_cast<uintptr_t>(&now)).next();
  }
}

Uuid uuid_v5(const Uuid& name_space, std::string_view name) {
  boost::uuids::uuid space;
  std::memcpy(&space, name_space.bytes, sizeof name_space.bytes);
  const boost::uuids::uuid made = boost::uuids::name_generator_sha1(space)(name.data(), name.size());
  Uuid id;
  std::memcpy(id.bytes, &made, sizeof id.bytes);
  return id;
}

Uuid uuid_v5(std::string_view source, std::string_view name) {
  const std::optional<Uuid> own = parse_uuid(source);
  return uuid_v5(own ? *own : uuid_v5(kUrlNamespace, source), name);
}

std::optional<int64_t> uuid_v7_unix_ms(const Uuid& id) {
  if ((id.bytes[6] >> 4) != 7 || (id.bytes[8] >> 6) != 2) return std::nullopt;
  int64_t ms = 0;
  for (int i = 0; i < 6; ++i) ms = (ms << 8) | id.bytes[i];
  return ms;
}

std::string uuid_text(const Uuid& id) {
  std::string text(36, '\0');
  format_uuid(id, text.data());
  return text;
}

std::optional<Uuid> parse_uuid(std::string_view text) {
  if (text.size() != 36) return std::nullopt;
  Uuid id{};
  size_t nibbles = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (is_hyphen_place(i)) {
      if (text[i] != '-') return std::nullopt;
      continue;
    }
    const int value = hex_value(text[i]);
    if (value < 0) return std::nullopt;
    uint8_t& byte = id.bytes[nibbles++ / 2];
    byte = static_cast<uint8_t>((byte << 4) | value);
  }
  return id;
}

}  // namespace nexus::host
