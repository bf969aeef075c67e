#include <algorithm>
#include <cctype>

#include "host/app/cli/connect.hpp"
#include "host/app/cli/options.hpp"
#include "host/app/cli/output.hpp"
#include "host/app/exit_status.hpp"
#include "host/event/json.hpp"
#include "nexus/abi/base.h"

namespace nexus::host::cli {
namespace {

// "NX0300", "300" or "queue_full".
const ErrorText* find_error(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  for (const ErrorText& row : error_table())
    if (row.name == text) return &row;
  if (text.starts_with("nx")) text.erase(0, 2);
  if (text.empty() || text.size() > 6 ||
      !std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isdigit(c); }))
    return nullptr;
  const int32_t code = std::stoi(text);
  for (const ErrorText& row : error_table())
    if (row.code == code) return &row;
  return nullptr;
}

std::string json_text(std::string_view text) {
  std::string out;
  append_json_text(out, text);
  return out;
}

}  // namespace

int explain_error(const std::string& code, bool json) {
  const ErrorText* row = find_error(code);
  if (row == nullptr)
    return fail(exit_status::kUsage, make_error(NEXUS_E_UNKNOWN, "there is no error '" + code + "'",
                                                "codes look like NX0300, names like queue_full"));
  const std::string label(error_label(row->code));
  if (json) {
    print_line("{\"code\":" + std::to_string(row->code) + ",\"label\":" + json_text(label) +
               ",\"name\":" + json_text(row->name) + ",\"sentence\":" + json_text(row->sentence) +
               ",\"help\":" + json_text(row->help) + "}");
    return exit_status::kOk;
  }
  print(label + "\n  " + std::string(row->sentence) + "\n");
  if (!row->help.empty()) print("  " + std::string(row->help) + "\n");
  return exit_status::kOk;
}

int version(bool json) {
  const std::string abi = std::to_string(NEXUS_ABI_MAJOR) + "." + std::to_string(NEXUS_ABI_MINOR);
  print_line(json ? "{\"version\":\"" NEXUS_VERSION "\",\"abi\":\"" + abi + "\"}"
                  : "nexus " NEXUS_VERSION " (plugin ABI " + abi + ")");
  return exit_status::kOk;
}

int call(const CallCommand& command) {
  std::vector<uint8_t> params;
  if (!command.params.empty()) {
    auto encoded = json_to_cbor(command.params);
    if (!encoded) return fail(encoded.error());
    params = std::move(encoded.value());
  }
  auto client = connect(command.host);
  if (!client) return connect_failed(client.error());
  auto sent = client->send(command.method, params);
  if (!sent) return fail(exit_status::kUnavailable, sent.error());
  for (;;) {
    auto frame = client->receive();
    if (!frame) return fail(exit_status::kUnavailable, frame.error());
    if (frame->kind == HostFrame::Kind::error) return fail(frame->error);
    if (frame->kind == HostFrame::Kind::end) return exit_status::kOk;
    if (frame->kind == HostFrame::Kind::dropped) continue;
    // A stream's answer is nothing; its items follow.
    const bool is_stream =
        command.method == "events.subscribe" || command.method == "events.wait" || command.method == "events.request";
    if (is_stream && frame->kind == HostFrame::Kind::result) continue;
    if (!print_json(frame->body)) return exit_status::kIo;
    if (frame->kind == HostFrame::Kind::result) return exit_status::kOk;
  }
}

}  // namespace nexus::host::cli
