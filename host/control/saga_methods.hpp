// The methods about sagas: saga.list, saga.show. They ask the plugins that provide nexus.saga/1, each in its own
// mailbox, so a plugin that is busy answers late, and one that hangs not at all: that is an error of its own row, not
// of the call. The control thread only looks the plugins up; the waiting is the caller's.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "host/control/plugin_methods.hpp"
#include "host/control/surface.hpp"
#include "host/plugin/manager.hpp"

namespace nexus::host {

// How long a plugin's mailbox may take to come to the question.
inline constexpr std::chrono::milliseconds kSagaAnswerWait{5000};
// The largest answer of one plugin; what is beyond it makes the answer an error.
inline constexpr size_t kSagaAnswerBytesMax = size_t{16} << 20;

// Both outlive the surface's calls.
void add_saga_methods(Surface& surface, PluginManager& manager, ControlThread& thread,
                      std::chrono::milliseconds wait = kSagaAnswerWait);

namespace control {

// One instance; the last two with saga.show only.
struct SagaRow {
  std::string plugin, key, state, correlation_id;
  int64_t started_unix_ns = 0, changed_unix_ns = 0;
  uint64_t steps = 0;
  std::optional<int64_t> due_unix_ns;  // of the state's timeout
  std::optional<std::vector<std::string>> completed;
  std::optional<cbor::Value> data;
};
NEXUS_STRUCT(SagaRow, plugin, key, state, correlation_id, started_unix_ns, changed_unix_ns, steps, due_unix_ns,
             completed, data)

struct SagaTotalsRow {
  std::string plugin;
  uint64_t active = 0, active_max = 0, started = 0, completed = 0, undone = 0, timed_out = 0, ignored = 0, rejected = 0;
  std::optional<ErrorRow> error;  // the plugin did not answer
};
NEXUS_STRUCT(SagaTotalsRow, plugin, active, active_max, started, completed, undone, timed_out, ignored, rejected, error)

struct SagaListParams {
  std::string plugin;    // empty: all
  std::string state;     // empty: any
  std::string after;     // a key: those that come behind it, for the next page
  uint64_t limit = 100;  // of each plugin
};
NEXUS_STRUCT(SagaListParams, plugin, state, after, limit)

struct SagaList {
  std::vector<SagaTotalsRow> sagas;
  std::vector<SagaRow> instances;  // by plugin and key
};
NEXUS_STRUCT(SagaList, sagas, instances)

struct SagaShowParams {
  std::string key;
  std::string plugin;  // empty: whichever has it
};
NEXUS_STRUCT(SagaShowParams, key, plugin)

struct SagaShown {
  std::vector<SagaRow> instances;  // more than one where several sagas use the same key
};
NEXUS_STRUCT(SagaShown, instances)

}  // namespace control
}  // namespace nexus::host
