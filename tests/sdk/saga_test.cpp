// Sagas in the fake host: each way through one, and what holds when a step fails.
#include <chrono>
#include <stdexcept>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "nexus/saga.hpp"
#include "nexus/testing.hpp"

namespace {

using namespace std::chrono_literals;

struct TripAsked {
  std::string trip;
  int seats = 1;
};
NEXUS_EVENT(TripAsked, "trip.asked", trip, seats)
struct FlightBooked {
  std::string trip;
  std::string flight;
};
NEXUS_EVENT(FlightBooked, "flight.booked", trip, flight)
struct HotelBooked {
  std::string trip;
};
NEXUS_EVENT(HotelBooked, "hotel.booked", trip)
struct BookingFailed {
  std::string trip;
};
NEXUS_EVENT(BookingFailed, "booking.failed", trip)
struct CarBooked {
  std::string contract;  // not called trip
};
NEXUS_EVENT(CarBooked, "car.booked", contract)
struct Stray {
  std::string trip;
};
NEXUS_EVENT(Stray, "trip.stray", trip)

struct Command {
  std::string what;
};
NEXUS_EVENT(Command, "trip.command", what)

struct TripState {
  std::string flight;
  int seats = 0;
  std::vector<std::string> log;
};
NEXUS_STATE(TripState, flight, seats, log)

struct TripConfig {
  std::uint64_t trips_max = 1000;
  std::chrono::seconds patience{60};
};
NEXUS_CONFIG(TripConfig, trips_max, patience)

class TripSaga final : public nexus::Saga<TripState> {
 public:
  TripSaga() { set_instances_max(config_.trips_max); }
  using Saga::active;
  using Saga::find;
  using Saga::state;

  int throws = 0;  // how many of the next steps fail after they have done all of their work

 private:
  NEXUS_SAGA_KEY(trip)
  static std::string saga_key(const CarBooked& car) { return car.contract.substr(4); }

  NEXUS_START(TripAsked, book_flight, "flight")
  void book_flight(const TripAsked& asked) {
    state().seats = asked.seats;
    say("book flight");
  }

  NEXUS_STEP("flight", FlightBooked, book_hotel, "hotel")
  void book_hotel(const FlightBooked& booked, const nexus::Event& event) {
    state().flight = booked.flight + " by " + std::string(event.source());
    say("book hotel");
  }
  NEXUS_COMPENSATE("flight", cancel_flight)
  void cancel_flight() { say("cancel flight " + state().flight); }

  NEXUS_STEP("hotel", HotelBooked, book_car, "car")
  void book_car() { say("book car"); }
  NEXUS_COMPENSATE("hotel", cancel_hotel)
  void cancel_hotel() { say("cancel hotel"); }

  NEXUS_STEP("car", CarBooked, confirm, nexus::done)
  void confirm(CarBooked) { say("confirm"); }

  NEXUS_STEP("flight", BookingFailed, apologise, done, .not_found = dead_letter)
  NEXUS_STEP("hotel", BookingFailed, apologise, undo)
  NEXUS_STEP("car", BookingFailed, apologise, undo)
  NEXUS_TIMEOUT("car", 5min, apologise, undo)
  NEXUS_TIMEOUT("flight", &TripSaga::patience, apologise, done)
  void apologise() { say("apologise"); }
  std::chrono::seconds patience() const { return config_.patience; }

  NEXUS_STEP("stray", Stray, adopt, "flight", .not_found = nexus::start)
  void adopt() { say("adopt"); }

  void say(const std::string& what) {
    state().log.push_back(what);
    emit(Command{std::string(key()) + ": " + what});
    if (throws > 0) {
      --throws;
      throw std::runtime_error("no");
    }
  }

  const TripConfig config_ = config<TripConfig>();
};
NEXUS_PLUGIN_INFO(TripSaga, "com.example.trips", "1.0.0")

using Said = std::vector<std::string>;

Said said(const nexus::testing::Host& host) {
  Said all;
  for (const Command& command : host.emitted<Command>()) all.push_back(command.what);
  return all;
}

template <class... Event>
void emit(nexus::testing::Host& host, const Event&... event) {
  (host.emit(event), ...);
  host.run();
}

}  // namespace

