// The way of a finished event into mailboxes: all of them or none, at once or when the handler that emitted it
// succeeds. See bus.hpp.
#include <chrono>

#include "host/bus/bus.hpp"
#include "host/bus/thread_state.hpp"
#include "host/event/block.hpp"

namespace nexus::host {
namespace {

int64_t monotonic_now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

// Mailboxes look at keys only once there are any.
void expect_keys(const EventBlock& event, const Route& route) {
  if ((event.host_flags & EventBlock::kHostKeyed) == 0) return;
  for (const Stage& stage : route.stages)
    for (Target* target : stage.targets) target->mailbox->expect_keys();
}

}  // namespace

// Takes the caller's reference when it returns NEXUS_OK.
int32_t Bus::publish(EmitCall& call, EventBlock* event) {
  const TypeEntry& type = *call.port.type;
  const bool hard = call.thread.is_worker || call.from.options().is_host;
  int64_t deadline = 0;
  for (;;) {
    std::shared_ptr<Mailbox> full;
    {
      RouteReader reader(call.thread);
      const Route* route = type.route.load(std::memory_order_acquire);
      if (route == nullptr) {
        if ((event->host_flags & EventBlock::kHostAwaited) != 0) answer_unrouted(*event);
        unrouted_.fetch_add(1, std::memory_order_relaxed);
        trace(*event, nullptr, TraceKind::unrouted);
        event->release();
        return NEXUS_OK;
      }
      expect_keys(*event, *route);
      if (Target* target = route->single) [[likely]] {
        Slot dropped;
        const Mailbox::Push result = target->mailbox->push(event, target, hard, &dropped);
        if (dropped.item != nullptr) [[unlikely]]
          drop_overflowed(dropped);
        if (result == Mailbox::Push::kAccepted) [[likely]]
          return NEXUS_OK;
        if (result == Mailbox::Push::kClosed) continue;  // the route has just been replaced
        full = {target->mailbox->owner().shared_from_this(), target->mailbox};
      } else if (publish_to_many(call, event, *route, &full) == NEXUS_OK) {
        return NEXUS_OK;
      }
    }
    // Outside of the reader from here on: waiting must not hold reclamation up.
    if (hard || options_.overflow != Overflow::kBlock) return NEXUS_E_QUEUE_FULL;
    if (full == nullptr) continue;
    const int64_t wanted = call.options != nullptr ? call.options->timeout_ns : 0;
    if (wanted < 0) return NEXUS_E_QUEUE_FULL;
    if (deadline == 0) deadline = monotonic_now_ns() + (wanted != 0 ? wanted : options_.block_timeout_ns);
    if (!full->wait_for_room(deadline)) return NEXUS_E_QUEUE_FULL;
    if (monotonic_now_ns() >= deadline) return NEXUS_E_QUEUE_FULL;
  }
}

bool Bus::reserve_all(const Route& route, std::shared_ptr<Mailbox>* full, bool hard) {
  for (size_t stage = 0; stage < route.stages.size(); ++stage) {
    for (size_t i = 0; i < route.stages[stage].targets.size(); ++i) {
      Mailbox& mailbox = *route.stages[stage].targets[i]->mailbox;
      Slot dropped;
      const Mailbox::Push result = mailbox.reserve(hard, &dropped);
      if (dropped.item != nullptr) drop_overflowed(dropped);
      if (result == Mailbox::Push::kAccepted) continue;
      if (result == Mailbox::Push::kFull && full != nullptr) *full = {mailbox.owner().shared_from_this(), &mailbox};
      for (size_t s = 0; s <= stage; ++s)
        for (size_t t = 0; t < (s == stage ? i : route.stages[s].targets.size()); ++t)
          route.stages[s].targets[t]->mailbox->unreserve();
      return false;
    }
  }
  return true;
}

void Bus::unreserve_all(const Route& route) {
  for (const Stage& stage : route.stages)
    for (Target* target : stage.targets) target->mailbox->unreserve();
}

int32_t Bus::publish_to_many(EmitCall& call, EventBlock* event, const Route& route, std::shared_ptr<Mailbox>* full) {
  const bool hard = call.thread.is_worker || call.from.options().is_host;
  if (Mailbox::push_all(event, route.together, hard) == Mailbox::Push::kAccepted) [[likely]]
    return NEXUS_OK;
  if (!reserve_all(route, full, hard)) return NEXUS_E_QUEUE_FULL;
  push_stage(event, route, 0);
  event->release();
  return NEXUS_OK;
}

// Hands the event to the mailboxes of one stage, where room for it is reserved. Takes a reference for each.
void Bus::push_stage(EventBlock* event, const Route& route, uint32_t stage) {
  const std::vector<Target*>& targets = route.stages[stage].targets;
  if (route.stages.size() > 1) {
    event->forget();
    if (stage == 0) {
      route.retain();
      event->route = &route;
    }
    event->stage = stage;
    event->stage_left.store(static_cast<uint32_t>(targets.size()), std::memory_order_relaxed);
  }
  event->references.fetch_add(static_cast<uint32_t>(targets.size()), std::memory_order_relaxed);
  for (Target* target : targets) deliver_or_redirect(event, target, target->mailbox->push_reserved(event, target));
}

// Room is reserved now, so that the emit's answer holds; the event enters the mailboxes when the handler succeeds.
int32_t Bus::hold(EmitCall& call, EventBlock* event) {
  const int64_t wait = call.options != nullptr ? call.options->delay_ns : 0;
  RouteReader reader(call.thread);
  const Route* route = wait != 0 ? nullptr : call.port.type->route.load(std::memory_order_acquire);
  if (route != nullptr) {
    if (!reserve_all(*route, nullptr, true)) return NEXUS_E_QUEUE_FULL;
    route->retain();
  }
  call.thread.running.held.push_back({event, route, wait});
  *call.thread.running.holds = 1;
  return NEXUS_OK;
}

void Bus::commit(RunningCallback& running) {
  for (const HeldEmit& emit : running.held) {
    if (emit.delay_ns != 0) {
      if (delay(emit.event, emit.delay_ns) == NEXUS_OK) continue;
      withdrawn_.fetch_add(1, std::memory_order_relaxed);
    } else if (emit.route == nullptr) {
      unrouted_.fetch_add(1, std::memory_order_relaxed);
      trace(*emit.event, nullptr, TraceKind::unrouted);
    } else {
      push_stage(emit.event, *emit.route, 0);
      emit.route->release();
    }
    if ((emit.event->host_flags & EventBlock::kHostAnswers) != 0) answer_request(emit.event);
    emit.event->release();
  }
  running.held.clear();
  *running.holds = 0;
}

void Bus::abort(RunningCallback& running) {
  withdraw(running.held);
  *running.holds = 0;
}

void Bus::withdraw(std::vector<HeldEmit>& held) {
  for (const HeldEmit& emit : held) {
    withdrawn_.fetch_add(1, std::memory_order_relaxed);
    if ((emit.event->host_flags & EventBlock::kHostNamed) != 0) dedup_.forget(emit.event->event.id);
    if (emit.route != nullptr) {
      unreserve_all(*emit.route);
      emit.route->release();
    }
    emit.event->release();
  }
  held.clear();
}

}  // namespace nexus::host
