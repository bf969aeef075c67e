#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <thread>

#include <unistd.h>

#include "host/app/cli/connect.hpp"
#include "host/app/cli/options.hpp"
#include "host/app/cli/output.hpp"
#include "host/app/exit_status.hpp"
#include "host/base/printable.hpp"
#include "host/control/dlq_methods.hpp"
#include "host/control/wire_event.hpp"
#include "host/event/cloudevents.hpp"
#include "host/event/json.hpp"

namespace nexus::host::cli {
namespace {

using control::DlqActAnswer;
using control::DlqActParams;
using control::DlqDone;
using control::DlqListAnswer;
using control::LetterRow;
using std::chrono::steady_clock;

template <class T>
void print_struct(const T& value) {
  cbor::Buffer out;
  if (control::write_result("", value, out)) print_json(out.bytes());
}

// "2026-08-01 14:03:07", by the local clock.
std::string time_text(int64_t unix_ns) {
  const std::time_t seconds = unix_ns / 1'000'000'000;
  std::tm parts{};
  ::localtime_r(&seconds, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &parts);
  return text;
}

std::string handler_of(const LetterRow& row) {
  const std::string& handler = row.subscription.empty() ? row.pattern : row.subscription;
  return handler.empty() ? row.plugin : row.plugin + "/" + handler;
}

std::string shortened(const std::string& text) {
  constexpr size_t kWidth = 60;
  if (text.size() <= kWidth) return printable(text);
  size_t end = kWidth;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0u) == 0x80u) --end;
  return printable(text.substr(0, end)) + "…";
}

template <class Params>
Params params_of(const DlqCommand& command) {
  Params params;
  params.fingerprint = command.fingerprint;
  params.type = command.type;
  params.plugin = command.plugin;
  params.reason = command.reason;
  return params;
}

void print_groups(const DlqListAnswer& answer) {
  std::vector<std::vector<std::string>> rows{{"FINGERPRINT", "COUNT", "LAST", "HANDLER", "TYPE", "REASON", "ERROR"}};
  for (const auto& group : answer.groups)
    rows.push_back({group.fingerprint, grouped(group.count), time_text(group.last_unix_ns),
                    printable(handler_of(group.latest)), group.latest.type, group.latest.reason,
                    shortened(group.latest.error_type + ": " + group.latest.error)});
  print(table(rows, {false, true}));
}

void print_letters(const DlqListAnswer& answer) {
  std::vector<std::vector<std::string>> rows{
      {"ID", "LAST", "HANDLER", "TYPE", "REASON", "ATTEMPTS", "REPLAYS", "FINGERPRINT", "ERROR"}};
  for (const LetterRow& row : answer.letters)
    rows.push_back({std::to_string(row.id), time_text(row.last_unix_ns), printable(handler_of(row)), row.type,
                    row.reason, std::to_string(row.attempts), std::to_string(row.replays), row.fingerprint,
                    shortened(row.error_type + ": " + row.error)});
  print(table(rows, {true, false, false, false, false, true, true}));
}

}  // namespace

int dlq_ls(const DlqCommand& command) {
  auto client = connect(command.host);
  if (!client) return connect_failed(client.error());
  auto params = params_of<control::DlqListParams>(command);
  params.groups = command.groups;
  params.limit = command.limit;
  params.offset = command.offset;
  auto answer = client->call_typed<DlqListAnswer>("dlq.list", params);
  if (!answer) return fail(answer.error());
  if (command.json) {
    for (const auto& group : answer->groups) print_struct(group);
    for (const auto& letter : answer->letters) print_struct(letter);
    return exit_status::kOk;
  }
  if (answer->total == 0) {
    std::fputs("nexus: no dead letters\n", stderr);
    return exit_status::kOk;
  }
  if (command.groups)
    print_groups(answer.value());
  else
    print_letters(answer.value());
  if (!command.groups && answer->letters.size() < answer->total)
    std::fprintf(stderr, "nexus: %s of %s; --limit and --offset show others, --groups all by fingerprint\n",
                 grouped(answer->letters.size()).c_str(), grouped(answer->total).c_str());
  return exit_status::kOk;
}

