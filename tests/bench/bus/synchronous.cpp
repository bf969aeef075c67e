#include "tests/bench/bus/synchronous.hpp"

#include <cstring>

#include "host/bus/route.hpp"
#include "host/bus/thread_state.hpp"
#include "host/event/block.hpp"
#include "tests/bench/command_line.hpp"
#include "tests/bench/plugins/bench_abi.h"

namespace nexus::bench {
namespace {

// An event as an emit leaves it in memory, of which only what the handlers read is filled in.
host::EventBlock* make_block(const host::TypeEntry& type) {
  host::EventBlock* block = host::allocate_block(BENCH_PAYLOAD_SIZE);
  if (block == nullptr) die("out of memory");
  std::memset(&block->event, 0, sizeof block->event);
  block->event.size = sizeof block->event;
  block->event.type = host::to_abi(type.name);
  std::memset(block->payload(), 7, BENCH_PAYLOAD_SIZE);
  block->event.data = {reinterpret_cast<const uint8_t*>(block->payload()), BENCH_PAYLOAD_SIZE};
  return block;
}

uint64_t call_handlers(host::Target& target, nexus_delivery& delivery, nexus_outcome& outcome) {
  uint64_t handled = 0;
  for (uint32_t i = 0; i < target.size; ++i) {
    host::Entry& entry = target.entries[i];
    if (!entry.subscription->active.load(std::memory_order_relaxed)) continue;
    if (entry.condition != nullptr && entry.condition(entry.user, delivery.event) != 1) continue;
    delivery.subscription = entry.id;
    outcome.reply_type.size = 0;
    if (entry.handler(entry.user, &delivery, &outcome) == NEXUS_DONE) ++handled;
  }
  return handled;
}

// One event: the route of its type as it is at this moment, and every handler on it, through the C ABI.
[[gnu::noinline]] uint64_t route_and_call(const host::TypeEntry& type, nexus_delivery& delivery,
                                          nexus_outcome& outcome) {
  const host::RouteReader reader(host::thread_state());
  const host::Route* route = type.route.load(std::memory_order_acquire);
  if (route == nullptr) return 0;
  if (route->single != nullptr) return call_handlers(*route->single, delivery, outcome);
  uint64_t handled = 0;
  for (const host::Stage& stage : route->stages)
    for (host::Target* target : stage.targets) handled += call_handlers(*target, delivery, outcome);
  return handled;
}

}  // namespace

double run_synchronously(Rig& rig, const Job& job, uint64_t events) {
  const auto type = rig.bus().router().intern(job.types[0]);
  if (!type) die(type.error().message);
  host::EventBlock* block = make_block(*type.value());
  nexus_error error{};
  nexus_delivery delivery{};
  delivery.size = sizeof delivery;
  delivery.event = &block->event;
  delivery.attempt = 1;
  nexus_outcome outcome{};
  outcome.size = sizeof outcome;
  outcome.error = &error;
  uint64_t handled = 0;
  const double began = thread_cpu_ns();
  for (uint64_t i = 0; i < events; ++i) handled += route_and_call(*type.value(), delivery, outcome);
  const double took = thread_cpu_ns() - began;
  if (handled != events * job.subscriptions.size()) die(job.name + ": deliveries are missing");
  block->release();
  return took / static_cast<double>(events);
}

}  // namespace nexus::bench
