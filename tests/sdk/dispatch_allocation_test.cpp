// The way of an event through the SDK allocates nothing: from the host's call into a handler, and from emit to the
// host's table. The global operator new is replaced, hence an executable of its own.
#include <atomic>
#include <cstdlib>
#include <new>
#include <string>
#include <string_view>

#include <catch2/catch_test_macros.hpp>

#include "nexus/plugin.hpp"

namespace {
std::atomic<std::size_t> allocations{0};
}

[[gnu::noinline]] void* operator new(std::size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace {

struct Order {
  std::string_view id;  // borrowed from the event
  double total = 0;
  int count = 0;
};
NEXUS_EVENT(Order, "order.created", id, total, count)

struct Receipt {
  std::string_view id;
};
NEXUS_EVENT(Receipt, "order.receipt", id)

class Shop final : public nexus::Plugin {
  NEXUS_ON(
      handle, .when = [](const Order& o) { return o.count > 0; }, .filter = !from("test") && type_is("order.*"))
  Receipt handle(const Order& order, const nexus::Event& event) {
    if (!event.metadata("environment")) throw nexus::Skip();
    log().info("order", {{"id", order.id}, {"total", order.total}});
    emit(Receipt{order.id}, {.priority = 5, .key = order.id});
    return {order.id};
  }
};
NEXUS_PLUGIN(Shop, "com.example.shop", "1.0.0")

// The least host that a plugin can live in; it only counts.
struct Counting {
  nexus_handler_fn handler = nullptr;
  nexus_condition_fn condition = nullptr;
  void* user = nullptr;
  int emits = 0;
  int lines = 0;
} counting;

nexus_bus make_bus() {
  nexus_bus bus{};
  bus.size = sizeof bus;
  bus.intern = [](void*, nexus_string, std::uint64_t* handle, nexus_error*) -> std::int32_t {
    *handle = 7;
    return NEXUS_OK;
  };
  bus.emit = [](void*, std::uint64_t type, const nexus_emit_options* options, nexus_bytes data, nexus_uuid*,
                nexus_error*) -> std::int32_t {
    if (type == 7 && options->priority == 5 && data.size > 0) ++counting.emits;
    return NEXUS_OK;
  };
  bus.subscribe = [](void*, nexus_string, const nexus_subscribe_options* options, nexus_handler_fn handler, void* user,
                     nexus_handle* handle, nexus_error*) -> std::int32_t {
    counting.handler = handler;
    counting.condition = options->condition;
    counting.user = user;
    *handle = 1;
    return NEXUS_OK;
  };
  return bus;
}

const nexus_bus bus = make_bus();

nexus_host make_host() {
  nexus_host host{};
  host.size = sizeof host;
  host.major = NEXUS_ABI_MAJOR;
  host.log = [](void*, std::int32_t, nexus_string, const nexus_log_field*, std::uint32_t) { ++counting.lines; };
  host.log_enabled = [](void*, std::int32_t) -> std::int32_t { return 1; };
  host.query = [](void*, const char* id) -> const void* {
    return std::string_view(id) == NEXUS_BUS_ID ? &bus : nullptr;
  };
  host.now_unix_ns = [](void*) -> std::int64_t { return 1; };
  return host;
}

TEST_CASE("handling and emitting in the steady state allocate nothing") {
  const nexus_host host = make_host();
  const nexus_module& module = *nexus_module_v1();
  void* instance = nullptr;
  REQUIRE(module.create(&host, {}, &instance, nullptr) == NEXUS_OK);
  REQUIRE(module.start(instance, nullptr) == NEXUS_OK);

  const nexus::Bytes data =
      nexus::cbor::Value({{"id", "an order id that is longer than any small string"}, {"total", 12.5}, {"count", 2}})
          .encode();
  const nexus::Bytes metadata = nexus::cbor::Value({{"environment", "production"}}).encode();
  nexus_event event{};
  event.size = sizeof event;
  event.type = nexus::detail::to_abi("order.created");
  event.source = nexus::detail::to_abi("com.example.web");
  event.data = {data.data(), data.size()};
  event.metadata = {metadata.data(), metadata.size()};
  nexus_delivery delivery{};
  delivery.size = sizeof delivery;
  delivery.event = &event;
  char text[256];

  const auto deliver = [&] {
    nexus_error error{sizeof error, 0, sizeof text, 0, text};
    nexus_outcome outcome{};
    outcome.size = sizeof outcome;
    outcome.error = &error;
    if (counting.condition(counting.user, &event) != 1) return -1;
    const std::int32_t verdict = counting.handler(counting.user, &delivery, &outcome);
    return verdict == NEXUS_DONE && outcome.reply.size > 0 ? 0 : verdict + 100;
  };
  REQUIRE(deliver() == 0);  // the type is interned once

  const std::size_t before = allocations.load();
  int failures = 0;
  for (int i = 0; i < 1000; ++i) failures += deliver() != 0 ? 1 : 0;
  const std::size_t after = allocations.load();
  CHECK(after - before == 0);
  CHECK(failures == 0);
  CHECK(counting.emits == 1001);
  CHECK(counting.lines == 1001);
  module.quiesce(instance, 0);
  module.destroy(instance);
}

}  // namespace
