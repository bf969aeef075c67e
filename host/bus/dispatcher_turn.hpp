// What the files of the dispatcher share: the state of one turn of a worker. Not for others.
#pragma once

#include <cstdint>
#include <string_view>

#include "host/base/error.hpp"
#include "host/bus/dispatcher.hpp"

namespace nexus::host {

inline constexpr uint32_t kErrorTextMax = 2048;
// Beside the verdicts of handlers: it was not called, and will be later.
inline constexpr int32_t kHeldBack = INT32_MIN;

struct Dispatcher::Turn {
  Turn(Mailbox& its_mailbox, Worker& its_worker, ThreadState& its_thread)
      : mailbox(its_mailbox), worker(its_worker), thread(its_thread), shared_counts(its_mailbox.is_parallel()) {
    delivery.size = sizeof delivery;
    delivery.attempt = 1;
    error.size = sizeof error;
    error.cap = kErrorTextMax;
    error.text = error_text;
    outcome.size = sizeof outcome;
    outcome.error = &error;
  }

  Mailbox& mailbox;
  Worker& worker;
  ThreadState& thread;
  const bool shared_counts;  // several workers run this mailbox
  nexus_delivery delivery{};
  nexus_outcome outcome{};
  nexus_error error{};
  uint64_t holds = 0;  // 1 when the callback that runs has emitted something that waits for its success
  uint32_t until_sample = HandlerTimes::kSample;
  int gather = 0;          // how long to let a batch form
  uint32_t no_gather = 0;  // for so many batches do not try
  TraceShard* trace = nullptr;
  char error_text[kErrorTextMax];
};

inline bool Dispatcher::is_plain_success(const Turn& turn, int32_t verdict) {
  static_assert(NEXUS_DONE == 0);
  const nexus_outcome& outcome = turn.outcome;
  return (static_cast<uint64_t>(static_cast<uint32_t>(verdict)) | outcome.reply_type.size | outcome.error_type.size |
          static_cast<uint64_t>(outcome.retry_after_ns) | turn.error.len | turn.holds) == 0;
}

inline void write_text(nexus_error& error, std::string_view text) { write_error(&error, NEXUS_E_PLUGIN, text); }

template <bool kParallel>
void count(OwnedCount& counter) {
  if constexpr (kParallel)
    counter.add_shared();
  else
    counter.add();
}

}  // namespace nexus::host
