#include "host/control/dlq_methods.hpp"

#include <algorithm>

#include "host/base/log.hpp"
#include "host/base/printable.hpp"
#include "host/control/letter_json.hpp"
#include "host/control/wire_event.hpp"
#include "host/event/name.hpp"

namespace nexus::host {
namespace {

using namespace control;

constexpr uint64_t kLimitMax = 10'000;
// An answer of an export ends here and goes on in the next one: it must fit into a frame beside one more event.
constexpr size_t kExportBytes = 4u << 20;

std::string clean(std::string_view text) { return is_utf8(text) ? std::string(text) : printable(text); }

LetterRow row_of(const DeadLetter& letter) {
  const nexus_event& event = letter.event.event();
  LetterRow row;
  row.id = letter.id;
  row.event_id = uuid_text(event.id);
  row.type = to_view(event.type);
  row.plugin = letter.plugin_id;
  row.version = letter.plugin_version;
  row.subscription = clean(letter.subscription);
  row.pattern = letter.pattern;
  row.reason = reason_name(letter.reason);
  row.attempts = letter.attempts;
  row.replays = letter.replays;
  row.first_unix_ns = letter.first_unix_ns;
  row.last_unix_ns = letter.last_unix_ns;
  row.error_type = letter.error_type;
  row.error = letter.error_message;
  row.fingerprint = letter.fingerprint;
  row.note = letter.note;
  return row;
}

DlqDone done_of(const DeadLetter& letter) {
  const nexus_event& event = letter.event.event();
  const std::string& handler = letter.subscription.empty() ? letter.pattern : letter.subscription;
  return {letter.id, uuid_text(event.id), std::string(to_view(event.type)), letter.plugin_id, clean(handler), {}, {}};
}

template <class Params>
Result<DeadLetterFilter> filter_of(const Params& params) {
  DeadLetterFilter filter;
  filter.id = params.id;
  filter.fingerprint = params.fingerprint;
  filter.plugin = params.plugin;
  if (params.type) {
    auto pattern = Pattern::parse(*params.type);
    if (!pattern) return pattern.error();
    filter.type = std::move(pattern.value());
  }
  if (params.reason) {
    filter.reason = parse_reason(*params.reason);
    if (!filter.reason)
      return make_error(NEXUS_E_ARGUMENT, "there is no reason '" + *params.reason + "'",
                        "the reasons are attempts, rejected, expired, overflow, crash and loop");
  }
  return filter;
}

// The same for what goes on over several calls, and ends at what was the newest when it began.
template <class Params>
Result<DeadLetterFilter> range_of(const DeadLetterStore& store, const Params& params) {
  auto filter = filter_of(params);
  if (!filter) return filter;
  filter.value().after_id = params.after_id;
  filter.value().last_id = params.last_id.value_or(store.last_id());
  return filter;
}

Error no_selector(const char* what) {
  return make_error(NEXUS_E_ARGUMENT, "nothing says which ones", std::string("give ") + what + ", or all");
}

Error no_letter(uint64_t id) {
  return make_error(NEXUS_E_UNKNOWN, "there is no dead letter " + std::to_string(id),
                    "`nexus dlq ls` lists those that are there");
}

Result<DlqListAnswer> list_letters(Bus& bus, const DlqListParams& params) {
  auto filter = filter_of(params);
  if (!filter) return filter.error();
  const DeadLetterStore& store = bus.dead_letters();
  const uint64_t limit = std::min(params.limit, kLimitMax);
  DlqListAnswer answer;
  answer.total = store.count(filter.value());
  if (!params.groups) {
    for (const auto& letter : store.list(filter.value(), limit, params.offset))
      answer.letters.push_back(row_of(*letter));
    return answer;
  }
  const auto groups = store.groups(filter.value());
  for (size_t i = params.offset; i < groups.size() && answer.groups.size() < limit; ++i)
    answer.groups.push_back({groups[i].fingerprint, groups[i].count, groups[i].first_unix_ns, groups[i].last_unix_ns,
                             row_of(*groups[i].latest)});
  return answer;
}

Result<DlqShowAnswer> show_letter(Bus& bus, const DlqShowParams& params) {
  const DeadLetterPointer letter = bus.dead_letters().find(params.id);
  if (letter == nullptr) return no_letter(params.id);
  // The answer borrows it until it has been written, on this thread.
  thread_local cbor::Buffer buffer;
  buffer.clear();
  write_event(buffer, letter->event.event(), false);
  return DlqShowAnswer{row_of(*letter), RawItem{buffer.bytes()}};
}

// Goes through the letters that are meant and does it to each.
template <class Act>
Result<DlqActAnswer> for_each_letter(Bus& bus, const DlqActParams& params, Act act) {
  if (!params.all && !params.id && !params.fingerprint && !params.type && !params.plugin && !params.reason)
    return no_selector("id, fingerprint, type, plugin or reason");
  DeadLetterStore& store = bus.dead_letters();
  auto filter = range_of(store, params);
  if (!filter) return filter.error();
  const uint64_t limit = std::clamp<uint64_t>(params.limit, 1, kLimitMax);
  const auto letters = store.list(filter.value(), limit + 1);
  if (letters.empty() && params.id) return no_letter(*params.id);
  DlqActAnswer answer;
  answer.after_id = filter.value().after_id;
  answer.last_id = filter.value().last_id;
  answer.more = letters.size() > limit;
  for (size_t i = 0; i < std::min<uint64_t>(letters.size(), limit); ++i) {
    DlqDone row = done_of(*letters[i]);
    if (Result<void> done = act(*letters[i])) {
      ++answer.done;
    } else {
      row.problem = clean(done.error().message);
      row.help = done.error().help;
    }
    answer.after_id = row.id;
    answer.letters.push_back(std::move(row));
  }
  return answer;
}

void log_action(std::string_view what, const DlqActParams& params, const Result<DlqActAnswer>& answer) {
  if (params.dry_run || !answer || answer->letters.empty()) return;
  log::info(what, {{"done", answer->done},
                   {"of", answer->letters.size()},
                   {"first_id", answer->letters.front().id},
                   {"last_id", answer->letters.back().id},
                   {"note", clean(params.note)}});
}

Result<DlqActAnswer> retry_letters(Bus& bus, const DlqActParams& params) {
  if (!is_utf8(params.note)) return make_error(NEXUS_E_UTF8, "the note is not UTF-8");
  auto answer = for_each_letter(bus, params, [&](const DeadLetter& letter) {
    return params.dry_run ? bus.check_redrive(letter.id) : bus.redrive(letter.id, params.note);
  });
  log_action("dead letters sent again", params, answer);
  return answer;
}

Result<DlqActAnswer> remove_letters(Bus& bus, const DlqActParams& params) {
  auto answer = for_each_letter(bus, params, [&](const DeadLetter& letter) -> Result<void> {
    if (params.dry_run) return {};
    return bus.remove_letter(letter.id);
  });
  log_action("dead letters removed", params, answer);
  return answer;
}

Result<DlqExportAnswer> export_letters(const Bus& bus, const DlqExportParams& params) {
  auto filter = range_of(bus.dead_letters(), params);
  if (!filter) return filter.error();
  const uint64_t limit = std::clamp<uint64_t>(params.limit, 1, kLimitMax);
  const auto letters = bus.dead_letters().list(filter.value(), limit + 1);
  if (letters.empty() && params.id && params.after_id == 0) return no_letter(*params.id);
  DlqExportAnswer answer;
  answer.after_id = filter.value().after_id;
  answer.last_id = filter.value().last_id;
  size_t bytes = 0;
  for (const auto& letter : letters) {
    if (answer.events.size() == limit || bytes > kExportBytes) break;
    answer.events.push_back(letter_json(*letter));
    bytes += answer.events.back().size();
    answer.after_id = letter->id;
  }
  answer.more = answer.events.size() < letters.size();
  return answer;
}

// ---- Waiting retries ----------------------------------------------------------------------------------------------

Result<std::vector<WaitingRetry>> retries_of(const Bus& bus, const RetriesParams& params) {
  std::optional<Pattern> type;
  if (params.type) {
    auto pattern = Pattern::parse(*params.type);
    if (!pattern) return pattern.error();
    type = std::move(pattern.value());
  }
  std::vector<WaitingRetry> retries = bus.waiting_retries();
  std::erase_if(retries, [&](const WaitingRetry& retry) {
    return (params.id && *params.id != retry.id) || (params.event && *params.event != uuid_text(retry.event_id)) ||
           (params.plugin && *params.plugin != retry.plugin_id) || (type && !type->matches(retry.event_type));
  });
  return retries;
}

RetryRow row_of(const Bus& bus, const WaitingRetry& retry) {
  const double due = static_cast<double>(retry.due_monotonic_ns - bus.clock().monotonic_ns()) / 1e9;
  return {retry.id,
          uuid_text(retry.event_id),
          retry.event_type,
          retry.plugin_id,
          clean(retry.subscription),
          retry.pattern,
          retry.attempt,
          std::max(due, 0.0),
          retry.first_failed_unix_ns,
          clean(retry.error_type),
          clean(retry.error_message)};
}

Result<RetriesAnswer> list_retries(const Bus& bus, const RetriesParams& params) {
  auto retries = retries_of(bus, params);
  if (!retries) return retries.error();
  RetriesAnswer answer;
  answer.total = retries->size();
  const uint64_t limit = std::min(params.limit, kLimitMax);
  for (size_t i = params.offset; i < retries->size() && answer.retries.size() < limit; ++i)
    answer.retries.push_back(row_of(bus, retries.value()[i]));
  return answer;
}

Result<RetriesAnswer> end_retries(Bus& bus, const RetriesParams& params, bool (Bus::*end)(uint64_t)) {
  if (!params.all && !params.id && !params.event && !params.type && !params.plugin)
    return no_selector("id, event, type or plugin");
  auto retries = retries_of(bus, params);
  if (!retries) return retries.error();
  if (retries->empty() && (params.id || params.event))
    return make_error(NEXUS_E_UNKNOWN, "no such retry is waiting", "`nexus retries ls` lists those that are");
  RetriesAnswer answer;
  answer.total = retries->size();
  for (const WaitingRetry& retry : retries.value()) {
    if (answer.done == params.limit) break;
    if (!(bus.*end)(retry.id)) continue;  // its time had come in between
    ++answer.done;
    answer.retries.push_back(row_of(bus, retry));
  }
  return answer;
}

void add_retries_methods(Surface& surface, Bus& bus) {
  surface.add_typed<RetriesParams, RetriesAnswer>(
      {"retries.list", "The deliveries that wait for another attempt.", Scope::read, RunsOn::caller},
      [&bus](const Caller&, const RetriesParams& params) { return list_retries(bus, params); });
  surface.add_typed<RetriesParams, RetriesAnswer>(
      {"retries.now", "Has the next attempt made at once.", Scope::admin, RunsOn::caller},
      [&bus](const Caller&, const RetriesParams& params) { return end_retries(bus, params, &Bus::retry_now); });
  surface.add_typed<RetriesParams, RetriesAnswer>(
      {"retries.kill", "Gives up deliveries that wait for another attempt: they become dead letters.", Scope::admin,
       RunsOn::caller},
      [&bus](const Caller&, const RetriesParams& params) { return end_retries(bus, params, &Bus::kill_retry); });
}

}  // namespace

void add_dlq_methods(Surface& surface, Bus& bus) {
  surface.add_typed<DlqListParams, DlqListAnswer>(
      {"dlq.list", "The dead letters that match, or their groups by fingerprint.", Scope::read, RunsOn::caller},
      [&bus](const Caller&, const DlqListParams& params) { return list_letters(bus, params); });
  surface.add_typed<DlqShowParams, DlqShowAnswer>(
      {"dlq.show", "One dead letter with its event.", Scope::read, RunsOn::caller},
      [&bus](const Caller&, const DlqShowParams& params) { return show_letter(bus, params); });
  surface.add_typed<DlqActParams, DlqActAnswer>(
      {"dlq.retry", "Gives dead letters to the handlers that failed, and to no other.", Scope::admin, RunsOn::caller},
      [&bus](const Caller&, const DlqActParams& params) { return retry_letters(bus, params); });
  surface.add_typed<DlqActParams, DlqActAnswer>(
      {"dlq.remove", "Removes dead letters for good.", Scope::admin, RunsOn::caller},
      [&bus](const Caller&, const DlqActParams& params) { return remove_letters(bus, params); });
  surface.add_typed<DlqExportParams, DlqExportAnswer>(
      {"dlq.export", "The events of dead letters as CloudEvents, with what is known of the failures.", Scope::read,
       RunsOn::caller},
      [&bus](const Caller&, const DlqExportParams& params) { return export_letters(bus, params); });
  add_retries_methods(surface, bus);
}

}  // namespace nexus::host
