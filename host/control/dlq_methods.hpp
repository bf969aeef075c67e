// The methods about deliveries that failed: dlq.list, show, retry, remove, export, and retries.list, now, kill. All run
// on the caller's thread. Those that change something go through the letters in the order of their ids, at most `limit`
// in one call, and say where they stopped, so that a caller can set the pace.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "host/bus/bus.hpp"
#include "host/control/raw_item.hpp"
#include "host/control/surface.hpp"

namespace nexus::host {

// The bus outlives the surface's calls.
void add_dlq_methods(Surface& surface, Bus& bus);

namespace control {

struct DlqListParams {
  std::optional<uint64_t> id;
  std::optional<std::string> fingerprint, type, plugin, reason;  // type is a pattern
  bool groups = false;                                           // one row for each fingerprint instead
  uint64_t limit = 100;
  uint64_t offset = 0;
};
NEXUS_STRUCT(DlqListParams, id, fingerprint, type, plugin, reason, groups, limit, offset)

struct LetterRow {
  uint64_t id = 0;
  std::string event_id, type;
  std::string plugin, version;
  std::string subscription;  // its name; empty for a dynamic one
  std::string pattern;       // empty where there was no subscription
  std::string reason;        // attempts, rejected, expired, overflow, crash, loop
  uint32_t attempts = 0, replays = 0;
  int64_t first_unix_ns = 0, last_unix_ns = 0;
  std::string error_type, error;
  std::string fingerprint;
  std::string note;
};
NEXUS_STRUCT(LetterRow, id, event_id, type, plugin, version, subscription, pattern, reason, attempts, replays,
             first_unix_ns, last_unix_ns, error_type, error, fingerprint, note)

struct LetterGroupRow {
  std::string fingerprint;
  uint64_t count = 0;
  int64_t first_unix_ns = 0, last_unix_ns = 0;
  LetterRow latest;
};
NEXUS_STRUCT(LetterGroupRow, fingerprint, count, first_unix_ns, last_unix_ns, latest)

struct DlqListAnswer {
  uint64_t total = 0;  // that match, in letters
  std::vector<LetterRow> letters;
  std::vector<LetterGroupRow> groups;
};
NEXUS_STRUCT(DlqListAnswer, total, letters, groups)

struct DlqShowParams {
  uint64_t id = 0;
};
NEXUS_STRUCT(DlqShowParams, id)

// Borrows the event.
struct DlqShowAnswer {
  LetterRow letter;
  RawItem event;  // as events.subscribe gives it
};
NEXUS_STRUCT(DlqShowAnswer, letter, event)

// What to do it to: all that match each of those given. None given is an error, unless `all` says so.
struct DlqActParams {
  std::optional<uint64_t> id;
  std::optional<std::string> fingerprint, type, plugin, reason;
  bool all = false;
  uint64_t limit = 1000;
  uint64_t after_id = 0;            // go on behind this one
  std::optional<uint64_t> last_id;  // and no further than this; absent: the newest at this moment
  bool dry_run = false;
  std::string note;  // goes with the letter that is sent again, and into the log
};
NEXUS_STRUCT(DlqActParams, id, fingerprint, type, plugin, reason, all, limit, after_id, last_id, dry_run, note)

struct DlqDone {
  uint64_t id = 0;
  std::string event_id, type, plugin, subscription;
  std::optional<std::string> problem, help;  // why it was not done
};
NEXUS_STRUCT(DlqDone, id, event_id, type, plugin, subscription, problem, help)

struct DlqActAnswer {
  uint64_t done = 0;  // of the letters
  std::vector<DlqDone> letters;
  uint64_t after_id = 0, last_id = 0;  // for the next call
  bool more = false;
};
NEXUS_STRUCT(DlqActAnswer, done, letters, after_id, last_id, more)

struct DlqExportParams {
  std::optional<uint64_t> id;
  std::optional<std::string> fingerprint, type, plugin, reason;
  uint64_t limit = 100;
  uint64_t after_id = 0;
  std::optional<uint64_t> last_id;
};
NEXUS_STRUCT(DlqExportParams, id, fingerprint, type, plugin, reason, limit, after_id, last_id)

struct DlqExportAnswer {
  std::vector<std::string> events;  // CloudEvents, JSON, with the letters' fields as attributes dlq…
  uint64_t after_id = 0, last_id = 0;
  bool more = false;
};
NEXUS_STRUCT(DlqExportAnswer, events, after_id, last_id, more)

struct RetriesParams {
  std::optional<uint64_t> id;
  std::optional<std::string> event, type, plugin;  // the event's id; a pattern
  bool all = false;                                // for those that change something
  uint64_t limit = 1000;
  uint64_t offset = 0;
};
NEXUS_STRUCT(RetriesParams, id, event, type, plugin, all, limit, offset)

struct RetryRow {
  uint64_t id = 0;
  std::string event_id, type, plugin, subscription, pattern;
  uint32_t attempt = 0;  // the next one
  double due_in_seconds = 0;
  int64_t first_failed_unix_ns = 0;
  std::string error_type, error;
};
NEXUS_STRUCT(RetryRow, id, event_id, type, plugin, subscription, pattern, attempt, due_in_seconds, first_failed_unix_ns,
             error_type, error)

struct RetriesAnswer {
  uint64_t total = 0;  // that match
  uint64_t done = 0;
  std::vector<RetryRow> retries;
};
NEXUS_STRUCT(RetriesAnswer, total, done, retries)

}  // namespace control
}  // namespace nexus::host
