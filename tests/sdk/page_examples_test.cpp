// The examples of the page that describes the event system, one test each, in its order and with its names:
// subscribing, emitting, and the patterns of processing, error handling and monitoring. Sagas, event sourcing and dead
// letters follow with what they need.
#include <chrono>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "nexus/events.hpp"
#include "nexus/plugin.hpp"
#include "nexus/testing.hpp"

namespace {

using namespace std::chrono_literals;
using nexus::Event;
using nexus::events::OrderCreated;
using nexus::events::UserRegistered;
using Calls = std::vector<std::string>;

UserRegistered user(std::string id, std::string source = "web") {
  return {.user_id = std::move(id),
          .username = "ada",
          .email = "ada@example.com",
          .registration_source = std::move(source)};
}

OrderCreated order(std::string id, double amount) {
  OrderCreated created;
  created.order_id = std::move(id);
  created.user_id = "u-7";
  created.total_amount = amount;
  return created;
}

// ---- Subscription -------------------------------------------------------------------------------------------------

struct UserService final : nexus::Plugin {
  Calls calls;

  NEXUS_ON(on_user_registered)
  void on_user_registered(const UserRegistered& event) { calls.push_back("welcome " + event.username); }

  NEXUS_ON(on_user_registered_high_priority, .priority = 10)
  void on_user_registered_high_priority(const UserRegistered& event) { calls.push_back("metrics " + event.user_id); }
};
NEXUS_PLUGIN_INFO(UserService, "com.example.user-service", "1.0.0")

TEST_CASE("decorators: both handlers are called, the one of higher priority first") {
  nexus::testing::Host host;
  auto service = host.load<UserService>();
  host.emit(user("u-1"));
  host.run();
  CHECK(service->calls == Calls{"metrics u-1", "welcome ada"});
}

struct DynamicSubscriber final : nexus::Plugin {
  Calls calls;
  std::vector<nexus::Subscription> subscriptions;

  void start_listening() {
    subscriptions.push_back(subscribe<OrderCreated>(
        {.priority = 5}, [this](const OrderCreated& event) { calls.push_back("new order " + event.order_id); }));
  }
  void stop_listening() { subscriptions.clear(); }
};
NEXUS_PLUGIN_INFO(DynamicSubscriber, "com.example.dynamic-subscriber", "1.0.0")

TEST_CASE("manual subscription: begins and ends while the plugin runs") {
  nexus::testing::Host host;
  auto subscriber = host.load<DynamicSubscriber>();
  const auto order_while = [&](const char* id) {
    host.emit(order(id, 1));
    host.run();
  };
  order_while("before");
  subscriber->start_listening();
  order_while("between");
  subscriber->stop_listening();
  order_while("after");
  CHECK(subscriber->calls == Calls{"new order between"});
}

struct ConditionalService final : nexus::Plugin {
  Calls calls;

  NEXUS_ON(
      handle_large_orders, .when = [](const OrderCreated& event) { return event.total_amount > 100.0; })
  void handle_large_orders(const OrderCreated& event) { calls.push_back("large " + event.order_id); }

  NEXUS_ON(
      handle_mobile, .when = [](const UserRegistered& event) { return event.registration_source == "mobile"; })
  void handle_mobile(const UserRegistered& event) { calls.push_back("mobile " + event.user_id); }
};
NEXUS_PLUGIN_INFO(ConditionalService, "com.example.conditional-service", "1.0.0")

TEST_CASE("conditions: only large orders, only mobile registrations") {
  nexus::testing::Host host;
  auto service = host.load<ConditionalService>();
  host.emit(order("exactly", 100.0));
  host.emit(order("more", 100.01));
  host.emit(user("u-1", "web"));
  host.emit(user("u-2", "mobile"));
  host.run();
  CHECK(service->calls == Calls{"large more", "mobile u-2"});
  CHECK(host.filtered() == 2);
}

// ---- Emission -----------------------------------------------------------------------------------------------------

struct SecurityIncident {
  std::string incident_type;
  std::string severity;
  std::map<std::string, std::string> details;
};
NEXUS_EVENT(SecurityIncident, "security.incident", incident_type, severity, details)

struct PaymentProcessing {
  std::string order_id;
  std::string payment_method;
};
NEXUS_EVENT(PaymentProcessing, "payment.processing", order_id, payment_method)

struct Emitters final : nexus::Plugin {
  void register_user(const std::string& id) { emit(user(id)); }

  void handle_security_incident() {
    emit(SecurityIncident{"login", "high", {{"address", "192.0.2.1"}}}, {.priority = 100});
  }

