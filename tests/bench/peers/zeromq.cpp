// ZeroMQ within the process: a PUB socket an emitter, a SUB socket and a thread a plugin, one frame an event that
// begins with its type, so that ZeroMQ itself drops what a plugin did not subscribe to.
#include <cstring>
#include <thread>
#include <zmq.hpp>

#include "tests/bench/peers/peer.hpp"

namespace nexus::bench {
namespace {

constexpr char kEnd = '\0';

// type NUL, then the fields. Each side copies once, as it would between two processes.
constexpr size_t kFieldsSize = sizeof(PeerEvent::id) + sizeof(PeerEvent::time_unix_ns) + sizeof(PeerEvent::priority) +
                               sizeof(PeerEvent::correlation_id) + sizeof(PeerEvent::data) + sizeof(uint32_t);

zmq::message_t encode(const PeerInput& input) {
  PeerEvent event;
  build_event(input, event);
  zmq::message_t frame(event.type.size() + 1 + kFieldsSize + event.source.size());
  char* at = frame.data<char>();
  const auto put = [&at](const void* data, size_t size) {
    std::memcpy(at, data, size);
    at += size;
  };
  const auto source_size = static_cast<uint32_t>(event.source.size());
  put(event.type.data(), event.type.size());
  put(&kEnd, 1);
  put(event.id.data(), event.id.size());
  put(&event.time_unix_ns, sizeof event.time_unix_ns);
  put(&event.priority, sizeof event.priority);
  put(event.correlation_id.data(), event.correlation_id.size());
  put(event.data.data(), event.data.size());
  put(&source_size, sizeof source_size);
  put(event.source.data(), source_size);
  return frame;
}

// The source stays a view into the frame.
void decode(const zmq::message_t& frame, PeerEvent& event) {
  const char* at = frame.data<char>();
  event.type = at;
  at += event.type.size() + 1;
  const auto get = [&at](void* data, size_t size) {
    std::memcpy(data, at, size);
    at += size;
  };
  uint32_t source_size = 0;
  get(event.id.data(), event.id.size());
  get(&event.time_unix_ns, sizeof event.time_unix_ns);
  get(&event.priority, sizeof event.priority);
  get(event.correlation_id.data(), event.correlation_id.size());
  get(event.data.data(), event.data.size());
  get(&source_size, sizeof source_size);
  event.source = {at, source_size};
}

class ZeromqPeer final : public Peer {
 public:
  void start(const PeerTable& table, const PeerOptions& options) override {
    table_ = &table;
    for (uint32_t i = 0; i < options.emitters; ++i) {
      auto& socket = emitters_.emplace_back(context_, zmq::socket_type::pub);
      socket.set(zmq::sockopt::sndhwm, 0);
      socket.bind(endpoint(i));
    }
    // Bound before any thread of ours reads; subscriptions travel ahead of events on inproc.
    for (uint32_t i = 0; i < options.receivers; ++i) {
      auto socket = std::make_unique<zmq::socket_t>(context_, zmq::socket_type::sub);
      socket->set(zmq::sockopt::rcvhwm, 0);
      socket->set(zmq::sockopt::subscribe, "");
      for (uint32_t e = 0; e < options.emitters; ++e) socket->connect(endpoint(e));
      receivers_.emplace_back([this, i, taken = std::move(socket)] { receive(i, *taken); });
    }
    settle(options);
  }

  void publish(uint32_t emitter, const PeerInput& input) override {
    emitters_[emitter].send(encode(input), zmq::send_flags::none);
  }

  void stop() override {
    // A frame whose type is empty ends a receiver.
    emitters_[0].send(zmq::message_t(&kEnd, 1), zmq::send_flags::none);
    for (std::thread& receiver : receivers_) receiver.join();
    emitters_.clear();
  }

 private:
  static std::string endpoint(uint32_t emitter) { return "inproc://bench" + std::to_string(emitter); }

  // A PUB socket learns of its subscribers when it next does something, so the first frames would be lost.
  void settle(const PeerOptions& options) {
    for (uint32_t i = 0; i < options.emitters; ++i) {
      zmq::pollitem_t item{emitters_[i].handle(), 0, ZMQ_POLLOUT, 0};
      zmq::poll(&item, 1, std::chrono::milliseconds(100));
      int events = 0;
      size_t size = sizeof events;
      zmq_getsockopt(emitters_[i].handle(), ZMQ_EVENTS, &events, &size);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }

  void receive(uint32_t receiver, zmq::socket_t& socket) {
    PeerEvent event;
    zmq::message_t frame;
    for (;;) {
      if (!socket.recv(frame)) return;
      if (frame.size() == 1) return;
      decode(frame, event);
      const auto* targets = table_->find(event.type);
      if (targets == nullptr) continue;
      for (const PeerTable::Target& target : *targets)
        if (target.receiver == receiver) target.handler(event);
    }
  }

  const PeerTable* table_ = nullptr;
  zmq::context_t context_{0};
  std::vector<zmq::socket_t> emitters_;
  std::vector<std::thread> receivers_;
};

}  // namespace

std::unique_ptr<Peer> make_zeromq() { return std::make_unique<ZeromqPeer>(); }

}  // namespace nexus::bench
