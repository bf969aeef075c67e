#include "host/app/cli/output.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "host/app/exit_status.hpp"
#include "host/base/printable.hpp"
#include "host/event/json.hpp"

namespace nexus::host::cli {
namespace {

// Characters, not bytes: continuation bytes take no column.
size_t width(std::string_view text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0u) != 0x80u; }));
}

}  // namespace

bool has_colour(int descriptor) {
  const char* no_colour = std::getenv("NO_COLOR");
  return (no_colour == nullptr || *no_colour == '\0') && ::isatty(descriptor) == 1;
}

int fail(int status, const Error& error) {
  std::string text = has_colour(2) ? "\033[1mnexus:\033[0m " : "nexus: ";
  // A message of several lines is the config's diagnostics, printable already.
  text += error.message.find('\n') == std::string::npos ? printable(error.message) : error.message;
  while (text.ends_with('\n')) text.pop_back();
  text += '\n';
  if (!error.help.empty()) text += "  " + printable(error.help) + "\n";
  std::fwrite(text.data(), 1, text.size(), stderr);
  return status;
}

int fail(const Error& error) { return fail(exit_status::of_call(error.code), error); }

void print(std::string_view text) { std::fwrite(text.data(), 1, text.size(), stdout); }

bool print_line(std::string_view line) {
  std::string text(line);
  text += '\n';
  return std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
}

bool print_json(std::span<const uint8_t> item) {
  auto json = cbor_to_json(item);
  return print_line(json ? json.value() : std::string("null"));
}

std::string table(const std::vector<std::vector<std::string>>& rows, const std::vector<bool>& right) {
  std::vector<size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width(row[i]));
  }
  std::string out;
  for (const auto& row : rows) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      const std::string gap(widths[i] - width(row[i]), ' ');
      if (i != 0) line += "  ";
      line += i < right.size() && right[i] ? gap + row[i] : row[i] + gap;
    }
    while (line.ends_with(' ')) line.pop_back();
    out += line + '\n';
  }
  return out;
}

std::string grouped(uint64_t number) {
  std::string text = std::to_string(number);
  for (size_t at = text.size(); at > 3; at -= 3) text.insert(at - 3, ",");
  return text;
}

std::string bytes_text(uint64_t bytes) {
  constexpr const char* kUnits[] = {"B", "kB", "MB", "GB", "TB"};
  auto value = static_cast<double>(bytes);
  size_t unit = 0;
  for (; value >= 1000 && unit + 1 < std::size(kUnits); ++unit) value /= 1000;
  char text[32];
  std::snprintf(text, sizeof text, unit == 0 ? "%.0f %s" : "%.1f %s", value, kUnits[unit]);
  return text;
}

}  // namespace nexus::host::cli
