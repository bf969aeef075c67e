// Lines of web-server access logs in the common and the combined log format (as Apache httpd names them):
//   host ident user [time] "METHOD path PROTOCOL" status bytes ["referer" "user agent"]
// Pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace log_tail {

struct AccessLine {
  std::string client;
  std::string method;  // empty when the request line was no request, e.g. "-"
  std::string path;
  std::int32_t status = 0;
  std::uint64_t size = 0;  // 0 for "-"
  std::string referer;     // empty in the common format and for "-"
  std::string user_agent;
};

// Nothing when the line is of another form.
std::optional<AccessLine> parse_access_line(std::string_view line);

}  // namespace log_tail
