#include "host/observe/metrics.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <limits>
#include <new>
#include <optional>

#include "nexus/cbor_utf8.hpp"

namespace nexus::host {

struct Registry::Series {
  Labels labels;
  std::vector<std::string> owners;  // empty: the host's, for good
  std::string plugin;               // whose limit it counts against, or empty
  std::optional<Counter> counter;
  std::unique_ptr<Gauge> gauge;
  std::optional<Histogram> histogram;
  std::shared_ptr<const Callback> callback;
  std::string callback_owner;

  void add_owner(std::string_view owner) {
    if (owner.empty() || std::find(owners.begin(), owners.end(), owner) != owners.end()) return;
    owners.emplace_back(owner);
  }
};

struct Registry::Family {
  MetricKind kind;
  std::string help;
  std::map<std::string, std::unique_ptr<Series>> series;  // by rendered labels
};

namespace {

constexpr size_t kLabelsMax = 8;
constexpr size_t kNameBytesMax = 128;
constexpr size_t kHelpBytesMax = 1024;

bool is_name(std::string_view name) {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  if (name.empty() || name.size() > kNameBytesMax || !is_letter(name[0])) return false;
  return std::all_of(name.begin(), name.end(), [&](char c) { return is_letter(c) || (c >= '0' && c <= '9'); });
}

// Cuts at a character.
void cut(std::string& text, size_t bytes_max) {
  if (text.size() <= bytes_max) return;
  size_t size = bytes_max;
  while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xC0u) == 0x80u) --size;
  text.resize(size);
}

void sort_by_name(Labels& labels) {
  std::sort(labels.begin(), labels.end(), [](const Label& a, const Label& b) { return a.name < b.name; });
}

Error wrong(std::string message) { return make_error(NEXUS_E_ARGUMENT, std::move(message)); }

}  // namespace

Registry::Registry() : Registry(Limits{}) {}
Registry::Registry(Limits limits) : limits_(limits) { dropped_ = &counter(metric::kMetricSeriesDropped); }
Registry::~Registry() = default;

Registry::Family* Registry::find_or_make_family(std::string_view name, MetricKind kind, std::string_view help) {
  const auto found = families_.find(name);
  if (found != families_.end()) return found->second.kind == kind ? &found->second : nullptr;
  return &families_.emplace(std::string(name), Family{kind, std::string(help), {}}).first->second;
}

bool Registry::make_instrument(Series& series, MetricKind kind, const std::shared_ptr<const Buckets>& buckets) {
  switch (kind) {
    case MetricKind::kCounter: {
      Cell* cells = arena_.allocate(Counter::kCells);
      if (cells == nullptr) return false;
      series.counter.emplace(cells);
      return true;
    }
    case MetricKind::kGauge:
      series.gauge = std::make_unique<Gauge>();
      return true;
    case MetricKind::kHistogram: {
      const auto& used = buckets ? buckets : Buckets::latency();
      Cell* cells = arena_.allocate(Histogram::cells_needed(*used));
      if (cells == nullptr) return false;
      series.histogram.emplace(used, cells);
      return true;
    }
  }
  return false;
}

void Registry::release_cells(Series& series) {
  if (series.counter) arena_.release(series.counter->cells_, Counter::kCells);
  if (series.histogram) {
    arena_.release(series.histogram->cells_, Histogram::cells_needed(*series.histogram->buckets_));
  }
}

