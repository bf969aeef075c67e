// Each rule is first shown a planted fault, so that it is known to find one, and then the real tree.
#include <filesystem>

#include <catch2/catch_test_macros.hpp>

#include "tests/tidy/rules.hpp"
#include "tests/tidy/tree.hpp"

namespace tidy = nexus::tidy;

namespace {

const tidy::Tree& real_tree() {
  static const tidy::Tree tree = tidy::read_tree(NEXUS_SOURCE_DIR);
  return tree;
}

const tidy::Exceptions& real_exceptions() {
  static const tidy::Exceptions exceptions = [] {
    const tidy::File* file = tidy::find(real_tree(), "tests/tidy/exceptions.txt");
    return tidy::read_exceptions(file ? file->text : "no exceptions.txt");
  }();
  return exceptions;
}

std::string text_of(const tidy::Findings& findings) {
  std::string text;
  for (const std::string& finding : findings) text += finding + "\n";
  return text;
}

std::size_t count(const tidy::Findings& findings) { return findings.size(); }

std::string lines(std::size_t number) {
  std::string text;
  for (std::size_t i = 0; i < number; ++i) text += "int a;\n";
  return text;
}

}  // namespace

#define CHECK_NOTHING(findings)  \
  do {                           \
    const auto found = findings; \
    INFO(text_of(found));        \
    CHECK(found.empty());        \
  } while (false)

TEST_CASE("the tree is read") {
  CHECK(tidy::find(real_tree(), "tests/tidy/tidy_test.cpp") != nullptr);
  CHECK(tidy::find(real_tree(), "CMakeLists.txt") != nullptr);
  CHECK(tidy::find(real_tree(), ".ci/run") != nullptr);
  CHECK_NOTHING(real_exceptions().findings);
}

TEST_CASE("an include that goes up or sideways is found") {
  const auto findings_of = [](std::string path, std::string include) {
    return count(tidy::check_includes({{std::move(path), "#include " + include + "\n"}}));
  };
  CHECK(findings_of("host/base/a.cpp", "\"host/bus/bus.hpp\"") == 1);
  CHECK(findings_of("host/event/a.cpp", "\"host/observe/x.hpp\"") == 1);
  CHECK(findings_of("host/bus/a.cpp", "\"host/app/x.hpp\"") == 1);
  CHECK(findings_of("host/bus/a.cpp", "\"bus.hpp\"") == 1);
  CHECK(findings_of("host/bus/a.cpp", "<host/base/error.hpp>") == 1);
  CHECK(findings_of("host/attic/a.cpp", "\"host/base/error.hpp\"") == 1);
  CHECK(findings_of("host/bus/a.cpp", "\"host/base/error.hpp\"") == 0);
  CHECK(findings_of("host/bus/a.cpp", "\"host/bus/mailbox.hpp\"") == 0);
  CHECK(findings_of("host/bus/a.cpp", "\"nexus/abi/bus.h\"") == 0);
  CHECK(findings_of("host/bus/a.cpp", "<boost/asio.hpp>") == 0);

  CHECK(findings_of("sdk/include/nexus/abi/a.h", "<stdint.h>") == 0);
  CHECK(findings_of("sdk/include/nexus/abi/a.h", "<string>") == 1);
  CHECK(findings_of("sdk/include/nexus/abi/a.h", "\"nexus/plugin.hpp\"") == 1);
  CHECK(findings_of("sdk/include/nexus/abi/a.h", "\"../plugin.hpp\"") == 1);
  CHECK(findings_of("sdk/include/nexus/plugin.hpp", "<string>") == 0);
  CHECK(findings_of("sdk/include/nexus/plugin.hpp", "<boost/json.hpp>") == 1);
  CHECK(findings_of("sdk/include/nexus/plugin.hpp", "\"host/base/error.hpp\"") == 1);

  CHECK(findings_of("plugins/hello/a.cpp", "<nexus/plugin.hpp>") == 0);
  CHECK(findings_of("plugins/hello/a.cpp", "<openssl/evp.h>") == 0);
  CHECK(findings_of("plugins/hello/a.cpp", "\"host/base/error.hpp\"") == 1);
  CHECK(findings_of("plugins/hello/a.cpp", "\"plugins/orders/orders.hpp\"") == 1);
  CHECK(findings_of("plugins/hello/a.cpp", "\"plugins/hello/b.hpp\"") == 0);
}

TEST_CASE("includes go down") { CHECK_NOTHING(tidy::check_includes(real_tree())); }

TEST_CASE("a file that is too long is found, and a list that could shrink") {
  const auto none = tidy::read_exceptions("");
  CHECK(count(tidy::check_lengths({{"host/a.cpp", lines(400)}}, none)) == 0);
  CHECK(count(tidy::check_lengths({{"host/a.cpp", lines(401)}}, none)) == 1);
  CHECK(count(tidy::check_lengths({{"config/a.toml", lines(900)}}, none)) == 0);
  const auto listed = tidy::read_exceptions("# why\nlength host/a.cpp 450\n");
  CHECK(count(tidy::check_lengths({{"host/a.cpp", lines(450)}}, listed)) == 0);
  CHECK(count(tidy::check_lengths({{"host/a.cpp", lines(451)}}, listed)) == 1);
  CHECK(count(tidy::check_lengths({{"host/a.cpp", lines(449)}}, listed)) == 0);
  CHECK(count(tidy::check_lengths({{"host/a.cpp", lines(424)}}, listed)) == 1);
  CHECK(count(tidy::check_lengths({{"host/a.cpp", lines(400)}}, listed)) == 1);
  CHECK(count(tidy::check_lengths({}, listed)) == 1);
  CHECK(count(tidy::read_exceptions("length host/a.cpp\nlenght b 500\nlength c 400\n").findings) == 3);
}

