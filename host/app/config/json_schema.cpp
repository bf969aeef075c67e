#include "host/app/config/json_schema.hpp"

#include <algorithm>
#include <cmath>

#include "host/app/config/convert.hpp"
#include "host/app/config/nearest.hpp"
#include "host/app/config/toml_reader.hpp"

namespace nexus::host::config {
namespace {

constexpr int kDepthMax = 64;
constexpr int kReferencesMax = 16;  // one $ref after the other, before it must be a circle

bool fits(const Node& node, std::string_view type) {
  switch (node.kind) {
    case Node::Kind::table:
      return type == "object";
    case Node::Kind::array:
      return type == "array";
    case Node::Kind::boolean:
      return type == "boolean";
    case Node::Kind::integer:
      return type == "integer" || type == "number";
    case Node::Kind::number:
      return type == "number" || (type == "integer" && std::floor(node.number) == node.number);
    case Node::Kind::string:
    case Node::Kind::date_time:
      return type == "string";
  }
  return false;
}

std::string type_words(std::string_view type) {
  if (type == "object") return "a table";
  if (type == "array") return "an array";
  if (type == "boolean") return "true or false";
  if (type == "integer") return "an integer";
  if (type == "number") return "a number";
  if (type == "string") return "a string";
  return std::string(type);
}

// "type" is a word or a list of words.
std::vector<std::string_view> types_of(const cbor::Value& schema) {
  std::vector<std::string_view> out;
  const cbor::Value* const type = schema.find("type");
  std::string_view word;
  if (type && type->get_into(word)) out.push_back(word);
  if (type && type->is_array()) {
    for (const cbor::Value& item : type->items()) {
      if (item.get_into(word)) out.push_back(word);
    }
  }
  return out;
}

bool same(const Node& node, const cbor::Value& value) {
  std::string_view text;
  double number = 0;
  bool boolean = false;
  switch (node.kind) {
    case Node::Kind::string:
    case Node::Kind::date_time:
      return value.get_into(text) && text == node.text;
    case Node::Kind::integer:
      return value.get_into(number) && number == static_cast<double>(node.integer);
    case Node::Kind::number:
      return value.get_into(number) && number == node.number;
    case Node::Kind::boolean:
      return value.get_into(boolean) && boolean == node.boolean;
    default:
      return to_cbor(node) == value;
  }
}

std::string shown(const cbor::Value& value) {
  std::string_view text;
  double number = 0;
  bool boolean = false;
  if (value.get_into(text)) return quote(text);
  if (value.get_into(boolean)) return boolean ? "true" : "false";
  if (value.get_into(number)) return number_text(number);
  return std::string(value.type_name());
}

bool number_of(const cbor::Value& schema, std::string_view keyword, double& out) {
  const cbor::Value* const found = schema.find(keyword);
  return found && found->get_into(out);
}

double value_of(const Node& node) {
  return node.kind == Node::Kind::integer ? static_cast<double>(node.integer) : node.number;
}

// UTF-8 characters, which is what JSON Schema counts.
std::size_t length_of(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U; }));
}

// "8080" out of a variable as the number that the schema wants; false where it is none.
bool read_text(Node& node, const std::vector<std::string_view>& types) {
  if (node.kind != Node::Kind::string || !node.from_text || node.text.size() > 4096) return false;
  if (node.text.find_first_of("\r\n#") != std::string::npos) return false;
  Node value;
  if (!read_toml_value(node.text, node.place, value)) return false;
  if (std::none_of(types.begin(), types.end(), [&](std::string_view type) { return fits(value, type); })) return false;
  value.secret = node.secret;
  node = std::move(value);
  return true;
}

}  // namespace

void SchemaCheck::report(const Place& place, const std::string& path, std::string message, std::string help) {
  if (diagnostics_.size() >= kDiagnosticsMax) return;
  diagnostics_.push_back(diagnose(document_.sources, place, path, std::move(message), std::move(help)));
}

