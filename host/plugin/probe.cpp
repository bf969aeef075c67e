#include "host/plugin/probe.hpp"

#include <charconv>
#include <optional>
#include <string>

#include "host/base/os/child.hpp"
#include "host/base/printable.hpp"

namespace nexus::host {
namespace {

constexpr size_t kAnswerBytesMax = size_t{4} << 20;

struct Answer {
  std::string step;  // the last one begun
  std::optional<std::string> description;
  bool done = false;
  bool unmapped = false;
  std::optional<Error> error;
};

std::string_view next_line(std::string_view& rest) {
  const size_t end = rest.find('\n');
  const std::string_view line = rest.substr(0, end);
  rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
  return line;
}

bool take_prefix(std::string_view& line, std::string_view prefix) {
  if (line.substr(0, prefix.size()) != prefix) return false;
  line.remove_prefix(prefix.size());
  return true;
}

Error read_error(std::string_view line) {
  int32_t code = 0;
  const auto [end, fault] = std::from_chars(line.data(), line.data() + line.size(), code);
  if (fault != std::errc() || code < NEXUS_E_LOAD_FILE || code > NEXUS_E_LOAD_DISABLED) {
    return make_error(NEXUS_E_LOAD_MODULE, "the probe's answer cannot be read");
  }
  line.remove_prefix(static_cast<size_t>(end - line.data()));
  take_prefix(line, " ");
  return make_error(code, printable(line));
}

Answer read_answer(std::string_view text) {
  Answer out;
  while (!text.empty()) {
    std::string_view line = next_line(text);
    if (take_prefix(line, "describe ")) {
      out.description = std::string(line);
    } else if (take_prefix(line, "error ")) {
      out.error = read_error(line);
    } else if (take_prefix(line, "help ")) {
      if (out.error) out.error->help = printable(line);
    } else if (take_prefix(line, "done ")) {
      out.done = true;
      out.unmapped = line == "unmapped";
    } else {
      out.step = std::string(line);
    }
  }
  return out;
}

// What the child was doing, as the end of a sentence.
std::string where(const Answer& answer) {
  if (answer.step == "module") return "while nexus_module_v1 was called and read";
  if (answer.step == "close") return "while it was unloaded (a static destructor?)";
  if (answer.step == "open") return "while it was loaded (a static constructor?)";
  return "before it was loaded";
}

// The last line that the child wrote to its stderr, if any, as a part of the sentence.
std::string last_words(const std::string& errors) {
  std::string_view text = errors;
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.remove_suffix(1);
  const size_t begin = text.rfind('\n');
  if (begin != std::string_view::npos) text.remove_prefix(begin + 1);
  if (text.empty()) return {};
  return "; its last words: " + printable(text.substr(0, 300));
}

Result<ProbeReport> judge(const os::ChildResult& child, const ProbeOptions& options) {
  using End = os::ChildResult::End;
  const Answer answer = read_answer(child.result);
  const std::string words = last_words(child.errors);
  if (answer.step.empty() && (child.end == End::signalled || child.end == End::exited)) {
    const std::string how =
        child.end == End::signalled ? os::signal_text(child.status) : "exit status " + std::to_string(child.status);
    return make_error(NEXUS_E_IO, "it could not be probed: " + options.program.string() + " ended with " + how +
                                      " before it looked at the file" + words);
  }
  switch (child.end) {
    case End::not_started:
      return make_error(NEXUS_E_IO, "it could not be probed: " + child.error.message, child.error.help);
    case End::timed_out:
      return make_error(
          NEXUS_E_LOAD_HANG,
          "it did not finish within " + std::to_string(options.timeout.count()) + " ms " + where(answer) + words,
          "look for endless work or waiting there");
    case End::too_much:
      return make_error(NEXUS_E_LOAD_MODULE, "it describes itself at too great length");
    case End::signalled:
      return make_error(NEXUS_E_LOAD_CRASH,
                        "it crashed its probe with " + os::signal_text(child.status) + " " + where(answer) + words,
                        "run it under a debugger: gdb --args " + options.program.string() +
                            " __probe FILE; the host itself was never at risk");
    case End::exited:
      break;
  }
  if (answer.error) return *answer.error;
  // A sanitizer ends the process by exit where a plain build would crash.
  if (child.errors.find("ERROR: AddressSanitizer: ") != std::string::npos ||
      child.errors.find("ERROR: ThreadSanitizer: ") != std::string::npos) {
    return make_error(NEXUS_E_LOAD_CRASH, "it crashed its probe, as a sanitizer found, " + where(answer));
  }
  if (!answer.done || !answer.description) {
    return make_error(
        NEXUS_E_LOAD_EXIT,
        "it ended its probe itself, with exit status " + std::to_string(child.status) + ", " + where(answer) + words,
        "take exit() and the like out of its static constructors and destructors");
  }
  Result<ModuleInfo> module = module_from_json(*answer.description);
  if (!module) return module.error();
  return ProbeReport{std::move(*module), answer.unmapped, child.elapsed};
}

}  // namespace

void probe_files(const std::vector<std::filesystem::path>& files, const ProbeOptions& options,
                 const std::function<void(size_t, Result<ProbeReport>)>& done) {
  std::vector<os::ChildSpec> specs;
  for (const std::filesystem::path& file : files) {
    specs.push_back({options.program, {std::string(kProbeCommand), file.string()}, options.timeout, kAnswerBytesMax});
  }
  os::run_children(specs, options.parallel_max,
                   [&](size_t index, const os::ChildResult& child) { done(index, judge(child, options)); });
}

Result<ProbeReport> probe_file(const std::filesystem::path& file, const ProbeOptions& options) {
  Result<ProbeReport> out = make_error(NEXUS_E_INTERNAL, "was not probed");
  probe_files({file}, options, [&](size_t, Result<ProbeReport> result) { out = std::move(result); });
  return out;
}

}  // namespace nexus::host