// mutex_ is held.
Registry::Series& Registry::host_series(const MetricDef& def, Labels labels, std::string_view owner,
                                        const std::shared_ptr<const Buckets>& buckets) {
  Family* family = find_or_make_family(def.name, def.kind, def.help);
  assert(family != nullptr && "a row of the table is used with two kinds");
  if (family == nullptr) throw std::bad_alloc();
  for (Label& label : labels) cut(label.value, limits_.label_bytes_max);
  sort_by_name(labels);
  std::string key = render_labels(labels);
  auto found = family->series.find(key);
  if (found == family->series.end() && family->series.size() >= limits_.series_per_host_family_max && !labels.empty()) {
    dropped_->add();
    for (Label& label : labels) label.value = "other";
    key = render_labels(labels);
    owner = {};
    found = family->series.find(key);
  }
  if (found != family->series.end()) {
    // A series that the host has asked for without an owner stays for good.
    auto& owners = found->second->owners;
    if (owner.empty()) owners.clear();
    if (!owners.empty()) found->second->add_owner(owner);
    return *found->second;
  }
  auto series = std::make_unique<Series>();
  series->labels = std::move(labels);
  series->add_owner(owner);
  if (!make_instrument(*series, def.kind, buckets)) throw std::bad_alloc();
  return *family->series.emplace(std::move(key), std::move(series)).first->second;
}

Counter& Registry::counter(const MetricDef& def, Labels labels, std::string_view owner) {
  assert(def.kind == MetricKind::kCounter);
  const std::lock_guard lock(mutex_);
  return *host_series(def, std::move(labels), owner, nullptr).counter;
}

Gauge& Registry::gauge(const MetricDef& def, Labels labels, std::string_view owner) {
  assert(def.kind == MetricKind::kGauge);
  const std::lock_guard lock(mutex_);
  return *host_series(def, std::move(labels), owner, nullptr).gauge;
}

Histogram& Registry::histogram(const MetricDef& def, Labels labels, std::string_view owner,
                               const std::shared_ptr<const Buckets>& buckets) {
  assert(def.kind == MetricKind::kHistogram);
  const std::lock_guard lock(mutex_);
  return *host_series(def, std::move(labels), owner, buckets).histogram;
}

void Registry::add_callback(const MetricDef& def, Labels labels, Callback callback, std::string_view owner) {
  auto shared = std::make_shared<const Callback>(std::move(callback));
  // Waits for a reading to end, in which the callback that this one replaces may be running.
  const std::lock_guard reading(reading_mutex_);
  const std::lock_guard lock(mutex_);
  Series& series = host_series(def, std::move(labels), owner, nullptr);
  series.callback = std::move(shared);
  series.callback_owner = std::string(owner);
}

void Registry::add_callback(std::string_view name, std::string_view help, Labels labels, Callback callback,
                            std::string_view owner) {
  add_callback(MetricDef{name, MetricKind::kGauge, "", help}, std::move(labels), std::move(callback), owner);
}

namespace {

constexpr std::array<std::string_view, 3> kHistogramSamples = {"_bucket", "_sum", "_count"};

// The names under which the samples of a family stand in an exposition: its own, a counter's in OpenMetrics, and a
// histogram's three.
std::vector<std::string> names_of(std::string_view family, MetricKind kind) {
  std::vector<std::string> names{std::string(family)};
  if (kind == MetricKind::kCounter && family.ends_with("_total"))
    names.emplace_back(family.substr(0, family.size() - 6));
  if (kind == MetricKind::kHistogram)
    for (const std::string_view sample : kHistogramSamples) names.push_back(std::string(family) + std::string(sample));
  return names;
}

}  // namespace

// The family that has this name among its names, or null: what names_of says, read backwards.
const std::string* Registry::family_with_name(std::string_view name) const {
  const auto holder = [&](std::string_view family, std::optional<MetricKind> kind) -> const std::string* {
    const auto found = families_.find(family);
    return found != families_.end() && (!kind || found->second.kind == *kind) ? &found->first : nullptr;
  };
  if (const std::string* found = holder(name, {})) return found;
  if (const std::string* found = holder(std::string(name) + "_total", MetricKind::kCounter)) return found;
  for (const std::string_view sample : kHistogramSamples) {
    if (!name.ends_with(sample)) continue;
    if (const std::string* found = holder(name.substr(0, name.size() - sample.size()), MetricKind::kHistogram))
      return found;
  }
  return nullptr;
}

