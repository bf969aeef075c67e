// One file that is followed by name: hands out its lines as they are completed, across rotation and truncation. Used by
// one thread at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace log_tail {

struct Line {
  std::string_view text;     // without its line feed (and carriage return)
  std::uint64_t offset = 0;  // of its first byte
  bool truncated = false;
};

class FollowedFile {
 public:
  FollowedFile(std::string path, bool from_beginning, std::size_t line_bytes_max);
  ~FollowedFile();
  FollowedFile(const FollowedFile&) = delete;
  FollowedFile& operator=(const FollowedFile&) = delete;

  const std::string& path() const { return path_; }

  // Reads what is new and calls `take` for each completed line. When `take` returns false the line counts as not taken:
  // it comes again at the next call. At most about 1 MiB a call; true when there is more. A failure to read is told by
  // throwing std::runtime_error; a file that does not exist is none.
  bool read(const std::function<bool(const Line&)>& take);

  // Where the next line begins, for those who want to go on there later.
  std::uint64_t offset() const { return offset_; }

 private:
  bool open();
  bool is_replaced() const;
  void close();
  bool hand_out(const std::function<bool(const Line&)>& take);

  const std::string path_;
  const std::size_t line_bytes_max_;
  bool from_beginning_;
  int file_ = -1;
  std::uint64_t inode_ = 0;
  std::uint64_t device_ = 0;
  std::uint64_t offset_ = 0;       // of the first byte in pending_
  std::string pending_;            // read, not yet handed out
  std::uint64_t dropped_ = 0;      // bytes of the current line that were left out
};

}  // namespace log_tail
