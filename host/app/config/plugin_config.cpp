#include "host/app/config/plugin_config.hpp"

#include "host/app/config/convert.hpp"
#include "host/app/config/document.hpp"
#include "host/app/config/json_schema.hpp"
#include "host/app/config/keys.hpp"
#include "host/app/config/toml_reader.hpp"
#include "host/event/json.hpp"

namespace nexus::host::config {
namespace {

Node own_table(const Config& config, std::string_view id) {
  Node out;
  const Node* const plugins = config.document ? config.document->at("plugins") : nullptr;
  const Member* const plugin = plugins ? plugins->find(id) : nullptr;
  const Member* const own = plugin ? plugin->node.find("config") : nullptr;
  if (own) return own->node;
  // What is missing is missed where the plugin's table stands, if it does.
  if (plugin) out.place = plugin->place;
  return out;
}

Diagnostic bad_schema(std::string_view id, const std::string& reason) {
  Diagnostic out;
  out.message = "the config schema that " + std::string(id) + " brings cannot be used: " + reason;
  out.help = "this is a fault of the plugin";
  return out;
}

// Checks the table, and fits it to the schema.
std::vector<Diagnostic> check(const Config& config, std::string_view id, std::string_view json_schema, Node& table) {
  std::vector<Diagnostic> out;
  if (json_schema.empty() || !config.document) return out;
  const auto encoded = json_to_cbor(json_schema);
  if (!encoded) return {bad_schema(id, encoded.error().message)};
  cbor::Value schema;
  cbor::Error error;
  if (!cbor::Value::try_decode(*encoded, schema, error)) return {bad_schema(id, error.message())};
  if (!schema.is_map()) return {bad_schema(id, "it is no JSON object")};
  SchemaCheck(*config.document, schema, out).run(table, "plugins." + quote(id) + ".config");
  return out;
}

Error load_error(const std::vector<Diagnostic>& diagnostics) {
  std::string text = render(diagnostics);
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return make_error(NEXUS_E_LOAD_CONFIG, std::move(text));
}

std::vector<uint8_t> encoded(const cbor::Value& value) { return value.encode(); }

}  // namespace

std::vector<Diagnostic> plugin_diagnostics(const Config& config, std::string_view plugin_id,
                                           std::string_view json_schema) {
  Node table = own_table(config, plugin_id);
  return check(config, plugin_id, json_schema, table);
}

Result<void> check_plugin_config(const Config& config, std::string_view plugin_id, std::string_view json_schema) {
  const auto diagnostics = plugin_diagnostics(config, plugin_id, json_schema);
  if (!diagnostics.empty()) return load_error(diagnostics);
  return {};
}

Result<std::vector<uint8_t>> plugin_config(const Config& config, std::string_view plugin_id,
                                           std::string_view json_schema) {
  Node table = own_table(config, plugin_id);
  const auto diagnostics = check(config, plugin_id, json_schema, table);
  if (!diagnostics.empty()) return load_error(diagnostics);
  return encoded(to_cbor(table));
}

std::vector<uint8_t> table_config(const Config& config, std::string_view table) {
  Node out;
  const std::string prefix = std::string(table) + '.';
  bool known = false;
  for (const Key& key : host_keys()) {
    if (key.path.substr(0, prefix.size()) != prefix) continue;
    known = true;
    Member member{std::string(key.path.substr(prefix.size())), {}, {}};
    const auto value = value_text(key, &config, true);
    if (value && read_toml_value(*value, {}, member.node)) out.members.push_back(std::move(member));
  }
  if (known) return encoded(to_cbor(out));
  const Node* const node = config.document ? config.document->at(table) : nullptr;
  return encoded(to_cbor(node && node->is_table() ? *node : out));
}

}  // namespace nexus::host::config