TEST_CASE("files are short") { CHECK_NOTHING(tidy::check_lengths(real_tree(), real_exceptions())); }

TEST_CASE("a file that nothing builds or includes is found") {
  CHECK(count(tidy::check_reached({{"host/a/CMakeLists.txt", "add(a SOURCES b.cpp)"}, {"host/a/a.cpp", ""}})) == 1);
  CHECK(count(tidy::check_reached({{"host/a/CMakeLists.txt", "add(a SOURCES\n a.cpp)"}, {"host/a/a.cpp", ""}})) == 0);
  CHECK(count(tidy::check_reached({{"host/CMakeLists.txt", "add(a/a.cpp)"}, {"host/a/a.cpp", ""}})) == 0);
  CHECK(count(tidy::check_reached({{"host/CMakeLists.txt", "add(xa/a.cpp)"}, {"host/a/a.cpp", ""}})) == 1);
  CHECK(count(tidy::check_reached({{"host/b/CMakeLists.txt", "add(a.cpp)"}, {"host/a/a.cpp", ""}})) == 1);
  const std::string loop = "foreach(noun one two)\n  add(${noun}_test SOURCES ${noun}_test.cpp)\nendforeach()";
  CHECK(count(tidy::check_reached({{"a/CMakeLists.txt", loop}, {"a/two_test.cpp", ""}})) == 0);
  CHECK(count(tidy::check_reached({{"a/CMakeLists.txt", loop}, {"a/three_test.cpp", ""}})) == 1);
  CHECK(count(tidy::check_reached({{"a/CMakeLists.txt", "file(GLOB all *.cpp)"}, {"a/one.cpp", ""}})) == 0);
  CHECK(count(tidy::check_reached({{"a/CMakeLists.txt", "file(GLOB all *.cpp)"}, {"a/b/one.cpp", ""}})) == 1);
  CHECK(count(tidy::check_reached(
            {{"a/CMakeLists.txt", "file(GLOB all ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)"}, {"a/one.cpp", ""}})) == 0);
  const std::string list = "add(a.cpp)";
  CHECK(count(tidy::check_reached({{"host/a.hpp", ""}})) == 1);
  CHECK(count(tidy::check_reached(
            {{"CMakeLists.txt", list}, {"a.cpp", "#include \"host/a.hpp\"\n"}, {"host/a.hpp", ""}})) == 0);
  CHECK(count(tidy::check_reached(
            {{"CMakeLists.txt", list}, {"a.cpp", "#include <nexus/a.hpp>\n"}, {"sdk/include/nexus/a.hpp", ""}})) == 0);
}

TEST_CASE("every file is reached") { CHECK_NOTHING(tidy::check_reached(real_tree())); }

TEST_CASE("a path of the machine or a strange host is found") {
  const auto exceptions = tidy::read_exceptions("host json-schema.org\n");
  const std::vector<std::string> roots = {"/some/where/"};
  const auto findings_of = [&](std::string text) {
    return count(tidy::check_places({{"a.md", std::move(text)}}, exceptions, roots));
  };
  CHECK(findings_of("see /some/where/main") == 1);
  CHECK(findings_of("see /some/wherever") == 0);
  CHECK(findings_of("https:"
                    "//registry.strange.io/x") == 1);
  CHECK(findings_of("https:"
                    "//notexample.com") == 1);
  CHECK(findings_of("redis:"
                    "//user:pw@cache.strange.io:6379") == 1);
  CHECK(findings_of("https:"
                    "//json-schema.org/draft-07/schema") == 0);
  CHECK(findings_of("http:"
                    "//127.0.0.1:8080 http:"
                    "//localhost http:"
                    "//api.example.com/x https:"
                    "//${HOST}/") == 0);
}

TEST_CASE("no path of the machine, no strange host") {
  const std::filesystem::path root = NEXUS_SOURCE_DIR;
  std::vector<std::string> roots = {root.string() + "/"};
  if (root.has_parent_path() && root.parent_path() != root.root_path())
    roots.push_back(root.parent_path().string() + "/");
  // A clone in a shared place: its parent is a word of every Unix, and no secret of this machine.
  std::erase_if(roots, [](const std::string& name) { return name == "/tmp/" || name == "/home/" || name == "/opt/"; });
  CHECK_NOTHING(tidy::check_places(real_tree(), real_exceptions(), roots));
}

TEST_CASE("a snippet that has drifted is found") {
  const tidy::File source = {"plugins/a.cpp", "int a;\n  // snippet: part\n  int b;\n\n    int c;\n  // end snippet\n"};
  const auto findings_of = [&](std::string readme) {
    return count(tidy::check_snippets({{"README.md", std::move(readme)}, source}));
  };
  CHECK(findings_of("<!-- from plugins/a.cpp#part -->\n```cpp\nint b;\n\n  int c;\n```\n") == 0);
  CHECK(findings_of("<!-- from plugins/a.cpp#part -->\n\n```cpp\nint b;\n```\n") == 1);
  CHECK(findings_of("<!-- from plugins/a.cpp#gone -->\n```cpp\nint b;\n```\n") == 1);
  CHECK(findings_of("<!-- from plugins/b.cpp -->\n```cpp\nint b;\n```\n") == 1);
  CHECK(findings_of("<!-- from plugins/a.cpp -->\nwords\n") == 1);
  CHECK(findings_of("```cpp\nint b;\n```\n") == 1);
  CHECK(findings_of("```sh\n./dev run\n```\n") == 0);
}

TEST_CASE("README snippets are in step") { CHECK_NOTHING(tidy::check_snippets(real_tree())); }
