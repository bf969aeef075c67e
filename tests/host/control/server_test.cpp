#include "host/control/server.hpp"

#include <catch2/catch_test_macros.hpp>

#include <sys/socket.h>

#include <atomic>
#include <future>
#include <set>
#include <thread>

#include "host/control/client.hpp"
#include "tests/host/control/result_text.hpp"
#include "tests/host/control/temporary_folder.hpp"

namespace nexus::host {
namespace {

using cbor::Value;
using std::chrono::milliseconds;
constexpr milliseconds kLong{60'000};

struct EchoParams {
  std::string text;
};
NEXUS_STRUCT(EchoParams, text)

// A stream that a test feeds by hand.
struct Feed {
  std::promise<std::shared_ptr<StreamSink>> sink;
  std::promise<void> closed;
};
class FeedStream final : public Stream {
 public:
  explicit FeedStream(Feed& feed) : feed_(feed) {}
  ~FeedStream() override { feed_.closed.set_value(); }

 private:
  Feed& feed_;
};

struct Rig {
  TemporaryFolder folder;
  ControlThread thread;
  Surface surface{thread};
  std::promise<void> release;
  std::shared_future<void> released{release.get_future().share()};
  std::atomic<int> waiting{0};
  Feed feed;
  std::unique_ptr<Server> server;

  explicit Rig(ServerOptions options = {}) {
    surface.add_typed<EchoParams, EchoParams>(
        {"echo", "Says it again.", Scope::read, RunsOn::caller},
        [](const Caller&, const EchoParams& params) -> Result<EchoParams> { return params; });
    surface.add_typed<control::NoParams, control::Done>(
        {"wait", "Waits.", Scope::read, RunsOn::caller},
        [this](const Caller&, const control::NoParams&) -> Result<control::Done> {
          ++waiting;
          released.wait();
          return control::Done{};
        });
    surface.add_stream<control::NoParams, control::Done>(
        {"feed", "What the test feeds.", Scope::read, RunsOn::caller},
        [this](const Caller&, const control::NoParams&,
               std::shared_ptr<StreamSink> sink) -> Result<std::unique_ptr<Stream>> {
          feed.sink.set_value(std::move(sink));
          return std::unique_ptr<Stream>(new FeedStream(feed));
        });
    options.socket = folder / "n.sock";
    auto opened = Server::open(surface, std::move(options));
    if (!opened) throw std::runtime_error(opened.error().message);
    server = std::move(opened.value());
  }

  Client connect() {
    auto client = Client::connect(server->path());
    if (!client) throw std::runtime_error(client.error().message);
    return std::move(client.value());
  }
};

std::string echoed(Client& client, const std::string& text) {
  const auto answer = client.call("echo", {{"text", text}});
  return answer ? answer->at("text").get<std::string>() : answer.error().message;
}

HostFrame receive(Client& client) {
  auto frame = client.receive(kLong);
  if (!frame) throw std::runtime_error(frame.error().message);
  return std::move(frame.value());
}

void send_body(Client& client, std::span<const uint8_t> body) {
  cbor::Buffer out;
  const size_t begin = begin_frame(out);
  out.append(body.data(), body.size());
  end_frame(out, begin);
  if (!client.send_bytes(out.bytes())) throw std::runtime_error("cannot send");
}

const uint8_t kItem[] = {0xa0};

TEST_CASE("calls over the socket are answered, one after the other and side by side") {
  Rig rig;
  Client one = rig.connect(), two = rig.connect();
  for (int i = 0; i < 50; ++i) {
    CHECK(echoed(one, "one " + std::to_string(i)) == "one " + std::to_string(i));
    CHECK(echoed(two, "two") == "two");
  }
  CHECK(rig.server->stats().accepted == 2);
}

TEST_CASE("requests may be sent ahead; answers come in order") {
  Rig rig;
  Client client = rig.connect();
  constexpr uint64_t kCount = 500;  // many more than the host lets wait
  std::thread sender([&] {
    for (uint64_t i = 0; i < kCount; ++i) {
      const Bytes params = Value{{"text", std::to_string(i)}}.encode();
      if (!client.send("echo", params)) std::abort();
    }
  });
  for (uint64_t i = 0; i < kCount; ++i) {
    const HostFrame frame = receive(client);
    REQUIRE(frame.id == i + 1);
    REQUIRE(frame.kind == HostFrame::Kind::result);
  }
  sender.join();
}

TEST_CASE("a call that blocks holds up its own connection only") {
  Rig rig;
  std::vector<Client> blocked;
  for (int i = 0; i < 8; ++i) {
    blocked.push_back(rig.connect());
    REQUIRE(blocked.back().send("wait", {}));
  }
  while (rig.waiting < 8) std::this_thread::yield();
  Client free = rig.connect();
  CHECK(echoed(free, "hello") == "hello");
  rig.release.set_value();
  for (Client& client : blocked) CHECK(receive(client).kind == HostFrame::Kind::result);
}

TEST_CASE("bad frames get an error, and the connection goes on") {
  Rig rig;
  Client client = rig.connect();
  const auto error_for = [&](std::span<const uint8_t> body) {
    send_body(client, body);
    const HostFrame frame = receive(client);
    REQUIRE(frame.kind == HostFrame::Kind::error);
    return frame.error.code;
  };
  const uint8_t garbage[] = {0xff, 0x00, 0x61};
  CHECK(error_for(garbage) == NEXUS_E_CBOR);
  CHECK(error_for({}) == NEXUS_E_CBOR);
  CHECK(error_for(Value::array({1}).encode()) == NEXUS_E_SCHEMA);
  CHECK(error_for(Value{{"id", 1}, {"method", "no.such"}}.encode()) == NEXUS_E_UNKNOWN);
  CHECK(error_for(Value{{"id", 1}, {"method", "echo"}, {"params", 5}}.encode()) == NEXUS_E_SCHEMA);
  std::vector<uint8_t> deep(1000, 0x81);
  deep.push_back(0x01);
  CHECK(error_for(deep) == NEXUS_E_CBOR);
  CHECK(echoed(client, "still here") == "still here");
}

TEST_CASE("a forged length is answered and the connection closed, the host unmoved") {
  Rig rig;
  Client client = rig.connect();
  const uint8_t forged[] = {0xff, 0xff, 0xff, 0xff, 0x00};
  REQUIRE(client.send_bytes(forged));
  const HostFrame frame = receive(client);
  CHECK(frame.kind == HostFrame::Kind::error);
  CHECK(frame.error.code == NEXUS_E_TOO_LARGE);
  const auto gone = client.receive(kLong);
  REQUIRE_FALSE(gone);
  CHECK(gone.error().code == NEXUS_E_IO);
  Client other = rig.connect();
  CHECK(echoed(other, "fine") == "fine");
}

TEST_CASE("a peer that vanishes in the middle of a frame is forgotten") {
  Rig rig;
  {
    Client client = rig.connect();
    const uint8_t half[] = {0x00, 0x00, 0x10, 0x00, 0xa2};
    REQUIRE(client.send_bytes(half));
    while (rig.server->stats().connections != 1) std::this_thread::yield();
  }
  while (rig.server->stats().connections != 0) std::this_thread::yield();
}

TEST_CASE("a peer that closes its side still gets the answers it asked for") {
  Rig rig;
  Client client = rig.connect();
  for (int i = 0; i < 5; ++i) REQUIRE(client.send("echo", Value{{"text", "x"}}.encode()));
  ::shutdown(client.descriptor(), SHUT_WR);
  for (int i = 0; i < 5; ++i) CHECK(receive(client).kind == HostFrame::Kind::result);
  CHECK(client.receive(kLong).error().code == NEXUS_E_IO);
}

TEST_CASE("connections beyond the limit are told so") {
  ServerOptions options;
  options.connections_max = 2;
  Rig rig(std::move(options));
  Client one = rig.connect(), two = rig.connect();
  CHECK(echoed(one, "1") == "1");
  CHECK(echoed(two, "2") == "2");
  Client three = rig.connect();
  const auto refused = three.call("echo", {{"text", "3"}});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == NEXUS_E_TOO_LARGE);
  CHECK(refused.error().message.find("at most 2") != std::string::npos);
  CHECK(rig.server->stats().refused == 1);
  CHECK(echoed(one, "again") == "again");
}

TEST_CASE("a stream gives its answer first, then items, and ends when it says so") {
  Rig rig;
  Client client = rig.connect();
  const auto id = client.send("feed", {});
  const auto sink = rig.feed.sink.get_future().get();
  for (int i = 0; i < 3; ++i) CHECK(sink->item(kItem));
  sink->end();
  CHECK(receive(client).kind == HostFrame::Kind::result);
  for (int i = 0; i < 3; ++i) {
    const HostFrame frame = receive(client);
    CHECK(frame.kind == HostFrame::Kind::item);
    CHECK(frame.id == id.value());
  }
  CHECK(receive(client).kind == HostFrame::Kind::end);
  rig.feed.closed.get_future().wait();
  CHECK_FALSE(sink->item(kItem));
  CHECK(echoed(client, "after") == "after");
}

TEST_CASE("a stream that fails says why, before its answer or after, and the connection goes on") {
  const Error why = make_error(NEXUS_E_TIMEOUT, "no answer came in time");
  for (const bool early : {true, false}) {
    Rig rig;
    Client client = rig.connect();
    const auto id = client.send("feed", {});
    if (!early) CHECK(receive(client).kind == HostFrame::Kind::result);
    const auto sink = rig.feed.sink.get_future().get();
    CHECK(sink->item(kItem));
    sink->fail(why);
    sink->end();  // it has ended already
    if (early) CHECK(receive(client).kind == HostFrame::Kind::result);
    CHECK(receive(client).kind == HostFrame::Kind::item);
    const HostFrame failure = receive(client);
    REQUIRE(failure.kind == HostFrame::Kind::error);
    CHECK(failure.id == id.value());
    CHECK(failure.error.code == NEXUS_E_TIMEOUT);
    CHECK(failure.error.message == "no answer came in time");
    rig.feed.closed.get_future().wait();
    CHECK(echoed(client, "after") == "after");
  }
}

TEST_CASE("a stream is closed by cancel, and calls go on beside it") {
  Rig rig;
  Client client = rig.connect();
  const auto id = client.send("feed", {});
  CHECK(receive(client).kind == HostFrame::Kind::result);
  CHECK(echoed(client, "beside") == "beside");
  cbor::Buffer cancel;
  write_cancel(cancel, id.value());
  REQUIRE(client.send_bytes(cancel.bytes()));
  rig.feed.closed.get_future().wait();
  CHECK(echoed(client, "after") == "after");
}

TEST_CASE("a stream ends with its connection") {
  Rig rig;
  {
    Client client = rig.connect();
    REQUIRE(client.send("feed", {}));
    CHECK(receive(client).kind == HostFrame::Kind::result);
  }
  rig.feed.closed.get_future().wait();
}

TEST_CASE("a reader that is too slow loses items, is told how many, and holds nobody up") {
  ServerOptions options;
  options.limits.outgoing_bytes_max = 64 * 1024;
  Rig rig(std::move(options));
  Client client = rig.connect();
  REQUIRE(client.send("feed", {}));
  CHECK(receive(client).kind == HostFrame::Kind::result);
  const auto sink = rig.feed.sink.get_future().get();
  const Bytes item = Value(std::string(1000, 'x')).encode();
  constexpr uint64_t kItems = 5000;  // far more than the socket and the queue take
  uint64_t taken = 0;
  for (uint64_t i = 0; i < kItems; ++i) taken += sink->item(item) ? 1 : 0;
  CHECK(taken < kItems);
  CHECK(taken >= 60);  // what the queue alone holds; how much has left it by now is the scheduler's affair
  uint64_t items = 0, dropped = 0;
  while (items + dropped < kItems) {
    const HostFrame frame = receive(client);
    if (frame.kind == HostFrame::Kind::item) ++items;
    if (frame.kind == HostFrame::Kind::dropped) dropped += frame.dropped;
  }
  CHECK(items == taken);
  CHECK(items + dropped == kItems);
  // There is room again, as soon as the server has heard that its last write is done.
  while (!sink->item(item)) std::this_thread::yield();
}

TEST_CASE("a client that does not read its answers is not answered further, and others are") {
  ServerOptions options;
  options.limits.outgoing_bytes_max = 64 * 1024;
  Rig rig(std::move(options));
  Client greedy = rig.connect();
  const Bytes params = Value{{"text", std::string(60'000, 'x')}}.encode();
  std::thread sender([&] {
    for (int i = 0; i < 200; ++i)
      if (!greedy.send("echo", params)) return;
  });
  Client other = rig.connect();
  for (int i = 0; i < 20; ++i) CHECK(echoed(other, "ok") == "ok");
  for (int i = 0; i < 200; ++i) REQUIRE(receive(greedy).kind == HostFrame::Kind::result);
  sender.join();
}

TEST_CASE("stop answers what runs and closes streams") {
  Rig rig;
  Client calling = rig.connect(), streaming = rig.connect();
  REQUIRE(streaming.send("feed", {}));
  CHECK(receive(streaming).kind == HostFrame::Kind::result);
  REQUIRE(calling.send("wait", {}));
  while (rig.waiting == 0) std::this_thread::yield();
  std::thread stopping([&] { rig.server->stop(kLong); });
  rig.feed.closed.get_future().wait();
  rig.release.set_value();
  CHECK(receive(calling).kind == HostFrame::Kind::result);
  CHECK_FALSE(calling.receive(kLong));
  stopping.join();
  CHECK_FALSE(Client::connect(rig.server->path()));
}

TEST_CASE("stop does not wait for ever for a call, only for its end") {
  Rig rig;
  Client client = rig.connect();
  REQUIRE(client.send("wait", {}));
  while (rig.waiting == 0) std::this_thread::yield();
  std::thread stopping([&] { rig.server->stop(milliseconds(1)); });
  CHECK_FALSE(client.receive(kLong));  // closed although the call runs
  rig.release.set_value();
  stopping.join();
}

}  // namespace
}  // namespace nexus::host
