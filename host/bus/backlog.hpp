// What one subscription holds back: deliveries behind one with the same key that has not ended (it is tried again, is
// finished later, or is parked), and all of them while the subscription is paused. FIFO for each key and for the whole.
// Any thread; whoever runs the mailbox asks before a delivery and after it.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nexus::host {

struct EventBlock;
struct Target;

// A delivery that is held back. Its event is retained, and it has a place in its mailbox.
struct HeldBack {
  EventBlock* event = nullptr;
  std::shared_ptr<Target> target;
  uint32_t entry = 0;  // index in the target
};

class Backlog {
 public:
  // False: every delivery may run. For the path of an event.
  bool is_idle() const { return busy_.load(std::memory_order_relaxed) == 0; }

  // Whether a delivery with this key has to wait. `released`: it is one that a pause had held back.
  bool must_wait(std::string_view key, bool released) const;
  // Keeps the delivery when it has to wait; else false, and it runs now.
  bool hold(HeldBack delivery, std::string_view key, bool released);
  // A delivery with this key goes on after its attempt: later ones wait. The same key may be blocked again.
  void block(std::string_view key);
  // It has ended: the next one with the key, which goes on blocking it, or none, and the key is free.
  std::optional<HeldBack> next_of(std::string_view key);

  void pause();
  bool is_paused() const;
  // It is paused, or what a pause had held back has not all gone on.
  bool holds_all() const;
  // Ends the pause. What it held back comes one by one: the first now, each further one by next_released, and what
  // arrives meanwhile waits behind.
  std::optional<HeldBack> resume();
  std::optional<HeldBack> next_released();

  std::vector<HeldBack> take_all();
  // Takes over all that another one holds, its keys and its pause included.
  void adopt(Backlog& other);
  size_t size() const;

 private:
  using Queue = std::deque<HeldBack>;
  void count_busy_locked();
  std::optional<HeldBack> pop_released_locked();

  std::atomic<uint32_t> busy_{0};
  mutable std::mutex mutex_;  // guards all below
  std::map<std::string, Queue, std::less<>> keys_;
  bool paused_ = false;
  bool releasing_ = false;  // one that the pause had held back runs
  Queue paused_queue_;
};

}  // namespace nexus::host