int dlq_show(const DlqCommand& command) {
  auto client = connect(command.host);
  if (!client) return connect_failed(client.error());
  auto answer = client->call_typed<control::DlqShowAnswer>("dlq.show", control::DlqShowParams{command.ids.at(0)});
  if (!answer) return fail(answer.error());
  if (command.json) {
    print_struct(answer.value());
    return exit_status::kOk;
  }
  const LetterRow& row = answer->letter;
  std::vector<std::vector<std::string>> rows{{"id", std::to_string(row.id)}, {"reason", row.reason}};
  rows.push_back({"plugin", row.plugin + (row.version.empty() ? "" : " " + row.version)});
  if (!row.subscription.empty()) rows.push_back({"handler", printable(row.subscription)});
  if (!row.pattern.empty()) rows.push_back({"pattern", row.pattern});
  rows.push_back({"attempts", std::to_string(row.attempts)});
  if (row.replays != 0) rows.push_back({"replays", std::to_string(row.replays)});
  rows.push_back({"first failed", time_text(row.first_unix_ns)});
  rows.push_back({"last failed", time_text(row.last_unix_ns)});
  rows.push_back({"error", printable(row.error_type)});
  rows.push_back({"", printable(row.error)});
  rows.push_back({"fingerprint", row.fingerprint});
  if (!row.note.empty()) rows.push_back({"note", printable(row.note)});
  print(table(rows) + "\n");
  const auto event = control::read_event(answer->event.bytes);
  if (!event) return fail(event.error());
  print_line(cloudevent_json(event.value()));
  return exit_status::kOk;
}

// ---- Doing something to many --------------------------------------------------------------------------------------

namespace {

// Calls of bounded size, one after the other, no more than `pace` letters a second.
class LetterWork {
 public:
  LetterWork(Client& client, const DlqCommand& command, const char* method, const char* done_word)
      : client_(client), command_(command), method_(method), done_word_(done_word) {}

  int run() {
    auto params = params_of<DlqActParams>(command_);
    params.all = command_.all;
    params.dry_run = command_.dry_run;
    params.note = command_.note;
    if (command_.ids.empty()) {
      if (const int status = go_through(params); status != exit_status::kOk) return status;
    }
    for (const uint64_t id : command_.ids) {
      params.id = id;
      params.after_id = 0;
      params.last_id.reset();
      if (const int status = go_through(params); status != exit_status::kOk) return status;
    }
    finish();
    return failed_ == 0 ? exit_status::kOk : exit_status::kFailure;
  }

 private:
  int go_through(DlqActParams& params) {
    const bool paced = command_.pace > 0 && !command_.dry_run;
    for (;;) {
      // Ten calls a second, where the pace is not slower than that.
      params.limit = paced ? static_cast<uint64_t>(std::clamp(command_.pace / 10, 1.0, 1000.0)) : 1000;
      if (paced) keep_pace(params.limit);
      auto answer = client_.call_typed<DlqActAnswer>(method_, params);
      if (!answer) {
        show_progress(true);
        return fail(answer.error());
      }
      for (const DlqDone& letter : answer->letters) take(letter);
      params.after_id = answer->after_id;
      params.last_id = answer->last_id;
      show_progress(false);
      if (!answer->more) return exit_status::kOk;
    }
  }

  // Until `count` more are due.
  void keep_pace(uint64_t count) {
    const double due = static_cast<double>(seen_ + count - std::min<uint64_t>(count, 1)) / command_.pace;
    std::this_thread::sleep_until(begin_ + std::chrono::duration_cast<steady_clock::duration>(
                                               std::chrono::duration<double>(seen_ == 0 ? 0 : due)));
  }

