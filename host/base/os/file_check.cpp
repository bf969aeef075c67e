#include "host/base/os/file_check.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace nexus::host::os {
namespace {

constexpr int kLinkHopsMax = 8;

int64_t to_ns(const timespec& time) { return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec; }

FileIdentity identity_of(const struct stat& info) {
  return {static_cast<uint64_t>(info.st_dev), static_cast<uint64_t>(info.st_ino), static_cast<uint64_t>(info.st_size),
          to_ns(info.st_mtim), to_ns(info.st_ctim)};
}

Error file_error(const std::filesystem::path& file, const std::string& what, std::string help = {}) {
  return make_error(NEXUS_E_LOAD_FILE, file.string() + " " + what, std::move(help));
}

const char* kind_of(mode_t mode) {
  if (S_ISDIR(mode)) return "a folder";
  if (S_ISFIFO(mode)) return "a pipe";
  if (S_ISSOCK(mode)) return "a socket";
  if (S_ISCHR(mode) || S_ISBLK(mode)) return "a device";
  return "a special file";
}

Result<void> check_trusted(const std::filesystem::path& path, const struct stat& info) {
  const char* noun = S_ISDIR(info.st_mode) ? "the folder " : "";
  const std::string subject = noun + path.string();
  if (info.st_uid != 0 && info.st_uid != ::geteuid()) {
    return make_error(NEXUS_E_LOAD_PERMISSIONS,
                      subject + " belongs to user " + std::to_string(info.st_uid) + ", neither root nor the host's user " +
                          std::to_string(::geteuid()),
                      "chown it, or set unsafe_permissions = true under [plugins] while developing");
  }
  if ((info.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    const char* who = (info.st_mode & S_IWOTH) != 0 ? "everybody" : "its group";
    return make_error(NEXUS_E_LOAD_PERMISSIONS, subject + " is writable by " + who,
                      "chmod go-w " + path.string() + ", or set unsafe_permissions = true under [plugins] while developing");
  }
  return {};
}

// Where the link `name` in `folder` leads, as a name in the same folder; an error when it leads out of it.
Result<std::string> follow_link(int folder, const std::string& name, const std::filesystem::path& file) {
  std::string target(4096, '\0');
  const ssize_t length = ::readlinkat(folder, name.c_str(), target.data(), target.size());
  if (length < 0) return file_error(file, "is a link that cannot be read: " + errno_text(errno));
  target.resize(static_cast<size_t>(length));
  const size_t slash = target.rfind('/');
  if (slash == std::string::npos) return target;

  struct stat here {};
  struct stat there {};
  const std::string parent = slash == 0 ? "/" : target.substr(0, slash);
  const bool same = ::fstat(folder, &here) == 0 && ::fstatat(folder, parent.c_str(), &there, 0) == 0 &&
                    here.st_dev == there.st_dev && here.st_ino == there.st_ino;
  if (!same) {
    return file_error(file, "is a link out of its folder, to " + target,
                      "copy the file into the folder, or name its own folder under [plugins] directory");
  }
  return target.substr(slash + 1);
}

// Opens a regular file by its name in the folder. The kind is looked at first, because opening a device can act.
Result<UniqueFd> open_regular(int folder, std::string name, const std::filesystem::path& file) {
  for (int hop = 0; hop < kLinkHopsMax; ++hop) {
    if (name.empty() || name == "." || name == "..") return file_error(file, "is a link out of its folder");
    struct stat before {};
    if (::fstatat(folder, name.c_str(), &before, AT_SYMLINK_NOFOLLOW) != 0) {
      const int error = errno;
      if (error == ENOENT) return file_error(file, hop == 0 ? "does not exist" : "is a link to nothing");
      return file_error(file, "cannot be looked at: " + errno_text(error));
    }
    if (S_ISLNK(before.st_mode)) {
      Result<std::string> next = follow_link(folder, name, file);
      if (!next) return next.error();
      name = std::move(*next);
      continue;
    }
    if (!S_ISREG(before.st_mode)) return file_error(file, std::string("is ") + kind_of(before.st_mode) + ", not a file");
    UniqueFd fd(::openat(folder, name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    if (!fd) {
      const int error = errno;
      return file_error(file, "cannot be read: " + errno_text(error),
                        error == EACCES ? "chmod u+r " + file.string() + ", or let the host's user own it" : "");
    }
    struct stat after {};
    if (::fstat(fd.get(), &after) != 0) return file_error(file, "cannot be looked at: " + errno_text(errno));
    if (after.st_dev != before.st_dev || after.st_ino != before.st_ino) {
      return file_error(file, "was replaced while it was opened", "it is looked at again when it has settled");
    }
    return fd;
  }
  return file_error(file, "is a link that goes in a circle");
}

}  // namespace

std::string errno_text(int error) { return std::generic_category().message(error); }

Result<FileIdentity> file_identity(int fd) {
  struct stat info {};
  if (::fstat(fd, &info) != 0) return make_error(NEXUS_E_IO, "cannot look at an open file: " + errno_text(errno));
  return identity_of(info);
}

Result<FileIdentity> file_identity(const std::filesystem::path& file) {
  struct stat info {};
  if (::stat(file.c_str(), &info) != 0) {
    const int error = errno;
    return file_error(file, error == ENOENT ? "does not exist" : "cannot be looked at: " + errno_text(error));
  }
  return identity_of(info);
}

Result<OpenedFile> open_trusted_file(const std::filesystem::path& file, const FilePolicy& policy) {
  const std::filesystem::path parent = file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
  UniqueFd folder(::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder) {
    const int error = errno;
    return file_error(file, error == ENOENT ? "does not exist" : "is out of reach: " + errno_text(error));
  }
  struct stat info {};
  if (::fstat(folder.get(), &info) != 0) return file_error(file, "is out of reach: " + errno_text(errno));
  if (!policy.unsafe_permissions) {
    if (Result<void> trusted = check_trusted(parent, info); !trusted) return trusted.error();
  }

  Result<UniqueFd> fd = open_regular(folder.get(), file.filename().string(), file);
  if (!fd) return fd.error();
  if (::fstat(fd->get(), &info) != 0) return file_error(file, "cannot be looked at: " + errno_text(errno));
  if (!S_ISREG(info.st_mode)) return file_error(file, std::string("is ") + kind_of(info.st_mode) + ", not a file");
  if (!policy.unsafe_permissions) {
    if (Result<void> trusted = check_trusted(file, info); !trusted) return trusted.error();
  }
  if (info.st_size == 0) {
    return make_error(NEXUS_E_LOAD_FORMAT, file.string() + " is empty", "it is looked at again when it has content");
  }
  if (static_cast<uint64_t>(info.st_size) > policy.size_max) {
    return file_error(file, "has " + std::to_string(info.st_size) + " bytes, over the limit of " +
                                std::to_string(policy.size_max));
  }
  return OpenedFile{std::move(*fd), identity_of(info)};
}

}  // namespace nexus::host::os
