#include "followed_file.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <stdexcept>
#include <sys/stat.h>
#include <unistd.h>

namespace log_tail {
namespace {

constexpr std::size_t kBlock = 64 * 1024;
constexpr std::size_t kReadMax = 1024 * 1024;

}  // namespace

FollowedFile::FollowedFile(std::string path, bool from_beginning, std::size_t line_bytes_max)
    : path_(std::move(path)), line_bytes_max_(line_bytes_max), from_beginning_(from_beginning) {}

FollowedFile::~FollowedFile() { close(); }

void FollowedFile::close() {
  if (file_ >= 0) ::close(file_);
  file_ = -1;
  pending_.clear();
  offset_ = dropped_ = 0;
}

bool FollowedFile::open() {
  file_ = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file_ < 0) {
    if (errno == ENOENT) {
      from_beginning_ = true;  // what appears later is new from its first line on
      return false;
    }
    throw std::runtime_error("cannot open " + path_ + ": " + std::strerror(errno));
  }
  struct stat status{};
  if (::fstat(file_, &status) != 0 || !S_ISREG(status.st_mode)) {
    close();
    throw std::runtime_error(path_ + " is no regular file");
  }
  inode_ = status.st_ino;
  device_ = status.st_dev;
  offset_ = from_beginning_ ? 0 : static_cast<std::uint64_t>(status.st_size);
  from_beginning_ = true;
  return true;
}

// Another file stands under the name.
bool FollowedFile::is_replaced() const {
  struct stat status{};
  if (::stat(path_.c_str(), &status) != 0) return errno == ENOENT;
  return status.st_ino != inode_ || status.st_dev != device_;
}

bool FollowedFile::hand_out(const std::function<bool(const Line&)>& take) {
  std::size_t begin = 0;
  bool all = true;
  for (;;) {
    const std::size_t end = pending_.find('\n', begin);
    if (end == std::string::npos) break;
    std::string_view text(pending_.data() + begin, end - begin);
    const bool truncated = dropped_ > 0 || text.size() > line_bytes_max_;
    if (truncated) text = text.substr(0, line_bytes_max_);
    if (!text.empty() && text.back() == '\r') text.remove_suffix(1);
    if (!take(Line{text, offset_, truncated})) {
      all = false;
      break;
    }
    offset_ += end - begin + 1 + dropped_;
    dropped_ = 0;
    begin = end + 1;
  }
  pending_.erase(0, begin);
  // Of a line beyond the limit only its beginning is kept until it ends.
  if (all && pending_.size() > line_bytes_max_ + 1) {
    dropped_ += pending_.size() - (line_bytes_max_ + 1);
    pending_.resize(line_bytes_max_ + 1);
  }
  return all;
}

bool FollowedFile::read(const std::function<bool(const Line&)>& take) {
  if (!hand_out(take)) return false;
  if (file_ < 0 && !open()) return false;
  std::size_t total = 0;
  std::string block(kBlock, '\0');
  for (;;) {
    struct stat status{};
    const std::uint64_t at = offset_ + dropped_ + pending_.size();
    if (::fstat(file_, &status) != 0) throw std::runtime_error("cannot look at " + path_ + ": " + std::strerror(errno));
    if (static_cast<std::uint64_t>(status.st_size) < at) {  // emptied in place (copytruncate)
      offset_ = dropped_ = 0;
      pending_.clear();
      continue;
    }
    const ssize_t got = ::pread(file_, block.data(), block.size(), static_cast<off_t>(at));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw std::runtime_error("cannot read " + path_ + ": " + std::strerror(errno));
    if (got == 0) {
      if (!is_replaced()) return false;
      // The old one is read to its end; what is there without a line feed will never get one.
      if (!pending_.empty()) {
        pending_ += '\n';
        if (!hand_out(take)) {
          pending_.pop_back();
          return false;
        }
      }
      close();
      from_beginning_ = true;
      return open();
    }
    pending_.append(block.data(), static_cast<std::size_t>(got));
    total += static_cast<std::size_t>(got);
    if (!hand_out(take)) return false;
    if (total >= kReadMax) return true;
  }
}

}  // namespace log_tail
