#include "host/control/control_thread.hpp"

#include <exception>

#include "host/base/log.hpp"
#include "host/base/os/thread_name.hpp"

namespace nexus::host {
namespace {

// What a waiting caller and the thread share; the caller may be gone before the thread comes to it.
struct Ticket {
  enum class State { waiting, running, done, dropped };
  std::mutex mutex;
  std::condition_variable changed;
  State state = State::waiting;

  void set(State next) {
    {
      std::lock_guard guard(mutex);
      state = next;
    }
    changed.notify_all();
  }
};

// Tells the caller if the work is thrown away unrun.
struct TicketHolder {
  explicit TicketHolder(std::shared_ptr<Ticket> shared) : ticket(std::move(shared)) {}
  ~TicketHolder() {
    std::unique_lock lock(ticket->mutex);
    if (ticket->state != Ticket::State::waiting) return;
    ticket->state = Ticket::State::dropped;
    lock.unlock();
    ticket->changed.notify_all();
  }
  TicketHolder(const TicketHolder&) = delete;
  TicketHolder& operator=(const TicketHolder&) = delete;
  std::shared_ptr<Ticket> ticket;
};

}  // namespace

ControlThread::ControlThread() {
  thread_ = std::thread([this] { loop(); });
}

ControlThread::~ControlThread() { stop(); }

bool ControlThread::post(std::function<void()> work) {
  {
    std::lock_guard guard(mutex_);
    if (stopping_) return false;
    queue_.push_back(std::move(work));
  }
  wake_.notify_one();
  return true;
}

Result<void> ControlThread::run(const std::function<void()>& work, std::chrono::milliseconds patience) {
  if (is_current())
    return make_error(NEXUS_E_THREAD, "this call runs on the control thread and cannot be made from it",
                      "make it later, from a timer or a thread of the plugin's own");
  auto ticket = std::make_shared<Ticket>();
  const bool posted = post([holder = std::make_shared<TicketHolder>(ticket), &work] {
    Ticket& mine = *holder->ticket;
    {
      std::lock_guard guard(mine.mutex);
      if (mine.state != Ticket::State::waiting) return;  // the caller has given up, and `work` is gone
      mine.state = Ticket::State::running;
    }
    try {
      work();
    } catch (...) {
      mine.set(Ticket::State::done);
      throw;
    }
    mine.set(Ticket::State::done);
  });
  if (!posted) return make_error(NEXUS_E_STOPPING, "the host is shutting down");
  std::unique_lock lock(ticket->mutex);
  const auto begun = [&] { return ticket->state != Ticket::State::waiting; };
  if (!ticket->changed.wait_for(lock, patience, begun)) {
    ticket->state = Ticket::State::dropped;
    return make_error(NEXUS_E_TIMEOUT, "the control thread is busy with another plugin",
                      "see `nexus plugins ls` for one that is starting or stopping, and try again");
  }
  ticket->changed.wait(lock, [&] { return ticket->state != Ticket::State::running; });
  if (ticket->state == Ticket::State::dropped) return make_error(NEXUS_E_STOPPING, "the host is shutting down");
  return {};
}

bool ControlThread::is_idle() const {
  std::lock_guard guard(mutex_);
  return queue_.empty() && !running_;
}

void ControlThread::stop() {
  std::deque<std::function<void()>> dropped;
  {
    std::lock_guard guard(mutex_);
    stopping_ = true;
    dropped.swap(queue_);
  }
  wake_.notify_one();
  dropped.clear();
  if (thread_.joinable() && !is_current()) thread_.join();
}

void ControlThread::loop() {
  os::name_thread("nexus-control");
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    if (stopping_) return;
    {
      const std::function<void()> work = std::move(queue_.front());
      queue_.pop_front();
      running_ = true;
      lock.unlock();
      try {
        work();
      } catch (const std::exception& thrown) {
        log::error("work of the control thread failed", {{"error", thrown.what()}});
      } catch (...) {
        log::error("work of the control thread failed", {{"error", "an exception of an unknown type"}});
      }
    }
    lock.lock();
    running_ = false;
  }
}

}  // namespace nexus::host
