#include "host/app/cli/event_format.hpp"

#include <span>

#include "host/base/printable.hpp"
#include "host/event/cloudevents.hpp"
#include "host/event/json.hpp"
#include "nexus/cbor.hpp"

namespace nexus::host::cli {
namespace {

Error broken(size_t at, const std::string& what) {
  return make_error(NEXUS_E_ARGUMENT, "--format, character " + std::to_string(at + 1) + ": " + what,
                    "for example --format '{time} {type} {data.order_id}'; {{ and }} are braces");
}

char unescaped(char c) {
  switch (c) {
    case 'n':
      return '\n';
    case 't':
      return '\t';
    default:
      return c;
  }
}

std::string text_of(const cbor::Value& value) {
  if (value.is_null()) return {};
  std::string_view text;
  if (value.get_into(text)) return printable(text);
  const Bytes bytes = value.encode();
  auto json = cbor_to_json(bytes);
  return json ? json.value() : std::string();
}

}  // namespace

Result<EventFormat> EventFormat::parse(std::string_view text) {
  EventFormat format;
  std::string literal;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if ((c == '{' || c == '}') && i + 1 < text.size() && text[i + 1] == c) {
      literal += c;
      ++i;
    } else if (c == '\\' && i + 1 < text.size()) {
      literal += unescaped(text[++i]);
    } else if (c == '}') {
      return broken(i, "this brace closes nothing");
    } else if (c == '{') {
      const size_t end = text.find('}', i);
      if (end == std::string_view::npos) return broken(i, "this brace is not closed");
      if (end == i + 1) return broken(i, "there is no member's name in the braces");
      if (!literal.empty()) format.pieces_.push_back({false, std::move(literal)});
      literal.clear();
      format.pieces_.push_back({true, std::string(text.substr(i + 1, end - i - 1))});
      i = end;
    } else {
      literal += c;
    }
  }
  if (!literal.empty()) format.pieces_.push_back({false, std::move(literal)});
  return format;
}

std::string EventFormat::line(const nexus_event& event) const {
  const auto encoded = json_to_cbor(cloudevent_json(event));
  const cbor::Value members = encoded ? cbor::Value::decode(std::span<const uint8_t>(encoded.value())) : cbor::Value();
  std::string line;
  for (const Piece& piece : pieces_) {
    if (!piece.is_member) {
      line += piece.text;
    } else if (const cbor::Value* value = members.find_path(piece.text)) {
      line += text_of(*value);
    }
  }
  return line;
}

}  // namespace nexus::host::cli