// The reason why a family of this name and kind cannot be, or empty. A histogram's samples have names of their own, and
// OpenMetrics names a counter without "_total": neither may meet another family. A few look-ups, however many there
// are.
std::string Registry::clash(std::string_view name, MetricKind kind) const {
  const auto same = families_.find(name);
  if (same != families_.end() && same->second.kind == kind) return {};
  for (const std::string& wanted : names_of(name, kind)) {
    if (const std::string* other = family_with_name(wanted))
      return "the metric \"" + std::string(name) + "\" clashes with \"" + *other + "\", which is of another kind";
  }
  return {};
}

Result<void> Registry::check(const Request& request) const {
  const std::string name(request.name.substr(0, kNameBytesMax));
  if (!is_name(request.name)) {
    return wrong("a metric's name is 1 to 128 of [a-zA-Z0-9_], not beginning with a digit");
  }
  if (request.name.starts_with("nexus_") || request.name.starts_with("process_")) {
    return wrong("metric \"" + name + "\": names beginning with nexus_ or process_ are the host's");
  }
  if (request.help.size() > kHelpBytesMax)
    return make_error(NEXUS_E_TOO_LARGE, "metric \"" + name + "\": the help text is over 1024 bytes");
  if (request.labels.size() > kLabelsMax)
    return make_error(NEXUS_E_TOO_LARGE, "metric \"" + name + "\" has more than 8 labels");
  const auto not_utf8 = [&](std::string_view what) {
    return make_error(NEXUS_E_UTF8, "metric \"" + name + "\": " + std::string(what) + " is not UTF-8");
  };
  if (!cbor::is_utf8(request.help)) return not_utf8("the help text");
  for (const Label& label : request.labels) {
    if (!is_name(label.name) || label.name.starts_with("__")) {
      return wrong("metric \"" + name +
                   "\": a label's name is 1 to 128 of [a-zA-Z0-9_], not beginning with a digit or __");
    }
    if (label.name == "plugin" || label.name == "le" || label.name == "quantile") {
      return wrong("metric \"" + name + "\": the label \"" + label.name + "\" is set by the host");
    }
    if (!cbor::is_utf8(label.value)) return not_utf8("the value of the label \"" + label.name + "\"");
    if (std::count_if(request.labels.begin(), request.labels.end(),
                      [&](const Label& other) { return other.name == label.name; }) > 1) {
      return wrong("metric \"" + name + "\" has the label \"" + label.name + "\" twice");
    }
    if (label.value.size() > limits_.label_bytes_max) {
      return make_error(NEXUS_E_TOO_LARGE, "metric \"" + name + "\": the value of the label \"" + label.name +
                                               "\" is over " + std::to_string(limits_.label_bytes_max) + " bytes");
    }
  }
  if (!request.bounds.empty()) {
    if (request.kind != MetricKind::kHistogram) return wrong("metric \"" + name + "\": only a histogram has bounds");
    if (!Buckets::valid(request.bounds)) {
      return wrong("metric \"" + name + "\": bounds must be at most 64 finite numbers, each above the one before");
    }
  }
  return {};
}

