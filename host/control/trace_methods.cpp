#include "host/control/trace_methods.hpp"

#include <algorithm>
#include <map>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "host/base/uuid.hpp"

namespace nexus::host {
namespace {

using namespace control;

constexpr size_t kEventsMax = 1000;  // in one answer

std::string_view kind_name(TraceKind kind) {
  switch (kind) {
    case TraceKind::handled:
      return "handled";
    case TraceKind::filtered:
      return "filtered";
    case TraceKind::failed:
      return "failed";
    case TraceKind::retried:
      return "retried";
    case TraceKind::deferred:
      return "deferred";
    case TraceKind::held:
      return "held";
    case TraceKind::expired:
      return "expired";
    case TraceKind::discarded:
      return "discarded";
    case TraceKind::unrouted:
      return "unrouted";
    case TraceKind::rejected:
      return "rejected";
  }
  return "unknown";
}

// The records of one answer, made readable.
class Reader {
 public:
  explicit Reader(const Bus& bus) : bus_(bus) {
    for (const auto& participant : bus.participants()) names_[participant->number()] = participant->id();
  }

  ExplainedEvent event(const std::vector<TraceRecord>& records, uint32_t depth) const {
    const TraceRecord& first = records.front();
    ExplainedEvent event;
    event.id = uuid_text(first.event);
    event.type = bus_.type_name(first.type_index);
    if (const auto known = names_.find(first.emitter); known != names_.end()) event.source = known->second;
    event.trace_id = uuid_text(first.trace);
    if (!is_nil(first.causation)) event.causation_id = uuid_text(first.causation);
    event.time_unix_ns = first.emitted_unix_ns;
    event.priority = first.priority;
    event.depth = depth;
    const std::vector<TraceError> errors = bus_.traces()->errors_of(first.event);
    for (const TraceRecord& record : records) event.attempts.push_back(attempt(record, errors));
    return event;
  }

 private:
  Attempt attempt(const TraceRecord& record, const std::vector<TraceError>& errors) const {
    Attempt attempt;
    attempt.result = kind_name(record.kind);
    attempt.attempt = record.attempt;
    attempt.ended_unix_ns = record.ended_unix_ns;
    attempt.duration_ns = record.duration_ns;
    if (record.code != NEXUS_OK) attempt.error_type = error_text(record.code).name;
    if (record.subscription == 0) return attempt;
    if (const auto subscription = bus_.find_subscription(record.subscription)) {
      attempt.plugin = subscription->participant->id();
      attempt.handler = subscription->name.empty() ? subscription->pattern.text() : subscription->name;
      attempt.filter = subscription->filter_text;
    } else {
      attempt.handler = "(no longer subscribed)";
    }
    if (record.kind != TraceKind::failed && record.kind != TraceKind::retried) return attempt;
    const auto why = std::find_if(errors.begin(), errors.end(), [&](const TraceError& error) {
      return error.subscription == record.subscription && error.attempt == record.attempt;
    });
    if (why == errors.end()) return attempt;
    attempt.error_type = why->type;
    attempt.error_message = why->message;
    if (why->retry_in_ns >= 0) attempt.retry_in_seconds = static_cast<double>(why->retry_in_ns) / 1e9;
    return attempt;
  }

  const Bus& bus_;
  std::unordered_map<uint32_t, std::string> names_;
};

// Events with what is known of them, and who caused whom.
struct Family {
  std::unordered_map<Uuid, std::vector<TraceRecord>, UuidHash, UuidEqual> records;
  std::unordered_map<Uuid, std::vector<Uuid>, UuidHash, UuidEqual> children;  // in the order of their emits

  explicit Family(const std::vector<TraceRecord>& all) {
    std::vector<const TraceRecord*> firsts;
    for (const TraceRecord& record : all) {
      auto& list = records[record.event];
      if (list.empty()) firsts.push_back(&record);
      list.push_back(record);
    }
    std::stable_sort(firsts.begin(), firsts.end(), [](const TraceRecord* a, const TraceRecord* b) {
      return a->emitted_unix_ns < b->emitted_unix_ns;
    });
    for (const TraceRecord* record : firsts) children[record->causation].push_back(record->event);
  }

  void add(const Uuid& id, uint32_t depth, const Reader& reader, Explanation& out) const {
    const auto known = records.find(id);
    if (known == records.end() || out.events.size() >= kEventsMax || depth > Bus::kHopsMax) return;
    out.events.push_back(reader.event(known->second, depth));
    const auto caused = children.find(id);
    if (caused == children.end()) return;
    for (const Uuid& child : caused->second) add(child, depth + 1, reader, out);
  }
};

Result<Uuid> read_id(std::string text) {
  if (text.size() == 32)
    for (const size_t hyphen : {size_t{8}, size_t{13}, size_t{18}, size_t{23}}) text.insert(hyphen, "-");
  const auto id = parse_uuid(text);
  if (!id)
    return make_error(NEXUS_E_ARGUMENT, "'" + text + "' is no id",
                      "`nexus emit` prints the id of an event, and `nexus tap --json` shows it");
  return *id;
}

Error off() {
  return make_error(NEXUS_E_UNSUPPORTED, "this host does not remember its recent past",
                    "set events.enable_tracing = true and restart it");
}

Error forgotten(std::string_view what, const std::string& id) {
  return make_error(NEXUS_E_UNKNOWN, "no " + std::string(what) + " " + id + " is remembered",
                    "only some thousands of the latest deliveries are, and none that still waits for its first");
}

Result<Explanation> explain(const Bus& bus, const IdParams& params) {
  if (bus.traces() == nullptr) return off();
  auto id = read_id(params.id);
  if (!id) return id.error();
  const std::vector<TraceRecord> own =
      bus.traces()->find([&](const TraceRecord& record) { return record.event == id.value(); });
  if (own.empty()) return forgotten("event", params.id);
  // Whatever it has caused is of its trace.
  const Uuid trace = own.front().trace;
  const Family family(bus.traces()->find([&](const TraceRecord& record) { return record.trace == trace; }));
  Explanation answer;
  family.add(id.value(), 0, Reader(bus), answer);
  return answer;
}

Result<Explanation> show_trace(const Bus& bus, const IdParams& params) {
  if (bus.traces() == nullptr) return off();
  auto id = read_id(params.id);
  if (!id) return id.error();
  const Family family(bus.traces()->find([&](const TraceRecord& record) { return record.trace == id.value(); }));
  if (family.records.empty()) return forgotten("trace", params.id);
  // The roots are those whose cause is not remembered.
  std::vector<std::pair<int64_t, Uuid>> roots;
  for (const auto& [cause, children] : family.children) {
    if (!is_nil(cause) && family.records.contains(cause)) continue;
    for (const Uuid& child : children) roots.emplace_back(family.records.at(child).front().emitted_unix_ns, child);
  }
  std::sort(roots.begin(), roots.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  Explanation answer;
  const Reader reader(bus);
  for (const auto& [time, root] : roots) family.add(root, 0, reader, answer);
  return answer;
}

}  // namespace

void add_trace_methods(Surface& surface, Bus& bus) {
  surface.add_typed<IdParams, Explanation>(
      {"events.explain", "What became of an event, and of those that it caused, as far as is remembered.", Scope::read,
       RunsOn::caller},
      [&bus](const Caller&, const IdParams& params) { return explain(bus, params); });
  surface.add_typed<IdParams, Explanation>(
      {"traces.show", "All events of a trace, each with what became of it, as far as is remembered.", Scope::read,
       RunsOn::caller},
      [&bus](const Caller&, const IdParams& params) { return show_trace(bus, params); });
}

}  // namespace nexus::host
