// The table of keys as text for people: a nexus.toml to begin with, and the reference.
#include "host/app/config/convert.hpp"
#include "host/app/config/faces.hpp"
#include "host/app/config/keys.hpp"

namespace nexus::host::config {
namespace {

constexpr std::size_t kWidth = 110;

// The text as comment lines of at most kWidth characters.
void append_comment(std::string& out, std::string_view text) {
  std::string line = "#";
  for (const std::string_view word : split(text, ' ')) {
    if (line.size() + 1 + word.size() > kWidth && line.size() > 1) {
      out += line + '\n';
      line = "#";
    }
    line += ' ';
    line += word;
  }
  out += line + '\n';
}

bool belongs(const Key& key, std::string_view section) {
  return key.path.size() > section.size() && key.path.substr(0, section.size()) == section &&
         key.path[section.size()] == '.' && key.path.find('.', section.size() + 1) == std::string_view::npos;
}

// What may be written, where the default does not say it: "1 to 1024 threads".
std::string allowed(const Key& key) {
  if (!key.choices.empty()) {
    std::string out;
    for (const std::string_view choice : split(key.choices, '|')) {
      if (!out.empty()) out += ", ";
      out += choice;
    }
    return out;
  }
  if (!key.bounded()) return {};
  return number_text(key.low) + " to " + number_text(key.high) + (key.unit.empty() ? "" : " " + std::string(key.unit));
}

void append_key(std::string& out, const Key& key, std::string_view example) {
  std::string text(key.text);
  if (const std::string range = allowed(key); !range.empty()) text += " (" + range + ")";
  out += '\n';
  append_comment(out, text);
  out += "# " + std::string(key.path.substr(key.path.rfind('.') + 1)) + " = " + std::string(example) + '\n';
}

std::string_view type_name(const Key& key) {
  switch (key.type) {
    case Type::boolean:
      return "boolean";
    case Type::integer:
      return "integer";
    case Type::number:
      return "number";
    case Type::path:
      return "path";
    case Type::pattern:
      return "pattern";
    case Type::patterns:
      return "patterns";
    case Type::paths:
      return "path or paths";
    default:
      return "string";
  }
}

// Inside a cell of a Markdown table a bar ends the cell.
std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') out += '\\';
    out += c;
  }
  return out;
}

void append_table(std::string& out, std::string_view title, std::string_view text, std::span<const Key> keys,
                  std::string_view section, bool show_reload) {
  out += "\n### " + std::string(title) + "\n\n" + cell(text) + "\n\n";
  out += show_reload ? "| key | type | default | allowed | on SIGHUP | |\n|---|---|---|---|---|---|\n"
                     : "| key | type | default | allowed | |\n|---|---|---|---|---|\n";
  for (const Key& key : keys) {
    if (!section.empty() && !belongs(key, section)) continue;
    out.append("| `")
        .append(section.empty() ? key.path : key.name())
        .append("` | ")
        .append(type_name(key))
        .append(" | ");
    if (!key.default_value.empty()) out.append("`").append(cell(key.default_value)).append("`");
    out.append(" | ").append(cell(allowed(key))).append(" | ");
    if (show_reload) out += key.has(kReload) ? "applied | " : "restart | ";
    out.append(cell(key.text)).append(key.has(kSecret) ? " Never shown." : "");
    out.append(key.has(kUrl) ? " A password in it is never shown." : "").append(" |\n");
  }
}

// A plugin's and a rule's tables have no place in the defaults, so each is shown by an example.
constexpr std::string_view kPluginExample = R"(
# One table for each plugin that needs settings; its id is put in quotes.
# [plugins."com.example.orders"]
)";
constexpr std::string_view kConfigExample = R"(
# The plugin's own settings, checked against the schema that it brings.
# [plugins."com.example.orders".config]
# limit = 10
)";

std::string_view example(const Key& key) {
  if (!key.default_value.empty()) return key.default_value;
  if (key.type == Type::patterns) return "[\"order.*\"]";
  if (key.type == Type::pattern) return "\"order.*\"";
  if (key.type == Type::boolean) return "true";
  if (key.type == Type::choice) return "\"durable\"";
  return "60.0";
}

void append_owned(std::string& out, std::span<const Key> keys) {
  for (const Key& key : keys) {
    out += '\n';
    std::string text(key.text);
    if (const std::string range = allowed(key); !range.empty()) text += " (" + range + ")";
    append_comment(out, text);
    out += "# " + std::string(key.path) + " = " + std::string(example(key)) + '\n';
  }
}

}  // namespace

std::string init() {
  std::string out =
      "# The configuration of the Nexus host. Every key stands here with its default, as a comment.\n"
      "# \"${NAME}\" and \"${NAME:-default}\" are replaced by variables, \"file:/path\" by what a file holds.\n"
      "# NEXUS_EVENTS__WORKER_COUNT=8 in the environment is stronger than this file, and so is conf.d/*.toml beside "
      "it.\n"
      "# `nexus config check` tells what is wrong, `nexus config show --origin` what is in force.\n";
  for (const Section& section : sections()) {
    out += '\n';
    append_comment(out, section.text);
    out += '[' + std::string(section.path) + "]\n";
    for (const Key& key : host_keys()) {
      if (belongs(key, section.path)) append_key(out, key, key.default_value);
    }
    if (section.path == "plugins") {
      out += kPluginExample;
      append_owned(out, plugin_keys());
      out += kConfigExample;
    }
  }
  out += "\n# Settings for the event types that match; the first rule that matches holds.\n# [[events.rules]]\n";
  append_owned(out, rule_keys());
  return out;
}

std::string reference() {
  std::string out;
  for (const Section& section : sections()) {
    append_table(out, "[" + std::string(section.path) + "]", section.text, host_keys(), section.path, true);
    if (section.path == "plugins") {
      append_table(
          out, "[plugins.\"<id>\"]",
          "Settings of one plugin; its own ones stand in [plugins.\"<id>\".config]. All are applied on SIGHUP, "
          "by loading the plugin anew.",
          plugin_keys(), "", false);
    }
    if (section.path == "events") {
      append_table(out, "[[events.rules]]",
                   "Settings for the event types that match; the first rule that matches holds.", rule_keys(), "",
                   false);
    }
  }
  return out;
}

}  // namespace nexus::host::config
