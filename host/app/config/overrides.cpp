#include "host/app/config/overrides.hpp"

#include <algorithm>
#include <map>

#include "host/app/config/keys.hpp"
#include "host/app/config/nearest.hpp"
#include "host/app/config/toml_reader.hpp"
#include "host/base/secret.hpp"

namespace nexus::host::config {
namespace {

constexpr std::string_view kPrefix = "NEXUS_";

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

std::vector<std::string> segments_of(std::string_view name) {
  std::vector<std::string> out;
  while (true) {
    const auto end = name.find("__");
    out.push_back(lower(name.substr(0, end)));
    if (end == std::string_view::npos) return out;
    name.remove_prefix(end + 2);
  }
}

std::string variable_of(std::string_view path) {
  std::string out(kPrefix);
  for (const char c : path) {
    if (c == '.') {
      out += "__";
    } else {
      out += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    }
  }
  return out;
}

std::string without_underscores(std::string_view name) {
  std::string out;
  for (const char c : name) {
    if (c != '_') out += c;
  }
  return out;
}

// The tables on the way are made where they are missing.
Node& descend(Node& root, const std::vector<std::string>& path, const Place& place) {
  Node* node = &root;
  for (const std::string& name : path) {
    Member* member = node->find(name);
    if (!member) {
      node->kind = Node::Kind::table;
      node->members.push_back({name, place, Node{}});
      member = &node->members.back();
      member->node.place = place;
    }
    node = &member->node;
  }
  return *node;
}

void put(Node& root, const std::vector<std::string>& path, Node value) {
  const Place place = value.place;
  Node& node = descend(root, path, place);
  node = std::move(value);
}

Node text_node(std::string_view text, const Place& place) {
  Node node;
  node.kind = Node::Kind::string;
  node.text = std::string(text);
  node.from_text = true;
  node.place = place;
  return node;
}

// "com_example_orders", as a shell's variable must write it, is the configured id "com.example.orders".
std::string plugin_id(const Node& root, const std::string& segment) {
  const auto plain = [](std::string_view id) {
    std::string out;
    for (const char c : id) out += c == '.' || c == '-' ? '_' : c;
    return out;
  };
  if (const Member* plugins = root.find("plugins")) {
    for (const Member& member : plugins->node.members) {
      if (member.node.is_table() && plain(member.name) == plain(segment)) return member.name;
    }
  }
  if (segment.find('.') != std::string::npos) return segment;
  std::string out = segment;
  std::replace(out.begin(), out.end(), '_', '.');
  return out;
}

class Environment {
 public:
  Environment(Document& document, Node& root, std::vector<Diagnostic>& out)
      : document_(document), root_(root), out_(out) {
    for (const Key& key : host_keys()) names_.push_back(variable_of(key.path));
  }

  void apply(const std::string& name, const std::string& value) {
    if (name.compare(0, kPrefix.size(), kPrefix) != 0) return;
    const std::string_view rest = std::string_view(name).substr(kPrefix.size());
    if (rest.find("__") == std::string_view::npos) return warn_of_underscore(name);
    const Place place{static_cast<uint32_t>(document_.sources.size()), 1, 1, 0};
    document_.sources.push_back({OriginKind::environment, name, name + '=' + value});
    const auto segments = segments_of(rest);
    std::string path = segments[0];
    for (std::size_t i = 1; i < segments.size(); ++i) path += '.' + segments[i];
    if (find_key(host_keys(), path)) {
      put(root_, segments, text_node(value, place));
    } else if (segments[0] == "plugins" && segments.size() >= 3) {
      plugin(segments, value, place);
    } else if (is_foreign(segments)) {
      put(root_, segments, free_value(value, place));
    } else {
      unknown(name, place);
    }
  }

 private:
  // NEXUS_EVENTS_WORKER_COUNT does nothing; whoever wrote it thinks that it does.
  void warn_of_underscore(const std::string& name) {
    if (is_referred_to(name)) return;
    for (const std::string& known : names_) {
      if (without_underscores(name) != without_underscores(known)) continue;
      Diagnostic warning;
      warning.severity = Severity::warning;
      warning.file = "environment variable " + name;
      warning.message = "this variable has no effect";
      warning.help = "did you mean '" + known + "'? Two underscores stand between a table and its key";
      out_.push_back(std::move(warning));
    }
  }

