// What a peer of the comparison is: another way to bring an event from an emitter to handlers. Each is written as its
// library's users would write it, keeps a plugin's handlers serial, and gets a table in which wildcards are already
// resolved. Subscriptions come before start; publish may be called by each emitter on its own thread.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace nexus::bench {

// As lean as it can be, so that no peer pays for what it need not: one allocation, sizes fixed to those of the jobs,
// the source a text that lives for ever. Only the type is a string of its own.
struct PeerEvent {
  std::string type;
  std::array<uint8_t, 16> id{};
  int64_t time_unix_ns = 0;
  std::string_view source;
  std::array<char, 36> correlation_id{};
  int32_t priority = 0;
  std::array<uint8_t, 128> data{};
};
using EventPtr = std::shared_ptr<const PeerEvent>;
using PeerHandler = std::function<void(const PeerEvent&)>;

// What an emitter gives to the bus; id, time and source are the bus's to add.
struct PeerInput {
  const std::string& type;
  int32_t priority;
  const std::array<uint8_t, 128>& data;
};

// The event a peer builds: an id as the product makes them, the system's clock, a source and a correlation id.
void build_event(const PeerInput& input, PeerEvent& event);
inline EventPtr make_event(const PeerInput& input) {
  auto event = std::make_shared<PeerEvent>();
  build_event(input, *event);
  return event;
}

struct PeerOptions {
  uint32_t workers = 1;
  uint32_t emitters = 1;
  uint32_t receivers = 1;
  uint32_t queue_size = 10000;
  bool sleep_when_idle = false;  // for callgrind, in which active waiting would be counted
};

// Who handles what, by the text of the type.
class PeerTable {
 public:
  struct Target {
    uint32_t receiver;
    PeerHandler handler;
  };
  void add(uint32_t receiver, std::string pattern, PeerHandler handler);
  // Resolves the patterns for these types; later types have no handlers.
  void resolve(const std::vector<std::string>& types);
  const std::vector<Target>* find(const std::string& type) const {
    const auto found = routes_.find(type);
    return found != routes_.end() ? &found->second : nullptr;
  }

 private:
  struct Subscription {
    std::string pattern;
    Target target;
  };
  std::vector<Subscription> subscriptions_;
  std::unordered_map<std::string, std::vector<Target>> routes_;
};

class Peer {
 public:
  virtual ~Peer() = default;
  // The table outlives the peer and does not change while it runs.
  virtual void start(const PeerTable& table, const PeerOptions& options) = 0;
  virtual void publish(uint32_t emitter, const PeerInput& input) = 0;
  // Everything that was published has been handled.
  virtual void stop() = 0;
};

// Keeps a receiver's handlers serial where several workers share one queue.
class SerialCaller {
 public:
  void start(const PeerOptions& options) {
    shared_ = options.workers > 1;
    locks_ = std::vector<std::mutex>(options.receivers);
  }
  void call(const std::vector<PeerTable::Target>& targets, const PeerEvent& event) {
    for (const PeerTable::Target& target : targets) {
      if (!shared_) {
        target.handler(event);
        continue;
      }
      std::lock_guard guard(locks_[target.receiver]);
      target.handler(event);
    }
  }

 private:
  bool shared_ = false;
  std::vector<std::mutex> locks_;
};

// A peer of J4: handlers are called before call() returns.
class SynchronousPeer {
 public:
  virtual ~SynchronousPeer() = default;
  virtual void subscribe(const std::string& type, PeerHandler handler) = 0;
  virtual void call(const PeerEvent& event) = 0;
};

struct SynchronousKind {
  const char* name;
  const char* text;
  std::unique_ptr<SynchronousPeer> (*make)();
};
const std::vector<SynchronousKind>& synchronous_kinds();

struct PeerKind {
  const char* name;
  const char* text;
  std::unique_ptr<Peer> (*make)();
};
const std::vector<PeerKind>& peer_kinds();

std::unique_ptr<Peer> make_mutex_deque();
std::unique_ptr<Peer> make_mutex_heap();
std::unique_ptr<Peer> make_asio();
std::unique_ptr<Peer> make_moodycamel();
std::unique_ptr<Peer> make_tbb();
std::unique_ptr<Peer> make_caf();
std::unique_ptr<Peer> make_zeromq();

}  // namespace nexus::bench
