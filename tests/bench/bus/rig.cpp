#include "tests/bench/bus/rig.hpp"

#include <unistd.h>

#include <chrono>

#include "host/base/clock.hpp"
#include "tests/bench/command_line.hpp"

namespace nexus::bench {
namespace {

constexpr int64_t kPauseMaxNs = 60'000'000'000;
constexpr auto kTick = std::chrono::milliseconds(20);
constexpr uint32_t kTicksPerResync = 50;

int64_t pause_deadline() { return host::FastClock::instance().unix_ns() + kPauseMaxNs; }

class NoPeers final : public host::PeerDirectory {
 public:
  const void* query_plugin(std::string_view, std::string_view, const char*) override { return nullptr; }
};

host::BridgeServices services(host::Registry& metrics) {
  host::BridgeServices services;
  services.metrics = &metrics;
  return services;
}

}  // namespace

LoadedPlugin::LoadedPlugin(host::BridgeFactory& bridge, host::PeerDirectory& peers, const std::filesystem::path& file,
                           const std::string& id)
    : library_(file, boost::dll::load_mode::rtld_now | boost::dll::load_mode::rtld_local),
      module_(library_.get<const nexus_module*()>("nexus_module_v1")()) {
  auto info = host::read_module(module_);
  if (!info) die(info.error().message);
  info.value().id = id;
  host_ = bridge.make(info.value(), 1, {}, peers);
  if (module_->create(host_->abi(), {}, &instance_, nullptr) != NEXUS_OK) die(file.string() + ": create failed");
  if (module_->start != nullptr && module_->start(instance_, nullptr) != NEXUS_OK)
    die(file.string() + ": start failed");
  host_->activate();
}

LoadedPlugin::~LoadedPlugin() {
  pause();
  if (module_->quiesce != nullptr) module_->quiesce(instance_, pause_deadline());
  host_->revoke();
  module_->destroy(instance_);
}

void LoadedPlugin::pause() {
  if (!host_->pause(pause_deadline())) die("a handler does not come back");
}

const void* LoadedPlugin::query_or_die(const char* id) const {
  const void* found = module_->query != nullptr ? module_->query(instance_, id) : nullptr;
  if (found == nullptr) die(std::string("no such interface in the plugin: ") + id);
  return found;
}

namespace {

host::BusOptions bus_options(const RigOptions& options) {
  host::BusOptions made;
  made.worker_count = options.workers;
  made.max_queue_size = options.queue_size;
  return made;
}

}  // namespace

Rig::Rig(const RigOptions& options, std::filesystem::path plugin_folder)
    : plugin_folder_(std::move(plugin_folder)),
      copies_(std::filesystem::temp_directory_path() / ("nexus-bench." + std::to_string(getpid()))),
      bus_(host::Bus::create(bus_options(options), host::FastClock::instance())),
      bridge_(std::make_unique<host::BridgeFactory>(*bus_, services(metrics_))),
      peers_(std::make_unique<NoPeers>()) {
  std::filesystem::create_directories(copies_);
  if (options.ticks) ticker_ = std::thread([this] { tick(); });
}

Rig::~Rig() {
  stopping_ = true;
  if (ticker_.joinable()) ticker_.join();
  plugins_.clear();
  bus_->stop();
  bridge_.reset();
  bus_.reset();
  std::error_code ignored;
  std::filesystem::remove_all(copies_, ignored);
}

void Rig::tick() {
  for (uint32_t count = 1; !stopping_; ++count) {
    std::this_thread::sleep_for(kTick);
    bus_->tick();
    if (count % kTicksPerResync == 0) host::FastClock::instance().resync();
  }
}

LoadedPlugin& Rig::load(const std::string& file) {
  const std::string number = std::to_string(plugins_.size());
  const std::filesystem::path copy = copies_ / (file + "." + number + ".so");
  std::filesystem::copy_file(plugin_folder_ / (file + ".so"), copy);
  return load_file(copy, "com.example." + file + number);
}

LoadedPlugin& Rig::load_file(const std::filesystem::path& file, const std::string& id) {
  plugins_.push_back(std::make_unique<LoadedPlugin>(*bridge_, *peers_, file, id));
  return *plugins_.back();
}

}  // namespace nexus::bench
