#include "host/app/config/convert.hpp"

#include <array>
#include <charconv>
#include <cmath>

#include "host/app/config/bind.hpp"
#include "host/app/config/nearest.hpp"
#include "host/app/config/toml_reader.hpp"
#include "host/base/secret.hpp"
#include "host/event/pattern.hpp"

namespace nexus::host::config {
namespace {

std::string joined(const std::vector<std::string_view>& words) {
  std::string out;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i != 0) out += i + 1 == words.size() ? " or " : ", ";
    out += words[i];
  }
  return out;
}

std::string bounds_text(const Key& key) {
  return number_text(key.low) + " to " + number_text(key.high) + (key.unit.empty() ? "" : " " + std::string(key.unit));
}

bool parse_bool(std::string_view text, bool& out) {
  for (const std::string_view word : {"true", "1", "yes", "on"}) {
    if (text == word) return out = true, true;
  }
  for (const std::string_view word : {"false", "0", "no", "off"}) {
    if (text == word) return out = false, true;
  }
  return false;
}

class Setter {
 public:
  Setter(const Document& document, const Key& key, const std::string& path, const Node& node, const Folders& folders)
      : document_(document), key_(key), path_(path), node_(node), folders_(folders) {}

  std::optional<Problem> operator()(bool* out) {
    if (node_.kind == Node::Kind::boolean) {
      *out = node_.boolean;
      return {};
    }
    if (node_.from_text && parse_bool(node_.text, *out)) return {};
    return wrong_type(node_);
  }

  std::optional<Problem> operator()(uint32_t* out) { return whole(out); }
  std::optional<Problem> operator()(uint64_t* out) { return whole(out); }

  std::optional<Problem> operator()(double* out) {
    const Node node = typed(node_);
    double value = 0;
    if (node.kind == Node::Kind::integer) {
      value = static_cast<double>(node.integer);
    } else if (node.kind == Node::Kind::number && std::isfinite(node.number)) {
      value = node.number;
    } else {
      return wrong_type(node_);
    }
    if (out_of_bounds(value)) return out_of_range(number_text(value));
    *out = value;
    return {};
  }

  std::optional<Problem> operator()(std::string* out) { return text(node_, *out); }

  std::optional<Problem> operator()(std::vector<std::string>* out) {
    Node list = node_;
    if (list.kind == Node::Kind::string) list = from_list_text();
    if (list.kind != Node::Kind::array) return wrong_type(node_);
    std::vector<std::string> values;
    for (const Node& item : list.items) {
      if (auto problem = text(item, values.emplace_back())) return problem;
    }
    *out = std::move(values);
    return {};
  }

  template <class Value>
  std::optional<Problem> operator()(std::optional<Value>* out) {
    Value value{};
    auto problem = (*this)(&value);
    if (!problem) *out = std::move(value);
    return problem;
  }

 private:
  Problem wrong_type(const Node& node) const {
    Problem problem{node.place, path_ + " must be " + expectation(key_) + ", found " + shown(node), {}};
    bool ignored = false;
    const Node typed_node = node.kind == Node::Kind::string ? parsed(node) : node;
    const bool number = key_.type == Type::integer || key_.type == Type::number;
    if (node.kind == Node::Kind::string && !node.from_text &&
        ((key_.type == Type::boolean && parse_bool(node.text, ignored)) ||
         (number && (typed_node.kind == Node::Kind::integer || typed_node.kind == Node::Kind::number)))) {
      problem.help = key_.type == Type::boolean ? "write true or false, without quotes" : "write it without quotes";
    }
    if (!number && key_.type != Type::boolean && node.kind != Node::Kind::table && node.kind != Node::Kind::array &&
        node.kind != Node::Kind::string) {
      problem.help = "write it in quotes";
    }
    return problem;
  }

  Problem out_of_range(const std::string& value) const {
    return {node_.place, path_ + " is " + value + "; allowed is " + bounds_text(key_), {}};
  }

  bool out_of_bounds(double value) const { return key_.bounded() && (value < key_.low || value > key_.high); }

  std::string shown(const Node& node) const {
    if (node.kind == Node::Kind::string && (key_.has(kSecret) || key_.has(kUrl))) return "a string";
    if (key_.has(kSecret) || key_.has(kUrl))
      return node.is_table() || node.kind == Node::Kind::array ? describe(node) : "another type";
    return describe(node);
  }

  static Node parsed(const Node& node) {
    Node value;
    // A multi-line text could smuggle in a second statement; no number has one.
    if (node.text.size() < 64 && node.text.find_first_of("\r\n#") == std::string::npos) {
      read_toml_value(node.text, node.place, value);
    }
    return value;
  }

