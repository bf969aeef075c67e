// What every function of the ABI tables begins and ends with: reading a struct whose writer may be older or newer, and
// the wall that exceptions do not pass. Any thread.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <new>
#include <string_view>

#include "host/base/error.hpp"
#include "host/event/block.hpp"
#include "host/plugin/bridge.hpp"

namespace nexus::host {

// An options struct as the host knows it. Where the caller's has exactly that size it is used in place, else copied:
// what an older caller does not know reads as zero; what a newer one has set and this host does not know is refused.
template <class T>
class OptionsReader {
 public:
  // `minimum` is the size of the 1.0 layout. Returns false with a sentence in `error`. Null options give null.
  bool read(const T* options, size_t minimum, nexus_error* error) {
    if (options == nullptr) return true;
    const uint32_t size = options->size;
    if (size == sizeof(T)) [[likely]] {
      options_ = options;
      return true;
    }
    if (size < minimum) {
      write_error(error, NEXUS_E_ARGUMENT, "the options struct is smaller than its 1.0 layout; is its size set?");
      return false;
    }
    if (size > sizeof(T)) {
      const auto* bytes = reinterpret_cast<const uint8_t*>(options);
      if (std::any_of(bytes + sizeof(T), bytes + size, [](uint8_t byte) { return byte != 0; })) {
        write_error(error, NEXUS_E_ARGUMENT, "the options struct has a member set that this host does not know");
        return false;
      }
    }
    std::memcpy(&copy_, options, std::min<size_t>(size, sizeof(T)));
    copy_.size = sizeof(T);
    options_ = &copy_;
    return true;
  }
  const T* get() const { return options_; }

 private:
  const T* options_ = nullptr;
  T copy_{};
};

inline bool is_broken(nexus_string text) { return text.data == nullptr && text.size != 0; }
inline bool is_broken(nexus_bytes bytes) { return bytes.data == nullptr && bytes.size != 0; }

[[gnu::noinline]] inline int32_t refuse_revoked(nexus_error* error) {
  return write_error(error, NEXUS_E_HANDLE, "this plugin instance has been unloaded");
}

// Runs the body of an ABI function: the instance must live, and what is thrown becomes a code.
template <class Body>
int32_t abi_call(void* ctx, nexus_error* error, Body body) noexcept {
  auto& tables = *static_cast<BridgeTables*>(ctx);
  if (tables.revoked.load(std::memory_order_relaxed)) [[unlikely]]
    return refuse_revoked(error);
  try {
    return body(tables);
  } catch (...) {
    return write_exception(error);
  }
}

inline int32_t refuse_argument(nexus_error* error, std::string_view sentence) {
  return write_error(error, NEXUS_E_ARGUMENT, sentence);
}

}  // namespace nexus::host
