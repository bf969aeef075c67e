// The streams of the event methods: a tap, a wait, and the answer to a request. See event_methods.hpp.
#include <array>
#include <atomic>
#include <utility>

#include "host/control/event_methods.hpp"
#include "host/control/wire_event.hpp"

namespace nexus::host {
namespace {

using control::RequestParams;
using control::SubscribeParams;
using control::WaitParams;

constexpr size_t kSentenceMax = 512;
constexpr int64_t kTimeoutMsMax = 3'600'000;

// What a tap's handler works on.
struct TapState {
  std::shared_ptr<StreamSink> sink;
  bool headers_only = false;
  uint64_t left = 0;  // events still to come when `counted`; only the handler touches it
  bool counted = false;
  bool done = false;

  // For the mailbox of the tap, where nothing else of it runs at the same time.
  void end() {
    done = true;
    sink->end();
  }
};

int32_t on_event(void* user, const nexus_delivery* delivery, nexus_outcome*) {
  auto& state = *static_cast<TapState*>(user);
  if (state.done) return NEXUS_DONE;
  thread_local cbor::Buffer buffer;
  buffer.clear();
  control::write_event(buffer, *delivery->event, state.headers_only);
  if (!state.sink->item(buffer.bytes()) || !state.counted) return NEXUS_DONE;
  if (--state.left == 0) state.end();
  return NEXUS_DONE;
}

// Keeps the state until the mailbox comes to it: no handler that began before the unsubscribe still runs then.
class Release final : public Task {
 public:
  explicit Release(std::shared_ptr<TapState> state) : state_(std::move(state)) {}
  void run() noexcept override {}

 private:
  const std::shared_ptr<TapState> state_;
};

class TimeoutTask final : public Task {
 public:
  explicit TimeoutTask(std::shared_ptr<TapState> state) : state_(std::move(state)) {}
  void run() noexcept override {
    if (std::exchange(state_->done, true)) return;
    state_->sink->fail(make_error(NEXUS_E_TIMEOUT, "no event came in time"));
  }

 private:
  const std::shared_ptr<TapState> state_;
};

class Tap final : public Stream {
 public:
  Tap(Bus& bus, std::shared_ptr<Participant> participant, std::shared_ptr<TapState> state)
      : bus_(bus), participant_(std::move(participant)), state_(std::move(state)) {}
  ~Tap() override {
    if (timer_ != 0) static_cast<void>(bus_.timers().cancel(*participant_, timer_));
    if (subscription_ != 0) static_cast<void>(bus_.unsubscribe(*participant_, subscription_));
    static_cast<void>(bus_.post(*participant_, std::make_unique<Release>(std::move(state_))));
  }

  Result<void> begin(std::string_view pattern) {
    nexus_subscribe_options options{};
    options.size = sizeof options;
    auto subscribed = bus_.subscribe(*participant_, pattern, options, on_event, state_.get());
    if (!subscribed) return subscribed.error();
    subscription_ = subscribed.value();
    return {};
  }

  Result<void> limit(int64_t timeout_ms) {
    const int64_t due = bus_.clock().monotonic_ns() + timeout_ms * 1'000'000;
    auto timer = bus_.timers().add(participant_, due, std::make_unique<TimeoutTask>(state_));
    if (!timer) return timer.error();
    timer_ = timer.value();
    return {};
  }

 private:
  Bus& bus_;
  std::shared_ptr<Participant> participant_;
  std::shared_ptr<TapState> state_;
  nexus_handle subscription_ = 0;
  nexus_handle timer_ = 0;
};

// A question whose answer goes to a sink.
struct Question final : Waiter {
  std::shared_ptr<StreamSink> sink;
  std::string type;

  static void answered(void* user, int32_t code, const nexus_event* event) {
    auto& question = *static_cast<Question*>(user);
    if (event != nullptr) {
      cbor::Buffer buffer;
      control::write_event(buffer, *event, false);
      static_cast<void>(question.sink->item(buffer.bytes()));
      question.sink->end();
    } else if (code == NEXUS_E_UNKNOWN) {
      question.sink->fail(make_error(NEXUS_E_UNKNOWN, "nobody listens to " + question.type,
                                     "load a plugin that handles it; `nexus plugins info ID` lists handlers"));
    } else if (code == NEXUS_E_TIMEOUT) {
      question.sink->fail(make_error(NEXUS_E_TIMEOUT, "no reply to " + question.type + " came in time"));
    } else {
      question.sink->fail(make_error(code, "the request was ended"));
    }
  }
};

class Asking final : public Stream {
 public:
  Asking(Bus& bus, std::shared_ptr<Question> question) : bus_(bus), question_(std::move(question)) {}
  // Whoever asked has gone; where the answer came first there is nothing to cancel.
  ~Asking() override { static_cast<void>(bus_.cancel_wait(*question_->participant, question_->handle)); }

