#include "host/plugin/module_info.hpp"

#include <functional>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>

using namespace nexus::host;

namespace {

nexus_string text(const std::string& from) { return {from.data(), from.size()}; }

// A module in memory whose parts a test can change; `module` points into the other members.
struct Specimen {
  std::string id = "com.example.orders";
  std::string version = "1.2.3-rc.1+b";
  std::string schema = R"({"type":"object"})";
  std::string other = "com.example.other";
  std::string range = "^1.0";
  std::string type = "order.created";
  std::string name = "record";
  std::string pattern = "order.*";
  nexus_requirement requirement{};
  nexus_event_schema event{};
  nexus_declared_handler handler{};
  nexus_module module{};

  Specimen() {
    module.size = sizeof module;
    module.create = [](const nexus_host*, nexus_bytes, void**, nexus_error*) { return int32_t{0}; };
    module.destroy = [](void*) {};
    module.requirement_count = module.event_count = module.handler_count = 1;
  }
  const nexus_module* get() {
    requirement = {text(other), text(range)};
    event = {text(type), text(schema), 7, 0};
    handler = {text(name), text(pattern), -5, 0};
    module.id = text(id);
    module.version = text(version);
    module.config_schema = text(schema);
    module.requirements = &requirement;
    module.events = &event;
    module.handlers = &handler;
    return &module;
  }
};

}  // namespace

TEST_CASE("a module is copied out in whole, and survives JSON") {
  Specimen specimen;
  const auto info = read_module(specimen.get());
  REQUIRE(info.has_value());
  CHECK(info->id == "com.example.orders");
  CHECK(info->name == info->id);  // none was given
  const auto back = module_from_json(module_to_json(*info));
  REQUIRE(back.has_value());
  CHECK(back->id == info->id);
  CHECK(back->version == "1.2.3-rc.1+b");
  CHECK(back->config_schema == specimen.schema);
  REQUIRE(back->requirements.size() == 1);
  CHECK(back->requirements[0].version == "^1.0");
  REQUIRE(back->events.size() == 1);
  CHECK(back->events[0].version == 7);
  CHECK(back->events[0].json_schema == specimen.schema);
  REQUIRE(back->handlers.size() == 1);
  CHECK(back->handlers[0].priority == -5);
}

TEST_CASE("fields that are wrong are named") {
  struct Row {
    const char* sentence;
    std::function<void(Specimen&)> change;
    std::function<void(nexus_module&)> after = {};
  };
  const std::vector<Row> rows = {
      {"requirement 1 is wrong", [](Specimen& s) { s.other = "Other"; }},
      {"requirement 1 (com.example.other) is wrong", [](Specimen& s) { s.range = "1.2.3.4"; }},
      {"event 1 is wrong", [](Specimen& s) { s.type = "order.*"; }},
      {"event 1, its type, has 256 bytes, over the limit of 255", [](Specimen& s) { s.type = std::string(256, 'a'); }},
      {"handler 1 is wrong", [](Specimen& s) { s.name = "no spaces"; }},
      {"handler 1 (record) is wrong", [](Specimen& s) { s.pattern = "order..x"; }},
      {"id has 129 bytes, over the limit of 128", [](Specimen& s) { s.id = std::string(129, 'a'); }},
      {"config_schema has 262145 bytes", [](Specimen& s) { s.schema = std::string(262145, ' '); s.type = "a.b"; },
       [](nexus_module& m) { m.event_count = 0; }},
      {"event_count is 18446744073709551615, over the limit of 1000", [](Specimen&) {},
       [](nexus_module& m) { m.event_count = UINT64_MAX; }},
      {"handler_count is not 0, but its list is null", [](Specimen&) {}, [](nexus_module& m) { m.handlers = nullptr; }},
      {"reserved member is not 0", [](Specimen&) {}, [](nexus_module& m) { m.reserved = 1; }},
      {"description has 4097 bytes", [](Specimen&) {},
       [](nexus_module& m) {
         static const std::string kLong(4097, 'x');
         m.description = text(kLong);
       }},
      {"vendor is not UTF-8", [](Specimen&) {},
       [](nexus_module& m) {
         static const std::string kSurrogate = "\xed\xa0\x80";
         m.vendor = text(kSurrogate);
       }},
  };
  for (const Row& row : rows) {
    Specimen specimen;
    row.change(specimen);
    nexus_module module = *specimen.get();
    if (row.after) row.after(module);
    const auto info = read_module(&module);
    INFO(row.sentence);
    REQUIRE(info.has_error());
    CHECK(info.error().code == NEXUS_E_LOAD_MODULE);
    INFO(info.error().message);
    CHECK(info.error().message.find(row.sentence) != std::string::npos);
  }
}

TEST_CASE("a requirement that is named twice is refused") {
  Specimen specimen;
  nexus_module module = *specimen.get();
  const nexus_requirement twice[] = {specimen.requirement, specimen.requirement};
  module.requirements = twice;
  module.requirement_count = 2;
  const auto info = read_module(&module);
  REQUIRE(info.has_error());
  CHECK(info.error().message == "the module's requirement 2 names com.example.other a second time");
}

TEST_CASE("what a module of another size says is read as far as it goes") {
  CHECK(read_module(nullptr).error().code == NEXUS_E_LOAD_MODULE);
  Specimen specimen;
  // A later minor's struct is longer; its tail is none of this host's business.
  struct {
    nexus_module module;
    uint64_t tail[4];
  } longer{*specimen.get(), {1, 2, 3, 4}};
  longer.module.size = sizeof longer;
  CHECK(read_module(&longer.module).has_value());
  nexus_module shorter = *specimen.get();
  shorter.size = sizeof shorter - 8;
  CHECK(read_module(&shorter).error().message.find("below the 1.0 layout") != std::string::npos);
  shorter.size = 0;
  CHECK(read_module(&shorter).has_error());
}

TEST_CASE("minors are negotiated") {
  Specimen specimen;
  nexus_module module = *specimen.get();
  module.minor_built = module.minor_min = NEXUS_ABI_MINOR + 1;
  CHECK(read_module(&module).error().code == NEXUS_E_LOAD_MINOR);
  module.minor_min = NEXUS_ABI_MINOR;
  CHECK(read_module(&module).has_value());
  module.flags = 0xff000000;
  REQUIRE(read_module(&module).has_value());
  CHECK(read_module(&module)->flags == 0);
  module.minor_built = NEXUS_ABI_MINOR;
  CHECK(read_module(&module).error().code == NEXUS_E_LOAD_MODULE);
}

TEST_CASE("JSON that the probe did not write is refused") {
  Specimen specimen;
  const std::string good = module_to_json(*read_module(specimen.get()));
  for (size_t length = 0; length < good.size(); ++length) {
    CHECK(module_from_json(std::string_view(good).substr(0, length)).has_error());
  }
  for (const char* bad : {"null", "[]", "{}", "7", R"({"id":7})", R"({"id":"a.b","version":"1.0.0"})"}) {
    const auto read = module_from_json(bad);
    REQUIRE(read.has_error());
    CHECK(read.error().code == NEXUS_E_LOAD_MODULE);
  }
  std::string wrong = good;
  wrong.replace(wrong.find("\"minor_built\":0"), 15, "\"minor_built\":-1");
  CHECK(module_from_json(wrong).error().message.find("minor_built") != std::string::npos);
}
