#include "host/bus/bus.hpp"

#include <algorithm>
#include <chrono>
#include <mutex>
#include <set>
#include <thread>

#include "host/bus/epoch.hpp"
#include "host/bus/thread_state.hpp"
#include "host/event/block.hpp"
#include "nexus/events.hpp"

namespace nexus::host {
namespace {

int64_t monotonic_now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

// The text for the life of the process: events may outlive the plugin that is their source.
std::string_view intern_source(const std::string& id) {
  static std::mutex mutex;
  static auto* sources = new std::set<std::string, std::less<>>;
  std::lock_guard guard(mutex);
  return *sources->insert(id).first;
}

}  // namespace

Bus::Bus(const BusOptions& options, const Clock& clock, std::unique_ptr<DeadLetterStore> dead_letters)
    : options_(options),
      clock_(clock),
      fast_clock_(&clock == &FastClock::instance() ? &FastClock::instance() : nullptr),
      dead_letters_(dead_letters != nullptr ? std::move(dead_letters)
                                            : std::make_unique<MemoryDeadLetters>(options.dead_letters)),
      dedup_(options.dedup_window_ns),
      traces_(options.tracing ? std::make_unique<TraceRing>() : nullptr),
      dispatcher_(*this, clock, traces_.get()),
      plain_size_end_(uint64_t{options.event_size_max} + 1) {
  router_.set_rules(options.rules);
}

std::unique_ptr<Bus> Bus::create(const BusOptions& options, const Clock& clock,
                                 std::unique_ptr<DeadLetterStore> dead_letters) {
  std::unique_ptr<Bus> bus(new Bus(options, clock, std::move(dead_letters)));
  bus->scheduler_ = std::make_unique<Scheduler>(bus->dispatcher_, options.worker_count, "nexus-work");
  ParticipantOptions host;
  host.id = "nexus";
  host.is_host = true;
  host.may_forward = true;
  bus->host_ = bus->add_participant(std::move(host));
  bus->activate(*bus->host_);
  return bus;
}

Bus::~Bus() {
  stop();
  for (const auto& participant : participants()) remove(participant);
  for (const auto& participant : removed_) participant->own_scheduler_.reset();
}

// ---- Participants -------------------------------------------------------------------------------------------------

std::shared_ptr<Participant> Bus::add_participant(ParticipantOptions options) {
  std::lock_guard guard(mutex_);
  const std::string_view source = intern_source(options.id);
  auto participant = std::make_shared<Participant>(*this, std::move(options), next_number_++, source);
  MailboxRunner* runner = scheduler_.get();
  if (participant->options().own_thread) {
    participant->own_scheduler_ = std::make_unique<Scheduler>(dispatcher_, 1, "nexus-own");
    runner = participant->own_scheduler_.get();
  }
  MailboxOptions mailbox;
  mailbox.size_max = options_.max_queue_size;
  mailbox.size_max_hard = options_.max_queue_size > UINT32_MAX / 10 ? UINT32_MAX : options_.max_queue_size * 10;
  mailbox.overflow = participant->options().overflow.value_or(options_.overflow);
  participant->mailbox_ = std::make_unique<Mailbox>(*participant, *runner, mailbox);
  static_cast<void>(participant->mailbox_->pause(0));  // until activate
  participants_.push_back(participant);
  return participant;
}

void Bus::activate(Participant& participant) {
  router_.activate(participant);
  resume(participant);
}

bool Bus::pause(Participant& participant, int64_t deadline_monotonic_ns) {
  const bool stopped = participant.mailbox().pause(deadline_monotonic_ns);
  Mailbox* parallel = participant.parallel_mailbox();
  return (parallel == nullptr || parallel->pause(deadline_monotonic_ns)) && stopped;
}

void Bus::resume(Participant& participant) {
  participant.mailbox().resume();
  if (Mailbox* parallel = participant.parallel_mailbox()) parallel->resume();
}

namespace {

// Until no emit that began before can still push into what has been unlinked.
void wait_for_emitters() {
  const uint64_t epoch = Epochs::instance().retire();
  while (!Epochs::instance().is_quiet(epoch)) std::this_thread::yield();
}

}  // namespace

bool Bus::drain(Participant& participant, int64_t deadline_monotonic_ns) {
  router_.detach_all(participant);
  wait_for_emitters();
  const bool empty = participant.mailbox().drain(deadline_monotonic_ns);
  Mailbox* parallel = participant.parallel_mailbox();
  return (parallel == nullptr || parallel->drain(deadline_monotonic_ns)) && empty;
}

size_t Bus::hand_over(Participant& old_one, Participant& new_one) {
  const std::vector<std::shared_ptr<Subscription>> holding = router_.with_backlog(old_one);
  router_.replace(old_one, new_one);
  old_one.successor_.store(&new_one, std::memory_order_release);
  wait_for_emitters();
  size_t moved = 0;
  std::vector<Slot> serial, parallel, tasks;
  const auto move_from = [&](Mailbox& mailbox) {
    for (const Slot& slot : mailbox.close()) {
      if (slot.target == nullptr) {  // a task of the old instance's code
        const std::unique_ptr<Task> task(static_cast<Task*>(slot.item));
        task->drop();
        continue;
      }
      Target* target = inherit(static_cast<const EventBlock*>(slot.item), *slot.target, new_one);
      if (target == nullptr) {
        discard_slot(slot);
        continue;
      }
      (target->mailbox == &new_one.mailbox() ? serial : parallel).push_back({slot.item, target});
      ++moved;
    }
  };
  move_from(old_one.mailbox());
  if (Mailbox* mailbox = old_one.parallel_mailbox()) move_from(*mailbox);
  hand_over_backlogs(holding, new_one);
  redeliver_deferred(old_one);
  new_one.mailbox().prepend(serial);
  if (Mailbox* mailbox = new_one.parallel_mailbox()) mailbox->prepend(parallel);
  return moved;
}

void Bus::remove(const std::shared_ptr<Participant>& participant) {
  for (const WaiterPointer& waiter : waiters_.take_all(*participant)) end_wait(*waiter);
  const std::vector<std::shared_ptr<Subscription>> holding = router_.with_backlog(*participant);
  router_.remove_all(*participant);
  timers_.cancel_all(*participant);
  wait_for_emitters();
  const auto empty = [&](Mailbox& mailbox) {
    for (const Slot& slot : mailbox.close()) discard_slot(slot);
  };
  empty(participant->mailbox());
  if (Mailbox* mailbox = participant->parallel_mailbox()) empty(*mailbox);
  discard_deferred(*participant);
  for (const auto& subscription : holding) discard_backlog(*subscription);
  {
    std::lock_guard guard(mutex_);
    if (std::erase(participants_, participant) == 0) return;
    removed_.push_back(participant);
  }
  collect_removed();
}

void Bus::collect_removed() {
  router_.reclaim();
  std::vector<std::shared_ptr<Participant>> gone;
  {
    std::lock_guard guard(mutex_);
    const auto still_needed = [&](const std::shared_ptr<Participant>& participant) {
      // One that was swapped out still leads to its successor, which so must stay as long.
      const bool is_successor = std::any_of(removed_.begin(), removed_.end(), [&](const auto& other) {
        return other != participant && other->successor() == participant.get();
      });
      return participant.use_count() > 1 || is_successor || router_.is_referenced(*participant);
    };
    // Decided for all before any is moved: the answers depend on the whole list.
    std::vector<std::shared_ptr<Participant>> kept;
    std::vector<bool> keep;
    for (const auto& participant : removed_) keep.push_back(still_needed(participant));
    for (size_t i = 0; i < removed_.size(); ++i) (keep[i] ? kept : gone).push_back(std::move(removed_[i]));
    removed_ = std::move(kept);
    for (const auto& participant : gone) {
      participant->each_port([&](const Port& port) {
        const uint64_t accepted = port.accepted.get(), rejected = port.rejected.load(std::memory_order_relaxed);
        accepted_before_ += accepted;
        rejected_before_ += rejected;
        port.type->accepted_before.fetch_add(accepted, std::memory_order_relaxed);
        port.type->rejected_before.fetch_add(rejected, std::memory_order_relaxed);
      });
      invalid_before_ += participant->invalid_emits.load(std::memory_order_relaxed);
    }
  }
  // Threads of their own are joined here, under no lock.
  gone.clear();
}

std::vector<std::shared_ptr<Participant>> Bus::participants() const {
  std::lock_guard guard(mutex_);
  return participants_;
}

// ---- Subscriptions and tasks --------------------------------------------------------------------------------------

Result<nexus_handle> Bus::subscribe(Participant& participant, std::string_view pattern,
                                    const nexus_subscribe_options& options, nexus_handler_fn handler, void* user) {
  if (handler == nullptr) return make_error(NEXUS_E_ARGUMENT, "the handler is null");
  if (options.concurrency > NEXUS_CONCURRENCY_KEYED) return make_error(NEXUS_E_ARGUMENT, "the concurrency is unknown");
  auto parsed = Pattern::parse(pattern);
  if (!parsed) return parsed.error();
  auto subscription = std::make_shared<Subscription>(std::move(parsed.value()));
  subscription->participant = &participant;
  subscription->mailbox = &participant.mailbox();
  subscription->name = to_view(options.name);
  subscription->filter_text = to_view(options.filter_text);
  subscription->priority = options.priority;
  subscription->concurrency = options.concurrency;
  subscription->flags = options.flags;
  subscription->deadline_ns = options.deadline_ns > 0 ? options.deadline_ns : options_.handler_deadline_ns;
  subscription->retry = options_.retry;
  if ((options.flags & NEXUS_SUBSCRIBE_HAS_RETRY) != 0)
    subscription->retry = {options.retry_attempts, options.retry_exponential != 0, options.retry_delay_ns,
                           options.retry_delay_ns_max};
  subscription->handler = handler;
  subscription->condition = options.condition;
  subscription->user = user;
  if (options.concurrency != NEXUS_CONCURRENCY_SERIAL && !participant.options().own_thread)
    subscription->mailbox = &parallel_mailbox(participant);
  // An exact pattern makes its type known, so that the first emit finds the route ready.
  if (subscription->pattern.is_exact()) {
    if (auto type = router_.intern(pattern); !type) return type.error();
  }
  router_.add(subscription);
  return subscription->id;
}

Mailbox& Bus::parallel_mailbox(Participant& participant) {
  std::lock_guard guard(mutex_);
  if (Mailbox* known = participant.parallel_mailbox()) return *known;
  MailboxOptions options;
  options.size_max = options_.max_queue_size;
  options.size_max_hard = options_.max_queue_size > UINT32_MAX / 10 ? UINT32_MAX : options_.max_queue_size * 10;
  options.overflow = participant.options().overflow.value_or(options_.overflow);
  options.turns_max = std::max(2u, options_.worker_count);
  participant.parallel_owned_ = std::make_unique<Mailbox>(participant, *scheduler_, options);
  if (participant.mailbox().is_paused()) static_cast<void>(participant.parallel_owned_->pause(0));
  participant.parallel_.store(participant.parallel_owned_.get(), std::memory_order_release);
  return *participant.parallel_owned_;
}

Result<void> Bus::unsubscribe(const Participant& participant, nexus_handle subscription) {
  const std::shared_ptr<Subscription> known = router_.find(subscription);
  auto removed = router_.remove(subscription, participant);
  if (removed) discard_backlog(*known);
  return removed;
}

Result<void> Bus::post(Participant& participant, std::unique_ptr<Task> task) {
  if (participant.mailbox().push_task(task.get()) != Mailbox::Push::kAccepted) {
    task->drop();
    return make_error(NEXUS_E_STOPPING, "the plugin is being unloaded");
  }
  static_cast<void>(task.release());
  return {};
}

// ---- Deliveries ---------------------------------------------------------------------------------------------------

void Bus::discard(EventBlock* event, Target& target) {
  for (uint32_t i = 0; i < target.size; ++i) {
    Entry& entry = target.entries[i];
    entry.discarded.fetch_add(1, std::memory_order_relaxed);
    trace(*event, &entry, TraceKind::discarded);
    // What waits behind it goes on.
    const uint32_t minds = entry.minds.load(std::memory_order_relaxed);
    if ((minds & (Entry::kHoldsKey | Entry::kReleased)) != 0) follow(event, entry, minds, true);
  }
  if (target.is_retry)
    retry_discarded(target);
  else if (event->route != nullptr)
    first_attempt_done(event);
  event->release();
}

void Bus::discard_slot(const Slot& slot) {
  if (slot.target != nullptr) return discard(static_cast<EventBlock*>(slot.item), *slot.target);
  const std::unique_ptr<Task> task(static_cast<Task*>(slot.item));
  task->drop();
}

// Who gets a delivery to the handlers of a target after a hot swap; null: nobody does. Those handlers that nobody has
// inherited will not have it.
Target* Bus::inherit(const EventBlock* event, const Target& old_one, Participant& successor) {
  Target* heir = router_.successor_of(old_one, successor);
  if (heir == nullptr) return nullptr;
  for (const uint32_t orphan : heir->orphans) {
    Entry& entry = old_one.entries[orphan];
    entry.discarded.fetch_add(1, std::memory_order_relaxed);
    trace(*event, &entry, TraceKind::discarded);
  }
  return heir;
}

// A mailbox that was closed between reserving and pushing has a successor, which may have one in turn, or its plugin is
// gone.
void Bus::deliver_or_redirect(EventBlock* event, Target* target, Mailbox::Push result) {
  while (result != Mailbox::Push::kAccepted) [[unlikely]] {
    // Of several swaps only the last one has subscriptions.
    Participant* successor = target->mailbox->owner().successor();
    while (successor != nullptr && successor->successor() != nullptr) successor = successor->successor();
    Target* heir = successor == nullptr ? nullptr : inherit(event, *target, *successor);
    if (heir == nullptr) return discard(event, *target);
    target = heir;
    result = heir->mailbox->push_forced(event, heir);
  }
}

void Bus::first_attempt_done(EventBlock* event) {
  if (event->stage_left.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  const auto* route = static_cast<const Route*>(event->route);
  if (event->stage + 1 < route->stages.size()) {
    push_stage(event, *route, event->stage + 1);
    return;
  }
  event->route = nullptr;
  route->release();
}

void Bus::emit_report(const events::PluginError& report, const EventBlock* cause) {
  cbor::Buffer buffer;
  EventTraits<events::PluginError>::encode(report, buffer);
  emit_host_event("plugin.error", nexus_bytes{buffer.data(), buffer.size()}, cause);
}

int32_t Bus::emit_host_event(std::string_view type, nexus_bytes data, const EventBlock* cause) {
  auto port = intern(*host_, type);
  if (!port) return port.error().code;
  ThreadState& thread = thread_state();
  nexus_emit_options options{};
  options.size = sizeof options;
  options.flags = NEXUS_EMIT_NOW;
  EmitCall call{*host_, *host_->port(port.value()), &options, thread, cause, now(thread), nullptr};
  return emit_one(call, data, nullptr);
}

void Bus::reply(Participant& from, const HandlerAnswer& answer) {
  auto port = intern(from, to_view(answer.reply_type));
  nexus_emit_options options{};
  options.size = sizeof options;
  options.data_format = answer.reply_format;
  if (port) static_cast<void>(emit(from, port.value(), &options, answer.reply, nullptr, nullptr));
}

// ---- The host -----------------------------------------------------------------------------------------------------

void Bus::stop() {
  scheduler_->stop();
  for (const auto& participant : participants())
    if (participant->own_scheduler_ != nullptr) participant->own_scheduler_->stop();
}

bool Bus::drain_all(int64_t deadline_monotonic_ns) {
  // A handler may emit to a mailbox that was found empty before: once around without any traffic is the proof.
  for (;;) {
    const uint64_t before = totals().accepted;
    for (const auto& participant : participants()) {
      if (participant->mailbox().is_paused()) continue;
      if (!participant->mailbox().drain(deadline_monotonic_ns)) return false;
      Mailbox* parallel = participant->parallel_mailbox();
      if (parallel != nullptr && !parallel->drain(deadline_monotonic_ns)) return false;
    }
    if (totals().accepted == before) return true;
    if (monotonic_now_ns() >= deadline_monotonic_ns) return false;
  }
}

void Bus::tick() {
  watch_deadlines();
  collect_removed();
}

}  // namespace nexus::host
