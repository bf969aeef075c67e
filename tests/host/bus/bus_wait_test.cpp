// Requests and waits: registered before the emit, called once, by causation or by pattern, until a timeout.
#include <catch2/catch_test_macros.hpp>
#include <condition_variable>
#include <thread>

#include "tests/host/bus/bus_rig.hpp"

using namespace nexus::host;
using namespace nexus::host::test;

namespace {

// A waiter that writes down what it was called with.
struct Answered {
  std::mutex mutex;
  std::condition_variable called;
  std::vector<int32_t> codes;
  std::vector<std::string> types;
  std::function<void(const nexus_event*)> then;

  ~Answered() { std::lock_guard guard(mutex); }  // the last call has returned

  static void call(void* user, int32_t code, const nexus_event* event) {
    auto& self = *static_cast<Answered*>(user);
    if (self.then) self.then(event);
    std::lock_guard guard(self.mutex);
    self.codes.push_back(code);
    self.types.emplace_back(event != nullptr ? to_view(event->type) : "");
    self.called.notify_all();
  }
  std::vector<int32_t> await(size_t count = 1) {
    std::unique_lock lock(mutex);
    called.wait(lock, [&] { return codes.size() >= count; });
    return codes;
  }
  size_t count() {
    std::lock_guard guard(mutex);
    return codes.size();
  }
};

struct WaitRig {
  VirtualClock clock;
  Rig rig{{}, clock};
  std::shared_ptr<Participant> asker = rig.add("com.example.asker"), other = rig.add("com.example.other");

  WaiterPointer make(Answered& answered, std::string_view reply = {}) {
    auto waiter = std::make_shared<Waiter>();
    waiter->participant = asker;
    waiter->call = &Answered::call;
    waiter->user = &answered;
    if (!reply.empty()) waiter->pattern = Pattern::parse(reply).value();
    return waiter;
  }
  int32_t request(Answered& answered, std::string_view reply = {}, int64_t timeout_ns = 0) {
    last = make(answered, reply);
    return rig.bus->request(*asker, rig.bus->intern(*asker, "price.asked").value(), nullptr, {}, last, timeout_ns,
                            nullptr);
  }
  void pass(int64_t ns) {
    clock.advance(ns);
    rig.bus->timers().run_due(clock.monotonic_ns());
    REQUIRE(rig.settle());
  }
  WaiterPointer last;
};

}  // namespace

TEST_CASE("a reply that comes at once is not missed, and other events of its type do not count") {
  WaitRig r;
  Probe shop;
  shop.answer = [&](const nexus_delivery&, nexus_outcome&) -> int32_t {
    must(r.rig.emit(*r.other, "price.noted") == NEXUS_OK);
    must(r.rig.emit(*r.other, "price.told") == NEXUS_OK);
    return NEXUS_DONE;
  };
  r.rig.subscribe(*r.other, "price.asked", shop);
  Answered answered;
  r.rig.emit(*r.other, "price.told");
  REQUIRE(r.request(answered, "price.told") == NEXUS_OK);
  CHECK(answered.await() == std::vector<int32_t>{NEXUS_OK});
  CHECK(answered.types == std::vector<std::string>{"price.told"});
  r.rig.emit(*r.other, "price.told");
  REQUIRE(r.rig.settle());
  CHECK(answered.count() == 1);
}

TEST_CASE("a reply on the answer of the handler reaches the asker, with the correlation of the request") {
  WaitRig r;
  Probe shop;
  shop.answer = [&](const nexus_delivery&, nexus_outcome& outcome) -> int32_t {
    outcome.reply_type = to_abi("price.told");
    return NEXUS_DONE;
  };
  r.rig.subscribe(*r.other, "price.asked", shop);
  Answered answered;
  Probe follow_up;
  std::string correlation, follow_correlation;
  answered.then = [&](const nexus_event* event) {
    correlation = to_view(event->correlation_id);
    must(r.rig.emit(*r.asker, "price.known") == NEXUS_OK);
  };
  follow_up.answer = [&](const nexus_delivery& delivery, nexus_outcome&) -> int32_t {
    follow_correlation = to_view(delivery.event->correlation_id);
    return NEXUS_DONE;
  };
  r.rig.subscribe(*r.other, "price.known", follow_up);
  REQUIRE(r.request(answered) == NEXUS_OK);
  answered.await();
  REQUIRE(r.rig.settle());
  CHECK(follow_up.count() == 1);
  CHECK(correlation.size() == 36);
  CHECK(follow_correlation == correlation);
}