  void process_order(const std::string& id, const std::string& correlation) {
    emit(order(id, 20), {.correlation = correlation});
    emit(PaymentProcessing{id, "card"}, {.correlation = correlation});
  }
};
NEXUS_PLUGIN_INFO(Emitters, "com.example.emitters", "1.0.0")

struct Watcher final : nexus::Plugin {
  Calls calls;
  NEXUS_ON(see, .topic = "*")
  void see(const Event& event) { calls.push_back(std::string(event.type())); }
};
NEXUS_PLUGIN_INFO(Watcher, "com.example.watcher", "1.0.0")

TEST_CASE("simple emission: the event has an id, a time and the plugin as its source") {
  nexus::testing::Host host;
  auto emitters = host.load<Emitters>();
  emitters->register_user("u-9");
  REQUIRE(host.emitted<UserRegistered>().size() == 1);
  CHECK(host.emitted<UserRegistered>().front().registration_source == "web");
  const Event event = host.events().front()->event();
  CHECK(event.id());
  CHECK(event.time() == host.now());
  CHECK(event.source() == "com.example.emitters");
  CHECK(event.correlation_id() == event.id().str());
  CHECK(event.metadata().size == 0);
}

TEST_CASE("priority: the higher number is handled first, though it was emitted last") {
  nexus::testing::Host host;
  auto emitters = host.load<Emitters>();
  auto watcher = host.load<Watcher>();
  emitters->register_user("u-1");
  emitters->handle_security_incident();
  host.run();
  CHECK(watcher->calls == Calls{"security.incident", "user.registered"});
}

TEST_CASE("correlated events carry the same correlation id") {
  nexus::testing::Host host;
  auto emitters = host.load<Emitters>();
  emitters->process_order("A-1", "c-42");
  REQUIRE(host.events().size() == 2);
  for (const auto& stored : host.events()) CHECK(stored->event().correlation_id() == "c-42");
  CHECK(host.emitted<PaymentProcessing>().front().payment_method == "card");
}

// ---- Patterns of processing ---------------------------------------------------------------------------------------

struct NotificationService final : nexus::Plugin {
  NEXUS_ON(send_welcome_email)
  void send_welcome_email(const UserRegistered& event) {
    try {
      throw std::runtime_error("no route to " + event.email);
    } catch (const std::exception& e) {
      log().error("failed to send welcome email", {{"error", e.what()}});  // and that is all
    }
  }
};
NEXUS_PLUGIN_INFO(NotificationService, "com.example.notification-service", "1.0.0")

TEST_CASE("fire and forget: what the handler catches is no failure, and nothing is tried again") {
  nexus::testing::Host host;
  auto service = host.load<NotificationService>();
  host.emit(user("u-1"));
  host.run();
  host.advance(1h);
  CHECK(host.logged("failed to send welcome email"));
  CHECK(host.logs().size() == 1);
  CHECK(host.failures().empty());
  CHECK(host.delivered() == 1);
}

struct UserValidationRequest {
  std::string user_id;
  std::string request_id;
};
NEXUS_EVENT(UserValidationRequest, "user.validation.request", user_id, request_id)

struct ValidationService final : nexus::Plugin {
  std::optional<bool> verdict;

