// The active instances of one saga, whatever its state and its steps are: records in a store, a timer for each state
// that has a timeout, the totals, and what `nexus saga` and a hot swap are told. Used in the plugin's mailbox, or by
// the control thread while that is paused; nothing here is locked. Not for plugin authors.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "nexus/errors.hpp"
#include "nexus/metrics.hpp"
#include "nexus/saga_store.hpp"
#include "nexus/schema.hpp"
#include "nexus/timer.hpp"

namespace nexus {

// How many instances of one saga may be active unless the saga says otherwise; an event that would begin another one is
// rejected.
inline constexpr std::size_t kSagaInstancesMax = 100'000;
// The longest key of an instance, in bytes.
inline constexpr std::size_t kSagaKeyBytesMax = 255;
// The largest state of an instance as CBOR; a step that makes a larger one is rejected.
inline constexpr std::size_t kSagaStateBytesMax = std::size_t{1} << 20;
// How many completed states an instance remembers for compensation: a saga that goes round in circles must end.
inline constexpr std::size_t kSagaCompletedMax = 256;

namespace detail {

// One instance as the store keeps it.
struct SagaRecord {
  std::string state;
  std::string correlation_id;
  std::int64_t started_unix_ns = 0;
  std::int64_t changed_unix_ns = 0;
  std::optional<std::int64_t> due_unix_ns;  // when the state's timeout is due
  std::uint64_t steps = 0;                  // how many have succeeded; tells one stay in a state from another
  std::vector<std::string> completed;       // the states to be compensated, the oldest first
  Bytes data;                               // the saga's state, a CBOR map
};
NEXUS_STRUCT(SagaRecord, state, correlation_id, started_unix_ns, changed_unix_ns, due_unix_ns, steps, completed, data)

// What a hot swap hands over.
struct SagaHandover {
  std::uint32_t version = 1;
  std::map<std::string, SagaRecord> instances;
};
NEXUS_STRUCT(SagaHandover, version, instances)

// What the event of a timeout says: which stay of which instance in which state is over.
struct SagaDue {
  std::string key;
  std::string state;
  std::uint64_t steps = 0;
};
NEXUS_STRUCT(SagaDue, key, state, steps)

template <class T>
void write_saga_part(const T& value, cbor::Buffer& out, std::string_view what) {
  schema::Encoding encoding;
  const std::uint8_t* end = schema::Codec<T>::put(out.reserve(schema::Codec<T>::bound(value)), value, encoding);
  if (encoding.broken) throw SchemaError(std::string(what) + ": a text is not UTF-8, or an enum has no such name");
  out.commit(end);
}

// Tolerant, as events are read: a later version of the saga may have more fields.
template <class T>
void read_saga_part(std::span<const std::uint8_t> bytes, T& out, std::string_view what) {
  schema::Decoder decoder(bytes, false);
  if (!schema::decode_whole(decoder, out)) throw SchemaError(schema::sentence(what, *decoder.failure()));
}

struct SagaTotals {
  std::uint64_t started = 0, completed = 0, undone = 0, timed_out = 0, ignored = 0, rejected = 0;
};

class SagaInstances {
 public:
  std::size_t instances_max = kSagaInstancesMax;
  SagaTotals totals;

  explicit SagaInstances(std::unique_ptr<SagaStore> store) : store_(std::move(store)) {}

  SagaStore& store() { return *store_; }
  std::size_t size() const { return store_->size(); }
  bool full() const { return store_->size() >= instances_max; }

  // Fills `record`; false when there is no such instance.
  bool load(std::string_view key, SagaRecord& record) const {
    Bytes bytes;
    if (!store_->get(key, bytes)) return false;
    read_saga_part(bytes, record, key);
    return true;
  }

  // Takes a step's result over, all of it or nothing. `timer` is the new state's, or empty.
  void keep(const std::string& key, const SagaRecord& record, Timer timer) {
    cbor::Buffer bytes;
    write_saga_part(record, bytes, key);
    Timer* place = timer ? &timers_[key] : nullptr;  // before the store changes: it may be short of memory
    store_->put(key, bytes.bytes());
    if (place != nullptr) {
      *place = std::move(timer);
    } else {
      timers_.erase(key);
    }
  }

