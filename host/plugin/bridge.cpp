#include "host/plugin/bridge.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "host/base/error.hpp"
#include "host/base/log.hpp"
#include "host/bus/thread_state.hpp"
#include "host/event/name.hpp"
#include "host/event/pattern.hpp"
#include "host/plugin/bridge_call.hpp"
#include "host/plugin/bridge_task.hpp"
#include "host/plugin/lifecycle_call.hpp"

namespace nexus::host {
namespace {

int64_t to_monotonic(int64_t deadline_unix_ns) {
  const auto now_unix =
      std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
  const auto now =
      std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
  return now + (deadline_unix_ns - now_unix);
}

class Bridge final : public InstanceHost {
 public:
  Bridge(BridgeFactory& factory, Bus& bus, std::unique_ptr<BridgeTables> tables)
      : factory_(factory), bus_(bus), tables_(std::move(tables)), participant_(tables_->participant) {}

  ~Bridge() override {
    revoke();
    factory_.bury(std::move(tables_));
  }

  const nexus_host* abi() override { return &tables_->host; }
  void activate() override { bus_.activate(*participant_); }
  bool pause(int64_t deadline_unix_ns) override {
    if (!bus_.pause(*participant_, to_monotonic(deadline_unix_ns))) return false;
    std::lock_guard guard(tables_->held_mutex);
    tables_->holds = true;
    return true;
  }
  void resume() override {
    for (const nexus_handle subscription : tables_->release_held())
      static_cast<void>(tables_->unsubscribe_now(tables_.get(), subscription));
    bus_.resume(*participant_);
  }
  bool drain(int64_t deadline_unix_ns) override { return bus_.drain(*participant_, to_monotonic(deadline_unix_ns)); }

  Result<size_t> hand_over_to(InstanceHost& successor) override {
    auto* other = dynamic_cast<Bridge*>(&successor);
    if (other == nullptr) return make_error(NEXUS_E_INTERNAL, "the successor is not of this bridge");
    const size_t moved = bus_.hand_over(*participant_, *other->participant_);
    static_cast<void>(tables_->release_held());  // their routes have ended with all others
    return moved;
  }

  void revoke() override {
    if (tables_->revoked.exchange(true)) return;
    static_cast<void>(tables_->release_held());
    bus_.remove(participant_);
    if (tables_->services->metrics != nullptr) tables_->services->metrics->remove_owner(tables_->metrics_owner);
  }

  Result<void> post(std::function<void()> task) override {
    return bus_.post(*participant_, std::make_unique<HostTask>(std::move(task)));
  }

  InstanceStats stats() const override {
    InstanceStats stats;
    for (const SubscriptionStatus& subscription : bus_.router().subscriptions(participant_.get())) {
      ++stats.subscriptions;
      stats.handled += subscription.totals.handled;
      stats.failed += subscription.totals.failed;
    }
    stats.queued = participant_->mailbox().depth();
    if (Mailbox* parallel = participant_->parallel_mailbox()) stats.queued += parallel->depth();
    stats.emitted = participant_->emitted();
    stats.stuck = participant_->mailbox().is_stuck();
    return stats;
  }

