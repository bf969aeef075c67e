// Files that are no TOML, or are at its edges.
#include <catch2/catch_test_macros.hpp>

#include "host/app/config/toml_scan.hpp"
#include "tests/host/app/config/fake_surroundings.hpp"

using namespace nexus::host;
using namespace nexus::host::config;

namespace {

std::vector<uint32_t> error_lines(const std::string& toml) {
  std::vector<uint32_t> out;
  for (const auto& diagnostic : read_text(toml).diagnostics) out.push_back(diagnostic.line);
  return out;
}

using Lines = std::vector<uint32_t>;

}  // namespace

TEST_CASE("files without anything are good") {
  for (const std::string toml :
       {"", "\n", "# nothing", "\xef\xbb\xbf", "\r\n\r\n", "   \t ", "[events]", "[plugins]\n\n"}) {
    CHECK(render(read_text(toml).diagnostics) == "");
  }
}

TEST_CASE("a syntax error costs its statement, and the rest is still checked") {
  CHECK(error_lines("[events]\nworker_count =\nbatch_size = 0\n") == Lines{2, 3});
  CHECK(error_lines("[events]\nbackend = \"memory\nbatch_size = 0\n") == Lines{2, 3});
  CHECK(error_lines("[events]\nworker_count 4\nbatch_size = 0\n") == Lines{2, 3});
  CHECK(error_lines("[events]\n= 4\nbatch_size = 0\n") == Lines{2, 3});
  CHECK(error_lines("[events]\nworker_count = 4 5\nbatch_size = 0\n") == Lines{2, 3});
  CHECK(error_lines("[plugins]\ndirectory = [\n  \"a\",\n  b,\n]\nwatch = 1\n") == Lines{4, 6});
  CHECK(error_lines("[log]\nlevel = '''\na\n''' x\nformat = 1\n") == Lines{4, 5});
  CHECK(error_lines("[events]\nworker_count = 1_\nbatch_size = 1__0\nretry_delay = 1.\nflush_interval = 01\n") ==
        Lines{2, 3, 4, 5});
}

TEST_CASE("keys below a broken header are not taken for those of the table before") {
  CHECK(error_lines("[events]\nworker_count = 1\n[log\nlevel = \"info\"\n[host]\nname = 5\n") == Lines{3, 6});
  CHECK(error_lines("[[events.rules]\nmatch = \"a\"\n[host]\nname = 5\n") == Lines{1, 3 + 1});
}

TEST_CASE("an open bracket ends where the next statement begins") {
  const Loaded loaded = read_text("[plugins]\ndirectory = [\"a\",\n  \"b\"\nwatch = 1\n[host]\nname = 5\n");
  INFO(render(loaded.diagnostics));
  REQUIRE(loaded.diagnostics.size() == 3);
  CHECK(loaded.diagnostics[0].help == "the bracket that is opened on line 2 is not closed");
  CHECK(loaded.diagnostics[1].line == 4);
  CHECK(loaded.diagnostics[2].line == 6);
}

TEST_CASE("a string that is never closed is told by where it begins") {
  const Loaded loaded = read_text("[host]\nname = \"\"\"\nabc\n[log]\nlevel = 5\n");
  REQUIRE(loaded.diagnostics.size() == 1);
  CHECK(loaded.diagnostics[0].help == "the string that begins on line 2 is not closed");
  CHECK(only_error("[host]\nname = \"abc\n").find("the string is not closed on this line") != std::string::npos);
}

TEST_CASE("what stands twice is told, with the first place") {
  const Loaded twice = read_text("[events]\nworker_count = 1\n[log]\n[events]\nbatch_size = 1\n");
  INFO(render(twice.diagnostics));
  REQUIRE(twice.diagnostics.size() == 1);
  CHECK(twice.diagnostics[0].line == 4);
  CHECK(twice.diagnostics[0].help == "it stands first on line 1");
  const Loaded key =
      read_text("[log]\nlevel = \"info\"\n[events]\nworker_count = 1\nbatch_size = 2\nworker_count = 2\n");
  INFO(render(key.diagnostics));
  REQUIRE(key.diagnostics.size() == 1);
  CHECK(key.diagnostics[0].line == 6);
  CHECK(key.diagnostics[0].help == "it stands first on line 4");
  CHECK_FALSE(read_text("[events]\nredis = {}\n[events.redis]\nport = 1\n").ok());
  CHECK_FALSE(read_text("[events.redis]\nport = 1\n[events]\nredis.port = 2\n").ok());
  CHECK_FALSE(read_text("[[events.rules]]\nmatch = \"a\"\n[events.rules]\n").ok());
}

