#include "host/control/connection.hpp"

#include <optional>

#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>

#include "host/base/log.hpp"

namespace nexus::host {
namespace asio = boost::asio;

// Where a stream's items enter the connection. Until the answer to the call that opened it is on its way items wait in
// `early_`, so that the answer comes first.
class Connection::Sink final : public StreamSink {
 public:
  Sink(std::weak_ptr<Connection> connection, uint64_t id) : connection_(std::move(connection)), id_(id) {}

  bool item(std::span<const uint8_t> cbor) override {
    const auto connection = connection_.lock();
    std::lock_guard guard(mutex_);
    if (connection == nullptr || state_ == State::closed) return false;
    if (!connection->has_room(cbor.size() + early_.size())) {
      ++dropped_;
      connection->dropped_items_.fetch_add(1, std::memory_order_relaxed);
      return false;
    }
    if (state_ == State::pending) {
      write_item(early_, id_, cbor);
      return true;
    }
    connection->send([&](cbor::Buffer& out) {
      write_pending_notice(out);
      write_item(out, id_, cbor);
    });
    return true;
  }

  void end() override { finish(nullptr); }
  void fail(const Error& error) override { finish(&error); }

  // The answer, and what came before it.
  void open(Connection& connection) {
    {
      std::lock_guard guard(mutex_);
      if (state_ != State::pending) return;
      state_ = State::open;
      connection.send([&](cbor::Buffer& out) {
        constexpr uint8_t kEmptyMap = 0xa0;
        write_answer(out, id_, std::span(&kEmptyMap, 1));
        out.append(early_.data(), early_.size());
      });
      early_ = cbor::Buffer();
      if (!ended_early_) return;
    }
    finish(failure_ ? &*failure_ : nullptr);
  }

  void close() {
    std::lock_guard guard(mutex_);
    state_ = State::closed;
  }

  // There is room again: tells what was lost, if anything.
  void notice(cbor::Buffer& out) {
    std::unique_lock lock(mutex_, std::try_to_lock);
    if (lock.owns_lock() && state_ == State::open) write_pending_notice(out);
  }

 private:
  enum class State { pending, open, closed };

  void finish(const Error* failure) {
    const auto connection = connection_.lock();
    std::lock_guard guard(mutex_);
    if (connection == nullptr || state_ == State::closed) return;
    if (state_ == State::pending) {
      ended_early_ = true;
      if (failure != nullptr) failure_ = *failure;
      return;
    }
    state_ = State::closed;
    connection->send([&](cbor::Buffer& out) {
      write_pending_notice(out);
      if (failure != nullptr)
        write_failure(out, id_, *failure);
      else
        write_end(out, id_);
    });
    asio::post(connection->socket_.get_executor(), [connection, id = id_] { connection->cancel(id); });
  }

  void write_pending_notice(cbor::Buffer& out) {
    if (dropped_ != 0) write_dropped(out, id_, std::exchange(dropped_, 0));
  }

