// Writes every event to a file, one JSON line each, chained by SHA-256.
#include <fcntl.h>
#include <nexus/abi/data.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <nexus/plugin.hpp>

#include "audit_chain.hpp"

namespace audit {

struct AuditLogConfig {
  std::string path = "audit.jsonl";  // below the plugin's data folder, unless absolute
  double flush_seconds = 0.5;
};
NEXUS_CONFIG(AuditLogConfig, path, flush_seconds)

class AuditLog final : public nexus::Plugin {
 public:
  ~AuditLog() override {
    if (file_ >= 0) ::close(file_);
  }

 private:
  static constexpr std::size_t kBufferMax = 256 * 1024;

  void start() override {
    data_ = query<nexus_data>(NEXUS_DATA_ID);
    if (data_ == nullptr) throw std::runtime_error("the host has no " NEXUS_DATA_ID);
    open();
    log().info("auditing", {{"path", path_.string()}, {"seq", link_.seq}});
    const auto period = std::chrono::duration<double>(std::max(config_.flush_seconds, 0.01));
    flush_timer_ = every(std::chrono::duration_cast<std::chrono::nanoseconds>(period), [this] { flush(); });
  }

  void stop() override {
    flush();
    if (::fsync(file_) != 0) log().error("cannot sync the audit log", {{"error", std::strerror(errno)}});
    log().info("audit log closed", {{"seq", link_.seq}, {"hash", link_.hash}});
  }

  NEXUS_ON(write, .topic = "*")
  void write(const nexus::Event& event) {
    json_.clear();
    const auto append = [](void* user, const std::uint8_t* bytes, std::uint64_t size) {
      static_cast<std::string*>(user)->append(reinterpret_cast<const char*>(bytes), size);
    };
    const std::int32_t code = data_->event_to_json(data_->ctx, &event.raw(), append, &json_, nullptr);
    if (code != NEXUS_OK) throw std::runtime_error("the event cannot be written as JSON");
    // A line feed inside would end the line; the host writes none, and this keeps it so.
    if (json_.find('\n') != std::string::npos) throw nexus::Reject("the event's JSON has a line feed");
    append_line(buffer_, link_, json_);
    if (buffer_.size() >= kBufferMax) flush();
  }

  // Finds the end of an older file, so that the chain goes on; cuts off what a crash left of a line.
  void open() {
    path_ = config_.path;
    if (path_.is_relative()) path_ = data_folder() / path_;
    if (path_.has_parent_path()) std::filesystem::create_directories(path_.parent_path());
    file_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file_ < 0) fail("cannot open");
    struct stat status {};
    if (::fstat(file_, &status) != 0) fail("cannot look at");
    if (!S_ISREG(status.st_mode)) throw std::runtime_error(path_.string() + " is no regular file");
    std::uint64_t end = static_cast<std::uint64_t>(status.st_size);
    std::string tail;  // from the beginning of the last whole line
    std::uint64_t from = end;
    while (from > 0) {
      const std::uint64_t size = std::min<std::uint64_t>(from, 64 * 1024);
      std::string block(size, '\0');
      if (::pread(file_, block.data(), size, static_cast<off_t>(from - size)) != static_cast<ssize_t>(size))
        fail("cannot read");
      from -= size;
      tail.insert(0, block);
      const std::size_t last = tail.rfind('\n');
      if (last == std::string::npos) continue;
      const std::size_t before = last == 0 ? std::string::npos : tail.rfind('\n', last - 1);
      if (before == std::string::npos && from > 0) continue;
      const std::size_t begin = before == std::string::npos ? 0 : before + 1;
      if (!read_line(std::string_view(tail).substr(begin, last - begin), link_))
        throw std::runtime_error(path_.string() +
                                 " is no audit log, or its last line is broken; move it away, or run "
                                 "nexus audit verify on it");
      if (last + 1 < tail.size()) {
        log().warn("a crash has cut the last line of the audit log; it is removed",
                   {{"path", path_.string()}, {"bytes", tail.size() - last - 1}});
        end -= tail.size() - last - 1;
      }
      tail.clear();
      break;
    }
    if (!tail.empty()) {
      log().warn("the audit log held only a part of one line; it is removed", {{"path", path_.string()}});
      end = 0;
    }
    if (::ftruncate(file_, static_cast<off_t>(end)) != 0) fail("cannot cut");
    if (::lseek(file_, static_cast<off_t>(end), SEEK_SET) < 0) fail("cannot go to the end of");
  }

  void flush() {
    std::size_t done = 0;
    while (done < buffer_.size()) {
      const ssize_t written = ::write(file_, buffer_.data() + done, buffer_.size() - done);
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) {
        buffer_.erase(0, done);  // kept, and tried again: a full disk may be emptied
        fail("cannot write to");
      }
      done += static_cast<std::size_t>(written);
    }
    buffer_.clear();
  }

  [[noreturn]] void fail(const char* what) const {
    throw std::runtime_error(std::string(what) + " " + path_.string() + ": " + std::strerror(errno));
  }

  const AuditLogConfig config_ = config<AuditLogConfig>();
  std::filesystem::path path_;  // absolute
  const nexus_data* data_ = nullptr;
  int file_ = -1;
  Link link_;
  std::string buffer_;
  std::string json_;
  nexus::Timer flush_timer_;
};

NEXUS_PLUGIN(AuditLog, "nexus.audit-log", "1.0.0", .name = "Audit log",
             .description = "Every event, as JSON lines chained by SHA-256", .exclusive = true)

}  // namespace audit
