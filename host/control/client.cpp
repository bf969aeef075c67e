#include "host/control/client.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <system_error>

#include "host/control/local_socket.hpp"

namespace nexus::host {
namespace {

Error gone(int number) {
  std::string text = "the host has closed the connection";
  if (number != 0 && number != EPIPE && number != ECONNRESET)
    text = "the connection to the host failed: " + std::generic_category().message(number);
  return make_error(NEXUS_E_IO, text, "see the host's log");
}

}  // namespace

Result<Client> Client::connect(const std::filesystem::path& socket) {
  auto connected = connect_local(socket);
  if (!connected) return connected.error();
  return Client(std::move(connected.value()));
}

Result<void> Client::send_bytes(std::span<const uint8_t> bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return gone(errno);
    bytes = bytes.subspan(static_cast<size_t>(sent));
  }
  return {};
}

Result<uint64_t> Client::send(std::string_view method, std::span<const uint8_t> params) {
  cbor::Buffer frame;
  const uint64_t id = next_id_++;
  write_request(frame, id, method, params);
  if (auto sent = send_bytes(frame.bytes()); !sent) return sent.error();
  return id;
}

Result<HostFrame> Client::receive(std::optional<std::chrono::milliseconds> timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout.value_or(std::chrono::milliseconds(0));
  for (;;) {
    auto frame = frames_.next();
    if (!frame) return frame.error();
    if (frame.value()) return read_host_frame(*frame.value());
    if (timeout) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
      pollfd wanted{socket_.get(), POLLIN, 0};
      const int ready = left.count() <= 0 ? 0 : ::poll(&wanted, 1, static_cast<int>(left.count()));
      if (ready < 0 && errno == EINTR) continue;
      if (ready == 0) return make_error(NEXUS_E_TIMEOUT, "the host has not answered in time");
    }
    std::array<uint8_t, 64 * 1024> input;
    const ssize_t size = ::recv(socket_.get(), input.data(), input.size(), 0);
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return gone(size == 0 ? 0 : errno);
    frames_.append(std::span(input.data(), static_cast<size_t>(size)));
  }
}

Result<HostFrame> Client::exchange(std::string_view method, std::span<const uint8_t> params) {
  auto id = send(method, params);
  // The host may have said why before it closed: a refused connection is answered with id 0.
  auto frame = receive();
  if (!frame) return id ? frame.error() : id.error();
  if (frame.value().kind == HostFrame::Kind::error) return frame.value().error;
  if (!id) return id.error();
  if (frame.value().id != id.value() || frame.value().kind != HostFrame::Kind::result)
    return make_error(NEXUS_E_INTERNAL, "the host answered something else than was asked");
  return frame;
}

Result<cbor::Value> Client::call(std::string_view method, const cbor::Value& params) {
  const Bytes encoded = params.is_null() ? Bytes{} : params.encode();
  auto frame = exchange(method, encoded);
  if (!frame) return frame.error();
  cbor::Value value;
  cbor::Error error;
  if (!cbor::Value::try_decode(frame.value().body, value, error)) return make_error(NEXUS_E_CBOR, error.message());
  return value;
}

}  // namespace nexus::host
