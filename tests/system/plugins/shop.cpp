// The patterns of the documentation in one plugin: fire and forget, request and response, error recovery, giving up
// after a back-off; and an answer that comes from a thread of the plugin's own, which blocks for one itself.
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <thread>
#include <utility>

#include "users.hpp"

using namespace std::chrono_literals;

struct Order {
  std::string id;
  std::string buyer;
};
NEXUS_EVENT(Order, "order.created", id, buyer)

struct OrderAccepted {
  std::string id;
  std::string version;  // of the plugin
};
NEXUS_EVENT(OrderAccepted, "order.accepted", id, version)

struct Registered {
  std::string email;
};
NEXUS_EVENT(Registered, "user.registered", email)

struct ProfileWanted {
  std::string user_id;
  int failures = 0;  // of the database, before it is back
};
NEXUS_EVENT(ProfileWanted, "profile.wanted", user_id, failures)

struct ProfileMade {
  int attempts = 0;
};
NEXUS_EVENT(ProfileMade, "profile.made", attempts)

struct ImportWanted {
  std::string owner;
};
NEXUS_EVENT(ImportWanted, "import.wanted", owner)

struct ImportDone {
  bool is_valid = false;
  std::string version;
};
NEXUS_EVENT(ImportDone, "import.done", is_valid, version)

class Shop final : public nexus::Plugin {
  struct Import {
    ImportWanted wanted;
    nexus::Promise promise;
  };

  void start() override {
    importer_ = std::thread([this] { import_all(); });
  }
  void stop() override {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_all();
    importer_.join();
  }

  // Request and response: finished, with its own answer, when the question that it asks is answered.
  NEXUS_ON(take)
  nexus::Later take(const Order& order) {
    return request(ValidateUser{order.buyer}, 60s).then([order](const UserVerdict& verdict) {
      if (!verdict.is_valid) throw nexus::Reject("unknown buyer", "unknown_buyer");
      return OrderAccepted{order.id, PLUGIN_VERSION};
    });
  }

  // Fire and forget: what goes wrong is written down and goes no further.
  NEXUS_ON(welcome)
  void welcome(const Registered& user) {
    try {
      send_mail(user.email);
    } catch (const std::exception& error) {
      log().error("no welcome mail", {{"email", user.email}, {"why", error.what()}});
    }
  }

  // Recovery: the bus tries again, later and later; after the last attempt it gives up and tells so.
  NEXUS_ON(make_profile, .retry = nexus::exponential(3, 1ms))
  void make_profile(const ProfileWanted& wanted) {
    const int attempt = ++attempts_[wanted.user_id];
    if (attempt <= wanted.failures) throw std::runtime_error("no database at attempt " + std::to_string(attempt));
    emit(ProfileMade{attempt});
  }

  // Work for the own thread.
  NEXUS_ON(take_import)
  nexus::Later take_import(const ImportWanted& wanted) {
    Import import{wanted, promise()};
    const nexus::Later later = import.promise.later();
    {
      const std::lock_guard lock(mutex_);
      imports_.push_back(std::move(import));
    }
    changed_.notify_all();
    return later;
  }

  static void send_mail(const std::string& address) {
    if (address.find('@') == std::string::npos) throw std::runtime_error("no address");
  }

  void import_all() {
    while (std::optional<Import> import = next()) {
      try {
        const UserVerdict verdict = request(ValidateUser{import->wanted.owner}, 60s).wait<UserVerdict>();
        import->promise.reply(ImportDone{verdict.is_valid, PLUGIN_VERSION});
      } catch (const nexus::Error& error) {
        // What is cancelled is left to whoever comes after this instance.
        if (error.code() != NEXUS_E_CANCELLED) import->promise.fail(error);
      }
    }
  }
  std::optional<Import> next() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return stopping_ || !imports_.empty(); });
    if (stopping_) return {};
    Import import = std::move(imports_.front());
    imports_.pop_front();
    return import;
  }

  std::map<std::string, int> attempts_;
  std::mutex mutex_;  // guards the two below
  std::deque<Import> imports_;
  bool stopping_ = false;
  std::condition_variable changed_;
  std::thread importer_;
};

NEXUS_PLUGIN(Shop, "test.shop", PLUGIN_VERSION)
