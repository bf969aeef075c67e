// The control socket: accepts connections of the host's own user and of root, and serves the surface's methods to them.
// It has an I/O thread and a call pool of its own, so that it answers whatever the bus and the plugins are doing.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>

#include "host/base/error.hpp"
#include "host/control/connection.hpp"
#include "host/control/surface.hpp"

namespace nexus::host {

struct ServerOptions {
  std::filesystem::path socket;
  size_t connections_max = 64;
  std::chrono::milliseconds idle_call_thread_max{10'000};
  ConnectionLimits limits;
};

struct ServerStats {
  uint64_t connections = 0;  // open now
  uint64_t accepted = 0;
  uint64_t refused = 0;        // too many, or another user
  uint64_t dropped_items = 0;  // of streams whose readers were too slow
};

class Server {
 public:
  // Claims the socket (see LocalListener::open for what can go wrong) and serves. `surface` must outlive the server.
  static Result<std::unique_ptr<Server>> open(const Surface& surface, ServerOptions options);
  ~Server();  // stops

  // Takes no more connections, ends streams, lets running calls end and their answers go out, at most `patience`.
  void stop(std::chrono::milliseconds patience = std::chrono::milliseconds(2000));

  ServerStats stats() const;
  const std::filesystem::path& path() const;

 private:
  class Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace nexus::host