  // Waits before it asks, so that a fast answer is not missed; no thread is held meanwhile.
  void validate_user_data(const std::string& request_id) {
    wait_for("user.validation.response." + request_id, 5s)
        .then([this](const Event& response) { verdict = response.value().at("is_valid").get<bool>(); },
              [this](const nexus::Error&) {
                log().warn("user validation timeout");
                verdict = false;
              });
    emit(UserValidationRequest{"u-1", request_id});
  }
};
NEXUS_PLUGIN_INFO(ValidationService, "com.example.validation-service", "1.0.0")

struct Validator final : nexus::Plugin {
  NEXUS_ON(validate)
  void validate(const UserValidationRequest& event) {
    emit("user.validation.response." + event.request_id, {{"is_valid", true}});
  }
};
NEXUS_PLUGIN_INFO(Validator, "com.example.validator", "1.0.0")

TEST_CASE("request and response: the answer under the request's own name, or false when time is up") {
  nexus::testing::Host host;
  auto service = host.load<ValidationService>();
  {
    auto validator = host.load<Validator>();
    service->validate_user_data("r-1");
    host.run();
    CHECK(service->verdict == true);
    host.unload(validator);
  }
  service->verdict.reset();
  service->validate_user_data("r-2");
  host.advance(4900ms);
  CHECK_FALSE(service->verdict.has_value());
  host.advance(200ms);
  CHECK(service->verdict == false);
  CHECK(host.logged("user validation timeout"));
}

// ---- Errors, metrics, traces, filters -----------------------------------------------------------------------------

struct DatabaseError : std::runtime_error {
  using runtime_error::runtime_error;
};

struct UserProcessingError {
  std::string user_id;
  std::string error_type;
  int retry_count = 0;
};
NEXUS_EVENT(UserProcessingError, "user.processing.error", user_id, error_type, retry_count)

struct ResilientService final : nexus::Plugin {
  NEXUS_ON(process_user_registration)
  void process_user_registration(const UserRegistered& event) {
    try {
      if (event.user_id == "u-db") throw DatabaseError("connection lost");
      throw std::logic_error("a bug");
    } catch (const DatabaseError&) {
      emit(UserProcessingError{event.user_id, "database_error", 0});
    } catch (const std::exception& e) {
      log().error("unexpected error", {{"error", e.what()}});
    }
  }
};
NEXUS_PLUGIN_INFO(ResilientService, "com.example.resilient-service", "1.0.0")

struct ErrorHandler final : nexus::Plugin {
  Calls calls;
  NEXUS_ON(handle_error_events, .topic = "*.error")
  void handle_error_events(const Event& event) { calls.push_back(std::string(event.type())); }
};
NEXUS_PLUGIN_INFO(ErrorHandler, "com.example.error-handler", "1.0.0")

TEST_CASE("error recovery: a database error becomes an event that *.error sees, a bug is only logged") {
  nexus::testing::Host host;
  auto service = host.load<ResilientService>();
  auto errors = host.load<ErrorHandler>();
  host.emit(user("u-db"));
  host.emit(user("u-2"));
  host.run();
  CHECK(errors->calls == Calls{"user.processing.error"});
  REQUIRE(host.emitted<UserProcessingError>().size() == 1);
  CHECK(host.emitted<UserProcessingError>().front().error_type == "database_error");
  CHECK(host.logged("unexpected error"));
}

struct EventMonitor final : nexus::Plugin {
  std::map<std::string, Calls, std::less<>> traces;

  NEXUS_ON(track_event_metrics, .topic = "*")
  void track_event_metrics(const Event& event) {
    counter("events_seen_total", "Events seen.", {{"event_type", event.type()}}).add();
  }

  NEXUS_ON(trace_events, .topic = "*")
  void trace_events(const Event& event) {
    traces[std::string(event.correlation_id())].push_back(std::string(event.type()));
  }
};
NEXUS_PLUGIN_INFO(EventMonitor, "com.example.event-monitor", "1.0.0")

TEST_CASE("metrics and traces: a wildcard handler counts by type and collects by correlation") {
  nexus::testing::Host host;
  auto emitters = host.load<Emitters>();
  auto monitor = host.load<EventMonitor>();
  emitters->process_order("A-1", "c-1");
  emitters->process_order("A-2", "c-2");
  host.run();
  CHECK(host.metric("events_seen_total", {{"event_type", "order.created"}}) == 2);
  CHECK(host.metric("events_seen_total", {{"event_type", "payment.processing"}}) == 2);
  REQUIRE(monitor->traces.size() == 2);
  CHECK(monitor->traces.at("c-1") == Calls{"order.created", "payment.processing"});
}

struct FilteredService final : nexus::Plugin {
  Calls calls;
  NEXUS_ON(process_user_event, .topic = "*",
           .filter = nexus::type_is("user.*") && !nexus::from("test") && nexus::metadata("environment", "production"))
  void process_user_event(const Event& event) { calls.push_back(std::string(event.subject())); }
};
NEXUS_PLUGIN_INFO(FilteredService, "com.example.filtered-service", "1.0.0")

struct Source final : nexus::Plugin {
  using Plugin::emit;
};
NEXUS_PLUGIN_INFO(Source, "com.example.source", "1.0.0")

TEST_CASE("filters: user events of production that do not come from a test") {
  nexus::testing::Host host;
  auto service = host.load<FilteredService>();
  auto source = host.load<Source>();
  source->emit(user("1"), {.metadata = {{"environment", "production"}}, .subject = "all three hold"});
  source->emit(user("2"), {.metadata = {{"environment", "staging"}}, .subject = "not production"});
  source->emit(user("3"), {.subject = "no environment"});
  source->emit(order("4", 1), {.metadata = {{"environment", "production"}}, .subject = "no user event"});
  host.emit(user("5"), {.metadata = {{"environment", "production"}}, .subject = "from the test"});
  host.run();
  CHECK(service->calls == Calls{"all three hold"});
  CHECK(host.filtered() == 4);
}

}  // namespace
