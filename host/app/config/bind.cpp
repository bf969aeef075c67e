#include "host/app/config/bind.hpp"

#include <algorithm>
#include <filesystem>

#include "host/app/config/convert.hpp"
#include "host/base/secret.hpp"

namespace nexus::host::config {
namespace {

// sockaddr_un::sun_path, its final zero left out.
constexpr std::size_t kSocketPathMax = 107;

const Node* at(const Node& root, std::string_view path) {
  const Node* node = &root;
  for (const std::string_view name : split(path, '.')) {
    const Member* const member = node->find(name);
    if (!member) return nullptr;
    node = &member->node;
  }
  return node;
}

bool is_unresolved(const Node& node) {
  return node.unresolved || std::any_of(node.items.begin(), node.items.end(), is_unresolved);
}

void register_secrets(const Key& key, const Node& node) {
  if (node.kind != Node::Kind::string) return;
  if (key.has(kSecret) || node.secret) register_secret(node.text);
  if (key.has(kUrl)) register_secret(password_of_url(node.text));
}

void register_secrets(const Node& node, bool secret) {
  if (node.kind == Node::Kind::string && (secret || node.secret)) register_secret(node.text);
  if (node.kind == Node::Kind::string) register_secret(password_of_url(node.text));
  for (const Member& member : node.members) register_secrets(member.node, secret || is_secret_name(member.name));
  for (const Node& item : node.items) register_secrets(item, secret);
}

class Binder {
 public:
  Binder(const Document& document, const std::string& current, Config& config, std::vector<Diagnostic>& out)
      : document_(document), folders_{document.folder, current}, config_(config), out_(out) {}

  void run() {
    keys(host_keys(), document_.root, "", &config_);
    if (const Node* plugins = at(document_.root, "plugins"); plugins && plugins->is_table()) {
      for (const Member& member : plugins->members) {
        if (member.node.is_table() && !find_key(host_keys(), "plugins." + member.name)) plugin(member);
      }
    }
    if (const Node* rules = at(document_.root, "events.rules")) {
      for (const Node& rule : rules->items) {
        const std::string path = "events.rules[" + std::to_string(config_.events.rules.size()) + "]";
        if (rule.is_table()) keys(rule_keys(), rule, path, &config_.events.rules.emplace_back());
      }
    }
    register_secrets(document_.root, false);
    cross_checks();
  }

 private:
  void report(const Place& place, std::string path, std::string message, std::string help = {}) {
    out_.push_back(diagnose(document_.sources, place, std::move(path), std::move(message), std::move(help)));
  }

  void keys(std::span<const Key> table, const Node& root, const std::string& scope, void* owner) {
    for (const Key& key : table) {
      if (out_.size() > kDiagnosticsMax) return;
      const std::string path = scope.empty() ? std::string(key.path) : scope + '.' + std::string(key.path);
      const Node* const node = at(root, key.path);
      if (!node) {
        if (key.has(kRequired)) report(root.place, path, path + " is missing");
        continue;
      }
      if (is_unresolved(*node)) continue;
      register_secrets(key, *node);
      if (auto problem = set_value(document_, key, path, *node, owner, folders_)) {
        report(problem->place, path, std::move(problem->message), std::move(problem->help));
      }
    }
  }

  void plugin(const Member& member) {
    keys(plugin_keys(), member.node, "plugins." + quote(member.name), &config_.plugins.by_id[member.name]);
  }

  bool good(std::string_view key) const {
    return std::none_of(out_.begin(), out_.end(), [&](const Diagnostic& diagnostic) { return diagnostic.key == key; });
  }

  // What no single key can tell.
  void cross_checks() {
    const auto place = [&](std::string_view path) {
      const Node* const node = at(document_.root, path);
      return node ? node->place : Place{};
    };
    if (config_.control.socket.size() > kSocketPathMax) {
      report(place("control.socket"), "control.socket",
             "control.socket is too long for a Unix socket: " + std::to_string(config_.control.socket.size()) +
                 " bytes, " + std::to_string(kSocketPathMax) + " are allowed");
    }
    const std::string& url = config_.events.rabbitmq.url;
    if (!url.empty() && url.rfind("amqp://", 0) != 0 && url.rfind("amqps://", 0) != 0) {
      report(place("events.rabbitmq.url"), "events.rabbitmq.url",
             "events.rabbitmq.url must begin with amqp:// or amqps://");
    }
    const bool both = good("events.retry_delay") && good("events.retry_delay_max");
    if (both && config_.events.retry_delay > config_.events.retry_delay_max) {
      report(place("events.retry_delay"), "events.retry_delay",
             "events.retry_delay is " + number_text(config_.events.retry_delay) +
                 ", which is more than events.retry_delay_max, " + number_text(config_.events.retry_delay_max));
    }
  }

  const Document& document_;
  const Folders folders_;
  Config& config_;
  std::vector<Diagnostic>& out_;
};

}  // namespace

void fill(const Document& document, const std::string& current_folder, Config& config,
          std::vector<Diagnostic>& diagnostics) {
  Binder(document, current_folder, config, diagnostics).run();
}

std::string absolute(const std::string& path, const std::string& folder) {
  if (path.empty()) return {};
  const std::filesystem::path given(path);
  const std::filesystem::path full = given.is_absolute() ? given : std::filesystem::path(folder) / given;
  std::string out = full.lexically_normal().string();
  while (out.size() > 1 && out.back() == '/') out.pop_back();
  return out;
}

}  // namespace nexus::host::config
