// Properties that hold for any input: no crash, places within the file, errors where something was broken.
#include <algorithm>

#include <rapidcheck.h>
#include <catch2/catch_test_macros.hpp>

#include "host/app/config/document.hpp"
#include "host/app/config/faces.hpp"
#include "host/app/config/nearest.hpp"
#include "host/base/printable.hpp"
#include "tests/host/app/config/fake_surroundings.hpp"

using namespace nexus::host;
using namespace nexus::host::config;

namespace {

std::size_t line_count(const std::string& text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) + 1;
}

// Pieces of config files, good and bad, in any order.
rc::Gen<std::string> config_text() {
  return rc::gen::map(rc::gen::container<std::vector<std::string>>(rc::gen::element<std::string>(
                          "[events]\n", "[[events.rules]]\n", "[plugins.\"a.b\"]\n", "[plugins.\"a.b\".config]\n",
                          "[log", "]\n", "worker_count", " = ", "4", "\"", "'", "\"\"\"\n", "\n", "\r\n", "# ", "{",
                          "}", "[", "]", ",", ".", "${HOME}", "${", "}", ":-", "file:/x", "true", "1e9", "nan",
                          "1979-05-27", "match = \"a.*\"\n", "password = \"word\"\n", "enabled = false\n", "\\",
                          "\\u0000", "\xff", "\xc3\xa4", std::string(1, '\0'), "\x1b", "\t", " ")),
                      [](const std::vector<std::string>& pieces) {
                        std::string out;
                        for (const auto& piece : pieces) out += piece;
                        return out;
                      });
}

void hold_for(const std::string& toml) {
  const Loaded loaded = read_text(toml);
  for (const Diagnostic& diagnostic : loaded.diagnostics) {
    RC_ASSERT(diagnostic.line <= line_count(toml));
    RC_ASSERT(!diagnostic.message.empty());
    const std::string shown = render(diagnostic);
    for (std::string_view rest = shown; !rest.empty();) {
      char32_t c = 0;
      const unsigned length = utf8_front(rest, c);
      RC_ASSERT(length != 0U);
      RC_ASSERT((c >= 0x20 || c == '\n'));
      rest.remove_prefix(length);
    }
  }
  if (!loaded.ok()) return;
  RC_ASSERT(!show(loaded.config, {true, false}).empty());
  RC_ASSERT(!show(loaded.config, {true, true}).empty());
  RC_ASSERT(diff(loaded.config, loaded.config).empty());
}

}  // namespace

TEST_CASE("any bytes are read without harm") {
  rc::check("bytes", [](const std::string& bytes) { hold_for(bytes); });
  rc::check("pieces of config files", [] { hold_for(*config_text()); });
}

TEST_CASE("a good config that loses or gains a byte is good or is told where it is not") {
  const std::string good =
      init() + "[plugins.\"com.example.a\"]\nthread = \"own\"\n[[events.rules]]\nmatch = \"a.*\"\n";
  rc::check("one byte", [&] {
    std::string toml = good;
    const auto at = *rc::gen::inRange<std::size_t>(0, toml.size());
    const auto byte = *rc::gen::arbitrary<char>();
    switch (*rc::gen::inRange(0, 3)) {
      case 0:
        toml.erase(at, 1);
        break;
      case 1:
        toml.insert(at, 1, byte);
        break;
      default:
        toml[at] = byte;
        break;
    }
    hold_for(toml);
  });
}

TEST_CASE("values that are written are the values that are read") {
  rc::check("numbers", [] {
    const auto workers = *rc::gen::inRange(1U, 1025U);
    const auto delay = *rc::gen::map(rc::gen::inRange(0, 300'000), [](int ms) { return ms / 1000.0; });
    const Loaded loaded = read_text("[events]\nworker_count = " + std::to_string(workers) +
                                    "\nretry_delay = " + std::to_string(delay) + "\n");
    RC_ASSERT(loaded.ok());
    RC_ASSERT(loaded.config.events.worker_count == workers);
    RC_ASSERT(loaded.config.events.retry_delay == delay);
  });
  rc::check("texts, by TOML's own quotes", [](const std::string& bytes) {
    // Only text that is UTF-8 and no reference can be written so.
    std::string text;
    for (const char c : bytes) text += static_cast<unsigned char>(c) < 0x80 && c != '$' && c != '\0' ? c : 'x';
    RC_PRE(!text.empty());
    RC_PRE(text.rfind("file:", 0) != 0);
    const Loaded loaded = read_text("[host]\nname = " + quote(text) + "\n");
    RC_ASSERT(loaded.ok());
    RC_ASSERT(loaded.config.host.name == text);
  });
}

TEST_CASE("a name with one edit has the name as its nearest") {
  const std::vector<std::string_view> names{"worker_count", "exponential_backoff", "shutdown_deadline"};
  rc::check("one edit", [&] {
    const std::string_view name = *rc::gen::elementOf(names);
    std::string wrong(name);
    const auto at = *rc::gen::inRange<std::size_t>(0, wrong.size() - 1);
    switch (*rc::gen::inRange(0, 3)) {
      case 0:
        wrong.erase(at, 1);
        break;
      case 1:
        wrong.insert(at, 1, *rc::gen::inRange('a', 'z'));
        break;
      default:
        std::swap(wrong[at], wrong[at + 1]);
        break;
    }
    RC_ASSERT(nearest(wrong, names) == name);
  });
}