TEST_CASE("what a failing handler had emitted is no reply; that of the next attempt is") {
  WaitRig r;
  int calls = 0;
  Probe shop;
  shop.answer = [&](const nexus_delivery&, nexus_outcome& outcome) -> int32_t {
    must(r.rig.emit(*r.other, ++calls == 1 ? "price.wrong" : "price.told") == NEXUS_OK);
    outcome.retry_after_ns = 1000;
    return calls == 1 ? NEXUS_RETRY : NEXUS_DONE;
  };
  nexus_subscribe_options options{};
  options.size = sizeof options;
  options.flags = NEXUS_SUBSCRIBE_HAS_RETRY;
  options.retry_attempts = 1;
  REQUIRE(r.rig.bus->subscribe(*r.other, "price.asked", options, &Probe::handle, &shop).has_value());
  Answered answered;
  REQUIRE(r.request(answered) == NEXUS_OK);
  REQUIRE(r.rig.bus->drain_all(in_seconds(30)));
  CHECK(answered.count() == 0);
  r.pass(1000);
  CHECK(answered.await() == std::vector<int32_t>{NEXUS_OK});
  REQUIRE(r.rig.settle());
  CHECK(answered.types == std::vector<std::string>{"price.told"});
}

TEST_CASE("without an answer the waiter is called at its timeout, and a later answer finds nobody") {
  WaitRig r;
  Probe silent;
  r.rig.subscribe(*r.other, "price.asked", silent);
  Answered answered;
  REQUIRE(r.request(answered, {}, 5'000) == NEXUS_OK);
  REQUIRE(r.rig.settle());
  r.pass(4'999);
  CHECK(answered.count() == 0);
  r.pass(1);
  CHECK(answered.codes == std::vector<int32_t>{NEXUS_E_TIMEOUT});
  nexus_emit_options late{};
  late.size = sizeof late;
  late.causation_id = r.last->cause;
  r.rig.bus->emit(*r.other, r.rig.bus->intern(*r.other, "price.told").value(), &late, {}, nullptr, nullptr);
  REQUIRE(r.rig.settle());
  CHECK(answered.count() == 1);
}

TEST_CASE("an answer from a thread of the plugin's own names its cause") {
  WaitRig r;
  Probe silent;
  r.rig.subscribe(*r.other, "price.asked", silent);
  Answered answered;
  REQUIRE(r.request(answered, {}, 5'000) == NEXUS_OK);
  std::thread([&] {
    nexus_emit_options options{};
    options.size = sizeof options;
    options.causation_id = r.last->cause;
    must(r.rig.bus->emit(*r.other, r.rig.bus->intern(*r.other, "price.told").value(), &options, {}, nullptr, nullptr) ==
         NEXUS_OK);
  }).join();
  CHECK(answered.await() == std::vector<int32_t>{NEXUS_OK});
  REQUIRE(r.rig.settle());
}

TEST_CASE("a request that nobody listens to is answered at once") {
  WaitRig r;
  Answered answered;
  REQUIRE(r.request(answered, {}, 5'000'000'000) == NEXUS_OK);
  CHECK(answered.await() == std::vector<int32_t>{NEXUS_E_UNKNOWN});
  CHECK(r.rig.bus->timers().pending() == 0);
  REQUIRE(r.rig.settle());
}

TEST_CASE("a cancelled waiter is told so, once") {
  WaitRig r;
  Probe silent;
  r.rig.subscribe(*r.other, "price.asked", silent);
  Answered answered;
  REQUIRE(r.request(answered, {}, 5'000) == NEXUS_OK);
  CHECK(r.rig.bus->cancel_wait(*r.other, r.last->handle).error().code == NEXUS_E_HANDLE);
  REQUIRE(r.rig.bus->cancel_wait(*r.asker, r.last->handle).has_value());
  CHECK(r.rig.bus->cancel_wait(*r.asker, r.last->handle).error().code == NEXUS_E_HANDLE);
  CHECK(answered.await() == std::vector<int32_t>{NEXUS_E_CANCELLED});
  r.pass(10'000);
  CHECK(answered.count() == 1);
}

TEST_CASE("a wait gets the first event that matches pattern and condition, and no other") {
  WaitRig r;
  Answered answered;
  auto waiter = r.make(answered);
  waiter->condition = [](void*, const nexus_event* event) -> int32_t { return event->data.size == 2 ? 1 : 0; };
  const uint64_t before = r.rig.bus->router().active_subscriptions();
  REQUIRE(r.rig.bus->wait_for("order.*", waiter, 0).has_value());
  r.rig.emit(*r.other, "order.created", "1");
  r.rig.emit(*r.other, "user.created", "22");
  r.rig.emit(*r.other, "order.paid", "22");
  r.rig.emit(*r.other, "order.shipped", "22");
  CHECK(answered.await() == std::vector<int32_t>{NEXUS_OK});
  REQUIRE(r.rig.settle());
  CHECK(answered.types == std::vector<std::string>{"order.paid"});
  CHECK(r.rig.bus->router().active_subscriptions() == before);
  CHECK(r.rig.bus->wait_for("order..x", r.make(answered), 0).error().code == NEXUS_E_PATTERN);
}

TEST_CASE("a wait ends at its timeout and when its participant goes") {
  WaitRig r;
  Answered first, second;
  REQUIRE(r.rig.bus->wait_for("order.*", r.make(first), 1'000).has_value());
  REQUIRE(r.rig.bus->wait_for("order.*", r.make(second), 0).has_value());
  r.pass(1'000);
  CHECK(first.codes == std::vector<int32_t>{NEXUS_E_TIMEOUT});
  r.rig.bus->remove(r.asker);
  r.rig.emit(*r.other, "order.created");
  REQUIRE(r.rig.settle());
  CHECK(first.count() == 1);
  CHECK(second.count() == 0);
}

TEST_CASE("a million requests to an instant responder: none is missed") {
  Rig rig;
  auto asker = rig.add("com.example.asker"), shop = rig.add("com.example.shop");
  Probe shop_probe;
  const auto answer = [](void*, const nexus_delivery*, nexus_outcome* outcome) -> int32_t {
    outcome->reply_type = to_abi("price.told");
    return NEXUS_DONE;
  };
  nexus_subscribe_options options{};
  options.size = sizeof options;
  REQUIRE(rig.bus->subscribe(*shop, "price.asked", options, answer, nullptr).has_value());
  const uint64_t port = rig.bus->intern(*asker, "price.asked").value();
#ifdef NEXUS_SANITIZED
  constexpr uint64_t kRequests = 20'000;
#else
  constexpr uint64_t kRequests = 1'000'000;
#endif
  struct Count {
    std::atomic<uint64_t> answered{0}, other{0};
  } count;
  uint64_t asked = 0;
  for (; asked < kRequests; ++asked) {
    auto waiter = std::make_shared<Waiter>();
    waiter->participant = asker;
    waiter->user = &count;
    waiter->call = [](void* user, int32_t code, const nexus_event*) {
      auto& counts = *static_cast<Count*>(user);
      (code == NEXUS_OK ? counts.answered : counts.other).fetch_add(1, std::memory_order_relaxed);
    };
    while (asked - count.answered.load() > 50'000) std::this_thread::yield();
    if (rig.bus->request(*asker, port, nullptr, {}, waiter, 600'000'000'000, nullptr) != NEXUS_OK) break;
  }
  REQUIRE(rig.settle(600));
  CHECK(asked == kRequests);
  CHECK(count.answered == kRequests);
  CHECK(count.other == 0);
  CHECK(rig.bus->timers().pending() == 0);
}
