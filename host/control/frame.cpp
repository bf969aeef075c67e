#include "host/control/frame.hpp"

#include <algorithm>
#include <cstring>

#include "host/base/printable.hpp"

namespace nexus::host {
namespace {

constexpr size_t kKeptMax = size_t{1} << 20;

Error broken_frame(const cbor::Reader& reader) {
  return make_error(NEXUS_E_CBOR, "the frame is broken: " + reader.error().message());
}

Error wrong_frame(std::string sentence) {
  return make_error(NEXUS_E_SCHEMA, std::move(sentence),
                    "a request is {\"id\": 1, \"method\": \"host.info\", \"params\": {}}");
}

// Text that a peer is given must be UTF-8, whatever a plugin or the system has put into a sentence.
std::string clean(const std::string& text) { return cbor::is_utf8(text) ? text : printable(text); }

// False when the reader has failed.
bool read_error_body(cbor::Reader& reader, Error& error) {
  cbor::Items walk;
  std::string_view key, text;
  int64_t code = 0;
  if (!reader.enter_map(walk)) return false;
  while (reader.next(walk)) {
    if (!reader.read_text(key)) break;
    if (key == "code" && reader.read_int(code))
      error.code = code >= 0 && code <= INT32_MAX ? static_cast<int32_t>(code) : NEXUS_E_INTERNAL;
    else if (key == "message" && reader.read_text(text))
      error.message = text;
    else if (key == "help" && reader.read_text(text))
      error.help = text;
    else if (reader.failed() || !reader.skip())
      break;
  }
  return !reader.failed();
}

}  // namespace

void FrameBuffer::append(std::span<const uint8_t> bytes) {
  if (begin_ != 0 && begin_ >= bytes_.size() / 2) {
    bytes_.erase(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(begin_));
    begin_ = 0;
    // One large frame must not keep its memory for the rest of the connection.
    if (bytes_.capacity() > kKeptMax && bytes_.size() < kKeptMax / 4) bytes_.shrink_to_fit();
  }
  bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
}

Result<std::optional<std::span<const uint8_t>>> FrameBuffer::next() {
  const std::span<const uint8_t> waiting(bytes_.data() + begin_, bytes_.size() - begin_);
  if (waiting.size() < kFrameHeadSize) return std::optional<std::span<const uint8_t>>{};
  const uint32_t size = static_cast<uint32_t>(waiting[0]) << 24 | static_cast<uint32_t>(waiting[1]) << 16 |
                        static_cast<uint32_t>(waiting[2]) << 8 | static_cast<uint32_t>(waiting[3]);
  if (size > frame_bytes_max_)
    return make_error(NEXUS_E_TOO_LARGE, "a frame of " + std::to_string(size) + " bytes is over the limit of " +
                                             std::to_string(frame_bytes_max_));
  if (waiting.size() - kFrameHeadSize < size) return std::optional<std::span<const uint8_t>>{};
  begin_ += kFrameHeadSize + size;
  return std::optional(waiting.subspan(kFrameHeadSize, size));
}

size_t begin_frame(cbor::Buffer& out) {
  const size_t begin = out.size();
  out.commit(out.reserve(kFrameHeadSize) + kFrameHeadSize);
  return begin;
}

void end_frame(cbor::Buffer& out, size_t begin) {
  const size_t size = out.size() - begin - kFrameHeadSize;
  uint8_t* const first = out.reserve(0) - (out.size() - begin);
  for (size_t i = 0; i < kFrameHeadSize; ++i) first[i] = static_cast<uint8_t>(size >> (8 * (kFrameHeadSize - 1 - i)));
}

Result<void> read_client_frame(std::span<const uint8_t> frame, ClientFrame& out) {
  cbor::Reader reader(frame);
  cbor::Items walk;
  if (reader.peek() != cbor::Kind::map) {
    if (!cbor::check(frame)) static_cast<void>(reader.skip() && reader.finish());
    return reader.failed() ? broken_frame(reader) : wrong_frame("a frame must be a map");
  }
  bool has_id = false, has_cancel = false;
  std::string unknown;
  static_cast<void>(reader.enter_map(walk));
  while (reader.next(walk)) {
    std::string_view key;
    if (reader.peek() != cbor::Kind::text || !reader.read_text(key)) {
      if (reader.failed() || !reader.skip() || !reader.skip()) break;
      unknown = "a key that is not text";
      continue;
    }
    if (key == "id" && reader.peek() == cbor::Kind::uint) {
      has_id = reader.read_uint(out.id);
    } else if (key == "cancel" && reader.peek() == cbor::Kind::uint) {
      has_cancel = reader.read_uint(out.id);
    } else if (key == "method" && reader.peek() == cbor::Kind::text) {
      if (!reader.read_text(out.method)) break;
    } else if (key == "params") {
      if (!reader.read_raw(out.params)) break;
    } else {
      unknown = "'" + std::string(key.substr(0, 32)) + "'";
      if (!reader.skip()) break;
    }
  }
  if (reader.failed() || !reader.finish()) return broken_frame(reader);
  if (!unknown.empty()) return wrong_frame("the frame has " + printable(unknown) + ", which is unknown or of another type");
  if (has_cancel && !has_id && out.method.empty()) return {};
  if (!has_id) return wrong_frame("the frame has no 'id'");
  if (has_cancel || out.method.empty()) return wrong_frame("the frame has no 'method'");
  return {};
}

Result<HostFrame> read_host_frame(std::span<const uint8_t> frame) {
  cbor::Reader reader(frame);
  cbor::Items walk;
  HostFrame out;
  std::string_view key;
  bool ignored = false;
  static_cast<void>(reader.enter_map(walk));
  while (!reader.failed() && reader.next(walk)) {
    if (!reader.read_text(key)) break;
    if (key == "id") {
      if (!reader.read_uint(out.id)) break;
    } else if (key == "result" || key == "item") {
      out.kind = key == "item" ? HostFrame::Kind::item : HostFrame::Kind::result;
      if (!reader.read_raw(out.body)) break;
    } else if (key == "error") {
      if (!read_error_body(reader, out.error)) break;
      out.kind = HostFrame::Kind::error;
    } else if (key == "dropped") {
      out.kind = HostFrame::Kind::dropped;
      if (!reader.read_uint(out.dropped)) break;
    } else if (key == "end") {
      out.kind = HostFrame::Kind::end;
      if (!reader.read_bool(ignored)) break;
    } else if (!reader.skip()) {
      break;
    }
  }
  if (reader.failed() || !reader.finish()) return broken_frame(reader);
  return out;
}

namespace {

// {"id": id, "<name>": …} with the value to be written by `body`.
template <class Body>
void write_map(cbor::Buffer& out, std::string_view id_name, uint64_t id, uint64_t members, Body body) {
  const size_t begin = begin_frame(out);
  cbor::Writer writer(out);
  writer.begin_map(members);
  writer.write_text(id_name);
  writer.write_uint(id);
  body(writer);
  end_frame(out, begin);
}

}  // namespace

void write_request(cbor::Buffer& out, uint64_t id, std::string_view method, std::span<const uint8_t> params) {
  write_map(out, "id", id, params.empty() ? 2 : 3, [&](cbor::Writer& writer) {
    writer.write_text("method");
    writer.write_text(method);
    if (params.empty()) return;
    writer.write_text("params");
    writer.write_raw(params);
  });
}

void write_cancel(cbor::Buffer& out, uint64_t id) {
  write_map(out, "cancel", id, 1, [](cbor::Writer&) {});
}

void write_answer(cbor::Buffer& out, uint64_t id, std::span<const uint8_t> result) {
  write_map(out, "id", id, 2, [&](cbor::Writer& writer) {
    writer.write_text("result");
    writer.write_raw(result);
  });
}

void write_failure(cbor::Buffer& out, uint64_t id, const Error& error) {
  write_map(out, "id", id, 2, [&](cbor::Writer& writer) {
    writer.write_text("error");
    writer.begin_map(4);
    writer.write_text("code");
    writer.write_int(error.code);
    writer.write_text("name");
    writer.write_text(error_text(error.code).name);
    writer.write_text("message");
    writer.write_text(clean(error.message));
    writer.write_text("help");
    writer.write_text(clean(error.help));
  });
}

void write_item(cbor::Buffer& out, uint64_t id, std::span<const uint8_t> item) {
  write_map(out, "id", id, 2, [&](cbor::Writer& writer) {
    writer.write_text("item");
    writer.write_raw(item);
  });
}

void write_dropped(cbor::Buffer& out, uint64_t id, uint64_t count) {
  write_map(out, "id", id, 2, [&](cbor::Writer& writer) {
    writer.write_text("dropped");
    writer.write_uint(count);
  });
}

void write_end(cbor::Buffer& out, uint64_t id) {
  write_map(out, "id", id, 2, [](cbor::Writer& writer) {
    writer.write_text("end");
    writer.write_bool(true);
  });
}

}  // namespace nexus::host
