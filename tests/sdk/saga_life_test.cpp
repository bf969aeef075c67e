// What of a saga is seen and kept from outside: inspection, a hot swap, other keys, other stores.
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "nexus/saga.hpp"
#include "nexus/testing.hpp"

namespace {

using namespace std::chrono_literals;
using nexus::cbor::Value;

struct Opened {
  std::uint64_t number = 0;
};
NEXUS_EVENT(Opened, "ticket.opened", number)
struct Closed {
  std::uint64_t number = 0;
};
NEXUS_EVENT(Closed, "ticket.closed", number)
struct Checked {
  std::uint64_t number = 0;
};
NEXUS_EVENT(Checked, "ticket.checked", number)
struct Escalated {
  std::uint64_t number = 0;
};
NEXUS_EVENT(Escalated, "ticket.escalated", number)

struct TicketState {
  std::uint64_t number = 0;
};
NEXUS_STATE(TicketState, number)

class TicketSaga final : public nexus::Saga<TicketState> {
 public:
  using Saga::active;
  int seen = 0;

 private:
  NEXUS_SAGA_KEY(number)
  NEXUS_START(Opened, open, "open", .priority = 3)
  void open(const Opened& opened) { state().number = opened.number; }
  NEXUS_STEP("open", Closed, close, "check", .priority = 2, .retry = nexus::no_retry())
  void close() {}
  NEXUS_COMPENSATE("open", reopen)
  void reopen() {}
  NEXUS_STEP("check", Checked, check, done)
  void check() {}
  NEXUS_TIMEOUT("open", 10min, escalate, "open")
  NEXUS_TIMEOUT("check", 1h, escalate, undo)
  void escalate() { emit(Escalated{state().number}); }

  // A handler beside the steps sees the same events.
  NEXUS_ON(see)
  void see(const Opened&) { ++seen; }
};
NEXUS_PLUGIN_INFO(TicketSaga, "com.example.tickets", "1.0.0")

// The answers of nexus.saga/1, as a host asks for them.
struct Inspector {
  explicit Inspector(nexus::testing::Loaded<TicketSaga>& plugin)
      : instance(plugin.module()->instance()),
        saga(static_cast<const nexus_saga*>(plugin.module()->query(NEXUS_SAGA_ID))) {}

  static void append(void* user, const std::uint8_t* data, std::uint64_t size) {
    auto& bytes = *static_cast<nexus::Bytes*>(user);
    bytes.insert(bytes.end(), data, data + size);
  }
  Value list(const std::string& state = {}, const std::string& after = {}, std::uint64_t limit = 100) const {
    nexus::Bytes bytes;
    nexus::detail::ErrorBuffer error;
    REQUIRE(saga->list(instance, nexus::detail::to_abi(state), nexus::detail::to_abi(after), limit, append, &bytes,
                       error.get()) == NEXUS_OK);
    return Value::decode(std::span<const std::uint8_t>(bytes));
  }
  std::int32_t show(const std::string& key, Value& out) const {
    nexus::Bytes bytes;
    nexus::detail::ErrorBuffer error;
    const std::int32_t code = saga->show(instance, nexus::detail::to_abi(key), append, &bytes, error.get());
    if (code == NEXUS_OK) out = Value::decode(std::span<const std::uint8_t>(bytes));
    return code;
  }

  void* instance;
  const nexus_saga* saga;
};

std::vector<std::string> keys_of(const Value& list) {
  std::vector<std::string> keys;
  for (const Value& row : list.at("instances").items()) keys.push_back(row.at("key").get<std::string>());
  return keys;
}

using Keys = std::vector<std::string>;

}  // namespace

TEST_CASE("the instances are listed by key, state and page, and one is shown in full") {
  nexus::testing::Host host;
  auto tickets = host.load<TicketSaga>();
  const Inspector inspector(tickets);
  REQUIRE(inspector.saga != nullptr);
  CHECK(inspector.saga->size == sizeof(nexus_saga));
  CHECK(inspector.list().at("instances").size() == 0);
  for (const std::uint64_t number : {11u, 12u, 13u}) host.emit(Opened{number}, {.correlation = "c"});
  host.emit(Closed{12});
  host.emit(Closed{99});
  host.run();
  const Value all = inspector.list();
  CHECK(keys_of(all) == Keys{"11", "12", "13"});
  CHECK(all.at("active").get<int>() == 3);
  CHECK(all.at("active_max").get<std::size_t>() == nexus::kSagaInstancesMax);
  CHECK(all.at("started").get<int>() == 3);
  CHECK(all.at("ignored").get<int>() == 1);
  CHECK(keys_of(inspector.list("check")) == Keys{"12"});
  CHECK(keys_of(inspector.list("", "", 2)) == Keys{"11", "12"});
  CHECK(keys_of(inspector.list("", "12")) == Keys{"13"});
  CHECK(keys_of(inspector.list("open", "11", 1)) == Keys{"13"});

  Value shown;
  REQUIRE(inspector.show("12", shown) == NEXUS_OK);
  CHECK(shown.at("state").get<std::string>() == "check");
  CHECK(shown.at("correlation_id").get<std::string>() == "c");
  CHECK(shown.at("steps").get<int>() == 2);
  CHECK(shown.at("data").at("number").get<int>() == 12);
  REQUIRE(shown.at("completed").size() == 1);
  CHECK(shown.at("completed").items()[0].get<std::string>() == "open");
  const auto now = host.now().time_since_epoch();
  CHECK(shown.at("started_unix_ns").get<std::int64_t>() == now.count());
  CHECK(shown.at("due_unix_ns").get<std::int64_t>() == (now + 1h).count());
  CHECK(inspector.show("14", shown) == NEXUS_E_UNKNOWN);
}

