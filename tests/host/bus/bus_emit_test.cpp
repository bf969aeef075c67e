// What an emit makes of its options and of the event being handled.
#include <catch2/catch_test_macros.hpp>
#include <thread>

#include "tests/host/bus/bus_rig.hpp"

using namespace nexus::host;
using namespace nexus::host::test;

namespace {

nexus_error error_buffer(char* text, uint32_t cap) {
  nexus_error error{};
  error.size = sizeof error;
  error.cap = cap;
  error.text = text;
  return error;
}

}  // namespace

TEST_CASE("what a handler emits leaves when it succeeds and is withdrawn when it fails") {
  Rig rig;
  auto shop = rig.add("com.example.shop"), mail = rig.add("com.example.mail");
  Probe orders, mails;
  orders.answer = [&](const nexus_delivery& delivery, nexus_outcome&) -> int32_t {
    must(rig.emit(*shop, "mail.wanted", "held") == NEXUS_OK);
    must(rig.emit(*shop, "mail.wanted", "at once", 0, 0, NEXUS_EMIT_NOW) == NEXUS_OK);
    return delivery.event->data.size == 4 ? NEXUS_DONE : NEXUS_REJECT;
  };
  rig.subscribe(*shop, "order.created", orders);
  rig.subscribe(*mail, "mail.wanted", mails);
  rig.emit(*shop, "order.created", "good");
  rig.emit(*shop, "order.created", "bad");
  REQUIRE(rig.settle());
  size_t held = 0, at_once = 0;
  for (const auto& text : mails.copy()) (text == "held" ? held : at_once)++;
  CHECK(held == 1);
  CHECK(at_once == 2);
  CHECK(rig.bus->totals().withdrawn == 1);
}

TEST_CASE("correlation and causation pass from the handled event to what its handler emits") {
  Rig rig;
  auto shop = rig.add("com.example.shop");
  Probe first, second;
  nexus_uuid root{}, child_cause{};
  std::string root_correlation, child_correlation, source;
  first.answer = [&](const nexus_delivery& delivery, nexus_outcome&) {
    root = delivery.event->id;
    root_correlation = to_view(delivery.event->correlation_id);
    rig.emit(*shop, "mail.wanted");
    return NEXUS_DONE;
  };
  second.answer = [&](const nexus_delivery& delivery, nexus_outcome&) {
    child_cause = delivery.event->causation_id;
    child_correlation = to_view(delivery.event->correlation_id);
    source = to_view(delivery.event->source);
    return NEXUS_DONE;
  };
  rig.subscribe(*shop, "order.created", first);
  rig.subscribe(*shop, "mail.wanted", second);
  rig.emit(*shop, "order.created");
  REQUIRE(rig.settle());
  CHECK(root_correlation == uuid_text(root));
  CHECK(child_correlation == root_correlation);
  CHECK(UuidEqual{}(child_cause, root));
  CHECK(source == "com.example.shop");
}

TEST_CASE("a chain of events ends after 32 hops") {
  Rig rig;
  auto shop = rig.add("com.example.shop");
  Probe probe;
  std::atomic<int> last_code{0};
  probe.answer = [&](const nexus_delivery&, nexus_outcome&) {
    last_code = rig.emit(*shop, "echo");
    return NEXUS_DONE;
  };
  rig.subscribe(*shop, "echo", probe);
  rig.emit(*shop, "echo");
  REQUIRE(rig.settle());
  CHECK(probe.count() == 33);  // the root and 32 hops behind it
  CHECK(last_code == NEXUS_E_LOOP);
  CHECK(rig.bus->rejected(NEXUS_E_LOOP) == 1);
}