Result<Registry::Instrument> Registry::define(std::string_view plugin, std::string_view owner, const Request& request) {
  if (const auto checked = check(request); !checked) return checked.error();
  std::string name(request.name);
  if (request.kind == MetricKind::kCounter && !name.ends_with("_total")) name += "_total";
  Labels labels = request.labels;
  labels.push_back({"plugin", std::string(plugin)});
  sort_by_name(labels);
  const std::string key = render_labels(labels);

  const std::lock_guard lock(mutex_);
  if (std::string reason = clash(name, request.kind); !reason.empty()) return wrong(std::move(reason));
  const auto counted = series_by_plugin_.find(plugin);
  const size_t count = counted == series_by_plugin_.end() ? 0 : counted->second;
  Family* family = find_or_make_family(name, request.kind, request.help);
  auto found = family->series.find(key);
  if (found == family->series.end()) {
    const auto buckets = request.bounds.empty() ? nullptr : std::make_shared<const Buckets>(request.bounds);
    auto series = std::make_unique<Series>();
    series->labels = std::move(labels);
    series->plugin = std::string(plugin);
    if (count >= limits_.series_per_plugin_max || !make_instrument(*series, request.kind, buckets)) {
      if (family->series.empty()) families_.erase(name);
      return make_error(NEXUS_E_TOO_LARGE,
                        "the plugin has " + std::to_string(count) + " metrics, and there is room for no more",
                        "use fewer different label values; ids do not belong into labels");
    }
    series_by_plugin_[std::string(plugin)] = count + 1;
    found = family->series.emplace(key, std::move(series)).first;
  }
  Series& series = *found->second;
  if (series.histogram && !request.bounds.empty()) {
    const auto bounds = series.histogram->buckets_->bounds();
    if (!std::equal(bounds.begin(), bounds.end(), request.bounds.begin(), request.bounds.end())) {
      return wrong("the metric \"" + name + "\" was defined before with other bounds");
    }
  }
  series.add_owner(owner);
  return Instrument{series.counter ? &*series.counter : nullptr, series.gauge.get(),
                    series.histogram ? &*series.histogram : nullptr};
}

void Registry::remove_owner(std::string_view owner) {
  if (owner.empty()) return;
  const std::lock_guard reading(reading_mutex_);
  const std::lock_guard lock(mutex_);
  for (auto family = families_.begin(); family != families_.end();) {
    auto& all = family->second.series;
    for (auto it = all.begin(); it != all.end();) {
      Series& series = *it->second;
      if (series.callback && series.callback_owner == owner) series.callback.reset();
      if (std::erase(series.owners, owner) > 0 && series.owners.empty()) {
        release_cells(series);
        const auto counted = series_by_plugin_.find(series.plugin);
        if (counted != series_by_plugin_.end() && --counted->second == 0) series_by_plugin_.erase(counted);
        it = all.erase(it);
      } else {
        ++it;
      }
    }
    family = all.empty() ? families_.erase(family) : std::next(family);
  }
}

std::vector<FamilySnapshot> Registry::collect() const {
  if (catch_up_) catch_up_();
  std::vector<FamilySnapshot> families;
  struct Asked {
    size_t family;
    size_t series;
    std::shared_ptr<const Callback> callback;
  };
  std::vector<Asked> asked;
  const std::lock_guard reading(reading_mutex_);
  {
    const std::lock_guard lock(mutex_);
    families.reserve(families_.size());
    for (const auto& [name, family] : families_) {
      FamilySnapshot& shot = families.emplace_back(FamilySnapshot{name, family.help, family.kind, {}});
      shot.series.reserve(family.series.size());
      for (const auto& [key, series] : family.series) {
        SeriesSnapshot& one = shot.series.emplace_back();
        one.labels = series->labels;
        if (series->callback) {
          asked.push_back({families.size() - 1, shot.series.size() - 1, series->callback});
        } else if (series->counter) {
          one.whole = series->counter->value();
          const double fraction = series->counter->fraction();
          one.exact = fraction == 0;
          one.value = static_cast<double>(one.whole) + fraction;
        } else if (series->gauge) {
          one.value = series->gauge->value();
        } else {
          one.histogram = series->histogram->snapshot();
        }
      }
    }
  }
  for (const Asked& ask : asked) {
    double& value = families[ask.family].series[ask.series].value;
    try {
      value = (*ask.callback)();
    } catch (...) {
      // One bad callback must not cost all the other metrics.
      value = std::numeric_limits<double>::quiet_NaN();
    }
  }
  return families;
}

uint64_t Registry::counter_total(std::string_view name) const {
  const std::lock_guard lock(mutex_);
  const auto family = families_.find(name);
  uint64_t total = 0;
  if (family == families_.end()) return total;
  for (const auto& [key, series] : family->second.series) {
    if (series->counter) total += series->counter->value();
  }
  return total;
}

}  // namespace nexus::host
