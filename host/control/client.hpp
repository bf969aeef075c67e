// The other end of the control socket, for the command line and tests: blocking, one thread at a time. Requests may be
// sent ahead and their answers received in order of arrival.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "host/base/error.hpp"
#include "host/base/os/unique_fd.hpp"
#include "host/control/frame.hpp"
#include "nexus/schema.hpp"

namespace nexus::host {

class Client {
 public:
  // NEXUS_E_UNKNOWN when no host answers there, NEXUS_E_PERMISSION, NEXUS_E_IO.
  static Result<Client> connect(const std::filesystem::path& socket);
  // With a connection that is there already.
  explicit Client(os::UniqueFd socket) : socket_(std::move(socket)) {}

  // Sends a request and waits for its answer, which must be the next one to arrive.
  Result<cbor::Value> call(std::string_view method, const cbor::Value& params = {});
  // The same with described structs.
  template <class Answer, class Params>
  Result<Answer> call_typed(std::string_view method, const Params& params) {
    cbor::Buffer buffer;
    schema::Encoding encoding;
    buffer.commit(schema::Codec<Params>::put(buffer.reserve(schema::Codec<Params>::bound(params)), params, encoding));
    if (encoding.broken) return make_error(NEXUS_E_UTF8, "an argument is not UTF-8");
    auto frame = exchange(method, buffer.bytes());
    if (!frame) return frame.error();
    Answer answer{};
    schema::Decoder decoder(frame.value().body, false);
    if (!schema::decode_whole(decoder, answer))
      return make_error(NEXUS_E_SCHEMA, schema::sentence(method, *decoder.failure()),
                        "the host may be of another version than this command");
    return answer;
  }

  // Sends a request; its id.
  Result<uint64_t> send(std::string_view method, std::span<const uint8_t> params);
  // The next frame; its views live until the next call. NEXUS_E_IO when the host has gone, NEXUS_E_TIMEOUT.
  Result<HostFrame> receive(std::optional<std::chrono::milliseconds> timeout = {});
  // Raw bytes, for tests of what a host makes of them.
  Result<void> send_bytes(std::span<const uint8_t> bytes);

  int descriptor() const { return socket_.get(); }

 private:
  Result<HostFrame> exchange(std::string_view method, std::span<const uint8_t> params);

  os::UniqueFd socket_;
  FrameBuffer frames_{UINT32_MAX};
  uint64_t next_id_ = 1;
};

}  // namespace nexus::host
