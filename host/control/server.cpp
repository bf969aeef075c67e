#include "host/control/server.hpp"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <set>
#include <thread>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include "host/base/log.hpp"
#include "host/base/os/thread_name.hpp"
#include "host/control/local_socket.hpp"

namespace nexus::host {
namespace asio = boost::asio;
using Protocol = asio::local::stream_protocol;

class Server::Impl {
 public:
  Impl(const Surface& surface, ServerOptions options, LocalListener listener)
      : surface_(surface),
        options_(std::move(options)),
        listener_(std::move(listener)),
        pool_(options_.connections_max + 1, options_.idle_call_thread_max),
        acceptor_(io_, Protocol(), listener_.release()),
        retry_(io_) {
    accept();
    thread_ = std::thread([this] {
      os::name_thread("nexus-socket");
      io_.run();
    });
  }

  void stop(std::chrono::milliseconds patience) {
    if (!thread_.joinable()) return;
    asio::post(io_, [this] {
      stopping_ = true;
      boost::system::error_code ignored;
      acceptor_.close(ignored);
      retry_.cancel();
      for (const auto& connection : std::set(connections_)) connection->finish();
      tell_if_empty();
    });
    {
      std::unique_lock lock(mutex_);
      changed_.wait_for(lock, patience, [this] { return empty_; });
    }
    asio::post(io_, [this] {
      for (const auto& connection : std::set(connections_)) connection->close();
    });
    pool_.stop();
    guard_.reset();  // with every socket closed, nothing keeps the thread running
    thread_.join();
  }

  ServerStats stats() const {
    ServerStats stats;
    stats.connections = open_.load(std::memory_order_relaxed);
    stats.accepted = accepted_.load(std::memory_order_relaxed);
    stats.refused = refused_.load(std::memory_order_relaxed);
    stats.dropped_items = dropped_.load(std::memory_order_relaxed);
    return stats;
  }
  const std::filesystem::path& path() const { return listener_.path(); }

 private:
  void accept() {
    acceptor_.async_accept([this](const boost::system::error_code& failed, Protocol::socket socket) {
      if (stopping_ || failed == asio::error::operation_aborted) return;
      if (failed) {
        // Out of descriptors, most likely: the connection waits in the backlog, and spinning would help nobody.
        static log::Limit limit(std::chrono::seconds(10));
        uint64_t left_out = 0;
        if (limit.admit(left_out)) log::warn("the control socket cannot accept", {{"error", failed.message()}});
        retry_.expires_after(std::chrono::milliseconds(100));
        retry_.async_wait([this](const auto& cancelled) {
          if (!cancelled) accept();
        });
        return;
      }
      admit(std::move(socket));
      accept();
    });
  }

  void admit(Protocol::socket socket) {
    const auto peer = peer_credentials(socket.native_handle());
    auto connection = std::make_shared<Connection>(std::move(socket), surface_, pool_, options_.limits,
                                                   [this](Connection* closed) { forget(closed); });
    connections_.insert(connection);
    open_.fetch_add(1, std::memory_order_relaxed);
    if (!peer || !may_control(peer.value())) {
      refused_.fetch_add(1, std::memory_order_relaxed);
      connection->refuse(make_error(NEXUS_E_PERMISSION, "only the host's own user and root may use its control socket"));
    } else if (connections_.size() > options_.connections_max) {
      refused_.fetch_add(1, std::memory_order_relaxed);
      connection->refuse(make_error(
          NEXUS_E_TOO_LARGE,
          "the host serves at most " + std::to_string(options_.connections_max) + " control connections at once",
          "close another one first"));
    } else {
      accepted_.fetch_add(1, std::memory_order_relaxed);
      connection->start();
    }
  }

  void forget(Connection* closed) {
    dropped_.fetch_add(closed->dropped_items(), std::memory_order_relaxed);
    std::erase_if(connections_, [&](const auto& connection) { return connection.get() == closed; });
    open_.fetch_sub(1, std::memory_order_relaxed);
    tell_if_empty();
  }

  void tell_if_empty() {
    if (!stopping_ || !connections_.empty()) return;
    {
      std::lock_guard guard(mutex_);
      empty_ = true;
    }
    changed_.notify_all();
  }

  const Surface& surface_;
  const ServerOptions options_;
  LocalListener listener_;
  asio::io_context io_{1};
  asio::executor_work_guard<asio::io_context::executor_type> guard_{io_.get_executor()};
  CallPool pool_;
  Protocol::acceptor acceptor_;
  asio::steady_timer retry_;
  std::thread thread_;

  // I/O thread only.
  std::set<std::shared_ptr<Connection>> connections_;
  bool stopping_ = false;

  std::atomic<uint64_t> open_{0}, accepted_{0}, refused_{0}, dropped_{0};
  std::mutex mutex_;
  std::condition_variable changed_;
  bool empty_ = false;  // guarded by mutex_
};

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Server::~Server() { stop(); }

Result<std::unique_ptr<Server>> Server::open(const Surface& surface, ServerOptions options) {
  auto listener = LocalListener::open(options.socket);
  if (!listener) return listener.error();
  return std::unique_ptr<Server>(
      new Server(std::make_unique<Impl>(surface, std::move(options), std::move(listener.value()))));
}

void Server::stop(std::chrono::milliseconds patience) { impl_->stop(patience); }
ServerStats Server::stats() const { return impl_->stats(); }
const std::filesystem::path& Server::path() const { return impl_->path(); }

}  // namespace nexus::host
