// What write_plugin_project writes and what it refuses. That the project builds and passes its own test is shown by
// tests/package/run.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <catch2/catch_test_macros.hpp>

#include "host/app/plugin_template.hpp"

namespace fs = std::filesystem;
using nexus::host::write_plugin_project;

namespace {

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = (fs::temp_directory_path() / "nexus-template-XXXXXX").string();
    REQUIRE(mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
  }
  ~TemporaryFolder() { fs::remove_all(path_); }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

std::string read(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

}  // namespace

TEST_CASE("a plugin project is written under its name") {
  TemporaryFolder folder;
  const auto project = write_plugin_project(folder.path(), "welcome-mail");
  REQUIRE(project.has_value());
  CHECK(project->folder == folder.path() / "welcome-mail");
  CHECK(project->id == "com.example.welcome-mail");
  const auto has = [&](const char* file) {
    return std::find(project->files.begin(), project->files.end(), file) != project->files.end();
  };
  CHECK(has("CMakeLists.txt"));
  CHECK(has(".gitignore"));
  CHECK(has("src/welcome_mail.cpp"));
  CHECK(has("tests/welcome_mail_test.cpp"));
  for (const std::string& file : project->files) {
    INFO(file);
    const std::string text = read(project->folder / file);
    CHECK_FALSE(text.empty());
    CHECK(text.find('@') == std::string::npos);  // no placeholder is left
  }
  CHECK(read(project->folder / "src/welcome_mail.cpp")
            .find("NEXUS_PLUGIN(WelcomeMailPlugin, \"com.example.welcome-mail\"") != std::string::npos);
}

TEST_CASE("a name that cannot be a target, a class and an id is refused with the reason") {
  TemporaryFolder folder;
  const auto refusal = [&](std::string_view name) {
    const auto project = write_plugin_project(folder.path(), name);
    REQUIRE(project.has_error());
    CHECK(project.error().code == NEXUS_E_ARGUMENT);
    return project.error().message;
  };
  CHECK(refusal("a").find("2 to 40") != std::string::npos);
  CHECK(refusal("").find("2 to 40") != std::string::npos);
  CHECK(refusal(std::string(41, 'a')).find("2 to 40") != std::string::npos);
  CHECK(refusal("Orders").find("begins with") != std::string::npos);
  CHECK(refusal("9lives").find("begins with") != std::string::npos);
  CHECK(refusal("orders-").find("ends with") != std::string::npos);
  CHECK(refusal("my.orders").find("only lower-case") != std::string::npos);
  CHECK(refusal("my/../orders").find("only lower-case") != std::string::npos);
  CHECK(refusal("bücher").find("only lower-case") != std::string::npos);
  CHECK(refusal("test").find("CMake") != std::string::npos);
  CHECK(refusal("rebuild-cache").find("CMake") != std::string::npos);
  CHECK(fs::is_empty(folder.path()));
}

TEST_CASE("what exists is never overwritten") {
  TemporaryFolder folder;
  fs::create_directories(folder.path() / "empty");
  CHECK(write_plugin_project(folder.path(), "empty").has_value());
  const auto again = write_plugin_project(folder.path(), "empty");
  REQUIRE(again.has_error());
  CHECK(again.error().code == NEXUS_E_STATE);

  std::ofstream(folder.path() / "orders") << "a file";
  const auto taken = write_plugin_project(folder.path(), "orders");
  REQUIRE(taken.has_error());
  CHECK(taken.error().code == NEXUS_E_STATE);
  CHECK(read(folder.path() / "orders") == "a file");

  fs::create_symlink(folder.path() / "nowhere", folder.path() / "link");
  const auto link = write_plugin_project(folder.path(), "link");
  REQUIRE(link.has_error());
  CHECK(link.error().code == NEXUS_E_STATE);
}

TEST_CASE("a folder that cannot be made is a failure with the system's reason") {
  TemporaryFolder folder;
  std::ofstream(folder.path() / "file") << "not a folder";
  const auto project = write_plugin_project(folder.path() / "file", "orders");
  REQUIRE(project.has_error());
  CHECK(project.error().code == NEXUS_E_IO);
}
