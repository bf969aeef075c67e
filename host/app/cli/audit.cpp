#include <audit_chain.hpp>

#include <fstream>

#include "host/app/cli/options.hpp"
#include "host/app/cli/output.hpp"
#include "host/app/exit_status.hpp"
#include "host/event/json.hpp"

namespace nexus::host::cli {
namespace {

struct Verdict {
  audit::Link last;
  uint64_t bad_line = 0;  // 0: none
  std::string problem;
  bool cut_short = false;  // the last line has no line feed: what a crash leaves
};

Verdict verify(std::istream& file) {
  Verdict verdict;
  std::string line;
  for (uint64_t number = 1; std::getline(file, line); ++number) {
    if (file.eof()) {
      verdict.cut_short = true;
      break;
    }
    verdict.problem = audit::check_line(line, verdict.last);
    if (verdict.problem.empty()) continue;
    verdict.bad_line = number;
    break;
  }
  return verdict;
}

std::string json_of(const AuditCommand& command, const Verdict& verdict) {
  std::string out = "{\"file\":";
  append_json_text(out, command.file);
  out += std::string(",\"intact\":") + (verdict.problem.empty() ? "true" : "false");
  out += ",\"lines\":" + std::to_string(verdict.last.seq) + ",\"last_hash\":\"" + verdict.last.hash + "\"";
  if (verdict.cut_short) out += ",\"cut_short\":true";
  if (verdict.bad_line != 0) out += ",\"line\":" + std::to_string(verdict.bad_line);
  if (!verdict.problem.empty()) {
    out += ",\"problem\":";
    append_json_text(out, verdict.problem);
  }
  return out + "}";
}

}  // namespace

int audit_verify(const AuditCommand& command) {
  std::ifstream file(command.file, std::ios::binary);
  if (!file) return fail(exit_status::kData, make_error(NEXUS_E_IO, "cannot read " + command.file));
  Verdict verdict = verify(file);
  if (verdict.problem.empty() && !command.last_hash.empty() && verdict.last.hash != command.last_hash)
    verdict.problem = "its last hash is another than expected: lines were cut off at the end, or added";
  if (command.json) {
    print_line(json_of(command, verdict));
    return verdict.problem.empty() ? exit_status::kOk : exit_status::kData;
  }
  if (verdict.cut_short) print("warning: the last line is incomplete, as a crash leaves it\n");
  if (verdict.problem.empty()) {
    print(command.file + ": " + grouped(verdict.last.seq) + " lines, unbroken; last hash " + verdict.last.hash + "\n");
    return exit_status::kOk;
  }
  const std::string where = verdict.bad_line == 0 ? command.file : command.file + ":" + std::to_string(verdict.bad_line);
  return fail(exit_status::kData, make_error(NEXUS_E_CONFLICT, where + ": " + verdict.problem,
                                             grouped(verdict.last.seq) + " lines before it are unbroken"));
}

}  // namespace nexus::host::cli