 private:
  BridgeFactory& factory_;
  Bus& bus_;
  std::unique_ptr<BridgeTables> tables_;
  const std::shared_ptr<Participant> participant_;
};

// ---- nexus_host ---------------------------------------------------------------------------------------------------

void host_log(void* ctx, int32_t level, nexus_string message, const nexus_log_field* fields, uint32_t count) {
  abi_call(ctx, nullptr, [&](BridgeTables& tables) {
    const auto known = static_cast<log::Level>(level < NEXUS_LOG_TRACE   ? NEXUS_LOG_TRACE
                                               : level > NEXUS_LOG_ERROR ? NEXUS_LOG_ERROR
                                                                         : level);
    if (!log::enabled(known) || is_broken(message) || (fields == nullptr && count != 0)) return NEXUS_OK;
    std::vector<log::Field> copies;
    copies.reserve(count);
    for (uint32_t i = 0; i < count; ++i) {
      if (is_broken(fields[i].name) || is_broken(fields[i].value)) continue;
      copies.emplace_back(to_view(fields[i].name), to_view(fields[i].value));
    }
    log::Context context;
    context.plugin = tables.plugin;
    if (const EventBlock* event = thread_state().running.event) {
      context.event_type = to_view(event->event.type);
      context.correlation_id = to_view(event->event.correlation_id);
      context.event_id = event->event.id.bytes;
      if (!is_nil(event->event.trace_id)) context.trace_id = event->event.trace_id.bytes;
    }
    log::write(known, context, to_view(message), log::Fields(copies.data(), copies.size()));
    return NEXUS_OK;
  });
}

int32_t host_log_enabled(void*, int32_t level) { return log::enabled(static_cast<log::Level>(level)) ? 1 : 0; }

const void* host_query(void* ctx, const char* interface_id) {
  const auto& tables = *static_cast<const BridgeTables*>(ctx);
  if (interface_id == nullptr || tables.revoked.load(std::memory_order_relaxed)) return nullptr;
  const std::string_view id = interface_id;
  if (id == NEXUS_BUS_ID) return &tables.bus;
  if (id == NEXUS_TIMER_ID) return &tables.timer;
  if (id == NEXUS_METRICS_ID && tables.services->metrics != nullptr) return &tables.metrics;
  if (id == NEXUS_DATA_ID) return &tables.data;
  if (id == NEXUS_CONTROL_ID && tables.permissions.control && tables.services->control) return &tables.control;
  return nullptr;
}

const void* host_query_plugin(void* ctx, nexus_string plugin_id, const char* interface_id) {
  const void* found = nullptr;
  abi_call(ctx, nullptr, [&](BridgeTables& tables) {
    if (!is_broken(plugin_id) && interface_id != nullptr)
      found = tables.peers->query_plugin(tables.plugin, to_view(plugin_id), interface_id);
    return NEXUS_OK;
  });
  return found;
}

int64_t host_now(void* ctx) { return static_cast<BridgeTables*>(ctx)->owner->clock().unix_ns(); }

void host_request_stop(void* ctx, nexus_string reason) {
  abi_call(ctx, nullptr, [&](BridgeTables& tables) {
    const std::string text = is_broken(reason) ? std::string() : std::string(to_view(reason));
    if (tables.services->request_stop) tables.services->request_stop(tables.plugin + ": " + text);
    return NEXUS_OK;
  });
}

uint32_t host_thread_kind(void*) {
  if (LifecycleCall::is_running()) return NEXUS_THREAD_CONTROL;
  const ThreadState* state = existing_thread_state();
  return state != nullptr && (state->is_worker || state->in_callback) ? NEXUS_THREAD_WORKER : NEXUS_THREAD_OWN;
}

Result<std::string> make_data_folder(const BridgeTables& tables) {
  const std::filesystem::path& parent = tables.services->plugin_data;
  if (parent.empty()) return make_error(NEXUS_E_UNSUPPORTED, "this host keeps no files for plugins");
  const std::filesystem::path folder = parent / tables.plugin;
  std::error_code failed;
  std::filesystem::create_directories(parent, failed);
  if (!failed && std::filesystem::create_directory(folder, failed))
    std::filesystem::permissions(folder, std::filesystem::perms::owner_all, failed);
  if (!failed && !std::filesystem::is_directory(folder, failed) && !failed)
    failed = std::make_error_code(std::errc::not_a_directory);
  if (failed) return make_error(NEXUS_E_IO, "cannot make the folder " + folder.string() + ": " + failed.message());
  return folder.string();
}

nexus_string host_data_folder(void* ctx, nexus_error* error) {
  std::string_view found;
  abi_call(ctx, error, [&](BridgeTables& tables) {
    const std::lock_guard guard(tables.data_folder_mutex);
    if (tables.data_folder.empty()) {
      auto made = make_data_folder(tables);
      if (!made) return write_error(error, made.error());
      tables.data_folder = std::move(made.value());
    }
    found = tables.data_folder;
    return NEXUS_OK;
  });
  return {found.data(), found.size()};
}

// ---- Unsubscribing while paused -----------------------------------------------------------------------------------

// In place of the bus's own: an instance that is taken down before its successor has subscribed, and drops its
// subscriptions at that, would else leave the events of that while without a route.
int32_t unsubscribe_or_hold(void* ctx, nexus_handle subscription) {
  return abi_call(ctx, nullptr, [&](BridgeTables& tables) {
    {
      std::lock_guard guard(tables.held_mutex);
      if (tables.holds) {
        const auto mine = tables.owner->router().subscriptions(tables.participant.get());
        const bool is_mine = std::any_of(mine.begin(), mine.end(),
                                         [&](const SubscriptionStatus& one) { return one.id == subscription; });
        const bool is_held = std::find(tables.held.begin(), tables.held.end(), subscription) != tables.held.end();
        if (!is_mine || is_held) return NEXUS_E_HANDLE;
        tables.held.push_back(subscription);
        return NEXUS_OK;
      }
    }
    return tables.unsubscribe_now(ctx, subscription);
  });
}

}  // namespace

std::vector<nexus_handle> BridgeTables::release_held() {
  std::lock_guard guard(held_mutex);
  holds = false;
  return std::exchange(held, {});
}

void fill_host_table(BridgeTables& tables) {
  tables.host.size = sizeof(nexus_host);
  tables.host.major = NEXUS_ABI_MAJOR;
  tables.host.minor = NEXUS_ABI_MINOR;
  tables.host.ctx = &tables;
  tables.host.log = host_log;
  tables.host.log_enabled = host_log_enabled;
  tables.host.query = host_query;
  tables.host.query_plugin = host_query_plugin;
  tables.host.now_unix_ns = host_now;
  tables.host.request_stop = host_request_stop;
  tables.host.thread_kind = host_thread_kind;
  tables.host.data_folder = host_data_folder;
}

// A wanted pattern is within a granted one when the granted one matches its text, wildcards taken as segments: what the
// wanted one can match is then matched by the granted one too.
Result<void> BridgeTables::check_pattern_permitted(const std::vector<std::string>& granted,
                                                   std::string_view wanted) const {
  for (const std::string& text : granted) {
    if (text == wanted) return {};
    const auto pattern = Pattern::parse(text);
    if (pattern && pattern.value().matches(wanted)) return {};
  }
  return make_error(NEXUS_E_PERMISSION, plugin + " has no permission for '" + std::string(wanted) + "'",
                    "add it to [plugins.\"" + plugin + "\".permissions] in nexus.toml");
}

// ---- The factory --------------------------------------------------------------------------------------------------

BridgeFactory::~BridgeFactory() = default;

std::unique_ptr<InstanceHost> BridgeFactory::make(const ModuleInfo& module, uint64_t generation,
                                                  const PluginSettings& settings, PeerDirectory& peers) {
  auto tables = std::make_unique<BridgeTables>();
  ParticipantOptions options;
  options.id = module.id;
  options.version = module.version;
  options.own_thread = settings.own_thread;
  options.may_forward = settings.permissions.forward;
  tables->owner = &bus_;
  tables->services = &services_;
  tables->participant = bus_.add_participant(std::move(options));
  tables->permissions = settings.permissions;
  tables->peers = &peers;
  tables->plugin = module.id;
  tables->metrics_owner = module.id + "#" + std::to_string(generation);
  fill_host_table(*tables);
  fill_bus_table(*tables);
  tables->unsubscribe_now = std::exchange(tables->bus.unsubscribe, unsubscribe_or_hold);
  fill_service_tables(*tables);
  return std::make_unique<Bridge>(*this, bus_, std::move(tables));
}

void BridgeFactory::bury(std::unique_ptr<BridgeTables> tables) {
  buried_.push_back(std::move(tables));
  if (buried_.size() > kBuriedMax) buried_.pop_front();
}

}  // namespace nexus::host
