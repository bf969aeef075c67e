// Lines from a descriptor, and whether the next one is there already: so that a reader can send what it has before it
// waits. One thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "host/base/error.hpp"

namespace nexus::host::cli {

class LineInput {
 public:
  static constexpr size_t kLineBytesMax = size_t{64} << 20;

  // The descriptor is not closed.
  explicit LineInput(int descriptor) : descriptor_(descriptor) {}

  // The next line without its end ("\n" or "\r\n"), valid until the next call; false at the end of the input. The last
  // line needs no end. NEXUS_E_IO, NEXUS_E_TOO_LARGE.
  Result<bool> next(std::string_view& line);
  // Whether next() would not have to wait.
  bool is_ready();
  uint64_t line_number() const { return line_number_; }

 private:
  Result<void> fill();

  const int descriptor_;
  std::string buffer_;
  size_t begin_ = 0;
  bool at_end_ = false;
  uint64_t line_number_ = 0;
};

}  // namespace nexus::host::cli