TEST_CASE("a saga goes from state to state, keeps what it learns, and ends") {
  nexus::testing::Host host;
  auto trips = host.load<TripSaga>();
  emit(host, TripAsked{"T1", 3}, FlightBooked{"T1", "LH1"});
  REQUIRE(trips->find("T1"));
  CHECK(trips->find("T1")->seats == 3);
  CHECK(trips->find("T1")->flight == "LH1 by test");
  emit(host, HotelBooked{"T1"}, CarBooked{"car-T1"});
  CHECK(said(host) == Said{"T1: book flight", "T1: book hotel", "T1: book car", "T1: confirm"});
  CHECK(trips->active() == 0);
  CHECK_FALSE(trips->find("T1"));
  CHECK(host.metric("saga_started") == 1);
  CHECK(host.metric("saga_ended", {{"outcome", "done"}}) == 1);
  CHECK(host.metric("saga_active") == 0);
  CHECK(host.failures().empty());
  // Nothing is left that a timeout could find.
  host.advance(1h);
  CHECK(host.emitted("com.example.trips.saga.timeout").empty());
}

TEST_CASE("instances do not know each other") {
  nexus::testing::Host host;
  auto trips = host.load<TripSaga>();
  emit(host, TripAsked{"A", 1}, TripAsked{"B", 2}, FlightBooked{"B", "F"});
  CHECK(trips->find("A")->flight.empty());
  CHECK(trips->find("B")->seats == 2);
  CHECK(trips->active() == 2);
  CHECK(host.metric("saga_active") == 2);
}

TEST_CASE("a failure in the first state ends the saga without compensation") {
  nexus::testing::Host host;
  auto trips = host.load<TripSaga>();
  emit(host, TripAsked{"T1"}, BookingFailed{"T1"});
  CHECK(said(host) == Said{"T1: book flight", "T1: apologise"});
  CHECK(trips->active() == 0);
}

TEST_CASE("completed states are compensated in reverse, the failed one is not") {
  nexus::testing::Host host;
  auto trips = host.load<TripSaga>();
  emit(host, TripAsked{"T1"}, FlightBooked{"T1", "LH1"}, HotelBooked{"T1"});
  host.clear();
  emit(host, BookingFailed{"T1"});
  CHECK(said(host) == Said{"T1: apologise", "T1: cancel hotel", "T1: cancel flight LH1 by test"});
  CHECK(trips->active() == 0);
  CHECK(host.metric("saga_ended", {{"outcome", "undone"}}) == 1);

  emit(host, TripAsked{"T2"}, FlightBooked{"T2", "LH2"});
  host.clear();
  emit(host, BookingFailed{"T2"});
  CHECK(said(host) == Said{"T2: apologise", "T2: cancel flight LH2 by test"});
}

TEST_CASE("a timeout leads on, as the config says how soon, and at its own moment in each state") {
  nexus::testing::Host host;
  auto trips = host.load<TripSaga>({{"patience", 20}});
  emit(host, TripAsked{"T1"});
  host.advance(19s);
  CHECK(trips->active() == 1);
  host.advance(1s);
  CHECK(said(host) == Said{"T1: book flight", "T1: apologise"});
  CHECK(trips->active() == 0);
  CHECK(host.metric("saga_timed_out") == 1);

  // The clock of the first state stops when it is left; "hotel" has none; that of "car" begins with it.
  emit(host, TripAsked{"T2"}, FlightBooked{"T2", "F"});
  host.advance(1h);
  emit(host, HotelBooked{"T2"});
  host.advance(5min - 1s);
  CHECK(trips->active() == 1);
  host.clear();
  host.advance(1s);
  CHECK(said(host) == Said{"T2: apologise", "T2: cancel hotel", "T2: cancel flight F by test"});
}

