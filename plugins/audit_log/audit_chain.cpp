#include "audit_chain.hpp"

#include <charconv>
#include <openssl/sha.h>

namespace audit {
namespace {

std::string hash_of(std::string_view previous, std::uint64_t seq, std::string_view event_json) {
  std::string head(previous);
  head += '\n';
  head += std::to_string(seq);
  head += '\n';
  head += event_json;
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(head.data()), head.size(), digest);
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  hex.reserve(kHashSize);
  for (const unsigned char byte : digest) {
    hex += kDigits[byte >> 4];
    hex += kDigits[byte & 15];
  }
  return hex;
}

bool take(std::string_view& rest, std::string_view expected) {
  if (rest.substr(0, expected.size()) != expected) return false;
  rest.remove_prefix(expected.size());
  return true;
}

bool take_hash(std::string_view& rest, std::string& hash) {
  if (rest.size() < kHashSize) return false;
  hash = rest.substr(0, kHashSize);
  if (hash.find_first_not_of("0123456789abcdef") != std::string::npos) return false;
  rest.remove_prefix(kHashSize);
  return true;
}

}  // namespace

void append_line(std::string& out, Link& link, std::string_view event_json) {
  const std::uint64_t seq = link.seq + 1;
  std::string hash = hash_of(link.hash, seq, event_json);
  out += R"({"seq":)";
  out += std::to_string(seq);
  out += R"(,"previous":")";
  out += link.hash;
  out += R"(","hash":")";
  out += hash;
  out += R"(","event":)";
  out += event_json;
  out += "}\n";
  link.seq = seq;
  link.hash = std::move(hash);
}

bool read_line(std::string_view line, Link& link, std::string_view* event_json, std::string* previous) {
  std::string before;
  Link read;
  if (!take(line, R"({"seq":)")) return false;
  const auto number = std::from_chars(line.data(), line.data() + line.size(), read.seq);
  if (number.ec != std::errc()) return false;
  line.remove_prefix(static_cast<std::size_t>(number.ptr - line.data()));
  if (!take(line, R"(,"previous":")") || !take_hash(line, before) || !take(line, R"(","hash":")") ||
      !take_hash(line, read.hash) || !take(line, R"(","event":)") || line.size() < 3 || line.back() != '}')
    return false;
  if (event_json != nullptr) *event_json = line.substr(0, line.size() - 1);
  if (previous != nullptr) *previous = before;
  link = std::move(read);
  return true;
}

std::string check_line(std::string_view line, Link& link) {
  Link read;
  std::string_view event_json;
  std::string previous;
  if (!read_line(line, read, &event_json, &previous)) return "it has not the form of a line of an audit log";
  if (read.seq != link.seq + 1)
    return "its number is " + std::to_string(read.seq) + ", not " + std::to_string(link.seq + 1) +
           ": lines are missing or out of order";
  if (previous != link.hash) return "it does not follow from the line before: that one was changed or replaced";
  if (hash_of(previous, read.seq, event_json) != read.hash) return "its content does not fit its hash: it was changed";
  link = std::move(read);
  return {};
}

}  // namespace audit
