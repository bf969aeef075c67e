// Any bytes as what a client sends: cut into frames, read, and called on a surface with a real bus behind it. Every
// frame is answered with well-formed CBOR or a sentence, and reading it piece by piece makes no difference.
#include <memory>
#include <vector>

#include "host/base/clock.hpp"
#include "host/bus/bus.hpp"
#include "host/control/event_methods.hpp"
#include "host/control/frame.hpp"
#include "host/control/host_methods.hpp"
#include "host/control/wire_event.hpp"
#include "host/event/name.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace nexus;
using namespace nexus::host;

namespace {

class Sink final : public StreamSink {
 public:
  bool item(std::span<const uint8_t>) override { return true; }
  void end() override {}
  void fail(const Error&) override {}
};

struct World {
  SystemClock clock;
  Registry metrics;
  ControlThread thread;
  std::unique_ptr<Bus> bus = Bus::create(options(), clock);
  Surface surface{thread};
  EventMethods events{*bus};

  World() {
    add_host_methods(surface, {*bus, metrics, {}, [] { return std::string_view("running"); }, [](std::string_view) {}});
    events.add_to(surface);
  }
  static BusOptions options() {
    BusOptions options;
    options.worker_count = 1;
    return options;
  }
  static World& instance() {
    static World& world = *new World;  // its threads must not outlive it at exit
    return world;
  }
};

void answer(const ClientFrame& request) {
  World& world = World::instance();
  cbor::Buffer out, frame;
  const Caller caller;
  if (const auto method = world.surface.find(request.method, caller); method && method.value()->open != nullptr) {
    const auto stream = world.surface.open(caller, request.method, request.params, std::make_shared<Sink>());
    FUZZ_CHECK(stream || !stream.error().message.empty());
    return;
  }
  const auto done = world.surface.call(caller, request.method, request.params, out);
  if (done) {
    FUZZ_CHECK(cbor::check(out.bytes()));
    write_answer(frame, request.id, out.bytes());
  } else {
    FUZZ_CHECK(out.empty());
    FUZZ_CHECK(!done.error().message.empty());
    write_failure(frame, request.id, done.error());
  }
  const auto back = read_host_frame(frame.bytes().subspan(kFrameHeadSize));
  FUZZ_CHECK(back.has_value());
  FUZZ_CHECK(back->id == request.id);
  FUZZ_CHECK((back->kind == HostFrame::Kind::error) == !done.has_value());
}

std::vector<std::vector<uint8_t>> cut(std::span<const uint8_t> input, size_t step) {
  FrameBuffer buffer(1 << 16);
  std::vector<std::vector<uint8_t>> frames;
  for (size_t at = 0; at < input.size(); at += step) {
    buffer.append(input.subspan(at, std::min(step, input.size() - at)));
    for (;;) {
      const auto next = buffer.next();
      if (!next) return frames;
      if (!next.value()) break;
      frames.emplace_back(next.value()->begin(), next.value()->end());
    }
  }
  return frames;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::span input(data, size);
  const auto frames = cut(input, size == 0 ? 1 : size);
  FUZZ_CHECK(cut(input, 1) == frames);
  for (const auto& bytes : frames) {
    ClientFrame request;
    if (const auto read = read_client_frame(bytes, request); !read) {
      FUZZ_CHECK(!read.error().message.empty());
      FUZZ_CHECK(is_utf8(read.error().message));
    } else if (!request.method.empty()) {
      answer(request);
    }
  }
  // The other direction: what a client makes of a host that has gone mad.
  static_cast<void>(read_host_frame(input));
  static_cast<void>(control::read_event(input));
  return 0;
}
