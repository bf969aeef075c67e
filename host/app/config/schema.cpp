// The JSON Schema (draft-07) of nexus.toml.
#include "host/app/config/convert.hpp"
#include "host/app/config/faces.hpp"
#include "host/app/config/json_writer.hpp"
#include "host/app/config/keys.hpp"

namespace nexus::host::config {
namespace {

// Every value may be a reference instead, "${NAME}" or "file:/path"; only the host can tell what it stands for.
constexpr std::string_view kReference = "\\$\\{|^file:/";

class SchemaWriter {
 public:
  std::string write() {
    json_.open('{');
    json_.member("$schema", "http://json-schema.org/draft-07/schema#");
    json_.member("title", "nexus.toml");
    json_.member("description", "Configuration of the Nexus host");
    json_.member("type", "object");
    json_.raw_member("additionalProperties", "false");
    json_.key("properties");
    json_.open('{');
    for (const std::string_view name : names_in(host_keys(), "")) table(name, std::string(name));
    json_.close();
    json_.key("definitions");
    json_.open('{');
    owned("plugin", "One plugin's settings, [plugins.\"<id>\"].", plugin_keys(), true);
    owned("rule", "Settings for the event types that match, [[events.rules]].", rule_keys(), false);
    json_.close();
    json_.close();
    return json_.take();
  }

 private:
  void table(std::string_view name, const std::string& path) {
    json_.key(name);
    json_.open('{');
    json_.member("type", "object");
    for (const Section& section : sections()) {
      if (section.path == path) json_.member("description", section.text);
    }
    // [plugins] holds the plugins' tables; [events] and [store] those of backends that plugins provide.
    json_.key("additionalProperties");
    if (path == "plugins") {
      reference("plugin");
    } else if (path == "events" || path == "store") {
      json_.open('{');
      json_.member("type", "object");
      json_.close();
    } else {
      json_.raw("false");
    }
    json_.key("properties");
    json_.open('{');
    for (const std::string_view child : names_in(host_keys(), path)) {
      const std::string full = path + '.' + std::string(child);
      if (const Key* const key = find_key(host_keys(), full)) {
        value(child, *key);
      } else {
        table(child, full);
      }
    }
    if (path == "events") rules();
    json_.close();
    json_.close();
  }

  void reference(std::string_view definition) {
    json_.open('{');
    json_.member("$ref", "#/definitions/" + std::string(definition));
    json_.close();
  }

  void rules() {
    json_.key("rules");
    json_.open('{');
    json_.member("type", "array");
    json_.key("items");
    reference("rule");
    json_.close();
  }

  // The table of a plugin or a rule.
  void owned(std::string_view name, std::string_view text, std::span<const Key> keys, bool has_config) {
    json_.key(name);
    json_.open('{');
    json_.member("type", "object");
    json_.member("description", text);
    members(keys, "", has_config);
    required(keys);
    json_.close();
  }

  void members(std::span<const Key> keys, const std::string& scope, bool has_config) {
    json_.raw_member("additionalProperties", "false");
    json_.key("properties");
    json_.open('{');
    for (const std::string_view name : names_in(keys, scope)) {
      const std::string path = scope.empty() ? std::string(name) : scope + '.' + std::string(name);
      if (const Key* const key = find_key(keys, path)) {
        value(name, *key);
        continue;
      }
      json_.key(name);
      json_.open('{');
      json_.member("type", "object");
      members(keys, path, false);
      json_.close();
    }
    if (has_config) {
      json_.key("config");
      json_.open('{');
      json_.member("type", "object");
      json_.member("description", "The plugin's own settings, checked against the schema that it brings.");
      json_.close();
    }
    json_.close();
  }

  void required(std::span<const Key> keys) {
    json_.key("required");
    json_.open('[');
    for (const Key& key : keys) {
      if (key.has(kRequired)) json_.text(key.path);
    }
    json_.close();
  }

  void types(std::initializer_list<std::string_view> names) {
    json_.key("type");
    json_.open('[');
    for (const std::string_view name : names) json_.text(name);
    json_.close();
  }

  void strings(bool or_one) {
    if (or_one) {
      types({"string", "array"});
    } else {
      json_.member("type", "array");
    }
    json_.key("items");
    json_.open('{');
    json_.member("type", "string");
    json_.raw_member("minLength", "1");
    json_.close();
  }

  void value(std::string_view name, const Key& key) {
    json_.key(name);
    json_.open('{');
    json_.member("description", std::string(key.text) + (key.unit.empty() ? "" : " In " + std::string(key.unit) + "."));
    switch (key.type) {
      case Type::boolean:
        types({"boolean", "string"});
        break;
      case Type::integer:
        types({"integer", "string"});
        break;
      case Type::number:
        types({"number", "string"});
        break;
      case Type::paths:
        strings(true);
        break;
      case Type::patterns:
        strings(false);
        break;
      default:
        json_.member("type", "string");
        break;
    }
    const bool not_text = key.type == Type::boolean || key.type == Type::integer || key.type == Type::number;
    if (not_text) json_.member("pattern", kReference);
    if (key.bounded()) {
      json_.raw_member("minimum", number_text(key.low));
      json_.raw_member("maximum", number_text(key.high));
    }
    if (key.has(kNotEmpty)) json_.raw_member("minLength", "1");
    if (key.type == Type::choice) choices(key);
    if (key.has(kSecret)) json_.raw_member("writeOnly", "true");
    // The defaults are written so that TOML and JSON read them alike.
    if (!key.default_value.empty()) json_.raw_member("default", key.default_value);
    json_.close();
  }

  void choices(const Key& key) {
    json_.key("anyOf");
    json_.open('[');
    json_.open('{');
    json_.key("enum");
    json_.open('[');
    for (const std::string_view choice : split(key.choices, '|')) json_.text(choice);
    json_.close();
    json_.close();
    json_.open('{');
    json_.member("pattern", kReference);
    json_.close();
    json_.close();
  }

  JsonWriter json_;
};

}  // namespace

std::string schema() { return SchemaWriter().write(); }

}  // namespace nexus::host::config