  void take(const DlqDone& letter) {
    ++seen_;
    if (letter.problem) ++failed_;
    if (command_.json) {
      print_json(cbor::Value{{"id", letter.id},
                             {"event_id", letter.event_id},
                             {"type", letter.type},
                             {"plugin", letter.plugin},
                             {"subscription", letter.subscription},
                             {"status", letter.problem     ? "failed"
                                        : command_.dry_run ? "would"
                                                           : "done"},
                             {"problem", letter.problem ? cbor::Value(*letter.problem) : cbor::Value()}}
                     .encode());
      return;
    }
    if (letter.problem) {
      clear_line();
      fail(make_error(NEXUS_E_STATE, *letter.problem, letter.help.value_or("")));
    } else if (command_.dry_run) {
      print_line(std::to_string(letter.id) + " " + letter.type + " " + letter.event_id + " " + letter.plugin +
                 (letter.subscription.empty() ? "" : "/" + printable(letter.subscription)));
    }
  }

  void clear_line() const {
    if (terminal_ && command_.pace > 0) std::fputs("\r\033[K", stderr);
  }

  std::string sentence() const {
    return grouped(seen_ - failed_) + (command_.dry_run ? " would be " : " ") + done_word_ +
           (failed_ != 0 ? ", " + grouped(failed_) + (command_.dry_run ? " could not" : " could not be") : "");
  }

  void show_progress(bool last) {
    if (command_.pace <= 0 || command_.dry_run) return;
    const auto now = steady_clock::now();
    if (!last && now < next_progress_) return;
    next_progress_ = now + std::chrono::milliseconds(terminal_ ? 100 : 1000);
    std::fprintf(stderr, "%snexus: %s%s", terminal_ ? "\r\033[K" : "", sentence().c_str(),
                 terminal_ && !last ? "" : "\n");
  }

  void finish() const {
    clear_line();
    if (seen_ == 0)
      std::fputs("nexus: no dead letter matches\n", stderr);
    else
      std::fprintf(stderr, "nexus: %s\n", sentence().c_str());
  }

  Client& client_;
  const DlqCommand& command_;
  const char* const method_;
  const char* const done_word_;
  uint64_t seen_ = 0, failed_ = 0;
  const bool terminal_ = ::isatty(2) == 1;
  const steady_clock::time_point begin_ = steady_clock::now();
  steady_clock::time_point next_progress_ = begin_;
};

bool names_some(const DlqCommand& command) {
  return command.all || !command.ids.empty() || command.fingerprint || command.type || command.plugin || command.reason;
}

int act(const DlqCommand& command, const char* method, const char* done_word) {
  if (!names_some(command))
    return fail(exit_status::kUsage, make_error(NEXUS_E_ARGUMENT, "nothing says which dead letters are meant",
                                                "give their ids, --fingerprint, --type, --plugin, --reason, or --all"));
  auto client = connect(command.host);
  if (!client) return connect_failed(client.error());
  return LetterWork(client.value(), command, method, done_word).run();
}

}  // namespace

int dlq_retry(const DlqCommand& command) { return act(command, "dlq.retry", "sent again"); }

int dlq_rm(const DlqCommand& command) { return act(command, "dlq.remove", "removed"); }

int dlq_export(const DlqCommand& command) {
  auto client = connect(command.host);
  if (!client) return connect_failed(client.error());
  auto params = params_of<control::DlqExportParams>(command);
  std::vector<std::optional<uint64_t>> ids(command.ids.begin(), command.ids.end());
  if (ids.empty()) ids.emplace_back();
  for (const auto& id : ids) {
    params.id = id;
    params.after_id = 0;
    params.last_id.reset();
    for (;;) {
      auto answer = client->call_typed<control::DlqExportAnswer>("dlq.export", params);
      if (!answer) return fail(answer.error());
      for (const std::string& event : answer->events)
        if (!print_line(event)) return exit_status::kIo;
      params.after_id = answer->after_id;
      params.last_id = answer->last_id;
      if (!answer->more) break;
    }
  }
  return exit_status::kOk;
}

}  // namespace nexus::host::cli
