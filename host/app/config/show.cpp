// `nexus config show`.
#include <algorithm>

#include "host/app/config/convert.hpp"
#include "host/app/config/document.hpp"
#include "host/app/config/faces.hpp"
#include "host/app/config/json_writer.hpp"
#include "host/app/config/keys.hpp"
#include "host/base/secret.hpp"

namespace nexus::host::config {
namespace {

// One value in force.
struct Entry {
  std::string table;  // as in a TOML header, without brackets: events.redis, plugins."com.example.orders"
  std::string key;    // as TOML writes it
  std::string toml;
  std::string json;
  std::string origin;  // empty: unknown
  bool rule = false;   // the table is an array's element
  std::size_t index = 0;
};

std::string_view table_of(std::string_view path) {
  const auto dot = path.rfind('.');
  return dot == std::string_view::npos ? std::string_view{} : path.substr(0, dot);
}

const Node* child(const Node* node, std::string_view path) {
  for (const std::string_view name : split(path, '.')) {
    const Member* const member = node ? node->find(name) : nullptr;
    node = member ? &member->node : nullptr;
  }
  return node;
}

// Every value of a config, table by table.
class Entries {
 public:
  explicit Entries(const Config& config) : config_(config) {
    for (const Section& section : sections()) {
      for (const Key& key : host_keys()) {
        if (table_of(key.path) != section.path) continue;
        add(std::string(section.path), key.name(), value_text(key, &config), node(key.path));
      }
      if (section.path == "plugins") plugins();
      if (section.path == "events") rules();
    }
    foreign("events");
    foreign("store");
  }

  std::vector<Entry> take() { return std::move(entries_); }

 private:
  const Node* node(std::string_view path) const { return config_.document ? config_.document->at(path) : nullptr; }

  std::string origin(const Node* node) const {
    if (!config_.document) return {};
    return node ? config_.document->origin(node->place).text() : "default";
  }

  void add(std::string table, std::string_view key, const std::optional<std::string>& value, const Node* node) {
    if (!value) return;
    entries_.push_back({std::move(table), std::string(key), *value, *value, origin(node)});
  }

  void free(const std::string& table, const Node& from) {
    for (const Member& member : from.members) {
      const bool secret = is_secret_name(member.name);
      entries_.push_back({table, path_segment(member.name), node_toml(member.node, secret),
                          node_json(member.node, secret), origin(&member.node)});
    }
  }

  void plugins() {
    for (const auto& [id, settings] : config_.plugins.by_id) {
      const std::string table = "plugins." + quote(id);
      const Node* const all = node("plugins");
      const Member* const own = all ? all->find(id) : nullptr;
      for (const Key& key : plugin_keys()) {
        add(table, key.path, value_text(key, &settings), child(own ? &own->node : nullptr, key.path));
      }
      if (const Member* const config = own ? own->node.find("config") : nullptr) free(table + ".config", config->node);
    }
  }

  void rules() {
    const Node* const all = node("events.rules");
    for (std::size_t i = 0; i < config_.events.rules.size(); ++i) {
      const Node* const rule = all && i < all->items.size() ? &all->items[i] : nullptr;
      for (const Key& key : rule_keys()) {
        const std::size_t before = entries_.size();
        add("events.rules", key.path, value_text(key, &config_.events.rules[i]), child(rule, key.path));
        if (entries_.size() > before) {
          entries_.back().rule = true;
          entries_.back().index = i;
        }
      }
    }
  }

  // Tables of backends and stores that the host does not know.
  void foreign(const std::string& scope) {
    const Node* const all = node(scope);
    if (!all) return;
    for (const Member& member : all->members) {
      const std::string path = join_path(scope, member.name);
      const bool known = std::any_of(host_keys().begin(), host_keys().end(), [&](const Key& key) {
        return key.path == path || key.path.substr(0, path.size() + 1) == path + '.';
      });
      if (!known && member.node.is_table()) free(path, member.node);
    }
  }

  const Config& config_;
  std::vector<Entry> entries_;
};

std::string show_toml(const std::vector<Entry>& entries, bool origin) {
  std::size_t width = 0;
  for (const Entry& entry : entries) width = std::max(width, entry.key.size() + 3 + entry.toml.size());
  width = std::min<std::size_t>(width, 60);
  std::string out;
  const Entry* before = nullptr;
  for (const Entry& entry : entries) {
    if (!before || before->table != entry.table || before->index != entry.index) {
      if (before) out += '\n';
      out += (entry.rule ? "[[" : "[") + entry.table + (entry.rule ? "]]\n" : "]\n");
    }
    const std::string line = entry.key + " = " + entry.toml;
    out += line;
    if (origin) {
      out.append(line.size() < width ? width - line.size() : 0, ' ');
      out += "  # ";
      append_printable(out, entry.origin);
    }
    out += '\n';
    before = &entry;
  }
  return out;
}

std::string show_flat_json(const std::vector<Entry>& entries) {
  JsonWriter json;
  json.open('{');
  for (const Entry& entry : entries) {
    const std::string index = entry.rule ? '[' + std::to_string(entry.index) + ']' : "";
    json.key(entry.table + index + '.' + entry.key);
    json.open('{');
    json.raw_member("value", entry.json);
    json.member("origin", entry.origin);
    json.close();
  }
  json.close();
  return json.take();
}

// The parts of a dotted path in which names may be quoted.
std::vector<std::string> parts_of(std::string_view path) {
  std::vector<std::string> out(1);
  bool quoted = false;
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (quoted && path[i] == '\\' && i + 1 < path.size()) {
      out.back() += path[++i];
    } else if (path[i] == '"') {
      quoted = !quoted;
    } else if (path[i] == '.' && !quoted) {
      out.emplace_back();
    } else {
      out.back() += path[i];
    }
  }
  return out;
}

struct Tree {
  std::string name;
  std::string json;  // of a leaf
  bool array = false;
  std::vector<Tree> children;

  Tree& child(const std::string& wanted) {
    for (Tree& tree : children) {
      if (tree.name == wanted) return tree;
    }
    return children.emplace_back(Tree{wanted, {}, false, {}});
  }
};

void write_tree(JsonWriter& json, const Tree& tree) {
  if (!tree.json.empty()) return json.raw(tree.json);
  json.open(tree.array ? '[' : '{');
  for (const Tree& child : tree.children) {
    if (!tree.array) json.key(child.name);
    write_tree(json, child);
  }
  json.close();
}

std::string show_nested_json(const std::vector<Entry>& entries) {
  Tree root;
  for (const Entry& entry : entries) {
    Tree* tree = &root;
    for (const std::string& part : parts_of(entry.table)) tree = &tree->child(part);
    if (entry.rule) {
      tree->array = true;
      tree = &tree->child(std::to_string(entry.index));
    }
    for (const std::string& part : parts_of(entry.key)) tree = &tree->child(part);
    tree->json = entry.json;
  }
  JsonWriter json;
  write_tree(json, root);
  return json.take();
}

}  // namespace

std::string show(const Config& config, const ShowOptions& options) {
  const std::vector<Entry> entries = Entries(config).take();
  if (!options.json) return show_toml(entries, options.origin);
  return options.origin ? show_flat_json(entries) : show_nested_json(entries);
}

}  // namespace nexus::host::config
