#include "host/app/cli/line_input.hpp"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace nexus::host::cli {

Result<void> LineInput::fill() {
  constexpr size_t kChunk = 256 * 1024;
  if (begin_ != 0) {
    buffer_.erase(0, begin_);
    begin_ = 0;
  }
  const size_t before = buffer_.size();
  buffer_.resize(before + kChunk);
  ssize_t size = 0;
  do size = ::read(descriptor_, buffer_.data() + before, kChunk);
  while (size < 0 && errno == EINTR);
  buffer_.resize(before + (size > 0 ? static_cast<size_t>(size) : 0));
  if (size < 0) return make_error(NEXUS_E_IO, "cannot read the input: " + std::generic_category().message(errno));
  if (size == 0) at_end_ = true;
  return {};
}

Result<bool> LineInput::next(std::string_view& line) {
  size_t from = begin_;
  for (;;) {
    const size_t end = buffer_.find('\n', from);
    if (end != std::string::npos || (at_end_ && begin_ < buffer_.size())) {
      const size_t stop = end != std::string::npos ? end : buffer_.size();
      line = std::string_view(buffer_).substr(begin_, stop - begin_);
      if (line.ends_with('\r')) line.remove_suffix(1);
      begin_ = end != std::string::npos ? end + 1 : stop;
      ++line_number_;
      return true;
    }
    if (at_end_) return false;
    if (buffer_.size() - begin_ > kLineBytesMax)
      return make_error(NEXUS_E_TOO_LARGE, "line " + std::to_string(line_number_ + 1) + " is longer than " +
                                               std::to_string(kLineBytesMax) + " bytes");
    const size_t searched = buffer_.size() - begin_;
    if (auto filled = fill(); !filled) return filled.error();
    from = searched;  // fill has moved the rest to the front
  }
}

bool LineInput::is_ready() {
  if (at_end_ || buffer_.find('\n', begin_) != std::string::npos) return true;
  pollfd wanted{descriptor_, POLLIN, 0};
  return ::poll(&wanted, 1, 0) != 0;
}

}  // namespace nexus::host::cli
