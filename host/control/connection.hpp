// One connection of the control socket. Frames are read and written on the server's I/O thread; calls run one at a time
// and in order on the call pool; stream items come from any thread. Everything that a peer can make grow has a bound:
// calls that wait stop the reading, answers that wait stop the calling, items that find no room are dropped and counted.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include "host/control/call_pool.hpp"
#include "host/control/frame.hpp"
#include "host/control/surface.hpp"

namespace nexus::host {

struct ConnectionLimits {
  size_t calls_waiting_max = 16;
  size_t streams_max = 16;
  size_t outgoing_bytes_max = size_t{8} << 20;
  uint32_t frame_bytes_max = kFrameBytesMax;
};

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  using Socket = boost::asio::local::stream_protocol::socket;

  // `surface` and `pool` outlive the connection. `closed` is called once, on the I/O thread.
  Connection(Socket socket, const Surface& surface, CallPool& pool, const ConnectionLimits& limits,
             std::function<void(Connection*)> closed);

  // ---- The I/O thread ---------------------------------------------------------------------------------------------
  void start();
  // Ends streams and reads no more; closes when what is owed has been sent.
  void finish();
  // At once.
  void close();
  // Says why, and closes.
  void refuse(const Error& error);

  // ---- Any thread -------------------------------------------------------------------------------------------------
  uint64_t dropped_items() const { return dropped_items_.load(std::memory_order_relaxed); }

 private:
  class Sink;
  struct Call {
    std::vector<uint8_t> frame;
    ClientFrame request;  // views into `frame`
  };
  struct OpenStream {
    std::shared_ptr<Sink> sink;
    std::unique_ptr<Stream> stream;
  };

  void read();
  void take_frames();
  void take_frame(std::span<const uint8_t> bytes);
  void next_call();
  void run_call(const Call& call);    // pool
  void open_stream(const Call& call);  // pool
  void call_done();
  void cancel(uint64_t id);
  void end_streams();
  void discard(OpenStream stream);
  void maybe_close();

  // Appends frames to what goes out. Any thread.
  void send(const std::function<void(cbor::Buffer&)>& write);
  bool has_room(size_t bytes);
  void write();
  void written();

  Socket socket_;
  const Surface& surface_;
  CallPool& pool_;
  const ConnectionLimits limits_;
  std::function<void(Connection*)> closed_handler_;

  // I/O thread only.
  std::array<uint8_t, 64 * 1024> input_;
  FrameBuffer frames_;
  std::deque<std::shared_ptr<Call>> calls_;
  bool reading_ = false;
  bool calling_ = false;
  bool finishing_ = false;
  bool is_open_ = true;

  std::atomic<uint64_t> dropped_items_{0};
  std::mutex mutex_;  // guards all below
  cbor::Buffer out_;
  cbor::Buffer in_flight_;
  bool writing_ = false;
  bool dead_ = false;  // nothing is sent any more
  std::map<uint64_t, OpenStream> streams_;
};

}  // namespace nexus::host
