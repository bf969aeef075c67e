// The events that the host, its gateway and its stores emit, and the examples of the documentation, as typed structs:
// subscribe with them, or emit those that are a plugin's to emit. system.* and plugin.* come from the host alone.
// Plain values; a field that is optional is left out of the data when it is empty.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "nexus/schema.hpp"

namespace nexus::events {

// The host has loaded its plugins and takes events.
struct SystemStarted {
  std::string version;                      // of the host
  cbor::Value config = cbor::Value::map();  // as it is in force, secrets redacted
};
NEXUS_EVENT(SystemStarted, "system.started", version, config)

// The host takes no more events from outside, and delivers what it has.
struct SystemShuttingDown {
  std::string reason = "normal";  // "normal", "signal", or what request_stop was told
};
NEXUS_EVENT(SystemShuttingDown, "system.shutting_down", reason)

// Something failed in the host itself.
struct SystemError {
  std::string error_type;  // a short stable word, "store_failed"
  std::string error_message;
  std::optional<std::string> traceback;
};
NEXUS_EVENT(SystemError, "system.error", error_type, error_message, traceback)

// A plugin has started and its subscriptions are live.
struct PluginLoaded {
  std::string plugin_id;       // "com.example.orders"
  std::string plugin_name;     // for people
  std::string plugin_version;  // semver
};
NEXUS_EVENT(PluginLoaded, "plugin.loaded", plugin_id, plugin_name, plugin_version)

// A plugin has stopped.
struct PluginUnloaded {
  std::string plugin_id;
  std::string reason = "normal";  // "normal", "removed", "replaced", "disabled", ...
};
NEXUS_EVENT(PluginUnloaded, "plugin.unloaded", plugin_id, reason)

// A plugin could not be loaded, or one of its handlers failed for the last time or ran over its deadline.
struct PluginError {
  std::string plugin_id;
  std::string error_type;  // "handler_timeout", "std::runtime_error", the name of a load refusal
  std::string error_message;
};
NEXUS_EVENT(PluginError, "plugin.error", plugin_id, error_type, error_message)

// A delivery has failed for the last time and waits in the dead letters. Emitted once per dead letter.
struct EventDeadLettered {
  std::string event_id;  // the original event's
  std::string event_type;
  std::string plugin_id;  // the subscriber's
  std::string plugin_version;
  std::string subscription;         // its name within the plugin, or empty
  std::string reason = "attempts";  // "attempts", "rejected", "expired", "overflow", "crash", "loop"
  std::uint32_t attempts = 0;
  std::string error_type;
  std::string error_message;
  std::string fingerprint;  // equal for failures of the same kind
  std::optional<std::chrono::system_clock::time_point> first_failed_at;
  std::optional<std::chrono::system_clock::time_point> last_failed_at;
  std::uint64_t dead_letter_id = 0;  // for `nexus dlq show`; 0 when there was no room for the letter
};
NEXUS_EVENT(EventDeadLettered, "event.dead_lettered", event_id, event_type, plugin_id, plugin_version, subscription,
            reason, attempts, error_type, error_message, fingerprint, first_failed_at, last_failed_at, dead_letter_id)

// An HTTP request has been read and its handling begins.
struct HttpRequestStarted {
  std::string request_id;
  std::string method;  // "GET"
  std::string path;
  std::string client_ip;
  std::string user_agent;
};
NEXUS_EVENT(HttpRequestStarted, "http.request.started", request_id, method, path, client_ip, user_agent)

// An HTTP request has been answered. One that is read from an access log, which has no http.request.started before it,
// carries the optional fields.
struct HttpRequestCompleted {
  std::string request_id;
  std::int32_t status_code = 0;
  double response_time_ms = 0;
  std::uint64_t response_size = 0;  // in bytes, without the head
  std::optional<std::string> method;
  std::optional<std::string> path;
  std::optional<std::string> client_ip;
  std::optional<std::string> user_agent;
  std::optional<std::string> referer;
};
NEXUS_EVENT(HttpRequestCompleted, "http.request.completed", request_id, status_code, response_time_ms, response_size,
            method, path, client_ip, user_agent, referer)

// An HTTP request could not be answered as asked.
struct HttpRequestFailed {
  std::string request_id;
  std::string error_type;
  std::string error_message;
};
NEXUS_EVENT(HttpRequestFailed, "http.request.failed", request_id, error_type, error_message)

// A statement has run.
struct DatabaseQuery {
  std::string query_type;  // "SELECT", "INSERT", "UPDATE", "DELETE"
  std::string table_name;
  double execution_time_ms = 0;
  std::int64_t rows_affected = 0;
};
NEXUS_EVENT(DatabaseQuery, "database.query", query_type, table_name, execution_time_ms, rows_affected)

// A connection to a database has come, gone, or failed.
struct DatabaseConnection {
  std::string action;  // "connected", "disconnected", "error"
  std::string database_name;
  std::int32_t connection_pool_size = 0;
};
NEXUS_EVENT(DatabaseConnection, "database.connection", action, database_name, connection_pool_size)

// A user has signed up. An example of the documentation.
struct UserRegistered {
  std::string user_id;
  std::string username;
  std::string email;
  std::string registration_source = "web";  // "web", "mobile"
};
NEXUS_EVENT(UserRegistered, "user.registered", user_id, username, email, registration_source)

// An order has been placed. An example of the documentation; the items are free-form.
struct OrderCreated {
  std::string order_id;
  std::string user_id;
  double total_amount = 0;
  std::string currency = "USD";  // ISO 4217
  std::vector<std::map<std::string, cbor::Value>> items;
};
NEXUS_EVENT(OrderCreated, "order.created", order_id, user_id, total_amount, currency, items)

// An order's payment is asked for. The first of the events by which the documentation's order saga goes on: payment,
// stock, and an order that is confirmed or cancelled.
struct PaymentRequest {
  std::string order_id;
  double amount = 0;
};
NEXUS_EVENT(PaymentRequest, "payment.request", order_id, amount)

// A payment has begun and its outcome is open.
struct PaymentProcessing {
  std::string order_id;
  std::string payment_method;  // "card"
};
NEXUS_EVENT(PaymentProcessing, "payment.processing", order_id, payment_method)

// An order is paid.
struct PaymentCompleted {
  std::string order_id;
  double amount = 0;
};
NEXUS_EVENT(PaymentCompleted, "payment.completed", order_id, amount)

// An order could not be paid.
struct PaymentFailed {
  std::string order_id;
  std::string reason;
};
NEXUS_EVENT(PaymentFailed, "payment.failed", order_id, reason)

// A payment should be given back, since its order cannot be fulfilled.
struct PaymentRefund {
  std::string order_id;
  double amount = 0;
};
NEXUS_EVENT(PaymentRefund, "payment.refund", order_id, amount)

// A payment has been given back.
struct PaymentRefunded {
  std::string order_id;
  double amount = 0;
};
NEXUS_EVENT(PaymentRefunded, "payment.refunded", order_id, amount)

// An order's items should be set aside; the items are free-form, as those of order.created.
struct InventoryReservation {
  std::string order_id;
  std::vector<std::map<std::string, cbor::Value>> items;
};
NEXUS_EVENT(InventoryReservation, "inventory.reservation", order_id, items)

// An order's items are set aside.
struct InventoryReserved {
  std::string order_id;
};
NEXUS_EVENT(InventoryReserved, "inventory.reserved", order_id)

// Some of an order's items are not there, and none has been set aside.
struct InventoryFailed {
  std::string order_id;
  std::string reason;
};
NEXUS_EVENT(InventoryFailed, "inventory.failed", order_id, reason)

// An order is paid and its items are set aside.
struct OrderConfirmed {
  std::string order_id;
};
NEXUS_EVENT(OrderConfirmed, "order.confirmed", order_id)

// An order will not be fulfilled.
struct OrderCancelled {
  std::string order_id;
  std::string reason;  // "payment_failed", "payment_timeout", "inventory_failed", "inventory_timeout"
};
NEXUS_EVENT(OrderCancelled, "order.cancelled", order_id, reason)

// One line of a followed log file that is no access-log line.
struct LogLine {
  std::string path;          // of the file
  std::string line;          // without its line end; bytes that are no UTF-8 are replaced
  std::uint64_t offset = 0;  // of the line's first byte in the file
  bool truncated = false;    // the line was longer than the limit, and the rest was left out
};
NEXUS_EVENT(LogLine, "log.line", path, line, offset, truncated)

}  // namespace nexus::events