  // A file that says ${NEXUS_LOG_FILE} gives the variable a meaning of its own.
  bool is_referred_to(const std::string& name) const {
    return std::any_of(document_.sources.begin(), document_.sources.end(), [&](const Source& source) {
      return source.kind() == OriginKind::file && source.text().find("${" + name) != std::string::npos;
    });
  }

  void unknown(const std::string& name, const Place& place) {
    std::vector<std::string_view> names(names_.begin(), names_.end());
    std::string help = did_you_mean(name, names);
    if (help.empty() && name.rfind("NEXUS_EVENTS__RULES", 0) == 0) help = "rules are set in the file only";
    out_.push_back(diagnose(document_.sources, place, {}, "this variable names no config key", std::move(help)));
  }

  // NEXUS_EVENTS__KAFKA__HOST while the backend is kafka.
  bool is_foreign(const std::vector<std::string>& segments) const {
    if (segments.size() < 3 || (segments[0] != "events" && segments[0] != "store")) return false;
    const Member* const events = root_.find("events");
    const Member* const chosen =
        events ? events->node.find(segments[0] == "events" ? "backend" : "event_store_backend") : nullptr;
    return chosen && chosen->node.text == segments[1];
  }

  void plugin(const std::vector<std::string>& segments, const std::string& value, const Place& place) {
    std::vector<std::string> path{"plugins", plugin_id(root_, segments[1])};
    path.insert(path.end(), segments.begin() + 2, segments.end());
    std::string key = segments[2];
    for (std::size_t i = 3; i < segments.size(); ++i) key += '.' + segments[i];
    if (find_key(plugin_keys(), key)) {
      put(root_, path, text_node(value, place));
    } else if (segments[2] == "config" && segments.size() > 3) {
      put(root_, path, free_value(value, place));
    } else {
      auto names = names_in(plugin_keys(), "");
      names.push_back("config");
      out_.push_back(diagnose(document_.sources, place, {}, "this variable names no key of a plugin's table",
                              did_you_mean(segments[2], names)));
    }
  }

  // What only a plugin knows: TOML where it is TOML, else a text.
  static Node free_value(const std::string& value, const Place& place) {
    Node node;
    if (value.find_first_of("\r\n") == std::string::npos && read_toml_value(value, place, node)) return node;
    return text_node(value, place);
  }

  Document& document_;
  Node& root_;
  std::vector<Diagnostic>& out_;
  std::vector<std::string> names_;
};

bool is_array_of_tables(const Node& node) {
  return node.kind == Node::Kind::array && !node.items.empty() &&
         std::all_of(node.items.begin(), node.items.end(), [](const Node& item) { return item.is_table(); });
}

}  // namespace

void apply_environment(const std::vector<std::pair<std::string, std::string>>& variables, Document& document,
                       Node& root, std::vector<Diagnostic>& diagnostics) {
  Environment environment(document, root, diagnostics);
  for (const auto& [name, value] : variables) environment.apply(name, value);
}

void apply_overrides(const std::vector<Override>& overrides, Document& document, Node& root,
                     std::vector<Diagnostic>& diagnostics) {
  for (const Override& one : overrides) {
    const Place place{static_cast<uint32_t>(document.sources.size()), 1, 1, 0};
    document.sources.push_back({OriginKind::command_line, one.option, one.option + '=' + one.value});
    if (!find_key(host_keys(), one.key)) {
      diagnostics.push_back(diagnose(document.sources, place, one.key, "'" + one.key + "' is no config key"));
      continue;
    }
    std::vector<std::string> path;
    for (const std::string_view name : split(one.key, '.')) path.emplace_back(name);
    put(root, path, text_node(one.value, place));
  }
}

void merge(Node& to, Node from) {
  if (!to.is_table() || !from.is_table()) {
    if (is_array_of_tables(to) && is_array_of_tables(from)) {
      for (Node& item : from.items) to.items.push_back(std::move(item));
    } else {
      to = std::move(from);
    }
    return;
  }
  // By an index: a file may have a very long table.
  std::map<std::string, std::size_t, std::less<>> index;
  for (std::size_t i = 0; i < to.members.size(); ++i) index.emplace(to.members[i].name, i);
  for (Member& member : from.members) {
    const auto found = index.find(member.name);
    if (found == index.end()) {
      to.members.push_back(std::move(member));
      continue;
    }
    Member& target = to.members[found->second];
    target.place = member.place;
    merge(target.node, std::move(member.node));
  }
  to.place = from.place;
}

}  // namespace nexus::host::config
