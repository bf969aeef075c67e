// The pipeline of `nexus emit`: packs items into frames, keeps a few frames in flight, reads the answers, and accounts
// for every event exactly once: accepted, rejected, or unknown when the host went away. The host answers a frame only
// when each of its events has been accepted or refused, so a full queue slows the reader of the input down.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <vector>

#include "host/app/cli/line_input.hpp"
#include "host/app/cli/options.hpp"
#include "host/control/client.hpp"
#include "host/control/event_methods.hpp"

namespace nexus::host::cli {

class EmitStream {
 public:
  static constexpr size_t kFramesInFlight = 4;
  static constexpr size_t kFrameBytes = 512 * 1024;

  // Both outlive the stream.
  EmitStream(Client& client, const EmitCommand& command);

  // One item of events.emit, and the line it came from.
  void add(std::span<const uint8_t> item, uint64_t line);
  // A line that never became an event.
  void reject(uint64_t line, const Error& error);
  // Sends what is packed and waits for all answers.
  void flush();
  // The connection has failed: adding is of no use any more.
  bool is_broken() const { return broken_; }
  // Flushes, says how it went, and gives the exit status.
  int finish();

 private:
  void send();
  void receive();
  void take_result(const control::EmitResult& result, uint64_t line);
  void print_rejection(uint64_t line, const control::EmitResult& result);
  void print_rejection(uint64_t line, std::string_view text);
  void break_off(const Error& error);
  void progress(bool last);

  Client& client_;
  const EmitCommand& command_;
  cbor::Buffer items_;
  std::vector<uint64_t> lines_;                // of items_
  std::deque<std::vector<uint64_t>> in_flight_;  // lines of frames without an answer yet
  uint64_t accepted_ = 0, rejected_ = 0, invalid_ = 0, unknown_ = 0, shown_ = 0;
  bool broken_ = false;
  const bool streaming_;
  const bool terminal_;
  const std::chrono::steady_clock::time_point begin_;
  std::chrono::steady_clock::time_point next_progress_;
};

}  // namespace nexus::host::cli