TEST_CASE("bytes that are no text are refused where they stand") {
  for (const std::string& bad :
       {std::string("\xff"), std::string("\xc3"), std::string("\xc0\xaf"), std::string("\xed\xa0\x80"),
        std::string("\xf5\x80\x80\x80"), std::string("\0", 1), std::string("\x01"), std::string("\x7f")}) {
    const Loaded loaded = read_text("[events]\nworker_count = 0\n[host]\nname = \"a" + bad + "b\"\n");
    INFO(render(loaded.diagnostics));
    REQUIRE_FALSE(loaded.ok());
    // The good lines before it are still checked.
    CHECK(loaded.diagnostics[0].line == 2);
    const std::string text = render(loaded.diagnostics);
    for (const char c : text) CHECK((c == '\n' || static_cast<unsigned char>(c) >= 0x20));
  }
}

TEST_CASE("control characters of the file never reach the terminal") {
  const Loaded loaded = read_text("[events]\n\"\\u001b[31m\" = 1\n\"\\u202e\" = 1\nbackend = \"x\x1b]0;y\x07\"\n");
  const std::string text = render(loaded.diagnostics);
  INFO(text);
  CHECK(text.find('\x1b') == std::string::npos);
  CHECK(text.find("\xe2\x80\xae") == std::string::npos);
  CHECK(text.find("\\x1b[31m") != std::string::npos);
}

TEST_CASE("nesting has an end") {
  const auto deep = [](std::string_view open, std::string_view close, int depth) {
    std::string out = "x = ";
    for (int i = 0; i < depth; ++i) out += open;
    out += "1";
    for (int i = 0; i < depth; ++i) out += close;
    return out + "\n";
  };
  for (const int depth : {70, 200, 300, 100'000}) {
    CHECK_FALSE(read_text(deep("[", "]", depth)).ok());
    CHECK_FALSE(read_text(deep("{a=", "}", depth)).ok());
    CHECK_FALSE(read_text(deep("[{a.b.c=", "}]", depth)).ok());
  }
  std::string dotted = "a";
  for (int i = 0; i < 300'000; ++i) dotted += ".a";
  CHECK(only_error(dotted + " = 1\n").find("this key has more than 16 parts") != std::string::npos);
  CHECK_FALSE(read_text("[" + dotted + "]\n").ok());
  CHECK_FALSE(read_text("x = { " + dotted + " = 1 }\n").ok());
  CHECK_FALSE(read_text("x = [ 1,\n { b = 2, " + dotted + " = 1 } ]\n").ok());
}

TEST_CASE("a long file of errors takes no long time") {
  std::string toml = "[events]\n";
  while (toml.size() < 1'000'000) toml += "a" + std::to_string(toml.size()) + "=1\n";
  CHECK(read_text(toml).diagnostics.size() == kDiagnosticsMax + 1);
  std::string line = "x = {";
  while (line.size() < 1'000'000) line += "a" + std::to_string(line.size()) + "=1,";
  CHECK_FALSE(read_text(line + "z=1}\n").ok());
  std::string broken;
  while (broken.size() < 1'000'000) broken += "= = =\n";
  CHECK_FALSE(read_text(broken).ok());
}

TEST_CASE("statements are found by their first and last line") {
  const auto statements = scan_toml("# c\na = [1, # ]\n 2]\n\n[t] # x\nb = \"\"\"\n[no]\n\\\"\"\"\" \nc = 'it\\'\n");
  REQUIRE(statements.size() == 4);
  CHECK(statements[0].first_line == 2);
  CHECK(statements[0].last_line == 3);
  CHECK(statements[1].header);
  CHECK(statements[1].first_line == 5);
  CHECK(statements[2].first_line == 6);
  CHECK(statements[2].last_line == 8);
  CHECK(statements[2].terminated);
  CHECK(statements[3].first_line == 9);
}
