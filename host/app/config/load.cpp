#include "host/app/config/load.hpp"

#include <algorithm>
#include <filesystem>
#include <tuple>
#include <utility>

#include "host/app/config/bind.hpp"
#include "host/app/config/document.hpp"
#include "host/app/config/interpolate.hpp"
#include "host/app/config/keys.hpp"
#include "host/app/config/overrides.hpp"
#include "host/app/config/toml_reader.hpp"

namespace nexus::host {

const PluginConfig& PluginsConfig::of(std::string_view id) const {
  static const PluginConfig kDefaults;
  const auto found = by_id.find(id);
  return found == by_id.end() ? kDefaults : found->second;
}

namespace config {
namespace {

constexpr std::size_t kFileSizeMax = 1024 * 1024;

std::string defaults_toml() {
  std::string out;
  for (const Section& section : sections()) {
    out += '[' + std::string(section.path) + "]\n";
    for (const Key& key : host_keys()) {
      const bool here = key.path.substr(0, key.path.rfind('.')) == section.path;
      if (here) out += std::string(key.name()) + " = " + std::string(key.default_value) + '\n';
    }
  }
  return out;
}

class Loader {
 public:
  Loader(const LoadOptions& options, const Surroundings& surroundings)
      : options_(options), surroundings_(surroundings), current_(surroundings.current_folder()) {}

  Loaded run() {
    auto document = std::make_shared<Document>();
    document_ = document.get();
    document_->sources.push_back({OriginKind::default_value, "default", defaults_toml()});
    read_toml(document_->sources, 0, document_->root, out_.diagnostics);
    document_->folder = current_;
    Node user;
    files(user);
    apply_environment(surroundings_.variables(), *document_, user, out_.diagnostics);
    apply_overrides(options_.overrides, *document_, user, out_.diagnostics);
    const Node user_tree = user;
    merge(document_->root, std::move(user));
    check_names(*document_, user_tree, text_at("events", "backend"), text_at("events", "event_store_backend"),
                out_.diagnostics);
    interpolate();
    fill(*document_, current_, out_.config, out_.diagnostics);
    finish();
    out_.config.document = std::move(document);
    return std::move(out_);
  }

 private:
  void files(Node& user) {
    if (options_.file.empty()) return;
    out_.config.file = absolute(options_.file, current_);
    document_->folder = std::filesystem::path(out_.config.file).parent_path().string();
    file(options_.file, user);
    const std::string drop_ins = (std::filesystem::path(options_.file).parent_path() / "conf.d").string();
    for (const std::string& name : surroundings_.list(drop_ins)) {
      if (name.size() > 5 && name[0] != '.' && name.compare(name.size() - 5, 5, ".toml") == 0) {
        file((std::filesystem::path(drop_ins) / name).string(), user);
      }
    }
  }

  void file(const std::string& path, Node& user) {
    auto text = surroundings_.read_file(path, kFileSizeMax);
    if (!text) {
      Diagnostic diagnostic;
      diagnostic.file = path;
      diagnostic.message = text.error().message;
      out_.diagnostics.push_back(std::move(diagnostic));
      return;
    }
    document_->sources.push_back({OriginKind::file, path, std::move(*text)});
    Node root;
    read_toml(document_->sources, static_cast<uint32_t>(document_->sources.size() - 1), root, out_.diagnostics);
    merge(user, std::move(root));
  }

  // The text of a key before anything is checked; empty where it is none.
  std::string text_at(std::string_view table, std::string_view name) const {
    const Member* const member = document_->root.find(table);
    const Member* const found = member ? member->node.find(name) : nullptr;
    return found ? found->node.text : std::string();
  }

  void interpolate() {
    Interpolator interpolator(*document_, surroundings_, out_.diagnostics);
    Member* const host = document_->root.find("host");
    Member* const data_dir = host ? host->node.find("data_dir") : nullptr;
    if (data_dir && data_dir->node.kind == Node::Kind::string) {
      interpolator.run(data_dir->node, "host.data_dir");
      const bool by_hand = document_->origin(data_dir->node.place).kind >= OriginKind::environment;
      interpolator.set_data_dir(absolute(data_dir->node.text, by_hand ? current_ : document_->folder));
      // Done once: what a variable held is not looked into again.
      const Node done = std::exchange(data_dir->node, Node{});
      interpolator.run(document_->root, "");
      data_dir->node = done;
      return;
    }
    // Its own error is told by its own check; what refers to it has none.
    interpolator.set_data_dir("/");
    interpolator.run(document_->root, "");
  }

  // In the order of the files and their lines; no more than anybody reads.
  void finish() {
    auto& all = out_.diagnostics;
    const auto rank = [&](const Diagnostic& d) {
      std::size_t index = 0;
      while (index < document_->sources.size() && document_->sources[index].name() != d.file) ++index;
      return std::tuple(d.line == 0, index, d.line, d.column);
    };
    if (all.size() > kDiagnosticsMax) all.resize(kDiagnosticsMax);
    const bool cut = all.size() == kDiagnosticsMax;
    std::stable_sort(all.begin(), all.end(), [&](const auto& a, const auto& b) { return rank(a) < rank(b); });
    if (cut) {
      Diagnostic rest;
      rest.message = "too many errors; the rest is not shown";
      all.push_back(std::move(rest));
    }
    for (const Diagnostic& diagnostic : all) {
      if (diagnostic.severity == Severity::warning) document_->warnings.push_back(diagnostic);
    }
  }

  const LoadOptions& options_;
  const Surroundings& surroundings_;
  const std::string current_;
  Loaded out_;
  Document* document_ = nullptr;
};

}  // namespace

Loaded read(const LoadOptions& options) {
  return Loader(options, options.surroundings ? *options.surroundings : real_surroundings()).run();
}

Result<Config> load(const LoadOptions& options) {
  Loaded loaded = read(options);
  if (loaded.ok()) return std::move(loaded.config);
  std::vector<Diagnostic> errors;
  for (Diagnostic& diagnostic : loaded.diagnostics) {
    if (diagnostic.severity == Severity::error) errors.push_back(std::move(diagnostic));
  }
  std::string text = render(errors);
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return make_error(NEXUS_E_SCHEMA, std::move(text));
}

std::vector<Diagnostic> check(const std::string& file) {
  LoadOptions options;
  options.file = file;
  return read(options).diagnostics;
}

std::string find_file(const std::string& given, const Surroundings* surroundings) {
  if (!given.empty()) return given;
  const Surroundings& around = surroundings ? *surroundings : real_surroundings();
  if (const auto named = around.variable("NEXUS_CONFIG"); named && !named->empty()) return *named;
  std::string home;
  if (const auto folder = around.variable("XDG_CONFIG_HOME"); folder && !folder->empty()) {
    home = *folder;
  } else if (const auto user = around.variable("HOME"); user && !user->empty()) {
    home = *user + "/.config";
  }
  std::vector<std::string> candidates{"nexus.toml"};
  if (!home.empty()) candidates.push_back(home + "/nexus/nexus.toml");
  candidates.emplace_back("/etc/nexus/nexus.toml");
  for (const std::string& candidate : candidates) {
    if (around.exists(candidate)) return candidate;
  }
  return {};
}

}  // namespace config
}  // namespace nexus::host