const cbor::Value* SchemaCheck::resolve(const cbor::Value& schema) const {
  constexpr std::string_view kDefinitions = "#/definitions/";
  const cbor::Value* at = &schema;
  for (int i = 0; at && i < kReferencesMax; ++i) {
    const cbor::Value* const reference = at->find("$ref");
    std::string_view target;
    if (!reference || !reference->get_into(target)) return at;
    if (target == "#") {
      at = &root_;
    } else if (target.substr(0, kDefinitions.size()) == kDefinitions) {
      const cbor::Value* const definitions = root_.find("definitions");
      at = definitions ? definitions->find(target.substr(kDefinitions.size())) : nullptr;
    } else {
      return nullptr;
    }
  }
  return nullptr;
}

void SchemaCheck::check(Node& node, const cbor::Value& schema, const std::string& path, int depth) {
  const cbor::Value* const resolved = resolve(schema);
  if (!resolved || !resolved->is_map() || depth > kDepthMax) return;
  if (!check_type(node, *resolved, path)) return;
  check_enum(node, *resolved, path);
  switch (node.kind) {
    case Node::Kind::table:
      check_table(node, *resolved, path, depth);
      break;
    case Node::Kind::array:
      check_array(node, *resolved, path, depth);
      break;
    case Node::Kind::integer:
    case Node::Kind::number:
      check_number(node, *resolved, path);
      break;
    case Node::Kind::string:
      check_text(node, *resolved, path);
      break;
    default:
      break;
  }
}

bool SchemaCheck::check_type(Node& node, const cbor::Value& schema, const std::string& path) {
  const auto types = types_of(schema);
  if (types.empty()) return true;
  if (std::any_of(types.begin(), types.end(), [&](std::string_view type) { return fits(node, type); })) return true;
  if (read_text(node, types)) return true;
  std::string words;
  for (std::size_t i = 0; i < types.size(); ++i) {
    if (types[i] == "null") continue;  // TOML has no null: absent says it
    if (!words.empty()) words += " or ";
    words += type_words(types[i]);
  }
  const bool quotes = node.kind != Node::Kind::table && node.kind != Node::Kind::array && words == "a string";
  report(node.place, path, path + " must be " + words + ", found " + describe(node),
         quotes ? "write it in quotes" : "");
  return false;
}

void SchemaCheck::check_enum(const Node& node, const cbor::Value& schema, const std::string& path) {
  if (const cbor::Value* const only = schema.find("const"); only && !same(node, *only)) {
    report(node.place, path, path + " must be " + shown(*only) + ", found " + describe(node));
  }
  const cbor::Value* const allowed = schema.find("enum");
  if (!allowed || !allowed->is_array()) return;
  std::string words;
  std::vector<std::string_view> names;
  for (const cbor::Value& value : allowed->items()) {
    if (same(node, value)) return;
    words += (words.empty() ? "" : ", ") + shown(value);
    std::string_view name;
    if (value.get_into(name)) names.push_back(name);
  }
  report(node.place, path, path + " is " + describe(node) + "; allowed is " + words,
         node.secret ? std::string() : did_you_mean(node.text, names));
}

void SchemaCheck::check_number(const Node& node, const cbor::Value& schema, const std::string& path) {
  const double value = value_of(node);
  double low = 0;
  double high = 0;
  const bool has_low = number_of(schema, "minimum", low);
  const bool has_high = number_of(schema, "maximum", high);
  const std::string is = path + " is " + number_text(value) + "; allowed is ";
  // Written so that a NaN is out of every range.
  if ((has_low && !(value >= low)) || (has_high && !(value <= high))) {
    const std::string range = has_low && has_high ? number_text(low) + " to " + number_text(high)
                              : has_low           ? "at least " + number_text(low)
                                                  : "at most " + number_text(high);
    report(node.place, path, is + range);
  }
  if (number_of(schema, "exclusiveMinimum", low) && !(value > low)) {
    report(node.place, path, is + "more than " + number_text(low));
  }
  if (number_of(schema, "exclusiveMaximum", high) && !(value < high)) {
    report(node.place, path, is + "less than " + number_text(high));
  }
}