  void end(std::string_view key) {
    store_->erase(key);
    const auto found = timers_.find(key);
    if (found != timers_.end()) timers_.erase(found);
  }

  void set_timer(const std::string& key, Timer timer) { timers_[key] = std::move(timer); }

  // The maps of abi/draft/saga.h.
  void write_list(std::string_view state, std::string_view after, std::uint64_t limit, cbor::Buffer& out) const;
  bool write_instance(std::string_view key, cbor::Buffer& out) const;

  void save(cbor::Buffer& out) const {
    SagaHandover all;
    store_->scan({}, [&](std::string_view key, std::span<const std::uint8_t> bytes) {
      read_saga_part(bytes, all.instances[std::string(key)], key);
      return true;
    });
    write_saga_part(all, out, "the saga's instances");
  }

  // Calls `arm` with each instance whose state has a timeout.
  template <class Arm>
  void restore(std::span<const std::uint8_t> bytes, const Arm& arm) {
    SagaHandover all;
    read_saga_part(bytes, all, "the saga's instances");
    for (const auto& [key, record] : all.instances) {
      keep(key, record, Timer());
      if (record.due_unix_ns) arm(key, record);
    }
  }

 private:
  // `in_full`: with what `show` has besides.
  static void write_row(std::string_view key, const SagaRecord& record, bool in_full, cbor::Writer& writer);

  std::unique_ptr<SagaStore> store_;
  std::map<std::string, Timer, std::less<>> timers_;  // by key; those of states that have a timeout
};

inline void SagaInstances::write_row(std::string_view key, const SagaRecord& record, bool in_full,
                                     cbor::Writer& writer) {
  writer.begin_map(std::uint64_t{6} + (record.due_unix_ns ? 1 : 0) + (in_full ? 2 : 0));
  const auto text = [&](std::string_view name, std::string_view value) {
    writer.write_text(name);
    writer.write_text(value);
  };
  const auto number = [&](std::string_view name, std::int64_t value) {
    writer.write_text(name);
    writer.write_int(value);
  };
  text("key", key);
  text("state", record.state);
  text("correlation_id", record.correlation_id);
  number("started_unix_ns", record.started_unix_ns);
  number("changed_unix_ns", record.changed_unix_ns);
  number("steps", static_cast<std::int64_t>(record.steps));
  if (record.due_unix_ns) number("due_unix_ns", *record.due_unix_ns);
  if (!in_full) return;
  writer.write_text("completed");
  writer.begin_array(record.completed.size());
  for (const std::string& state : record.completed) writer.write_text(state);
  writer.write_text("data");
  writer.write_raw(record.data);
}

inline void SagaInstances::write_list(std::string_view state, std::string_view after, std::uint64_t limit,
                                      cbor::Buffer& out) const {
  cbor::Writer writer(out);
  const std::pair<std::string_view, std::uint64_t> numbers[] = {
      {"active", size()},          {"active_max", instances_max},
      {"started", totals.started}, {"completed", totals.completed},
      {"undone", totals.undone},   {"timed_out", totals.timed_out},
      {"ignored", totals.ignored}, {"rejected", totals.rejected}};
  writer.begin_map(std::size(numbers) + 1);
  for (const auto& [name, value] : numbers) {
    writer.write_text(name);
    writer.write_uint(value);
  }
  writer.write_text("instances");
  writer.begin_indefinite_array();
  std::uint64_t written = 0;
  store_->scan(after, [&](std::string_view key, std::span<const std::uint8_t> bytes) {
    if (written >= limit) return false;
    SagaRecord record;
    read_saga_part(bytes, record, key);
    if (!state.empty() && record.state != state) return true;
    write_row(key, record, false, writer);
    ++written;
    return true;
  });
  writer.end_indefinite();
}

inline bool SagaInstances::write_instance(std::string_view key, cbor::Buffer& out) const {
  SagaRecord record;
  if (!load(key, record)) return false;
  cbor::Writer writer(out);
  write_row(key, record, true, writer);
  return true;
}

}  // namespace detail
}  // namespace nexus
