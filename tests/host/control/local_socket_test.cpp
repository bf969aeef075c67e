#include "host/control/local_socket.hpp"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>

#include <cstdlib>
#include <cstring>
#include <fstream>

#include "tests/host/control/temporary_folder.hpp"
#include "tests/host/control/result_text.hpp"

using namespace nexus::host;
namespace fs = std::filesystem;

namespace {

// A socket file whose owner is gone.
void leave_stale(const fs::path& path) {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  REQUIRE(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  ::close(fd);
  REQUIRE(fs::is_socket(path));
}

}  // namespace

TEST_CASE("the control socket is for its user only, from the first moment on") {
  const TemporaryFolder folder;
  const fs::path path = folder / "sub" / "n.sock";
  auto listener = LocalListener::open(path);
  REQUIRE(listener);
  struct stat status {};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  CHECK(S_ISSOCK(status.st_mode));
  CHECK((status.st_mode & 0777) == 0600);
  REQUIRE(::stat(path.parent_path().c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0700);
  CHECK(connect_local(path));
}

TEST_CASE("a second host at the same socket is refused and told who is there") {
  const TemporaryFolder folder;
  const fs::path path = folder / "n.sock";
  auto listener = LocalListener::open(path);
  REQUIRE(listener);
  const auto second = LocalListener::open(path);
  REQUIRE_FALSE(second);
  CHECK(second.error().code == NEXUS_E_STATE);
  CHECK(second.error().message.find("process " + std::to_string(::getpid())) != std::string::npos);
  CHECK(second.error().message.find(path.string()) != std::string::npos);
  CHECK(connect_local(path));  // the first one is untouched
}

TEST_CASE("a socket that a dead host has left is taken over") {
  const TemporaryFolder folder;
  const fs::path path = folder / "n.sock";
  leave_stale(path);
  const auto nobody = connect_local(path);
  REQUIRE_FALSE(nobody);
  CHECK(nobody.error().code == NEXUS_E_UNKNOWN);
  CHECK(LocalListener::open(path));
}

TEST_CASE("what is no socket, or another program's, is left alone") {
  const TemporaryFolder folder;
  const fs::path path = folder / "n.sock";
  std::ofstream(path) << "precious";
  const auto refused = LocalListener::open(path);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == NEXUS_E_STATE);
  CHECK(fs::file_size(path) == 8);

  const fs::path other = folder / "other.sock";
  leave_stale(other);
  fs::remove(other);
  const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, other.c_str(), sizeof address.sun_path - 1);
  REQUIRE(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  REQUIRE(::listen(fd, 1) == 0);
  const auto held = LocalListener::open(other);
  REQUIRE_FALSE(held);
  CHECK(held.error().code == NEXUS_E_STATE);
  CHECK(fs::is_socket(other));
  ::close(fd);
}

TEST_CASE("the socket's file goes with its host, but not another's in its place") {
  const TemporaryFolder folder;
  const fs::path path = folder / "n.sock";
  { REQUIRE(LocalListener::open(path)); }
  CHECK_FALSE(fs::exists(path));
  {
    auto listener = LocalListener::open(path);
    REQUIRE(listener);
    fs::remove(path);
    leave_stale(path);
  }
  CHECK(fs::exists(path));
}

TEST_CASE("a path longer than the system takes is refused with its limit") {
  const TemporaryFolder folder;
  const fs::path path = folder / std::string(120, 'x');
  CHECK(LocalListener::open(path).error().code == NEXUS_E_TOO_LARGE);
  CHECK(connect_local(path).error().code == NEXUS_E_TOO_LARGE);
}

TEST_CASE("where nobody is, the sentence says how to start somebody") {
  const auto nobody = connect_local("/nonexistent/nexus.sock");
  REQUIRE_FALSE(nobody);
  CHECK(nobody.error().code == NEXUS_E_UNKNOWN);
  CHECK(nobody.error().message == "no host answers at /nonexistent/nexus.sock");
  CHECK(nobody.error().help.find("nexus run") != std::string::npos);
}

TEST_CASE("only the host's own user and root may control it") {
  PeerCredentials peer;
  peer.user = ::geteuid();
  CHECK(may_control(peer));
  peer.user = 0;
  CHECK(may_control(peer));
  peer.user = ::geteuid() + 1;
  CHECK_FALSE(may_control(peer));
  int ends[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
  const auto self = peer_credentials(ends[0]);
  REQUIRE(self);
  CHECK(self->user == ::geteuid());
  ::close(ends[0]);
  ::close(ends[1]);
}
