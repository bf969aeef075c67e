// The frames of the control socket: a length of four bytes, big endian, and as many bytes of CBOR, one map each.
//
//   request   {"id": 7, "method": "stat", "params": {...}}      params may be left out
//   cancel    {"cancel": 7}                                     ends a stream, or does nothing
//   answer    {"id": 7, "result": ...} or {"id": 7, "error": {"code", "name", "message", "help"}}
//   item      {"id": 7, "item": ...}                            of a stream, after its answer
//   dropped   {"id": 7, "dropped": 12}                          so many items were lost here: the reader was too slow
//   end       {"id": 7, "end": true}                            of a stream; or, in its place, an error
//
// An error with id 0 answers a frame that could not be understood. Pure functions and values; a FrameBuffer belongs to
// one thread at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "host/base/error.hpp"
#include "nexus/cbor.hpp"

namespace nexus::host {

inline constexpr size_t kFrameHeadSize = 4;
inline constexpr uint32_t kFrameBytesMax = 32u << 20;

// Collects what arrives and hands out whole frames. A forged length costs nothing: memory grows with what has come.
class FrameBuffer {
 public:
  explicit FrameBuffer(uint32_t frame_bytes_max = kFrameBytesMax) : frame_bytes_max_(frame_bytes_max) {}

  void append(std::span<const uint8_t> bytes);
  // The next whole frame without its length, valid until the next append or next; nothing when more must come.
  // NEXUS_E_TOO_LARGE for a length over the limit, after which the connection is of no use any more.
  Result<std::optional<std::span<const uint8_t>>> next();
  // Bytes that wait for the rest of their frame.
  size_t pending() const { return bytes_.size() - begin_; }

 private:
  const uint32_t frame_bytes_max_;
  std::vector<uint8_t> bytes_;
  size_t begin_ = 0;
};

// Begins a frame in `out` and, when its content is there, puts its length in front. Returns where it begins.
size_t begin_frame(cbor::Buffer& out);
void end_frame(cbor::Buffer& out, size_t begin);

// A frame from a client; views are into the frame.
struct ClientFrame {
  uint64_t id = 0;
  std::string_view method;  // empty: it is a cancel of `id`
  std::span<const uint8_t> params;
};
// NEXUS_E_CBOR, NEXUS_E_SCHEMA. `id` is set in `out` as far as it was read, so that the error can be answered to it.
Result<void> read_client_frame(std::span<const uint8_t> frame, ClientFrame& out);

// A frame from the host; views are into the frame.
struct HostFrame {
  enum class Kind { result, error, item, dropped, end };
  uint64_t id = 0;
  Kind kind = Kind::result;
  std::span<const uint8_t> body;  // of result and item
  Error error;
  uint64_t dropped = 0;
};
Result<HostFrame> read_host_frame(std::span<const uint8_t> frame);

// Whole frames, appended.
void write_request(cbor::Buffer& out, uint64_t id, std::string_view method, std::span<const uint8_t> params);
void write_cancel(cbor::Buffer& out, uint64_t id);
void write_answer(cbor::Buffer& out, uint64_t id, std::span<const uint8_t> result);
void write_failure(cbor::Buffer& out, uint64_t id, const Error& error);
void write_item(cbor::Buffer& out, uint64_t id, std::span<const uint8_t> item);
void write_dropped(cbor::Buffer& out, uint64_t id, uint64_t count);
void write_end(cbor::Buffer& out, uint64_t id);

}  // namespace nexus::host
