#include "host/app/cli/emit_stream.hpp"

#include <unistd.h>

#include <cstdio>

#include "host/app/cli/output.hpp"
#include "host/app/exit_status.hpp"
#include "host/event/json.hpp"

namespace nexus::host::cli {
namespace {

using std::chrono::steady_clock;
constexpr uint64_t kRejectionsShown = 10;

std::string json_of(const control::EmitResult& result, uint64_t line, bool streaming) {
  std::string text = "{";
  if (streaming) text += "\"line\":" + std::to_string(line) + ",";
  text += result.id.empty() ? "\"id\":null" : "\"id\":\"" + result.id + "\"";
  text += ",\"status\":\"" + result.status + "\"";
  if (result.reason) text += ",\"reason\":\"" + *result.reason + "\"";
  if (result.message) {
    text += ",\"message\":";
    append_json_text(text, *result.message);
  }
  return text + "}";
}

}  // namespace

EmitStream::EmitStream(Client& client, const EmitCommand& command)
    : client_(client),
      command_(command),
      streaming_(!command.send_on.empty()),
      terminal_(::isatty(STDERR_FILENO) == 1),
      begin_(steady_clock::now()),
      next_progress_(begin_ + std::chrono::milliseconds(terminal_ ? 100 : 1000)) {}

void EmitStream::add(std::span<const uint8_t> item, uint64_t line) {
  if (broken_) {
    ++unknown_;
    return;
  }
  if (!lines_.empty() && items_.size() + item.size() > kFrameBytes) send();
  items_.append(item.data(), item.size());
  lines_.push_back(line);
  if (lines_.size() >= command_.batch) send();
}

void EmitStream::send() {
  if (lines_.empty() || broken_) return;
  cbor::Buffer params;
  cbor::Writer writer(params);
  writer.begin_map(command_.timeout ? 2 : 1);
  writer.write_text("events");
  writer.begin_array(lines_.size());
  writer.write_raw(items_.bytes());
  if (command_.timeout) {
    writer.write_text("timeout_ms");
    writer.write_int(static_cast<int64_t>(*command_.timeout * 1000));
  }
  in_flight_.push_back(std::move(lines_));
  lines_.clear();
  items_.clear();
  if (auto sent = client_.send("events.emit", params.bytes()); !sent) {
    break_off(sent.error());
    return;
  }
  while (in_flight_.size() >= kFramesInFlight && !broken_) receive();
  progress(false);
}

void EmitStream::receive() {
  auto frame = client_.receive();
  if (!frame) {
    break_off(frame.error());
    return;
  }
  const std::vector<uint64_t> lines = std::move(in_flight_.front());
  in_flight_.pop_front();
  control::EmitResult refused;
  if (frame->kind == HostFrame::Kind::error) {
    // The whole frame was refused, for one reason.
    refused.status = "rejected";
    refused.code = frame->error.code;
    refused.reason = std::string(error_text(frame->error.code).name);
    refused.message = frame->error.message;
    for (const uint64_t line : lines) take_result(refused, line);
    return;
  }
  control::EmitAnswer answer;
  schema::Decoder decoder(frame->body, false);
  if (!schema::decode_whole(decoder, answer) || answer.results.size() != lines.size()) {
    in_flight_.push_front(lines);
    break_off(make_error(NEXUS_E_SCHEMA, "the host's answer is not what this command expects",
                         "the host may be of another version"));
    return;
  }
  for (size_t i = 0; i < lines.size(); ++i) take_result(answer.results[i], lines[i]);
}

void EmitStream::take_result(const control::EmitResult& result, uint64_t line) {
  const int32_t code = result.code.value_or(0);
  if (!result.id.empty())
    ++accepted_;
  else if (result.status == "unknown")
    ++unknown_;
  else if (code < 300 || code >= 400)
    ++invalid_;
  else
    ++rejected_;
  if (command_.json)
    print_line(json_of(result, line, streaming_));
  else if (!result.id.empty() && !streaming_)
    print_line(result.id);
  if (result.status == "duplicate" && !command_.json && !streaming_)
    std::fputs("nexus: duplicate: the event with this id was emitted before\n", stderr);
  if (result.id.empty()) print_rejection(line, result);
}

void EmitStream::reject(uint64_t line, const Error& error) {
  ++invalid_;
  if (command_.json) {
    control::EmitResult result;
    result.status = "rejected";
    result.reason = std::string(error_text(error.code).name);
    result.message = error.message;
    print_line(json_of(result, line, streaming_));
  }
  print_rejection(line, std::string(error_text(error.code).name) + ": " + error.message);
}

void EmitStream::print_rejection(uint64_t line, const control::EmitResult& result) {
  print_rejection(line, result.reason.value_or("rejected") + ": " + result.message.value_or(""));
}

void EmitStream::print_rejection(uint64_t line, std::string_view text) {
  if (++shown_ > kRejectionsShown) return;
  const std::string where = streaming_ ? "line " + std::to_string(line) + ": " : "";
  std::fprintf(stderr, "%snexus: %s%.*s\n", terminal_ ? "\r\033[K" : "", where.c_str(), static_cast<int>(text.size()),
               text.data());
  if (shown_ == kRejectionsShown && streaming_)
    std::fputs("nexus: further rejected lines are counted, not shown; --json shows them all\n", stderr);
}

// What was sent and not answered is in doubt.
void EmitStream::break_off(const Error& error) {
  broken_ = true;
  for (const auto& lines : in_flight_) unknown_ += lines.size();
  in_flight_.clear();
  fail(error);
}

void EmitStream::flush() {
  send();
  while (!in_flight_.empty() && !broken_) receive();
  progress(false);
}

void EmitStream::progress(bool last) {
  if (!streaming_ || command_.quiet) return;
  const auto now = steady_clock::now();
  if (!last && now < next_progress_) return;
  next_progress_ = now + std::chrono::milliseconds(terminal_ ? 100 : 1000);
  const double seconds = std::chrono::duration<double>(now - begin_).count();
  const uint64_t all = accepted_ + rejected_ + invalid_ + unknown_;
  const auto rate = static_cast<uint64_t>(seconds > 0 ? static_cast<double>(all) / seconds : 0);
  std::string text = grouped(all) + " events: " + grouped(accepted_) + " accepted";
  if (rejected_ != 0 || last) text += ", " + grouped(rejected_) + " rejected";
  if (invalid_ != 0) text += ", " + grouped(invalid_) + " invalid";
  if (unknown_ != 0) text += ", " + grouped(unknown_) + " unknown";
  char time[64];
  std::snprintf(time, sizeof time, ", %.1f s, %s/s", seconds, grouped(rate).c_str());
  text += time;
  std::fprintf(stderr, "%s%s%s", terminal_ ? "\r\033[K" : "", text.c_str(), terminal_ && !last ? "" : "\n");
}

int EmitStream::finish() {
  flush();
  if (broken_) {
    unknown_ += lines_.size();
    lines_.clear();
  }
  progress(true);
  if (broken_) return exit_status::kUnavailable;
  if (invalid_ != 0) return exit_status::kData;
  return rejected_ + unknown_ == 0 ? exit_status::kOk : exit_status::kFailure;
}

}  // namespace nexus::host::cli
