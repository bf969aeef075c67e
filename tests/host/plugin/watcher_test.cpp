// Folders that change while they are watched. Nothing here sleeps: each step waits for the condition that it is about.
#include "host/plugin/watcher.hpp"

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <catch2/catch_test_macros.hpp>

#include "host/plugin/file_table.hpp"
#include "tests/host/plugin/manager_rig.hpp"

using namespace nexus::host;
using namespace nexus::host::test;

namespace {

constexpr auto kPatience = std::chrono::seconds(30);

const os::FolderWatchOptions kQuick{std::chrono::milliseconds(10), std::chrono::milliseconds(100),
                                    std::chrono::milliseconds(20)};

// An I/O context on a thread of its own, and the queue that stands for the control thread: the test's.
struct Loop {
  Loop() : work(boost::asio::make_work_guard(io)), thread([this] { io.run(); }) {}
  ~Loop() {
    work.reset();
    io.stop();
    thread.join();
  }

  ControlPost post() {
    return [this](std::function<void()> task) {
      const std::lock_guard lock(mutex);
      tasks.push_back(std::move(task));
      ready.notify_one();
    };
  }

  // Runs what is posted until the condition holds; false when that takes too long.
  bool run_until(const std::function<bool()>& condition) {
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (!condition()) {
      std::unique_lock lock(mutex);
      if (!ready.wait_until(lock, deadline, [&] { return !tasks.empty(); })) return false;
      const std::function<void()> task = std::move(tasks.front());
      tasks.pop_front();
      lock.unlock();
      task();
    }
    return true;
  }

  boost::asio::io_context io;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work;
  std::mutex mutex;
  std::condition_variable ready;
  std::deque<std::function<void()>> tasks;
  std::thread thread;
};

struct WatchRig : ManagerRig {
  WatchRig() {
    auto opened = PluginWatcher::open(manager(), loop.io.get_executor(), loop.post(),
                                      [this](const ScanReport&) { ++scans; }, kQuick);
    REQUIRE(opened.has_value());
    watcher = std::move(*opened);
    REQUIRE(loop.run_until([&] { return scans > 0; }));
  }
  bool until(const std::string& id, const std::string& wanted) {
    return loop.run_until([&] { return state(id) == wanted; });
  }
  bool until_version(const std::string& wanted) {
    return loop.run_until([&] { return version("com.test.good") == wanted; });
  }

  int scans = 0;
  Loop loop;
  std::unique_ptr<PluginWatcher> watcher;
};

}  // namespace

TEST_CASE("a file is dropped, replaced and removed while the host runs") {
  WatchRig rig;
  rig.folder.put("good", "x.so");
  CHECK(rig.until("com.test.good", "running"));
  rig.folder.put("good_1_1", "x.so");
  CHECK(rig.until_version("1.1.0"));
  fs::remove(rig.folder.plugins() / "x.so");
  CHECK(rig.until("com.test.good", "absent"));
}

TEST_CASE("files are seen however they arrive") {
  WatchRig rig;
  const fs::path plugins = rig.folder.plugins();
  fs::copy_file(specimen("good"), plugins / "copied.so");
  CHECK(rig.until("com.test.good", "running"));

  fs::copy_file(specimen("other"), rig.folder.path() / "other");
  fs::create_hard_link(rig.folder.path() / "other", plugins / "linked.so");
  CHECK(rig.until("com.test.other", "running"));

  fs::copy_file(specimen("provider"), plugins / "provider.so.1");
  fs::create_symlink("provider.so.1", plugins / "symlink.so");
  CHECK(rig.until("com.test.provider", "running"));
  // What the link leads to is replaced by a plugin of another id.
  fs::copy_file(specimen("uses_nobody"), rig.folder.path() / "provider.1");
  fs::rename(rig.folder.path() / "provider.1", plugins / "provider.so.1");
  CHECK(rig.until("com.test.alone", "running"));

  // Overwritten in place: truncated and written again, as cp does.
  fs::copy_file(specimen("good_1_1"), plugins / "copied.so", fs::copy_options::overwrite_existing);
  CHECK(rig.until_version("1.1.0"));

  // Moved away and back.
  fs::rename(plugins / "copied.so", rig.folder.path() / "aside");
  CHECK(rig.until("com.test.good", "absent"));
  fs::rename(rig.folder.path() / "aside", plugins / "copied.so");
  CHECK(rig.until("com.test.good", "running"));
}

TEST_CASE("a file that is written slowly is not looked at before it is closed") {
  WatchRig rig;
  const std::string bytes = read_file(specimen("good"));
  const fs::path file = rig.folder.plugins() / "slow.so";
  {
    std::ofstream out(file, std::ios::binary);
    out << bytes.substr(0, bytes.size() / 2) << std::flush;
    // Another file makes a scan of everything that is settled come and go meanwhile.
    rig.folder.put("other");
    CHECK(rig.until("com.test.other", "running"));
    CHECK_FALSE(rig.journal.has("slow.so"));
    out << bytes.substr(bytes.size() / 2);
  }
  CHECK(rig.until("com.test.good", "running"));
  CHECK_FALSE(rig.journal.has("error"));
}

