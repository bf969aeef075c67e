// Values back into text: the other half of convert.hpp.
#include <array>
#include <charconv>
#include <cmath>

#include "host/app/config/convert.hpp"
#include "host/base/printable.hpp"
#include "host/base/secret.hpp"

namespace nexus::host::config {
namespace {

std::string secret_text(std::string_view value) { return value.empty() ? "\"\"" : quote(kSecretMark); }

std::string url_text(std::string_view url) {
  std::string out(url);
  if (const auto password = password_of_url(url); !password.empty()) {
    out.replace(static_cast<std::size_t>(password.data() - url.data()), password.size(), kSecretMark);
  }
  return quote(out);
}

// A number that TOML reads back as one with a fraction.
std::string seconds_text(double value) {
  std::string out = number_text(value);
  if (out.find_first_of(".en") == std::string::npos) out += ".0";
  return out;
}

class Getter {
 public:
  Getter(const Key& key, bool reveal) : key_(key), reveal_(reveal) {}

  std::optional<std::string> operator()(const bool* value) const { return *value ? "true" : "false"; }
  std::optional<std::string> operator()(const uint32_t* value) const { return std::to_string(*value); }
  std::optional<std::string> operator()(const uint64_t* value) const { return std::to_string(*value); }
  std::optional<std::string> operator()(const double* value) const { return seconds_text(*value); }
  std::optional<std::string> operator()(const std::string* value) const {
    if (reveal_) return quote(*value);
    if (key_.has(kSecret)) return secret_text(*value);
    return key_.has(kUrl) ? url_text(*value) : quote(*value);
  }
  std::optional<std::string> operator()(const std::vector<std::string>* values) const {
    std::string out = "[";
    for (const std::string& value : *values) {
      if (out.size() > 1) out += ", ";
      out += quote(value);
    }
    return out + "]";
  }
  template <class Value>
  std::optional<std::string> operator()(const std::optional<Value>* value) const {
    return *value ? (*this)(&**value) : std::nullopt;
  }

 private:
  const Key& key_;
  const bool reveal_;
};

std::string float_text(double value, bool json) {
  if (!std::isfinite(value)) {
    const std::string word = std::isnan(value) ? "nan" : value > 0 ? "inf" : "-inf";
    return json ? quote(word) : word;
  }
  return seconds_text(value);
}

// Both notations differ in little but the signs between.
class Printer {
 public:
  explicit Printer(bool json) : json_(json) {}

  void node(const Node& node, bool secret) {
    switch (node.kind) {
      case Node::Kind::table:
        table(node, secret);
        break;
      case Node::Kind::array:
        array(node, secret);
        break;
      case Node::Kind::boolean:
        out_ += node.boolean ? "true" : "false";
        break;
      case Node::Kind::integer:
        secret ? mark() : void(out_ += std::to_string(node.integer));
        break;
      case Node::Kind::number:
        secret ? mark() : void(out_ += float_text(node.number, json_));
        break;
      case Node::Kind::date_time:
        json_ ? text(node.text) : void(out_ += node.text);
        break;
      case Node::Kind::string:
        if ((secret || node.secret) && !node.text.empty()) {
          mark();
        } else {
          text(redacted_url(node.text));
        }
        break;
    }
  }

  std::string take() { return std::move(out_); }

 private:
  void mark() { text(kSecretMark); }

  void text(std::string_view value) {
    if (json_) {
      append_json_string(out_, value);
    } else {
      out_ += quote(value);
    }
  }

  static std::string redacted_url(const std::string& value) {
    std::string out = value;
    if (const auto password = password_of_url(value); !password.empty()) {
      out.replace(static_cast<std::size_t>(password.data() - value.data()), password.size(), kSecretMark);
    }
    return out;
  }

  void table(const Node& node, bool secret) {
    out_ += '{';
    for (const Member& member : node.members) {
      if (&member != &node.members.front()) out_ += json_ ? "," : ", ";
      if (json_) {
        append_json_string(out_, member.name);
        out_ += ':';
      } else {
        out_ += path_segment(member.name) + " = ";
      }
      this->node(member.node, secret || is_secret_name(member.name));
    }
    out_ += '}';
  }

  void array(const Node& node, bool secret) {
    out_ += '[';
    for (const Node& item : node.items) {
      if (&item != &node.items.front()) out_ += json_ ? "," : ", ";
      this->node(item, secret);
    }
    out_ += ']';
  }

  bool json_;
  std::string out_;
};

}  // namespace

std::optional<std::string> value_text(const Key& key, const void* owner, bool reveal) {
  // The slots only find the member; nothing is written through them here.
  return std::visit([&](auto slot) { return Getter(key, reveal)(slot(const_cast<void*>(owner))); }, key.slot);
}

std::string node_toml(const Node& node, bool secret) {
  Printer printer(false);
  printer.node(node, secret);
  return printer.take();
}

std::string node_json(const Node& node, bool secret) {
  Printer printer(true);
  printer.node(node, secret);
  return printer.take();
}

bool same_value(const Node& a, const Node& b) {
  if (a.kind != b.kind || a.text != b.text || a.boolean != b.boolean || a.integer != b.integer) return false;
  const bool both_nan = std::isnan(a.number) && std::isnan(b.number);
  if (!both_nan && a.number != b.number) return false;
  if (a.members.size() != b.members.size() || a.items.size() != b.items.size()) return false;
  for (std::size_t i = 0; i < a.items.size(); ++i) {
    if (!same_value(a.items[i], b.items[i])) return false;
  }
  for (const Member& member : a.members) {
    const Member* const other = b.find(member.name);
    if (!other || !same_value(member.node, other->node)) return false;
  }
  return true;
}

}  // namespace nexus::host::config