void SchemaCheck::check_text(const Node& node, const cbor::Value& schema, const std::string& path) {
  const auto length = static_cast<double>(length_of(node.text));
  double bound = 0;
  if (number_of(schema, "minLength", bound) && length < bound) {
    report(node.place, path,
           bound == 1 ? path + " must not be empty"
                      : path + " is too short: " + number_text(bound) + " characters are wanted");
  }
  if (number_of(schema, "maxLength", bound) && length > bound) {
    report(node.place, path, path + " is too long: " + number_text(bound) + " characters are allowed");
  }
}

void SchemaCheck::check_array(Node& node, const cbor::Value& schema, const std::string& path, int depth) {
  const auto count = static_cast<double>(node.items.size());
  double bound = 0;
  if (number_of(schema, "minItems", bound) && count < bound) {
    report(node.place, path, path + " must have at least " + number_text(bound) + " items");
  }
  if (number_of(schema, "maxItems", bound) && count > bound) {
    report(node.place, path, path + " must have at most " + number_text(bound) + " items");
  }
  const cbor::Value* const items = schema.find("items");
  if (!items || !items->is_map()) return;
  for (std::size_t i = 0; i < node.items.size(); ++i) {
    check(node.items[i], *items, path + '[' + std::to_string(i) + ']', depth + 1);
  }
}

void SchemaCheck::check_table(Node& node, const cbor::Value& schema, const std::string& path, int depth) {
  const cbor::Value* const properties = schema.find("properties");
  const cbor::Value* const additional = schema.find("additionalProperties");
  bool open = true;
  if (additional) additional->get_into(open);
  if (schema.find("patternProperties")) open = true;  // not understood, so not forbidden
  for (Member& member : node.members) {
    if (const cbor::Value* const property = properties ? properties->find(member.name) : nullptr) {
      check(member.node, *property, join_path(path, member.name), depth + 1);
    } else if (additional && additional->is_map()) {
      check(member.node, *additional, join_path(path, member.name), depth + 1);
    } else if (!open) {
      unknown(member, properties, path);
    }
  }
  const cbor::Value* const required = schema.find("required");
  if (!required || !required->is_array()) return;
  for (const cbor::Value& name : required->items()) {
    std::string_view text;
    if (name.get_into(text) && !node.find(text)) report(node.place, path, join_path(path, text) + " is missing");
  }
}

void SchemaCheck::unknown(const Member& member, const cbor::Value* properties, const std::string& path) {
  constexpr std::size_t kListedMax = 12;
  std::vector<std::string_view> names;
  if (properties && properties->is_map()) {
    for (const auto& property : properties->members()) names.push_back(property.first);
  }
  std::string help = did_you_mean(member.name, names);
  if (help.empty() && !names.empty() && names.size() <= kListedMax) {
    for (const std::string_view name : names) help += (help.empty() ? "known keys are " : ", ") + std::string(name);
  }
  report(member.place, join_path(path, member.name), "unknown key '" + member.name + "' in [" + path + "]",
         std::move(help));
}

cbor::Value to_cbor(const Node& node) {
  switch (node.kind) {
    case Node::Kind::boolean:
      return node.boolean;
    case Node::Kind::integer:
      return node.integer;
    case Node::Kind::number:
      return node.number;
    case Node::Kind::string:
    case Node::Kind::date_time:
      return node.text;
    case Node::Kind::array: {
      cbor::Value::Array items;
      for (const Node& item : node.items) items.push_back(to_cbor(item));
      return items;
    }
    case Node::Kind::table:
      break;
  }
  cbor::Value::Map members;
  for (const Member& member : node.members) members.emplace_back(member.name, to_cbor(member.node));
  return members;
}

}  // namespace nexus::host::config
