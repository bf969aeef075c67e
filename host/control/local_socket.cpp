#include "host/control/local_socket.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>

namespace nexus::host {
namespace {

Error io_error(const std::string& what, int number) {
  return make_error(NEXUS_E_IO, what + ": " + std::generic_category().message(number));
}

Result<sockaddr_un> address_of(const std::filesystem::path& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string& text = path.native();
  if (text.size() >= sizeof address.sun_path)
    return make_error(NEXUS_E_TOO_LARGE,
                      "the socket path " + text + " is longer than " + std::to_string(sizeof address.sun_path - 1) +
                          " bytes, which is all that the system takes",
                      "set control.socket to a shorter path");
  std::memcpy(address.sun_path, text.data(), text.size());
  return address;
}

int connect_to(int fd, const sockaddr_un& address) {
  return ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ? 0 : errno;
}

os::UniqueFd new_socket() { return os::UniqueFd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)); }

// Whoever holds the lock has written its process id into it.
std::string owner_of(int lock) {
  char digits[24] = {};
  const ssize_t size = ::pread(lock, digits, sizeof digits - 1, 0);
  std::string text(digits, size > 0 ? static_cast<size_t>(size) : 0);
  text.resize(text.find_first_not_of("0123456789") == std::string::npos ? text.size()
                                                                        : text.find_first_not_of("0123456789"));
  return text.empty() ? "another host" : "another host (process " + text + ")";
}

Error held(const std::string& owner, const std::filesystem::path& path) {
  return make_error(NEXUS_E_STATE, owner + " already listens at " + path.string(),
                    "stop it, or give this one another control.socket");
}

Result<os::UniqueFd> take_lock(const std::filesystem::path& path) {
  const std::string name = path.string() + ".lock";
  os::UniqueFd lock(::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!lock) return io_error("cannot open " + name, errno);
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return held(owner_of(lock.get()), path);
    return io_error("cannot lock " + name, errno);
  }
  const std::string process = std::to_string(::getpid()) + "\n";
  if (::ftruncate(lock.get(), 0) != 0 || ::pwrite(lock.get(), process.data(), process.size(), 0) < 0)
    return io_error("cannot write " + name, errno);
  return lock;
}

// With the lock held no host is behind a socket that lies there; another program may be.
Result<void> remove_stale(const std::filesystem::path& path, const sockaddr_un& address) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) return {};
  if (!S_ISSOCK(status.st_mode))
    return make_error(NEXUS_E_STATE, path.string() + " is in the way: it is no socket",
                      "remove it, or set control.socket to another path");
  const os::UniqueFd probe = new_socket();
  if (probe && connect_to(probe.get(), address) == 0) return held("another program", path);
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return io_error("cannot remove the old " + path.string(), errno);
  return {};
}

}  // namespace

LocalListener::LocalListener(LocalListener&& other) noexcept
    : socket_(std::move(other.socket_)),
      lock_(std::move(other.lock_)),
      path_(std::move(other.path_)),
      device_(other.device_),
      inode_(other.inode_) {
  other.path_.clear();
}

LocalListener::~LocalListener() {
  if (path_.empty()) return;
  // Only what this host has bound: somebody may have put another there.
  struct stat status {};
  if (::lstat(path_.c_str(), &status) == 0 && status.st_dev == device_ && status.st_ino == inode_)
    ::unlink(path_.c_str());
}

Result<LocalListener> LocalListener::open(const std::filesystem::path& path, int backlog) {
  auto address = address_of(path);
  if (!address) return address.error();
  std::error_code failed;
  const std::filesystem::path folder = path.parent_path();
  if (!folder.empty() && !std::filesystem::exists(folder, failed)) {
    std::filesystem::create_directories(folder, failed);
    if (failed)
      return make_error(NEXUS_E_IO, "cannot make the folder of the control socket, " + folder.string() + ": " + failed.message(),
                        "set control.socket, or XDG_RUNTIME_DIR, to a place where this user may write");
    std::filesystem::permissions(folder, std::filesystem::perms::owner_all, failed);
  }
  auto lock = take_lock(path);
  if (!lock) return lock.error();
  if (auto removed = remove_stale(path, address.value()); !removed) return removed.error();

  LocalListener listener;
  listener.lock_ = std::move(lock.value());
  listener.socket_ = new_socket();
  if (!listener.socket_) return io_error("cannot make a socket", errno);
  const int fd = listener.socket_.get();
  // The file gets the mode of the descriptor on Linux, so that it is never open to others, not even for a moment.
  ::fchmod(fd, 0600);
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&address.value()), sizeof(sockaddr_un)) != 0)
    return io_error("cannot bind the control socket " + path.string(), errno);
  listener.path_ = path;
  struct stat status {};
  if (::chmod(path.c_str(), 0600) != 0 || ::lstat(path.c_str(), &status) != 0)
    return io_error("cannot set the mode of " + path.string(), errno);
  listener.device_ = status.st_dev;
  listener.inode_ = status.st_ino;
  if (::listen(fd, backlog) != 0) return io_error("cannot listen at " + path.string(), errno);
  return listener;
}

Result<os::UniqueFd> connect_local(const std::filesystem::path& path) {
  auto address = address_of(path);
  if (!address) return address.error();
  os::UniqueFd fd = new_socket();
  if (!fd) return io_error("cannot make a socket", errno);
  const int failed = connect_to(fd.get(), address.value());
  if (failed == 0) return fd;
  if (failed == ENOENT || failed == ECONNREFUSED || failed == ENOTDIR || failed == ENOTSOCK)
    return make_error(NEXUS_E_UNKNOWN, "no host answers at " + path.string(), "start one with: nexus run");
  if (failed == EACCES || failed == EPERM)
    return make_error(NEXUS_E_PERMISSION, "this user may not talk to the host at " + path.string(),
                      "use the user that the host runs as, or root");
  return io_error("cannot connect to " + path.string(), failed);
}

Result<PeerCredentials> peer_credentials(int socket) {
  PeerCredentials peer;
#if defined(SO_PEERCRED)
  struct ucred credentials {};
  socklen_t size = sizeof credentials;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0)
    return io_error("cannot tell who the peer is", errno);
  peer.user = credentials.uid;
  peer.process = credentials.pid;
#else
  uid_t user = 0;
  gid_t group = 0;
  if (::getpeereid(socket, &user, &group) != 0) return io_error("cannot tell who the peer is", errno);
  peer.user = user;
#endif
  return peer;
}

bool may_control(const PeerCredentials& peer) { return peer.user == 0 || peer.user == ::geteuid(); }

}  // namespace nexus::host