TEST_CASE("an event that was faster than a timeout wins") {
  nexus::testing::Host host;
  auto trips = host.load<TripSaga>({{"patience", 20}});
  emit(host, TripAsked{"T1"});
  host.emit(FlightBooked{"T1", "F"}, {.delay = 20s});  // the same moment, but asked for later
  host.advance(20s);
  const bool timed_out = host.metric("saga_timed_out") == 1;
  CHECK(trips->active() == (timed_out ? 0 : 1));
  // One that lies in the queue for a stay that is over changes nothing.
  const nexus::cbor::Value stale{{"key", "T2"}, {"state", "flight"}, {"steps", 1}};
  emit(host, TripAsked{"T2"}, FlightBooked{"T2", "F"});
  host.emit("com.example.trips.saga.timeout", stale);
  host.emit("com.example.trips.saga.timeout", {{"key", "nobody"}, {"state", "flight"}, {"steps", 1}});
  host.run();
  CHECK(trips->find("T2")->flight == "F by test");
  CHECK(host.metric("saga_timed_out") == (timed_out ? 1 : 0));
}

TEST_CASE("all that a saga emits is of one correlation, that of the event which began it") {
  nexus::testing::Host host;
  auto trips = host.load<TripSaga>({{"patience", 20}});
  host.emit(TripAsked{"T1"}, {.correlation = "c-1"});
  host.emit(FlightBooked{"T1", "F"}, {.correlation = "c-other"});
  host.emit(TripAsked{"T2"}, {.correlation = "c-2"});
  host.advance(20s);
  const auto commands = host.emitted("trip.command");
  REQUIRE(commands.size() == 4);
  CHECK(commands[0]->correlation_id == "c-1");
  CHECK(commands[1]->correlation_id == "c-1");  // caused by an event of another
  CHECK(commands[2]->correlation_id == "c-2");
  CHECK(commands[3]->correlation_id == "c-2");  // by a timeout
  REQUIRE(host.emitted("*.saga.timeout").size() == 1);
  CHECK(host.emitted("*.saga.timeout").front()->correlation_id == "c-2");
}

TEST_CASE("a step that throws leaves state, timeout and bus as they were, and is tried again") {
  nexus::testing::Host host;
  auto trips = host.load<TripSaga>();
  emit(host, TripAsked{"T1", 3});
  trips->throws = 1;
  emit(host, FlightBooked{"T1", "F"});
  CHECK(trips->find("T1")->flight.empty());
  CHECK(trips->find("T1")->log == Said{"book flight"});
  CHECK(said(host) == Said{"T1: book flight"});
  host.advance(2s);
  CHECK(trips->find("T1")->flight == "F by test");
  CHECK(said(host) == Said{"T1: book flight", "T1: book hotel"});

  // In a compensation: not even the method before it has happened.
  trips->throws = 2;
  host.clear();
  emit(host, BookingFailed{"T1"});
  CHECK(said(host).empty());
  CHECK(trips->find("T1")->log == Said{"book flight", "book hotel"});
  host.advance(10s);
  CHECK(said(host) == Said{"T1: apologise", "T1: cancel flight F by test"});

  // In the step that begins an instance there is none; in a timeout it goes on waiting for the next attempt.
  trips->throws = 1;
  emit(host, TripAsked{"T2"});
  CHECK(trips->active() == 0);
  CHECK(host.metric("saga_started") == 1);
  host.advance(2s);
  CHECK(trips->active() == 1);
  trips->throws = 1;
  host.clear();
  host.advance(59s);
  REQUIRE(host.failures().size() == 1);
  CHECK(host.failures().front().handler == "saga.timeout");
  CHECK(trips->active() == 1);
  CHECK(said(host).empty());
  host.advance(2s);
  CHECK(trips->active() == 0);
  CHECK(said(host) == Said{"T2: apologise"});
}

