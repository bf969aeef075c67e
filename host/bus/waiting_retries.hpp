// What waits for another attempt, so that a person can look at it, hasten it or give it up. A row is there from before
// its timer is set until its wait ends; whoever ends the wait takes the row, once. Any thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "host/base/uuid.hpp"
#include "host/bus/target.hpp"
#include "host/event/event_ref.hpp"

namespace nexus::host {

// One of them, for people.
struct WaitingRetry {
  uint64_t id = 0;  // of this wait; the next attempt's wait has another
  Uuid event_id{};
  std::string event_type, plugin_id;
  std::string subscription, pattern;  // the name may be empty
  uint32_t attempt = 0;               // the one that is waited for; 1 is the first
  int64_t due_monotonic_ns = 0;
  int64_t first_failed_unix_ns = 0;
  std::string error_type, error_message;  // of the attempt before
};

class WaitingRetries {
 public:
  enum class Decision : uint8_t { kNone, kNow, kKill };
  struct Row {
    EventRef event;
    std::shared_ptr<Target> target;  // keeps its plugin's instance too
    int64_t due_monotonic_ns = 0;
    std::string error_type, error_message;
    Decision decision = Decision::kNone;
    nexus_handle timer = 0;  // 0 until it is known
  };

  uint64_t add(Row row);
  // False when somebody has decided meanwhile: the timer is to be cancelled.
  bool set_timer(uint64_t id, nexus_handle timer);
  // The row with its decision, which must be carried out by cancelling its timer, where that is known. Nothing when
  // there is no such row, or when it has been decided already.
  std::optional<Row> decide(uint64_t id, Decision decision);
  // Its wait is over. The row is there unless it was taken before.
  std::optional<Row> take(uint64_t id);

  std::vector<WaitingRetry> list() const;

 private:
  mutable std::mutex mutex_;  // guards all below
  std::map<uint64_t, Row> rows_;
  uint64_t next_id_ = 1;
};

}  // namespace nexus::host
