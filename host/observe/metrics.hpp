// The registry of metrics: the host's own, by the table, and those of plugins. It owns every instrument; references it
// has given out stay valid until the series is removed. Any thread may define, remove and read; updating an instrument
// does not touch the registry at all.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "host/base/error.hpp"
#include "host/observe/exposition.hpp"
#include "host/observe/instruments.hpp"
#include "host/observe/metric_table.hpp"

namespace nexus::host {

class Registry {
 public:
  struct Limits {
    size_t series_per_host_family_max = 2'000;
    size_t series_per_plugin_max = 10'000;
    size_t label_bytes_max = 256;  // a longer value of a plugin's label is refused, of a host's label cut
  };
  using Callback = std::function<double()>;

  Registry();
  explicit Registry(Limits limits);
  ~Registry();
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  // The host's own instruments. The same labels give the same instrument again. Label values come from the running
  // system, so none is refused: once a family holds as many series as the limit, further ones are all counted in one
  // whose values are "other". `owner` (an instance of a plugin, or empty) adds no label: a series that has owners goes
  // when remove_owner has been called for the last of them. Throws std::bad_alloc when there is no memory.
  Counter& counter(const MetricDef& def, Labels labels = {}, std::string_view owner = {});
  Gauge& gauge(const MetricDef& def, Labels labels = {}, std::string_view owner = {});
  // With null buckets: Buckets::latency().
  Histogram& histogram(const MetricDef& def, Labels labels = {}, std::string_view owner = {},
                       const std::shared_ptr<const Buckets>& buckets = nullptr);

  // What a plugin asks for (abi/metrics.h).
  struct Request {
    MetricKind kind = MetricKind::kCounter;
    std::string_view name;
    std::string_view help;
    Labels labels;
    std::span<const double> bounds;  // empty: Buckets::latency()
  };
  // Exactly one of them is set.
  struct Instrument {
    Counter* counter = nullptr;
    Gauge* gauge = nullptr;
    Histogram* histogram = nullptr;
  };
  // Adds plugin="<id>" to the labels. `owner` is as above; with a hot swap two instances own the same series for a
  // while, and it counts on. The same request gives the same instrument again.
  // NEXUS_E_ARGUMENT for a bad name, label, bound or a clash with another family, NEXUS_E_TOO_LARGE over a limit,
  // NEXUS_E_UTF8. A counter's name gets "_total" at its end unless it is there.
  Result<Instrument> define(std::string_view plugin, std::string_view owner, const Request& request);

  // A gauge (or counter, by def.kind) whose value is asked for at each reading: `callback` runs on the reading thread,
  // without a lock but such that removing it waits for it to end; so it must not remove metrics itself. Replaces an
  // earlier one of the same name and labels.
  void add_callback(const MetricDef& def, Labels labels, Callback callback, std::string_view owner = {});
  void add_callback(std::string_view name, std::string_view help, Labels labels, Callback callback,
                    std::string_view owner = {});

  // Takes away every series that is this owner's alone; when it returns, none of its callbacks runs. The owner must not
  // use its instruments any more. Not from a callback.
  void remove_owner(std::string_view owner);

  // Runs before each collect(), on the reading thread and under no lock, so that it may add and remove series and count
  // what has happened since. Set once, before anything is read; may run on several threads at once.
  void before_collect(std::function<void()> catch_up) { catch_up_ = std::move(catch_up); }

  // All series, families by name, series by labels.
  std::vector<FamilySnapshot> collect() const;

  // The exact sum over all series of a counter family; 0 if there is none.
  uint64_t counter_total(std::string_view name) const;

  void write_prometheus(std::string& out) const { host::write_prometheus(collect(), out); }
  void write_openmetrics(std::string& out) const { host::write_openmetrics(collect(), out); }

 private:
  struct Series;
  struct Family;

  Family* find_or_make_family(std::string_view name, MetricKind kind, std::string_view help);
  Series& host_series(const MetricDef& def, Labels labels, std::string_view owner,
                      const std::shared_ptr<const Buckets>& buckets);
  bool make_instrument(Series& series, MetricKind kind, const std::shared_ptr<const Buckets>& buckets);
  void release_cells(Series& series);
  Result<void> check(const Request& request) const;
  std::string clash(std::string_view name, MetricKind kind) const;
  const std::string* family_with_name(std::string_view name) const;

  const Limits limits_;
  std::function<void()> catch_up_;
  // Held while callbacks run and while series are removed; taken before mutex_.
  mutable std::mutex reading_mutex_;
  mutable std::mutex mutex_;  // guards what follows
  CellArena arena_;
  std::map<std::string, Family, std::less<>> families_;
  std::map<std::string, size_t, std::less<>> series_by_plugin_;
  Counter* dropped_ = nullptr;
};

}  // namespace nexus::host