  const std::weak_ptr<Connection> connection_;
  const uint64_t id_;
  std::mutex mutex_;  // guards all below; taken before the connection's
  State state_ = State::pending;
  cbor::Buffer early_;
  bool ended_early_ = false;
  std::optional<Error> failure_;  // why it ended early
  uint64_t dropped_ = 0;
};

Connection::Connection(Socket socket, const Surface& surface, CallPool& pool, const ConnectionLimits& limits,
                       std::function<void(Connection*)> closed)
    : socket_(std::move(socket)),
      surface_(surface),
      pool_(pool),
      limits_(limits),
      closed_handler_(std::move(closed)),
      frames_(limits.frame_bytes_max) {}

// ---- Reading ------------------------------------------------------------------------------------------------------

void Connection::start() { read(); }

void Connection::read() {
  if (reading_ || finishing_ || !is_open_) return;
  reading_ = true;
  socket_.async_read_some(asio::buffer(input_), [self = shared_from_this()](const auto& failed, size_t size) {
    self->reading_ = false;
    if (!self->is_open_) return;
    if (failed) {
      // The peer has closed its side: what it asked before is still answered, if it listens.
      self->finish();
      return;
    }
    self->frames_.append(std::span(self->input_.data(), size));
    self->take_frames();
  });
}

void Connection::take_frames() {
  while (is_open_ && !finishing_ && calls_.size() < limits_.calls_waiting_max) {
    auto frame = frames_.next();
    if (!frame) {
      refuse(frame.error());
      return;
    }
    if (!frame.value()) {
      read();
      return;
    }
    take_frame(*frame.value());
  }
  // Else: not read on before a call has ended.
}

void Connection::take_frame(std::span<const uint8_t> bytes) {
  auto call = std::make_shared<Call>();
  call->frame.assign(bytes.begin(), bytes.end());
  if (auto understood = read_client_frame(call->frame, call->request); !understood) {
    send([&](cbor::Buffer& out) { write_failure(out, call->request.id, understood.error()); });
    return;
  }
  if (call->request.method.empty()) {
    cancel(call->request.id);
    return;
  }
  calls_.push_back(std::move(call));
  next_call();
}

// ---- Calling ------------------------------------------------------------------------------------------------------

void Connection::next_call() {
  if (calling_ || calls_.empty() || !is_open_ || !has_room(0)) return;
  calling_ = true;
  const bool submitted = pool_.submit([self = shared_from_this(), call = calls_.front()] {
    self->run_call(*call);
    asio::post(self->socket_.get_executor(), [self] { self->call_done(); });
  });
  calls_.pop_front();
  if (!submitted) close();
}

void Connection::run_call(const Call& call) {
  Caller caller;
  auto method = surface_.find(call.request.method, caller);
  if (method && method.value()->open != nullptr) {
    open_stream(call);
    return;
  }
  cbor::Buffer result;
  auto done = surface_.call(caller, call.request.method, call.request.params, result);
  if (done && result.size() + 64 > limits_.frame_bytes_max)
    done = make_error(NEXUS_E_TOO_LARGE, "the result of " + std::string(call.request.method) + " is too large for a frame");
  send([&](cbor::Buffer& out) {
    if (done)
      write_answer(out, call.request.id, result.bytes());
    else
      write_failure(out, call.request.id, done.error());
  });
}

void Connection::open_stream(const Call& call) {
  const uint64_t id = call.request.id;
  const auto fail = [&](const Error& error) { send([&](cbor::Buffer& out) { write_failure(out, id, error); }); };
  {
    std::lock_guard guard(mutex_);
    if (dead_) return;
  }
  bool taken = false, many = false;
  {
    std::lock_guard guard(mutex_);
    taken = streams_.contains(id);
    many = streams_.size() >= limits_.streams_max;
  }
  if (taken) return fail(make_error(NEXUS_E_ARGUMENT, "the id " + std::to_string(id) + " names an open stream already"));
  if (many)
    return fail(make_error(NEXUS_E_TOO_LARGE, "a connection has at most " + std::to_string(limits_.streams_max) +
                                                  " streams; open another one"));
  auto sink = std::make_shared<Sink>(weak_from_this(), id);
  auto stream = surface_.open({}, call.request.method, call.request.params, sink);
  if (!stream) return fail(stream.error());
  {
    std::lock_guard guard(mutex_);
    if (!dead_) streams_.emplace(id, OpenStream{sink, std::move(stream.value())});
  }
  sink->open(*this);  // where the connection has died meanwhile, the stream ends here
}

void Connection::call_done() {
  calling_ = false;
  next_call();
  take_frames();
  maybe_close();
}

// ---- Streams ------------------------------------------------------------------------------------------------------

void Connection::cancel(uint64_t id) {
  OpenStream ended;
  {
    std::lock_guard guard(mutex_);
    const auto found = streams_.find(id);
    if (found == streams_.end()) return;
    ended = std::move(found->second);
    streams_.erase(found);
  }
  discard(std::move(ended));
}

// Ending a stream may wait, so not on the I/O thread.
void Connection::discard(OpenStream ended) {
  ended.sink->close();
  auto held = std::make_shared<std::unique_ptr<Stream>>(std::move(ended.stream));
  if (!pool_.submit([held] { held->reset(); })) held->reset();
}

void Connection::end_streams() {
  std::map<uint64_t, OpenStream> ended;
  {
    std::lock_guard guard(mutex_);
    ended.swap(streams_);
  }
  for (auto& [id, stream] : ended) discard(std::move(stream));
}

// ---- Writing ------------------------------------------------------------------------------------------------------

bool Connection::has_room(size_t bytes) {
  std::lock_guard guard(mutex_);
  const size_t waiting = out_.size() + in_flight_.size();
  return waiting == 0 || waiting + bytes <= limits_.outgoing_bytes_max;  // a single item may be larger than the bound
}

void Connection::send(const std::function<void(cbor::Buffer&)>& write_frames) {
  {
    std::lock_guard guard(mutex_);
    if (dead_) return;
    write_frames(out_);
    if (writing_) return;
    writing_ = true;
  }
  asio::post(socket_.get_executor(), [self = shared_from_this()] { self->write(); });
}

void Connection::write() {
  {
    std::lock_guard guard(mutex_);
    std::swap(out_, in_flight_);
    constexpr size_t kKeptMax = size_t{1} << 20;
    if (out_.capacity() > kKeptMax) out_ = cbor::Buffer();
    out_.clear();
  }
  asio::async_write(socket_, asio::buffer(in_flight_.data(), in_flight_.size()),
                    [self = shared_from_this()](const auto& failed, size_t) {
                      if (failed)
                        self->close();
                      else
                        self->written();
                    });
}

void Connection::written() {
  std::vector<std::shared_ptr<Sink>> sinks;
  {
    std::lock_guard guard(mutex_);
    in_flight_.clear();
    for (const auto& entry : streams_) sinks.push_back(entry.second.sink);
  }
  cbor::Buffer notices;
  for (const auto& sink : sinks) sink->notice(notices);
  bool more = false;
  {
    std::lock_guard guard(mutex_);
    out_.append(notices.data(), notices.size());
    more = !out_.empty();
    writing_ = more;
  }
  if (more) write();
  next_call();
  maybe_close();
}

// ---- The end ------------------------------------------------------------------------------------------------------

void Connection::finish() {
  if (!is_open_ || finishing_) return;
  finishing_ = true;
  end_streams();
  next_call();
  maybe_close();
}

void Connection::maybe_close() {
  if (!finishing_ || calling_ || !calls_.empty()) return;
  {
    std::lock_guard guard(mutex_);
    if (writing_) return;
  }
  close();
}

void Connection::refuse(const Error& error) {
  send([&](cbor::Buffer& out) { write_failure(out, 0, error); });
  calls_.clear();
  finish();
}

void Connection::close() {
  if (!is_open_) return;
  is_open_ = false;
  finishing_ = true;
  calls_.clear();
  {
    std::lock_guard guard(mutex_);
    dead_ = true;
  }
  end_streams();
  boost::system::error_code ignored;
  socket_.close(ignored);
  closed_handler_(this);
}

}  // namespace nexus::host
