#include "host/base/os/child.hpp"

#include <signal.h>
#include <stdlib.h>

#include <fstream>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "tests/host/plugin/folder.hpp"
#include "tests/host/plugin/growing_limit.hpp"

using namespace nexus::host;
using namespace nexus::host::os;
using namespace nexus::host::test;

namespace {

ChildSpec shell(const std::string& script, std::chrono::milliseconds timeout = std::chrono::seconds(20)) {
  ChildSpec spec;
  spec.program = "/bin/sh";
  spec.arguments = {"-c", script};
  spec.timeout = timeout;
  return spec;
}

using End = ChildResult::End;

}  // namespace

TEST_CASE("a child's end is told, and its answer is kept") {
  ChildResult result = run_child(shell("echo answer >&3; echo noise; echo words >&2; exit 5"));
  CHECK(result.end == End::exited);
  CHECK(result.status == 5);
  CHECK(result.result == "answer\n");
  CHECK(result.errors == "words\n");
  CHECK(result.elapsed.count() > 0);

  result = run_child(shell("kill -SEGV $$"));
  CHECK(result.end == End::signalled);
  CHECK(result.status == SIGSEGV);
  CHECK(signal_text(result.status) == "SIGSEGV (Segmentation fault)");

  ChildSpec missing = shell("");
  missing.program = "/nonexistent/program";
  result = run_child(missing);
  CHECK(result.end == End::not_started);
  CHECK(result.error.code == NEXUS_E_IO);
  CHECK(result.error.message.find("No such file") != std::string::npos);
}

TEST_CASE("a child sees nothing of this process that it should not") {
  ::setenv("NEXUS_TEST_SECRET", "hunter2", 1);
  ::setenv("LC_NEXUS_TEST", "kept", 1);
  const ChildResult result = run_child(shell("env >&3; ls /proc/self/fd >&3; cat >&3; readlink /proc/self/fd/1 >&3"));
  ::unsetenv("NEXUS_TEST_SECRET");
  ::unsetenv("LC_NEXUS_TEST");
  CHECK(result.result.find("hunter2") == std::string::npos);
  CHECK(result.result.find("LC_NEXUS_TEST=kept") != std::string::npos);
  CHECK(result.result.find("PATH=") != std::string::npos);
  // 0 to 3, and the one that ls itself reads the folder by.
  CHECK(result.result.find("\n0\n1\n2\n3\n4\n") != std::string::npos);
  CHECK(result.result.find("\n5\n") == std::string::npos);
}

TEST_CASE("a child that takes too long is ended with all that it started") {
  Folder folder;
  const fs::path pids = folder.path() / "pids";
  with_growing_limit(std::chrono::milliseconds(1500), [&](std::chrono::milliseconds limit) {
    fs::remove(pids);
    const ChildResult result =
        run_child(shell("sh -c 'echo $$ >> " + pids.string() + "; exec sleep 1000' & echo $$ >> " + pids.string() +
                            "; while [ $(wc -l < " + pids.string() + ") -lt 2 ]; do :; done; echo begun >&3; wait",
                        limit));
    CHECK(result.end == End::timed_out);
    return result.result == "begun\n";
  });
  // Both have been sent SIGKILL. Whether their new parent reaps them is not ours to wait for, that they die is.
  auto is_dead = [](pid_t pid) {
    const std::string status = read_file("/proc/" + std::to_string(pid) + "/stat");
    return status.empty() || status.find(") Z ") != std::string::npos || status.find(") X ") != std::string::npos;
  };
  const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  std::ifstream in(pids);
  int count = 0;
  for (pid_t pid = 0; in >> pid; ++count) {
    while (!is_dead(pid) && std::chrono::steady_clock::now() < patience) std::this_thread::yield();
    CHECK(is_dead(pid));
  }
  CHECK(count == 2);
}

TEST_CASE("what a child leaves behind is ended with it, and does not hold the result up") {
  const ChildResult result = run_child(shell("sleep 1000 >&3 & echo done >&3"));
  CHECK(result.end == End::exited);
  CHECK(result.result == "done\n");
  CHECK(result.elapsed < std::chrono::seconds(15));
}

TEST_CASE("an endless answer ends the child, endless noise does not") {
  ChildSpec spec = shell("while :; do echo 0123456789012345678901234567890123456789 >&3; done");
  spec.result_bytes_max = 1000;
  ChildResult result = run_child(spec);
  CHECK(result.end == End::too_much);
  CHECK(result.result.size() < 100'000);

  result = run_child(shell("i=0; while [ $i -lt 5000 ]; do echo 0123456789012345678901234567890123456789 >&2; i=$((i+1)); "
                           "done; echo last words >&2; echo ok >&3"));
  CHECK(result.end == End::exited);
  CHECK(result.result == "ok\n");
  CHECK(result.errors.size() <= 4096);
  CHECK(result.errors.find("last words") != std::string::npos);
}

TEST_CASE("many children run side by side, each ends by its own time") {
  std::vector<ChildSpec> specs;
  for (int i = 0; i < 20; ++i) specs.push_back(shell("echo " + std::to_string(i) + " >&3"));
  specs[7] = shell("exec sleep 1000", std::chrono::milliseconds(200));
  std::vector<ChildResult> results(specs.size());
  std::set<size_t> seen;
  run_children(specs, 4, [&](size_t index, ChildResult result) {
    CHECK(seen.insert(index).second);
    results[index] = std::move(result);
  });
  CHECK(seen.size() == specs.size());
  for (size_t i = 0; i < results.size(); ++i) {
    if (i == 7) {
      CHECK(results[i].end == End::timed_out);
    } else {
      CHECK(results[i].result == std::to_string(i) + "\n");
    }
  }
}

TEST_CASE("a child that somebody else reaps is no endless wait") {
  struct sigaction ignore {};
  struct sigaction before {};
  ignore.sa_handler = SIG_IGN;
  REQUIRE(::sigaction(SIGCHLD, &ignore, &before) == 0);
  const ChildResult result = run_child(shell("echo gone >&3"));
  ::sigaction(SIGCHLD, &before, nullptr);
  CHECK(result.end == End::not_started);
  CHECK(result.error.code == NEXUS_E_INTERNAL);
}
