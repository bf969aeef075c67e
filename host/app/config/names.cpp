#include <algorithm>

#include "host/app/config/bind.hpp"
#include "host/app/config/nearest.hpp"

namespace nexus::host::config {
namespace {

std::string in_table(std::string_view scope) {
  return scope.empty() ? " outside of any table" : " in [" + std::string(scope) + "]";
}

bool has_prefix(std::string_view path, std::string_view scope) {
  return path.size() > scope.size() && path.substr(0, scope.size()) == scope && path[scope.size()] == '.';
}

bool is_table_of(std::span<const Key> keys, std::string_view path) {
  return std::any_of(keys.begin(), keys.end(), [&](const Key& key) { return has_prefix(key.path, path); });
}

bool is_plugin_id(std::string_view id) {
  if (id.size() < 3 || id.size() > 128) return false;
  for (const std::string_view segment : split(id, '.')) {
    const bool good = !segment.empty() && std::all_of(segment.begin(), segment.end(), [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    });
    if (!good) return false;
  }
  return true;
}

class NameCheck {
 public:
  NameCheck(const Document& document, std::string_view backend, std::string_view store, std::vector<Diagnostic>& out)
      : document_(document), backend_(backend), store_(store), out_(out) {}

  void table(const Node& node, const std::string& scope) {
    for (const Member& member : node.members) {
      if (out_.size() > kDiagnosticsMax) return;
      const std::string path = scope.empty() ? member.name : scope + '.' + member.name;
      if (find_key(host_keys(), path)) continue;
      if (is_table_of(host_keys(), path)) {
        if (expect_table(member, path)) table(member.node, path);
      } else if (path == "events.rules") {
        rules(member);
      } else if (scope == "plugins" && member.node.is_table()) {
        plugin(member);
      } else if (!is_foreign(scope, member)) {
        unknown(member, scope, candidates(scope));
      }
    }
  }

 private:
  void report(const Place& place, std::string path, std::string message, std::string help = {}) {
    out_.push_back(diagnose(document_.sources, place, std::move(path), std::move(message), std::move(help)));
  }

  bool expect_table(const Member& member, const std::string& path) {
    if (member.node.is_table()) return true;
    report(member.node.place, path, path + " must be a table, found " + describe(member.node),
           "write [" + path + "] and its keys below it");
    return false;
  }

  // The table of a backend or a store that a plugin provides, whose keys only the plugin knows.
  bool is_foreign(std::string_view scope, const Member& member) const {
    if (!member.node.is_table()) return false;
    return (scope == "events" && member.name == backend_) || (scope == "store" && member.name == store_);
  }

  static std::vector<std::string_view> candidates(std::string_view scope) {
    auto names = names_in(host_keys(), scope);
    if (scope == "events") names.push_back("rules");
    return names;
  }

  void unknown(const Member& member, std::string_view scope, const std::vector<std::string_view>& names) {
    const std::string path = join_path(scope, member.name);
    std::string help = did_you_mean(member.name, names);
    if (help.empty()) help = home_of(member.name);
    if (help.empty() && (scope == "events" || scope == "store") && member.node.is_table()) {
      help = scope == "events"
                 ? "a table of that name is read when events.backend is \"" + member.name + "\""
                 : "a table of that name is read when events.event_store_backend is \"" + member.name + "\"";
    }
    if (member.node.is_table()) {
      report(member.place, path, "unknown table [" + path + "]", help);
    } else {
      report(member.place, path, "unknown key '" + member.name + "'" + in_table(scope), help);
    }
  }

  // A right name at the wrong place.
  static std::string home_of(std::string_view name) {
    for (const Key& key : host_keys()) {
      if (key.name() != name) continue;
      return "'" + std::string(name) + "' belongs to [" + std::string(key.path.substr(0, key.path.rfind('.'))) + "]";
    }
    return {};
  }

  void rules(const Member& member) {
    const bool tables =
        member.node.kind == Node::Kind::array && std::all_of(member.node.items.begin(), member.node.items.end(),
                                                             [](const Node& item) { return item.is_table(); });
    if (!tables) {
      report(member.node.place, "events.rules",
             "events.rules must be an array of tables, found " + describe(member.node),
             "begin each rule with [[events.rules]]");
      return;
    }
    for (const Node& rule : member.node.items) {
      if (out_.size() > kDiagnosticsMax) return;
      for (const Member& key : rule.members) {
        if (out_.size() <= kDiagnosticsMax && !find_key(rule_keys(), key.name))
          unknown(key, "events.rules", names_in(rule_keys(), ""));
      }
    }
  }

  void plugin(const Member& member) {
    const std::string scope = "plugins." + quote(member.name);
    if (unquoted_id(member)) return;
    if (!is_plugin_id(member.name)) {
      report(member.place, scope, quote(member.name) + " is no plugin id",
             "ids are like \"com.example.orders\": lower case letters, digits, '-' and '_' between dots");
      return;
    }
    for (const Member& key : member.node.members) {
      if (out_.size() > kDiagnosticsMax) return;
      if (find_key(plugin_keys(), key.name)) continue;
      if (key.name == "permissions" || key.name == "config") {
        if (expect_table(key, scope + '.' + key.name) && key.name == "permissions") permissions(key, scope);
        continue;
      }
      auto names = names_in(plugin_keys(), "");
      names.push_back("config");
      const std::string near = did_you_mean(key.name, names);
      report(key.place, scope + '.' + path_segment(key.name), "unknown key '" + key.name + "' in [" + scope + "]",
             near.empty() ? "the plugin's own settings stand in [" + scope + ".config]" : near);
    }
  }

  void permissions(const Member& table, const std::string& scope) {
    for (const Member& key : table.node.members) {
      if (out_.size() > kDiagnosticsMax) return;
      if (find_key(plugin_keys(), "permissions." + key.name)) continue;
      unknown(key, scope + ".permissions", names_in(plugin_keys(), "permissions"));
    }
  }

  // [plugins.com.example.orders] is a table in a table in a table to TOML.
  bool unquoted_id(const Member& member) {
    std::string id = member.name;
    const Node* node = &member.node;
    auto is_setting = [](const Member& m) {
      const auto names = names_in(plugin_keys(), "");
      return m.name == "config" || std::find(names.begin(), names.end(), m.name) != names.end();
    };
    while (node->members.size() == 1 && node->members[0].node.is_table() && !is_setting(node->members[0])) {
      id += '.' + node->members[0].name;
      node = &node->members[0].node;
    }
    if (id == member.name) return false;
    report(member.place, "plugins." + member.name, "unknown table [plugins." + member.name + "]",
           "a plugin's id is put in quotes: [plugins." + quote(id) + "]");
    return true;
  }

  const Document& document_;
  std::string_view backend_;
  std::string_view store_;
  std::vector<Diagnostic>& out_;
};

}  // namespace

void check_names(const Document& document, const Node& root, std::string_view backend, std::string_view store,
                 std::vector<Diagnostic>& diagnostics) {
  NameCheck(document, backend, store, diagnostics).table(root, "");
}

}  // namespace nexus::host::config