TEST_CASE("an event without an instance is ignored and counted, begins one, or is dead-lettered, as declared") {
  nexus::testing::Host host;
  auto trips = host.load<TripSaga>();
  emit(host, FlightBooked{"T9", "F"});
  CHECK(trips->active() == 0);
  CHECK(host.filtered() == 1);
  CHECK(host.failures().empty());
  CHECK(host.metric("saga_ignored", {{"reason", "not_found"}}) == 1);

  emit(host, BookingFailed{"T9"});
  REQUIRE(host.failures().size() == 1);
  CHECK(host.failures().front().dead_lettered);
  CHECK(host.failures().front().error_type == "saga_not_found");
  CHECK(host.failures().front().message == "booking.failed finds no instance with the key 'T9'");
  CHECK(host.metric("saga_rejected") == 1);

  emit(host, Stray{"T9"});
  CHECK(said(host) == Said{"T9: adopt"});
  CHECK(trips->active() == 1);
  emit(host, FlightBooked{"T9", "F"});
  CHECK(trips->find("T9")->flight == "F by test");
}

TEST_CASE("an event out of turn and a second start are counted and change nothing") {
  nexus::testing::Host host;
  auto trips = host.load<TripSaga>();
  emit(host, TripAsked{"T1", 3}, HotelBooked{"T1"});
  CHECK(host.metric("saga_ignored", {{"reason", "out_of_turn"}}) == 1);
  emit(host, TripAsked{"T1", 9});
  CHECK(host.metric("saga_ignored", {{"reason", "duplicate_start"}}) == 1);
  CHECK(trips->find("T1")->seats == 3);
  CHECK(said(host) == Said{"T1: book flight"});
  CHECK(host.filtered() == 2);
  CHECK(host.failures().empty());
}

TEST_CASE("at its bound a saga rejects what would begin another instance, and says so") {
  nexus::testing::Host host;
  auto trips = host.load<TripSaga>({{"trips_max", 2}});
  emit(host, TripAsked{"A"}, TripAsked{"B"}, TripAsked{"C"});
  CHECK(trips->active() == 2);
  REQUIRE(host.failures().size() == 1);
  CHECK(host.failures().front().dead_lettered);
  CHECK(host.failures().front().error_type == "saga_full");
  CHECK(host.failures().front().message == "the saga has 2 active instances, which is its limit; 'C' cannot begin");
  // Those that are active go on, and an end makes room.
  emit(host, BookingFailed{"A"}, TripAsked{"D"});
  CHECK(trips->active() == 2);
  CHECK(host.failures().size() == 1);
}

TEST_CASE("an event that names no instance, or one too long, is rejected") {
  nexus::testing::Host host;
  auto trips = host.load<TripSaga>();
  emit(host, TripAsked{""}, TripAsked{std::string(255, 'k')}, TripAsked{std::string(256, 'k')});
  CHECK(trips->active() == 1);
  REQUIRE(host.failures().size() == 2);
  for (const auto& failure : host.failures()) {
    CHECK(failure.dead_lettered);
    CHECK(failure.error_type == "saga_key");
  }
}

TEST_CASE("a state that has grown too large is rejected, and the smaller one stays") {
  nexus::testing::Host host;
  auto trips = host.load<TripSaga>();
  emit(host, TripAsked{"T1"}, FlightBooked{"T1", std::string(nexus::kSagaStateBytesMax, 'f')});
  REQUIRE(host.failures().size() == 1);
  CHECK(host.failures().front().error_type == "saga_state_size");
  CHECK(trips->find("T1")->flight.empty());
  emit(host, FlightBooked{"T1", "F"});
  CHECK(trips->find("T1")->flight == "F by test");
}

TEST_CASE("state() outside a step is an error, and not somebody else's state") {
  nexus::testing::Host host;
  auto trips = host.load<TripSaga>();
  emit(host, TripAsked{"T1"});
  CHECK_THROWS_AS(trips->state(), nexus::Error);
  TripSaga* const saga = &*trips;
  saga->throws = 1;
  emit(host, FlightBooked{"T1", "F"});
  CHECK_THROWS_AS(saga->state(), nexus::Error);
}
