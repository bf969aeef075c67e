// A config file, a file of conf.d and a plugin's schema, parted by lines of "%%": read, rendered, shown, compared,
// checked. Whatever is in them, places lie in the files and the output is printable.
#include <algorithm>
#include <string>
#include <vector>

#include "host/app/config/faces.hpp"
#include "host/app/config/load.hpp"
#include "host/app/config/plugin_config.hpp"
#include "host/base/printable.hpp"
#include "host/base/secret.hpp"
#include "nexus/cbor.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace nexus::host;

namespace {

class TwoFiles final : public config::Surroundings {
 public:
  std::string main;
  std::string drop_in;

  std::vector<std::pair<std::string, std::string>> variables() const override {
    return {{"HOME", "/home"}, {"NEXUS_EVENTS__BATCH_SIZE", drop_in.substr(0, 8)}, {"SECRET_TOKEN", "very-secret"}};
  }
  Result<std::string> read_file(const std::string& path, std::size_t size_max) const override {
    const std::string& text = path == "/c/nexus.toml" ? main : drop_in;
    if (text.size() > size_max) return make_error(NEXUS_E_TOO_LARGE, "too large");
    return text;
  }
  std::vector<std::string> list(const std::string&) const override { return {"a.toml"}; }
  bool exists(const std::string&) const override { return true; }
  std::string current_folder() const override { return "/w"; }
};

std::string_view next_part(std::string_view& rest) {
  constexpr std::string_view kSeparator = "\n%%\n";
  const auto end = rest.find(kSeparator);
  const std::string_view part = rest.substr(0, end);
  rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + kSeparator.size());
  return part;
}

void check_printable(std::string_view text) {
  while (!text.empty()) {
    char32_t c = 0;
    const unsigned length = utf8_front(text, c);
    FUZZ_CHECK(length != 0);
    FUZZ_CHECK(c >= 0x20 || c == '\n');
    text.remove_prefix(length);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  forget_secrets();
  std::string_view rest = nexus::fuzz::as_text({data, size});
  TwoFiles files;
  files.main = next_part(rest);
  files.drop_in = next_part(rest);
  const std::string_view schema = rest;

  config::LoadOptions options;
  options.file = "/c/nexus.toml";
  options.surroundings = &files;
  const config::Loaded loaded = config::read(options);
  const auto longest = std::max(files.main.size(), files.drop_in.size());
  for (const config::Diagnostic& diagnostic : loaded.diagnostics) {
    FUZZ_CHECK(!diagnostic.message.empty());
    FUZZ_CHECK(diagnostic.line <= longest + 1);
    check_printable(config::render(diagnostic));
  }
  if (!loaded.ok()) return 0;

  const std::string shown = config::show(loaded.config, {true, false});
  check_printable(shown);
  check_printable(config::show(loaded.config, {true, true}));
  check_printable(config::show(loaded.config, {false, true}));
  FUZZ_CHECK(config::diff(loaded.config, loaded.config).empty());
  for (const auto& [id, settings] : loaded.config.plugins.by_id) {
    check_printable(config::render(config::plugin_diagnostics(loaded.config, id, schema)));
    const auto bytes = config::plugin_config(loaded.config, id);
    FUZZ_CHECK(bytes.has_value());
    FUZZ_CHECK(nexus::cbor::Value::decode(*bytes).is_map());
  }
  return 0;
}
