// Local (Unix domain) sockets as the control surface uses them: claimed by one host at a time, readable by its user
// only, and connected to with sentences that help. POSIX behind it. Any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>

#include "host/base/error.hpp"
#include "host/base/os/unique_fd.hpp"

namespace nexus::host {

// A bound and listening socket, and the lock that makes this host its only owner. The socket's file goes when this does.
class LocalListener {
 public:
  // Makes the folder (0700) where it is missing, takes `path`.lock, removes a socket that a dead host has left, binds
  // with mode 0600 and listens. NEXUS_E_STATE when a live host, or another program, holds the path; its sentence names
  // the process. NEXUS_E_IO; NEXUS_E_TOO_LARGE for a path longer than the system takes.
  static Result<LocalListener> open(const std::filesystem::path& path, int backlog = 64);

  LocalListener(LocalListener&&) noexcept;
  LocalListener& operator=(LocalListener&&) = delete;
  ~LocalListener();

  // The listening descriptor, for an acceptor that closes it itself.
  int release() { return socket_.release(); }
  const std::filesystem::path& path() const { return path_; }

 private:
  LocalListener() = default;

  os::UniqueFd socket_;
  os::UniqueFd lock_;
  std::filesystem::path path_;
  uint64_t device_ = 0;
  uint64_t inode_ = 0;
};

// Connects. NEXUS_E_UNKNOWN when nobody listens there ("no host answers at PATH"), NEXUS_E_PERMISSION, NEXUS_E_IO.
Result<os::UniqueFd> connect_local(const std::filesystem::path& path);

struct PeerCredentials {
  uint32_t user = 0;
  int32_t process = 0;
};
Result<PeerCredentials> peer_credentials(int socket);

// Whether such a peer may control a host that runs as this process's user: the same user, or root.
bool may_control(const PeerCredentials& peer);

}  // namespace nexus::host
