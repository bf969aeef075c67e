// Deliveries that were given up: where they are kept, found and taken out again. A store may be asked from any thread.
// Letters are immutable; each is in the store, or taken out for another try, or gone and counted. The one here keeps
// them in memory, and a database is another.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host/event/event_ref.hpp"
#include "host/event/pattern.hpp"

namespace nexus::host {

// attempts: the last one failed. rejected: the handler, or somebody who looked, said that there is no use in trying.
// overflow: it gave way in a full mailbox. loop: an emit, refused at the end of a chain; it had no subscription yet.
enum class DeadLetterReason : uint8_t { kAttempts, kRejected, kExpired, kOverflow, kCrash, kLoop };
inline constexpr size_t kDeadLetterReasons = 6;
std::string_view reason_name(DeadLetterReason reason);
std::optional<DeadLetterReason> parse_reason(std::string_view name);

struct DeadLetter {
  uint64_t id = 0;  // given by the store, never twice
  EventRef event;   // the original, byte for byte
  std::string plugin_id, plugin_version;
  std::string subscription;  // its name; empty for a dynamic one
  std::string pattern;       // empty where there was no subscription
  DeadLetterReason reason = DeadLetterReason::kAttempts;
  uint32_t attempts = 0;  // in all, those of replays included
  uint32_t replays = 0;
  int64_t first_unix_ns = 0, last_unix_ns = 0;  // when an attempt failed, the first time and the last
  std::string error_type, error_message;        // of the last; UTF-8
  std::string fingerprint;
  std::string note;        // of a person, or of what gave it up
  bool parks_key = false;  // later ones with its key wait until it is gone
};
using DeadLetterPointer = std::shared_ptr<const DeadLetter>;

// 16 hex digits, the same for failures of one kind: same plugin, subscription, event type and error, where words of the
// message that hold a digit (numbers, ids) do not count. Stable over versions and machines.
std::string fingerprint_of(std::string_view plugin_id, std::string_view subscription, std::string_view event_type,
                           std::string_view error_type, std::string_view error_message);

// What is absent matches everything.
struct DeadLetterFilter {
  std::optional<uint64_t> id;
  std::optional<std::string> fingerprint, plugin;
  std::optional<Pattern> type;
  std::optional<DeadLetterReason> reason;
  uint64_t after_id = 0;          // only those with a larger one
  uint64_t last_id = UINT64_MAX;  // and none above this
  bool matches(const DeadLetter& letter) const;
};

struct DeadLetterGroup {
  std::string fingerprint;
  uint64_t count = 0;
  int64_t first_unix_ns = 0, last_unix_ns = 0;
  DeadLetterPointer latest;
};

struct DeadLetterTotals {
  uint64_t held = 0;
  uint64_t dropped = 0;  // by the bound
  uint64_t removed = 0;  // by hand
  std::array<uint64_t, kDeadLetterReasons>
      given_up{};  // letters that came, by reason; one that came again counts again
};

class DeadLetterStore {
 public:
  virtual ~DeadLetterStore() = default;

  // Keeps the letter; its id, or 0 when there was no room and it was dropped. With an id it is one that was taken, and
  // comes back to its place. `dropped` gets those that gave way to it.
  virtual uint64_t put(DeadLetter letter, std::vector<DeadLetterPointer>* dropped) = 0;
  // One that was taken comes back as it was; it does not count as given up again.
  virtual void restore(const DeadLetterPointer& letter) = 0;

  // Null when there is none.
  virtual DeadLetterPointer find(uint64_t id) const = 0;
  // In the order of their ids.
  virtual std::vector<DeadLetterPointer> list(const DeadLetterFilter& filter, uint64_t limit,
                                              uint64_t offset = 0) const = 0;
  // Those that fail most come first.
  virtual std::vector<DeadLetterGroup> groups(const DeadLetterFilter& filter) const = 0;
  virtual uint64_t count(const DeadLetterFilter& filter) const = 0;
  // Of the newest letter ever kept.
  virtual uint64_t last_id() const = 0;

  // Takes it out for another try; its place is kept while the answer lives. Null when there is none: one of two who try
  // gets it.
  virtual DeadLetterPointer take(uint64_t id) = 0;
  // False when there is none.
  virtual bool remove(uint64_t id) = 0;

  virtual DeadLetterTotals totals() const = 0;
};

struct DeadLetterLimits {
  uint64_t letters_max = 10'000;
  bool drop_new = false;  // at the bound the one that comes is dropped, not the one that has not failed for longest
};

class MemoryDeadLetters final : public DeadLetterStore {
 public:
  explicit MemoryDeadLetters(const DeadLetterLimits& limits) : limits_(limits) {}

  uint64_t put(DeadLetter letter, std::vector<DeadLetterPointer>* dropped) override;
  void restore(const DeadLetterPointer& letter) override;
  DeadLetterPointer find(uint64_t id) const override;
  std::vector<DeadLetterPointer> list(const DeadLetterFilter& filter, uint64_t limit,
                                      uint64_t offset = 0) const override;
  std::vector<DeadLetterGroup> groups(const DeadLetterFilter& filter) const override;
  uint64_t count(const DeadLetterFilter& filter) const override;
  uint64_t last_id() const override;
  DeadLetterPointer take(uint64_t id) override;
  bool remove(uint64_t id) override;
  DeadLetterTotals totals() const override;

 private:
  struct Row {
    DeadLetterPointer letter;
    uint64_t arrival;
  };
  template <class Visit>
  void each_match(const DeadLetterFilter& filter, Visit visit) const;
  void insert(uint64_t id, DeadLetterPointer letter);
  DeadLetterPointer extract(uint64_t id);
  bool make_room(std::vector<DeadLetterPointer>* dropped);

  const DeadLetterLimits limits_;
  mutable std::mutex mutex_;  // guards all below
  std::map<uint64_t, Row> rows_;
  std::map<uint64_t, uint64_t> by_arrival_;  // to the id
  uint64_t next_id_ = 1, next_arrival_ = 1;
  DeadLetterTotals totals_;
  std::map<uint64_t, std::weak_ptr<const DeadLetter>> taken_;  // have a place while they live and have not come back
};

}  // namespace nexus::host