TEST_CASE("a timeout may lead back into its own state, and then runs anew") {
  nexus::testing::Host host;
  auto tickets = host.load<TicketSaga>();
  host.emit(Opened{1});
  host.advance(25min);
  CHECK(host.emitted<Escalated>().size() == 2);
  host.advance(10min);
  CHECK(host.emitted<Escalated>().size() == 3);
  CHECK(tickets->active() == 1);
}

TEST_CASE("the steps of a saga are subscriptions that tools see, beside its handlers") {
  nexus::testing::Host host;
  auto tickets = host.load<TicketSaga>();
  const nexus_module* module = nexus::testing::detail::module_of_class<TicketSaga>();
  std::vector<std::string> handlers;
  for (std::uint64_t i = 0; i < module->handler_count; ++i) {
    const nexus_declared_handler& handler = module->handlers[i];
    handlers.push_back(std::string(nexus::detail::from_abi(handler.name)) + " " +
                       std::string(nexus::detail::from_abi(handler.pattern)) + " " + std::to_string(handler.priority));
  }
  CHECK(handlers == std::vector<std::string>{"see ticket.opened 0", "saga.ticket.opened ticket.opened 3",
                                             "saga.ticket.closed ticket.closed 2",
                                             "saga.ticket.checked ticket.checked 0",
                                             "saga.timeout com.example.tickets.saga.timeout 0"});
  host.emit(Opened{1});
  host.run();
  CHECK(tickets->seen == 1);
  CHECK(tickets->active() == 1);
}

TEST_CASE("a hot swap hands the instances over, with what is left of their time") {
  nexus::testing::Host host;
  auto tickets = host.load<TicketSaga>();
  host.emit(Opened{1});
  host.advance(4min);
  host.emit(Opened{2});
  host.emit(Closed{2});
  host.run();
  host.swap(tickets);
  CHECK(tickets->active() == 2);
  host.advance(6min - 1s);
  CHECK(host.emitted<Escalated>().empty());
  host.advance(1s);
  CHECK(host.emitted<Escalated>().size() == 1);
  host.emit(Checked{2});
  host.run();
  CHECK(tickets->active() == 1);
  // One that came due between two instances does so at once in the new one.
  host.swap(tickets);
  host.advance(10min);
  CHECK(host.emitted<Escalated>().size() == 2);
  CHECK(host.failures().empty());
}

TEST_CASE("what cannot be restored is an error that names the saga's instances") {
  nexus::testing::Host host;
  auto tickets = host.load<TicketSaga>();
  const std::vector<std::uint8_t> junk{0xa1, 0x69, 'i', 'n', 's', 't', 'a', 'n', 'c', 'e', 's', 0x01};
  CHECK_THROWS_AS(tickets->restore("1.0.0", junk), nexus::SchemaError);
}

// ---- keyed by correlation, kept elsewhere -------------------------------------------------------------------------

struct Begin {};
NEXUS_EVENT(Begin, "work.begin")
struct End {};
NEXUS_EVENT(End, "work.end")
struct Empty {};
NEXUS_STATE(Empty)

// What is written, in order; fails when told to.
struct RecordingStore final : nexus::SagaStore {
  explicit RecordingStore(std::vector<std::string>& to, const bool& is_broken) : journal(to), broken(is_broken) {}
  bool get(std::string_view key, nexus::Bytes& record) const override { return inner.get(key, record); }
  void put(std::string_view key, std::span<const std::uint8_t> record) override {
    if (broken) throw std::runtime_error("the store is full");
    journal.push_back("put " + std::string(key));
    inner.put(key, record);
  }
  void erase(std::string_view key) override {
    journal.push_back("erase " + std::string(key));
    inner.erase(key);
  }
  void scan(std::string_view after,
            const std::function<bool(std::string_view, std::span<const std::uint8_t>)>& visit) const override {
    inner.scan(after, visit);
  }
  std::size_t size() const override { return inner.size(); }

  nexus::MemorySagaStore inner;
  std::vector<std::string>& journal;
  const bool& broken;
};

class WorkSaga final : public nexus::Saga<Empty> {
 public:
  std::vector<std::string> journal;
  bool broken = false;

 private:
  std::unique_ptr<nexus::SagaStore> make_store() override { return std::make_unique<RecordingStore>(journal, broken); }
  NEXUS_START(Begin, begin, "working")
  void begin() {}
  NEXUS_STEP("working", End, finish, nexus::done)
  void finish() {}
  NEXUS_TIMEOUT("working", 1min, finish, nexus::done)
};
NEXUS_PLUGIN_INFO(WorkSaga, "com.example.work", "1.0.0")

TEST_CASE("without a key the correlation tells instances apart") {
  nexus::testing::Host host;
  auto work = host.load<WorkSaga>();
  host.emit(Begin{}, {.correlation = "a"});
  host.emit(Begin{}, {.correlation = "b"});
  host.emit(End{}, {.correlation = "a"});
  host.run();
  CHECK(work->journal == std::vector<std::string>{"put a", "put b", "erase a"});
}

TEST_CASE("a store that fails fails the step, which is tried again") {
  nexus::testing::Host host;
  auto work = host.load<WorkSaga>();
  work->broken = true;
  host.emit(Begin{}, {.correlation = "a"});
  host.run();
  REQUIRE(host.failures().size() == 1);
  CHECK(host.failures().front().message == "the store is full");
  work->broken = false;
  host.advance(2s);
  CHECK(work->journal == std::vector<std::string>{"put a"});
  // The timer of the step that failed is gone: there is one timeout, that of the second attempt.
  host.advance(58s);
  CHECK(work->journal.size() == 1);
  host.advance(1s);
  CHECK(work->journal == std::vector<std::string>{"put a", "erase a"});
  CHECK(host.emitted("*.saga.timeout").size() == 1);
}