 private:
  Bus& bus_;
  const std::shared_ptr<Question> question_;
};

}  // namespace

Result<std::unique_ptr<Stream>> EventMethods::subscribe(const SubscribeParams& params,
                                                        std::shared_ptr<StreamSink> sink) {
  auto state = std::make_shared<TapState>();
  state->sink = std::move(sink);
  state->headers_only = params.headers_only;
  state->counted = params.count != 0;
  state->left = params.count;
  auto tap = std::make_unique<Tap>(bus_, tap_, std::move(state));
  if (auto begun = tap->begin(params.pattern); !begun) return begun.error();
  return std::unique_ptr<Stream>(std::move(tap));
}

Result<std::unique_ptr<Stream>> EventMethods::wait(const WaitParams& params, std::shared_ptr<StreamSink> sink) {
  if (params.timeout_ms < 0 || params.timeout_ms > kTimeoutMsMax)
    return make_error(NEXUS_E_ARGUMENT, "timeout_ms must be from 0 to 3600000");
  if (params.count == 0) return make_error(NEXUS_E_ARGUMENT, "count must be at least 1");
  auto state = std::make_shared<TapState>();
  state->sink = std::move(sink);
  state->counted = true;
  state->left = params.count;
  auto tap = std::make_unique<Tap>(bus_, tap_, std::move(state));
  if (auto begun = tap->begin(params.pattern); !begun) return begun.error();
  if (params.timeout_ms != 0)
    if (auto limited = tap->limit(params.timeout_ms); !limited) return limited.error();
  return std::unique_ptr<Stream>(std::move(tap));
}

Result<std::unique_ptr<Stream>> EventMethods::request(const RequestParams& params, std::shared_ptr<StreamSink> sink) {
  const auto invalid = [this](int32_t code, std::string message) {
    emitter_->invalid_emits.fetch_add(1, std::memory_order_relaxed);
    return make_error(code, std::move(message));
  };
  if (params.timeout_ms < 1 || params.timeout_ms > kTimeoutMsMax)
    return make_error(NEXUS_E_ARGUMENT, "timeout_ms must be from 1 to 3600000");
  auto question = std::make_shared<Question>();
  if (!params.reply.empty()) {
    auto pattern = Pattern::parse(params.reply);
    if (!pattern) return pattern.error();
    question->pattern = std::move(pattern.value());
  }
  auto port = bus_.intern(*emitter_, params.event.type);
  if (!port) return invalid(port.error().code, port.error().message);
  nexus_emit_options options{};
  if (const char* wrong = control::fill_options(params.event, options)) return invalid(NEXUS_E_SCHEMA, wrong);
  question->participant = tap_;  // so that the timeout is told even while every worker is busy
  question->call = &Question::answered;
  question->user = question.get();
  question->sink = std::move(sink);
  question->type = params.event.type;
  std::array<char, kSentenceMax> sentence;
  nexus_error error{sizeof(nexus_error), 0, kSentenceMax, 0, sentence.data()};
  const auto data = control::data_of(params.event);
  const int32_t code = bus_.request(*emitter_, port.value(), &options, nexus_bytes{data.data(), data.size()}, question,
                                    params.timeout_ms * 1'000'000, &error);
  if (code == NEXUS_OK_DUPLICATE) {
    static_cast<void>(bus_.cancel_wait(*tap_, question->handle));
    return make_error(NEXUS_E_CONFLICT, "an event with this id was emitted before; its reply is not awaited twice");
  }
  if (code != NEXUS_OK) return make_error(code, std::string(sentence.data(), error.len));
  return std::unique_ptr<Stream>(std::make_unique<Asking>(bus_, std::move(question)));
}

}  // namespace nexus::host