TEST_CASE("rights that are mended are noticed") {
  WatchRig rig;
  const fs::path file = rig.folder.path() / "open";
  fs::copy_file(specimen("good"), file);
  ::chmod(file.c_str(), 0666);
  fs::rename(file, rig.folder.plugins() / "open.so");
  CHECK(rig.loop.run_until([&] { return rig.journal.has("load_permissions"); }));
  ::chmod((rig.folder.plugins() / "open.so").c_str(), 0644);
  CHECK(rig.until("com.test.good", "running"));
}

TEST_CASE("a folder that vanishes stops nothing, and is watched again when it is back") {
  WatchRig rig;
  const fs::path plugins = rig.folder.plugins();
  rig.folder.put("good", "x.so");
  CHECK(rig.until("com.test.good", "running"));
  const int scans = rig.scans;
  fs::rename(plugins, rig.folder.path() / "away");
  CHECK(rig.loop.run_until([&] { return rig.scans > scans; }));
  CHECK(rig.state("com.test.good") == "running");

  // The usual way to replace a whole folder.
  const fs::path next = rig.folder.path() / "next";
  fs::create_directory(next);
  ::chmod(next.c_str(), 0755);
  fs::copy_file(specimen("good_1_1"), next / "x.so");
  fs::rename(next, plugins);
  CHECK(rig.until_version("1.1.0"));
  rig.folder.put("other");
  CHECK(rig.until("com.test.other", "running"));

  // Removed file by file, and the folder with it: those are removals.
  fs::remove_all(plugins);
  CHECK(rig.until("com.test.good", "absent"));
  CHECK(rig.until("com.test.other", "absent"));
}

TEST_CASE("a folder that is a link is followed when the link turns") {
  ManagerRig rig;
  for (const char* release : {"release1", "release2"}) {
    fs::create_directory(rig.folder.path() / release);
    ::chmod((rig.folder.path() / release).c_str(), 0755);
  }
  fs::copy_file(specimen("good"), rig.folder.path() / "release1" / "x.so");
  fs::copy_file(specimen("good_1_1"), rig.folder.path() / "release2" / "x.so");
  const fs::path current = rig.folder.path() / "current";
  fs::create_directory_symlink("release1", current);
  rig.options.folders = {current};
  Loop loop;
  auto watcher = PluginWatcher::open(rig.manager(), loop.io.get_executor(), loop.post(), {}, kQuick);
  REQUIRE(watcher.has_value());
  CHECK(loop.run_until([&] { return rig.version("com.test.good") == "1.0.0"; }));
  fs::create_directory_symlink("release2", rig.folder.path() / "turned");
  fs::rename(rig.folder.path() / "turned", current);
  CHECK(loop.run_until([&] { return rig.version("com.test.good") == "1.1.0"; }));
}

TEST_CASE("names that are no plugin's are not looked at") {
  CHECK(is_plugin_file_name("orders.so"));
  for (const char* name : {"", ".so", ".orders.so", "orders.so.1", "orders.so~", "orders.so.tmp", "orders", "readme.txt"}) {
    CHECK_FALSE(is_plugin_file_name(name));
  }
}

TEST_CASE("an overflow of the kernel's queue asks for everything") {
  // More changes than the queue holds (fs.inotify.max_queued_events), made while nobody reads it.
  uint64_t limit = 0;
  std::ifstream("/proc/sys/fs/inotify/max_queued_events") >> limit;
  if (limit == 0 || limit > 100'000) SKIP("the kernel's queue is too long to fill here");
  Folder folder;
  boost::asio::io_context io;
  int everything = 0;
  auto watch = os::FolderWatch::open(io.get_executor(), {folder.plugins()}, is_plugin_file_name,
                                     [&](os::FolderChanges changes) { everything += changes.everything ? 1 : 0; }, kQuick);
  REQUIRE(watch.has_value());
  while (everything == 0) io.run_one();
  const fs::path a = folder.plugins() / "a.so";
  const fs::path b = folder.plugins() / "b.so";
  folder.put_bytes("x", "a.so");
  for (uint64_t i = 0; i < limit; ++i) {
    fs::rename(a, b);
    fs::rename(b, a);
  }
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (everything < 2 && std::chrono::steady_clock::now() < deadline) io.run_one_for(std::chrono::milliseconds(50));
  CHECK(everything >= 2);
  watch->reset();
  while (io.run_one_for(std::chrono::milliseconds(0)) > 0) {
  }
}
