// Follows log files: access-log lines become http.request.completed, other lines log.line.
#include <memory>
#include <nexus/events.hpp>
#include <nexus/plugin.hpp>
#include <vector>

#include "access_log.hpp"
#include "followed_file.hpp"

namespace log_tail {

struct LogTailConfig {
  std::vector<std::string> paths;
  std::string from = "end";  // "end", "beginning"
  double poll_seconds = 0.25;
  std::uint32_t line_bytes_max = 65536;
};
NEXUS_CONFIG(LogTailConfig, paths, from, poll_seconds, line_bytes_max)

// Log files hold whatever programs wrote: what is no UTF-8 is replaced, byte by byte.
inline std::string to_utf8(std::string_view text) {
  if (nexus::cbor::is_utf8(text)) return std::string(text);
  std::string out;
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x80)
      out += c;
    else
      out += "\xEF\xBF\xBD";
  }
  return out;
}

class LogTail final : public nexus::Plugin {
  void start() override {
    if (config_.from != "end" && config_.from != "beginning")
      throw std::runtime_error("from must be \"end\" or \"beginning\", not \"" + config_.from + "\"");
    if (config_.paths.empty()) log().warn("no file to follow: set paths in the plugin's config");
    for (const std::string& path : config_.paths) {
      if (path.empty()) continue;
      files_.emplace_back().file =
          std::make_unique<FollowedFile>(path, config_.from == "beginning", config_.line_bytes_max);
      log().info("following", {{"path", path}});
    }
    lines_ = counter("log_tail_lines", "Lines read from followed files.");
    poll();
    const auto period = std::chrono::duration<double>(std::max(config_.poll_seconds, 0.01));
    timer_ = every(std::chrono::duration_cast<std::chrono::nanoseconds>(period), [this] { poll(); });
  }

  void poll() {
    for (Followed& followed : files_) {
      try {
        const auto take = [&](const Line& line) { return publish(followed.file->path(), line); };
        // More than one megabyte waits: the rest comes right behind what else is in the mailbox.
        if (followed.file->read(take) && !again_) {
          again_ = true;
          post([this] {
            again_ = false;
            poll();
          });
        }
        followed.trouble.clear();
      } catch (const std::exception& error) {
        if (followed.trouble != error.what()) log().error(error.what());  // once, not at each poll
        followed.trouble = error.what();
      }
    }
  }

  // False when the bus has no room: the line comes again.
  bool publish(const std::string& path, const Line& line) {
    nexus::Status status;
    if (const auto access = parse_access_line(line.text)) {
      nexus::events::HttpRequestCompleted request;
      request.request_id = path + ":" + std::to_string(line.offset);
      request.status_code = access->status;
      request.response_size = access->size;
      request.client_ip = to_utf8(access->client);
      if (!access->method.empty()) request.method = to_utf8(access->method);
      if (!access->path.empty()) request.path = to_utf8(access->path);
      if (!access->user_agent.empty()) request.user_agent = to_utf8(access->user_agent);
      if (!access->referer.empty()) request.referer = to_utf8(access->referer);
      status = try_emit(request);
    } else {
      status = try_emit(nexus::events::LogLine{path, to_utf8(line.text), line.offset, line.truncated});
    }
    if (!status) return false;
    lines_.add();
    return true;
  }

  struct Followed {
    std::unique_ptr<FollowedFile> file;
    std::string trouble;  // the last failure, so that it is told once
  };

  const LogTailConfig config_ = config<LogTailConfig>();
  std::vector<Followed> files_;
  nexus::Counter lines_;
  bool again_ = false;
  nexus::Timer timer_;
};

NEXUS_PLUGIN(LogTail, "nexus.log-tail", "1.0.0", .name = "Log tail",
             .description = "Follows log files and emits their lines as events")

}  // namespace log_tail
