// The state of one typed read: the reader, whether unknown keys are errors, and, once it has failed, why and in which
// field. Failing is the cold path: it allocates the sentence; succeeding allocates nothing here.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "nexus/cbor_reader.hpp"
#include "nexus/schema_error.hpp"

#if defined(__GNUC__)
#define NEXUS_COLD [[gnu::cold, gnu::noinline]]
#else
#define NEXUS_COLD
#endif

namespace nexus::schema {

// Why a typed read failed.
struct Failure {
  std::string path;      // "items[2].price"
  std::string problem;   // "must be a number, is text"; or of the whole data: "the data is cut short, at byte 9"
  bool broken = false;   // the problem is the data's, not the field's
  bool unknown = false;  // the path is a key that the struct does not have; problem lists those that it has
  std::string nearest;   // the path of the known key that an unknown one resembles
};

// How many characters must be added, dropped, changed or swapped with their neighbour to turn one into the other.
inline std::size_t edit_distance(std::string_view from, std::string_view to) {
  std::vector<std::size_t> before(to.size() + 1), row(to.size() + 1), next(to.size() + 1);
  for (std::size_t j = 0; j <= to.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= from.size(); ++i) {
    next[0] = i;
    for (std::size_t j = 1; j <= to.size(); ++j) {
      const std::size_t change = from[i - 1] == to[j - 1] ? 0u : 1u;
      next[j] = std::min({row[j] + 1, next[j - 1] + 1, row[j - 1] + change});
      if (i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1]) {
        next[j] = std::min(next[j], before[j - 2] + 1);
      }
    }
    before.swap(row);
    row.swap(next);
  }
  return row[to.size()];
}

// The name that looks most like `key`, or empty if none is near enough to be meant.
inline std::string_view nearest_name(std::string_view key, const std::string_view* names, std::size_t count) {
  std::string_view nearest;
  std::size_t distance_best = std::max<std::size_t>(1, key.size() / 3) + 1;
  if (key.size() > 255) return nearest;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t distance = edit_distance(key, names[i]);
    if (distance < distance_best) {
      distance_best = distance;
      nearest = names[i];
    }
  }
  return nearest;
}

class Decoder {
 public:
  Decoder(std::span<const std::uint8_t> bytes, bool strict) noexcept : reader(bytes), strict_(strict) {}

  cbor::Reader reader;

  bool strict() const noexcept { return strict_; }
  // Null while all is well.
  const Failure* failure() const noexcept { return failure_.get(); }

  // What the next item is, tags passed over: a tagged text is still a text to a field that wants one.
  cbor::Kind peek() noexcept {
    const cbor::Kind kind = reader.peek();
    return kind == cbor::Kind::tag ? peek_behind_tags() : kind;
  }

  // All of these are false, so that a codec can return them.
  NEXUS_COLD bool problem(std::string sentence) {
    if (!failure_) {
      failure_ = std::make_unique<Failure>();
      failure_->problem = std::move(sentence);
    }
    return false;
  }
  // The next item is not what the field wants.
  NEXUS_COLD bool wrong(std::string_view expected) {
    if (reader.failed() || reader.peek() == cbor::Kind::end) return broken();
    return problem("must be " + std::string(expected) + ", is " + std::string(cbor::kind_name(reader.peek())));
  }
  // The reader has failed, or will with the next item.
  NEXUS_COLD bool broken() {
    if (!reader.failed()) reader.skip();
    if (reader.error().fault == cbor::Fault::chunked) return problem("must be in one piece, is in several chunks");
    problem(reader.error().message());
    failure_->broken = true;
    return false;
  }
  // Also not what the field wants, but by its content.
  NEXUS_COLD bool unfit(std::string_view expected, std::string_view found) {
    return problem("must be " + std::string(expected) + ", is \"" + shown(found) + "\"");
  }
  NEXUS_COLD bool unknown_key(std::string_view key, const std::string_view* names, std::size_t count) {
    std::string known = count == 0 ? "there are no keys here" : "known are ";
    for (std::size_t i = 0; i < count; ++i) known += (i == 0 ? "" : ", ") + std::string(names[i]);
    problem(std::move(known));
    failure_->unknown = true;
    failure_->nearest = std::string(nearest_name(key, names, count));
    failure_->path = is_plain(key) ? shown(key) : '"' + shown(key) + '"';
    return false;
  }
  // A string of the field is not UTF-8, or broken in another way.
  NEXUS_COLD bool broken_text() {
    return reader.error().fault == cbor::Fault::utf8 ? problem("must be UTF-8 text") : broken();
  }

  // Put the place in front of the path while the failure travels outwards.
  NEXUS_COLD bool in_field(std::string_view name) {
    prepend(failure_->path, name);
    if (!failure_->nearest.empty()) prepend(failure_->nearest, name);
    return false;
  }
  NEXUS_COLD bool in_item(std::uint64_t index) { return in_field("[" + std::to_string(index) + "]"); }

 private:
  NEXUS_COLD cbor::Kind peek_behind_tags() noexcept {
    std::uint64_t ignored = 0;
    while (reader.peek() == cbor::Kind::tag && reader.read_tag(ignored)) continue;
    return reader.peek();
  }

  static void prepend(std::string& path, std::string_view name) {
    const bool joined = path.empty() || path.front() == '[';
    path.insert(0, std::string(name) + (joined ? "" : "."));
  }
  // As much of a foreign text as belongs into a sentence, cut at a character.
  static std::string shown(std::string_view text) {
    constexpr std::size_t kShownMax = 64;
    std::string start(text.substr(0, kShownMax));
    while (!cbor::is_utf8(start)) start.pop_back();
    if (text.size() > kShownMax) start += "...";
    return start;
  }
  static bool is_plain(std::string_view key) {
    const auto is_letter = [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    };
    return !key.empty() && std::all_of(key.begin(), key.end(), is_letter);
  }

  bool strict_;
  std::unique_ptr<Failure> failure_;
};

// What putting into bytes cannot express as bytes: text that is not UTF-8, an enum value without a name.
struct Encoding {
  bool broken = false;
};

}  // namespace nexus::schema