TEST_CASE("blocks that come back show nothing of the event before") {
  Rig rig;
  auto shop = rig.add("com.example.shop"), bank = rig.add("com.example.bank"), mail = rig.add("com.example.mail");
  struct Seen {
    std::string type, source, subject, data;
    int32_t priority;
    uint32_t schema_version, data_format;
    bool has_cause;
    bool operator==(const Seen&) const = default;
  };
  std::vector<Seen> seen;
  int uncorrelated = 0;
  Probe probe;
  probe.answer = [&](const nexus_delivery& delivery, nexus_outcome&) {
    const nexus_event& event = *delivery.event;
    seen.push_back({std::string(to_view(event.type)), std::string(to_view(event.source)),
                    std::string(to_view(event.subject)),
                    std::string(reinterpret_cast<const char*>(event.data.data), event.data.size), event.priority,
                    event.schema_version, event.data_format, !is_nil(event.causation_id)});
    uncorrelated += to_view(event.correlation_id) == uuid_text(event.id) ? 0 : 1;
    return NEXUS_DONE;
  };
  rig.subscribe(*mail, "*", probe);
  std::vector<Seen> expected;
  uint64_t state = 7;
  for (int i = 0; i < 3000; ++i) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    auto pick = [&, shift = 20](uint32_t count) mutable {
      shift += 4;
      return static_cast<uint32_t>((state >> shift) % count);
    };
    Participant& from = pick(2) == 0 ? *shop : *bank;
    const std::string type = pick(2) == 0 ? "order.created" : "order.paid.in.full";
    const std::string data(pick(3) * 9, 'x');
    nexus_emit_options options{};
    options.size = sizeof options;
    options.priority = 0;
    options.schema_version = pick(3);
    static constexpr char kSubject[] = "order/1";
    if (pick(3) == 0) options.subject = {kSubject, sizeof kSubject - 1};
    const bool plain = pick(2) == 0;
    const uint64_t port = rig.bus->intern(from, type).value();
    REQUIRE(rig.bus->emit(from, port, plain ? nullptr : &options,
                          {reinterpret_cast<const uint8_t*>(data.data()), data.size()}, nullptr, nullptr) == NEXUS_OK);
    expected.push_back({type, from.id(), plain ? "" : std::string(to_view(options.subject)), data, 0,
                        plain ? 0 : options.schema_version, data.empty() ? NEXUS_DATA_NONE : NEXUS_DATA_CBOR, false});
  }
  REQUIRE(rig.settle());
  CHECK((seen == expected));
  CHECK(uncorrelated == 0);
}

TEST_CASE("names and data out of bounds get a code and a sentence") {
  BusOptions options;
  options.event_size_max = 100;
  Rig rig(options);
  auto shop = rig.add("com.example.shop");
  CHECK(rig.bus->intern(*shop, "order.*").error().code == NEXUS_E_TYPE_NAME);
  CHECK(rig.bus->intern(*shop, "Order").error().code == NEXUS_E_TYPE_NAME);
  CHECK(rig.bus->intern(*shop, "").error().code == NEXUS_E_TYPE_NAME);
  CHECK(rig.bus->intern(*shop, std::string(256, 'a')).error().code == NEXUS_E_TYPE_NAME);
  CHECK(rig.bus->intern(*shop, std::string(255, 'a')));
  CHECK(rig.bus->intern(*shop, "system.started").error().code == NEXUS_E_RESERVED);
  CHECK(rig.bus->intern(*shop, "plugin.error").error().code == NEXUS_E_RESERVED);
  const uint64_t port = rig.bus->intern(*shop, "order.created").value();
  char text[200];
  const auto emit = [&](nexus_emit_options emit_options, size_t size, nexus_error* error) {
    const std::string data(size, 'x');
    emit_options.size = sizeof emit_options;
    return rig.bus->emit(*shop, port, &emit_options, {reinterpret_cast<const uint8_t*>(data.data()), size}, nullptr,
                         error);
  };
  nexus_error error = error_buffer(text, sizeof text);
  CHECK(emit({}, 100, &error) == NEXUS_OK);
  CHECK(emit({}, 101, &error) == NEXUS_E_TOO_LARGE);
  CHECK(std::string(text, error.len).find("100 bytes") != std::string::npos);
  nexus_emit_options wrong{};
  const std::string long_key(256, 'k');
  wrong.key = to_abi(long_key);
  CHECK(emit(wrong, 1, &error) == NEXUS_E_ARGUMENT);
  wrong = {};
  wrong.subject = to_abi("\xff\xfe");
  CHECK(emit(wrong, 1, &error) == NEXUS_E_ARGUMENT);
  CHECK(std::string(text, error.len).find("UTF-8") != std::string::npos);
  wrong = {};
  const uint8_t no_map[] = {0x01};
  wrong.metadata = {no_map, 1};
  CHECK(emit(wrong, 1, &error) == NEXUS_E_ARGUMENT);
  wrong = {};
  wrong.flags = 0x80000000u;
  CHECK(emit(wrong, 1, &error) == NEXUS_E_ARGUMENT);
  wrong = {};
  wrong.flags = NEXUS_EMIT_FORWARD;
  CHECK(emit(wrong, 1, &error) == NEXUS_E_PERMISSION);
  CHECK(rig.bus->emit(*shop, 0, nullptr, {}, nullptr, &error) == NEXUS_E_HANDLE);
  CHECK(rig.bus->emit(*shop, 4711, nullptr, {}, nullptr, &error) == NEXUS_E_HANDLE);
}
