#include "host/base/os/folder_watch.hpp"

#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <optional>
#include <set>

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>

#include "host/base/os/file_check.hpp"

namespace nexus::host::os {
namespace {

namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;

// MODIFY tells that somebody is still writing; CREATE alone is a hard link or a symbolic one; ATTRIB a chmod.
constexpr uint32_t kMask = IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_CREATE | IN_MODIFY | IN_ATTRIB |
                           IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;

struct Folder {
  std::filesystem::path path;
  int watch = -1;
  uint64_t device = 0;
  uint64_t inode = 0;
  bool reported_missing = false;
};

}  // namespace

class FolderWatch::Impl : public std::enable_shared_from_this<FolderWatch::Impl> {
 public:
  Impl(const asio::any_io_executor& io, UniqueFd notify, std::vector<std::filesystem::path> folders, Accept accept,
       Sink sink, const FolderWatchOptions& options)
      : strand_(asio::make_strand(io)),
        notify_(strand_, notify.release()),
        settle_timer_(strand_),
        check_timer_(strand_),
        accept_(std::move(accept)),
        sink_(std::move(sink)),
        options_(options) {
    for (std::filesystem::path& path : folders) folders_.push_back({std::move(path)});
  }

  void start() {
    asio::post(strand_, [self = shared_from_this()] {
      if (self->closed_) return;
      self->everything_ = true;
      self->check_folders();
      self->wait();
      self->flush();
    });
  }

  void close() {
    closed_ = true;
    asio::post(strand_, [self = shared_from_this()] {
      self->settle_timer_.cancel();
      self->check_timer_.cancel();
      boost::system::error_code ignored;
      self->notify_.close(ignored);
    });
  }

 private:
  void wait() {
    notify_.async_wait(asio::posix::stream_descriptor::wait_read,
                       [self = shared_from_this()](boost::system::error_code error) {
                         if (error || self->closed_) return;
                         self->read_events();
                         self->wait();
                       });
  }

  void read_events() {
    alignas(inotify_event) std::array<char, 16384> buffer;
    for (;;) {
      const ssize_t got = ::read(notify_.native_handle(), buffer.data(), buffer.size());
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) break;
      for (size_t at = 0; at < static_cast<size_t>(got);) {
        const auto* event = reinterpret_cast<const inotify_event*>(buffer.data() + at);
        take(*event, event->len > 0 ? std::string_view(event->name) : std::string_view());
        at += sizeof(inotify_event) + event->len;
      }
    }
  }

  void take(const inotify_event& event, std::string_view name) {
    if ((event.mask & IN_Q_OVERFLOW) != 0) {
      busy_.clear();
      everything_ = true;
      return settle();
    }
    Folder* folder = nullptr;
    for (Folder& known : folders_) {
      if (known.watch == event.wd) folder = &known;
    }
    if (folder == nullptr) return;
    if ((event.mask & (IN_IGNORED | IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT)) != 0) {
      if ((event.mask & IN_IGNORED) == 0) ::inotify_rm_watch(notify_.native_handle(), folder->watch);
      folder->watch = -1;
      busy_.clear();
      check_folders();
      return;
    }
    if (name.empty() || !accept_(name)) return;
    const std::filesystem::path file = folder->path / name;
    if ((event.mask & IN_MODIFY) != 0 || ((event.mask & IN_CREATE) != 0 && is_empty(file))) {
      busy_.insert(file);
    } else if ((event.mask & (IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE)) != 0) {
      busy_.erase(file);
    }
    changed_.insert(file);
    settle();
  }

  // Just created by somebody who is going to write to it; a link to a finished file is not empty.
  static bool is_empty(const std::filesystem::path& file) {
    struct stat info {};
    return ::lstat(file.c_str(), &info) == 0 && S_ISREG(info.st_mode) && info.st_size == 0;
  }

  // Watches what is not watched, or is no longer what its name means; then comes again later.
  void check_folders() {
    for (Folder& folder : folders_) {
      struct stat info {};
      const bool there = ::stat(folder.path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
      const bool same = there && folder.watch >= 0 && folder.device == static_cast<uint64_t>(info.st_dev) &&
                        folder.inode == static_cast<uint64_t>(info.st_ino);
      if (same) continue;
      if (folder.watch >= 0) ::inotify_rm_watch(notify_.native_handle(), folder.watch);
      folder.watch = there ? ::inotify_add_watch(notify_.native_handle(), folder.path.c_str(), kMask) : -1;
      if (folder.watch < 0) {
        if (!folder.reported_missing) missing_.insert(folder.path);
        if (!folder.reported_missing) settle();
        folder.reported_missing = true;
        continue;
      }
      folder.device = static_cast<uint64_t>(info.st_dev);
      folder.inode = static_cast<uint64_t>(info.st_ino);
      folder.reported_missing = false;
      missing_.erase(folder.path);
      everything_ = true;
      settle();
    }
    check_timer_.expires_after(options_.check);
    check_timer_.async_wait([self = shared_from_this()](boost::system::error_code error) {
      if (!error && !self->closed_) self->check_folders();
    });
  }

  void settle() {
    const Clock::time_point now = Clock::now();
    if (!first_event_) first_event_ = now;
    const Clock::time_point due = std::min(now + options_.settle, *first_event_ + options_.settle_max);
    settle_timer_.expires_at(due);
    settle_timer_.async_wait([self = shared_from_this()](boost::system::error_code error) {
      if (!error && !self->closed_) self->flush();
    });
  }

  void flush() {
    first_event_.reset();
    FolderChanges out;
    out.everything = std::exchange(everything_, false);
    out.busy.assign(busy_.begin(), busy_.end());
    out.missing.assign(missing_.begin(), missing_.end());
    missing_.clear();
    std::set<std::filesystem::path> later;
    for (const std::filesystem::path& file : changed_) {
      if (busy_.contains(file)) {
        later.insert(file);
      } else {
        out.files.push_back(file);
      }
    }
    changed_ = std::move(later);
    if (!out.everything && out.files.empty() && out.missing.empty()) return;
    sink_(std::move(out));
  }

  asio::strand<asio::any_io_executor> strand_;
  asio::posix::stream_descriptor notify_;
  asio::steady_timer settle_timer_;
  asio::steady_timer check_timer_;
  Accept accept_;
  Sink sink_;
  FolderWatchOptions options_;
  std::vector<Folder> folders_;
  std::set<std::filesystem::path> changed_;
  std::set<std::filesystem::path> busy_;
  std::set<std::filesystem::path> missing_;
  std::optional<Clock::time_point> first_event_;
  bool everything_ = false;
  std::atomic<bool> closed_{false};
};

FolderWatch::FolderWatch(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

FolderWatch::~FolderWatch() { impl_->close(); }

Result<std::unique_ptr<FolderWatch>> FolderWatch::open(const boost::asio::any_io_executor& io,
                                                       std::vector<std::filesystem::path> folders, Accept accept,
                                                       Sink sink, const FolderWatchOptions& options) {
  UniqueFd notify(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  if (!notify) {
    const int error = errno;
    return make_error(NEXUS_E_IO, "cannot watch the plugin folders: " + errno_text(error),
                      error == EMFILE ? "raise fs.inotify.max_user_instances, or set watch = false under [plugins]" : "");
  }
  auto impl = std::make_shared<Impl>(io, std::move(notify), std::move(folders), std::move(accept), std::move(sink), options);
  impl->start();
  return std::unique_ptr<FolderWatch>(new FolderWatch(std::move(impl)));
}

}  // namespace nexus::host::os