  // A text that stands for a number is read as one.
  static Node typed(const Node& node) {
    if (node.kind != Node::Kind::string || !node.from_text) return node;
    Node value = parsed(node);
    return value.kind == Node::Kind::integer || value.kind == Node::Kind::number ? value : node;
  }

  template <class Whole>
  std::optional<Problem> whole(Whole* out) {
    const Node node = typed(node_);
    if (node.kind != Node::Kind::integer) return wrong_type(node_);
    if (node.integer < 0 || out_of_bounds(static_cast<double>(node.integer))) {
      return out_of_range(std::to_string(node.integer));
    }
    *out = static_cast<Whole>(node.integer);
    return {};
  }

  // "a,b" of a variable, or one text where a list of one is meant.
  Node from_list_text() const {
    Node list;
    list.kind = Node::Kind::array;
    list.place = node_.place;
    if (node_.from_text && !node_.text.empty() && node_.text.front() == '[') {
      if (read_toml_value(node_.text, node_.place, list)) return list;
      list.kind = Node::Kind::table;
      return list;
    }
    if (!node_.from_text) {
      // Only folders are so often just one that the brackets may be left out.
      if (key_.type == Type::paths) {
        list.items.push_back(node_);
      } else {
        list.kind = Node::Kind::table;
      }
      return list;
    }
    for (const std::string_view part : split(node_.text, ',')) {
      Node item = node_;
      item.text = std::string(part);
      list.items.push_back(std::move(item));
    }
    return list;
  }

  std::optional<Problem> text(const Node& node, std::string& out) const {
    if (node.kind != Node::Kind::string) return wrong_type(node);
    const bool list = key_.type == Type::paths || key_.type == Type::patterns;
    if (node.text.empty() && (key_.has(kNotEmpty) || list))
      return Problem{node.place, path_ + " must not be empty", {}};
    if (node.text.find('\0') != std::string::npos) {
      return Problem{node.place, path_ + " must not hold a zero character", {}};
    }
    if (!key_.choices.empty()) {
      const auto choices = split(key_.choices, '|');
      bool known = false;
      for (const auto choice : choices) known = known || choice == node.text;
      if (!known) {
        return Problem{node.place, path_ + " is " + shown_text(node.text) + "; allowed is " + joined(choices),
                       did_you_mean(node.text, choices)};
      }
    }
    if (key_.type == Type::pattern || key_.type == Type::patterns) {
      if (const auto pattern = Pattern::parse(node.text); !pattern) {
        return Problem{node.place, path_ + ": " + pattern.error().message, pattern.error().help};
      }
    }
    out = key_.type == Type::path || key_.type == Type::paths ? resolved(node) : node.text;
    return {};
  }

  std::string resolved(const Node& node) const {
    if (node.text.empty()) return {};
    const OriginKind kind = document_.origin(node.place).kind;
    const bool typed_by_hand = kind == OriginKind::environment || kind == OriginKind::command_line;
    return absolute(node.text, typed_by_hand ? folders_.current : folders_.config);
  }

  const Document& document_;
  const Key& key_;
  const std::string& path_;
  const Node& node_;
  const Folders& folders_;
};

}  // namespace

std::optional<Problem> set_value(const Document& document, const Key& key, const std::string& path, const Node& node,
                                 void* owner, const Folders& folders) {
  Setter setter(document, key, path, node, folders);
  return std::visit([&](auto slot) { return setter(slot(owner)); }, key.slot);
}

std::string number_text(double value) {
  std::array<char, 64> digits{};
  char* const last = digits.data() + digits.size();
  const bool whole = std::floor(value) == value && std::fabs(value) < 1e15;
  const auto result = whole ? std::to_chars(digits.data(), last, static_cast<int64_t>(value))
                            : std::to_chars(digits.data(), last, value);
  return std::string(digits.data(), result.ptr);
}

std::string expectation(const Key& key) {
  switch (key.type) {
    case Type::boolean:
      return "true or false";
    case Type::integer:
      return "an integer from " + bounds_text(key);
    case Type::number:
      return "a number from " + bounds_text(key);
    case Type::string:
      return "a string";
    case Type::path:
      return "a path (a string)";
    case Type::pattern:
      return "a pattern of event types (a string)";
    case Type::patterns:
      return "an array of patterns (strings)";
    case Type::paths:
      return "a path or an array of paths (strings)";
    case Type::choice:
      break;
  }
  return "one of the strings " + joined(split(key.choices, '|'));
}

}  // namespace nexus::host::config
