#include "host/observe/exposition.hpp"

#include <charconv>
#include <cmath>

namespace nexus::host {
namespace {

enum class Format { kPrometheus, kOpenMetrics };

void append_escaped(std::string& out, std::string_view text, bool escape_quote) {
  for (const char c : text) {
    switch (c) {
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '"':
        out += escape_quote ? "\\\"" : "\"";
        break;
      default:
        out += c;
    }
  }
}

void append_whole(std::string& out, uint64_t value) {
  char text[20];
  out.append(text, std::to_chars(text, text + sizeof text, value).ptr);
}

// OpenMetrics wants the bound as a float in canonical form: "1.0", not "1".
void append_bound(std::string& out, double bound, Format format) {
  const size_t begin = out.size();
  append_number(out, bound);
  const bool looks_whole = out.find_first_of(".eIN", begin) == std::string::npos;
  if (format == Format::kOpenMetrics && looks_whole) out += ".0";
}

void append_head(std::string& out, std::string_view sample, const std::string& labels) {
  out += sample;
  if (!labels.empty()) (out += '{') += labels + '}';
  out += ' ';
}

void append_histogram(std::string& out, const FamilySnapshot& family, const SeriesSnapshot& series,
                      const std::string& labels, Format format) {
  const HistogramSnapshot& shot = series.histogram;
  uint64_t cumulative = 0;
  for (size_t i = 0; i < shot.counts.size(); ++i) {
    cumulative += shot.counts[i];
    out += family.name + "_bucket{" + labels + (labels.empty() ? "le=\"" : ",le=\"");
    if (i < shot.buckets->bounds().size()) {
      append_bound(out, shot.buckets->bounds()[i], format);
    } else {
      out += "+Inf";
    }
    out += "\"} ";
    append_whole(out, cumulative);
    out += '\n';
  }
  // OpenMetrics has neither beside buckets for negative values, since the sum could then fall.
  const bool may_fall = !shot.counts.empty() && shot.buckets->bounds().front() < 0;
  if (format == Format::kOpenMetrics && may_fall) return;
  append_head(out, family.name + "_sum", labels);
  append_number(out, shot.sum);
  out += '\n';
  append_head(out, family.name + "_count", labels);
  append_whole(out, cumulative);
  out += '\n';
}

std::string_view kind_name(MetricKind kind) {
  switch (kind) {
    case MetricKind::kCounter:
      return "counter";
    case MetricKind::kGauge:
      return "gauge";
    case MetricKind::kHistogram:
      break;
  }
  return "histogram";
}

// In OpenMetrics a counter's family goes without the _total that its samples have.
std::string_view family_name(const FamilySnapshot& family, Format format) {
  std::string_view name = family.name;
  if (format == Format::kOpenMetrics && family.kind == MetricKind::kCounter && name.ends_with("_total")) {
    name.remove_suffix(6);
  }
  return name;
}

void append_unit(std::string& out, std::string_view name) {
  for (const std::string_view unit : {"seconds", "bytes"}) {
    if (name.size() > unit.size() && name.ends_with(unit) && name[name.size() - unit.size() - 1] == '_') {
      ((out += "# UNIT ") += name) += ' ';
      (out += unit) += '\n';
    }
  }
}

void write(const std::vector<FamilySnapshot>& families, std::string& out, Format format) {
  for (const FamilySnapshot& family : families) {
    if (family.series.empty()) continue;
    const std::string_view name = family_name(family, format);
    ((out += "# TYPE ") += name) += ' ';
    (out += kind_name(family.kind)) += '\n';
    if (format == Format::kOpenMetrics) append_unit(out, name);
    if (!family.help.empty()) {
      ((out += "# HELP ") += name) += ' ';
      append_escaped(out, family.help, format == Format::kOpenMetrics);
      out += '\n';
    }
    for (const SeriesSnapshot& series : family.series) {
      const std::string labels = render_labels(series.labels);
      if (family.kind == MetricKind::kHistogram) {
        append_histogram(out, family, series, labels, format);
        continue;
      }
      append_head(out, family.name, labels);
      if (series.exact) {
        append_whole(out, series.whole);
      } else {
        append_number(out, series.value);
      }
      out += '\n';
    }
  }
}

}  // namespace

void append_number(std::string& out, double value) {
  if (std::isnan(value)) {
    out += "NaN";
  } else if (std::isinf(value)) {
    out += value > 0 ? "+Inf" : "-Inf";
  } else {
    char text[32];
    out.append(text, std::to_chars(text, text + sizeof text, value).ptr);
  }
}

std::string render_labels(const Labels& labels) {
  std::string out;
  for (const Label& label : labels) {
    if (!out.empty()) out += ',';
    out += label.name + "=\"";
    append_escaped(out, label.value, true);
    out += '"';
  }
  return out;
}

void write_prometheus(const std::vector<FamilySnapshot>& families, std::string& out) {
  write(families, out, Format::kPrometheus);
}

void write_openmetrics(const std::vector<FamilySnapshot>& families, std::string& out) {
  write(families, out, Format::kOpenMetrics);
  out += "# EOF\n";
}

}  // namespace nexus::host
