// The comparison behind SIGHUP.
#include <algorithm>

#include "host/app/config/convert.hpp"
#include "host/app/config/document.hpp"
#include "host/app/config/faces.hpp"
#include "host/app/config/keys.hpp"

namespace nexus::host::config {
namespace {

class Diff {
 public:
  Diff(const Config& from, const Config& to) : from_(from), to_(to) {}

  std::vector<Change> run() {
    keys(host_keys(), "", "", &from_, &to_);
    plugins();
    rules();
    foreign("events");
    foreign("store");
    return std::move(out_);
  }

 private:
  void keys(std::span<const Key> table, const std::string& scope, const std::string& plugin, const void* from,
            const void* to) {
    for (const Key& key : table) {
      if (value_text(key, from, true) == value_text(key, to, true)) continue;
      out_.push_back({scope + std::string(key.path), value_text(key, from).value_or(""),
                      value_text(key, to).value_or(""), !key.has(kReload), plugin});
    }
  }

  void plugins() {
    std::vector<std::string> ids;
    for (const Config* config : {&from_, &to_}) {
      for (const auto& entry : config->plugins.by_id) ids.push_back(entry.first);
    }
    std::sort(ids.begin(), ids.end());
    ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
    for (const std::string& id : ids) {
      const std::string scope = "plugins." + quote(id) + '.';
      keys(plugin_keys(), scope, id, &from_.plugins.of(id), &to_.plugins.of(id));
      nodes(scope + "config", own_config(from_, id), own_config(to_, id), false, id);
    }
  }

  static const Node* own_config(const Config& config, const std::string& id) {
    const Node* const all = config.document ? config.document->at("plugins") : nullptr;
    const Member* const own = all ? all->find(id) : nullptr;
    const Member* const found = own ? own->node.find("config") : nullptr;
    return found ? &found->node : nullptr;
  }

  void nodes(const std::string& key, const Node* from, const Node* to, bool restart, const std::string& plugin) {
    if (!from && !to) return;
    if (from && to && same_value(*from, *to)) return;
    out_.push_back({key, from ? node_toml(*from) : "", to ? node_toml(*to) : "", restart, plugin});
  }

  void rules() {
    const Node* const from = from_.document ? from_.document->at("events.rules") : nullptr;
    const Node* const to = to_.document ? to_.document->at("events.rules") : nullptr;
    nodes("events.rules", from, to, true, "");
  }

  void foreign(const std::string& scope) {
    for (const Config* config : {&from_, &to_}) {
      const Node* const all = config->document ? config->document->at(scope) : nullptr;
      if (!all) continue;
      for (const Member& member : all->members) {
        const std::string path = join_path(scope, member.name);
        if (!member.node.is_table() || !names_in(host_keys(), path).empty()) continue;
        const Config& other = config == &from_ ? to_ : from_;
        const Node* const there = other.document ? other.document->at(path) : nullptr;
        if (config == &to_ && there) continue;  // seen from the other side
        const Node* const here = &member.node;
        nodes(path, config == &from_ ? here : there, config == &from_ ? there : here, true, "");
      }
    }
  }

  const Config& from_;
  const Config& to_;
  std::vector<Change> out_;
};

}  // namespace

std::vector<Change> diff(const Config& from, const Config& to) { return Diff(from, to).run(); }

}  // namespace nexus::host::config
