#include "host/app/config/interpolate.hpp"

#include <algorithm>

#include "host/base/secret.hpp"

namespace nexus::host::config {
namespace {

constexpr std::size_t kSecretFileSizeMax = 64 * 1024;
constexpr std::size_t kTextSizeMax = 1024 * 1024;  // of one value after replacing
constexpr int kDepthMax = 8;                       // of defaults in defaults
constexpr std::string_view kDataDir = "host.data_dir";

bool is_variable_name(std::string_view name) {
  if (name.empty() || (name[0] >= '0' && name[0] <= '9')) return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

// The end of the reference whose "${" is before `from`: the index of its '}', or npos.
std::size_t closing_brace(std::string_view text, std::size_t from) {
  int open = 1;
  for (std::size_t i = from; i < text.size(); ++i) {
    if (text[i] == '}' && --open == 0) return i;
    if (text[i] == '{' && i > 0 && text[i - 1] == '$') ++open;
  }
  return std::string_view::npos;
}

// `file:/path`, but not the URL `file://…`.
bool is_file_reference(std::string_view text) { return text.substr(0, 6) == "file:/" && text.substr(6, 1) != "/"; }

// Moves the place from the whole value to the reference in it, if it stands on that line as it is.
Place narrowed(const Document& document, Place place, const std::string& reference) {
  if (reference.empty() || place.source >= document.sources.size() || place.column == 0) return place;
  const std::string_view line = document.sources[place.source].line(place.line);
  // Columns count characters and find() counts bytes; they agree where the line is ASCII.
  const bool ascii = std::all_of(line.begin(), line.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  const auto at = ascii ? line.find(reference, place.column - 1) : std::string_view::npos;
  if (at == std::string_view::npos) return place;
  place.column = static_cast<uint32_t>(at + 1);
  place.end_column = static_cast<uint32_t>(at + 1 + reference.size());
  return place;
}

}  // namespace

Interpolator::Interpolator(const Document& document, const Surroundings& surroundings,
                           std::vector<Diagnostic>& diagnostics)
    : document_(document),
      surroundings_(surroundings),
      diagnostics_(diagnostics),
      variables_(surroundings.variables()) {
  std::sort(variables_.begin(), variables_.end());
}

void Interpolator::run(Node& node, const std::string& path) {
  if (diagnostics_.size() > kDiagnosticsMax) return;
  if (node.kind == Node::Kind::string) string(node, path);
  for (Member& member : node.members) run(member.node, join_path(path, member.name));
  for (std::size_t i = 0; i < node.items.size(); ++i) run(node.items[i], path + '[' + std::to_string(i) + ']');
}

void Interpolator::string(Node& node, const std::string& path) {
  const bool raw = node.place.source < document_.sources.size() &&
                   (document_.sources[node.place.source].kind() == OriginKind::environment ||
                    document_.sources[node.place.source].kind() == OriginKind::command_line);
  std::string out;
  bool secret = false;
  Failure failure;
  bool good = true;
  if (is_file_reference(node.text)) {
    secret = true;
    good = file(std::string_view(node.text).substr(5), out, failure);
  } else if (raw || node.text.find("${") == std::string::npos) {
    // A variable's own value is taken as it is: a password may hold anything.
    return;
  } else {
    good = text(node.text, out, secret, 0, failure);
  }
  if (!good) {
    node.unresolved = true;
    diagnostics_.push_back(diagnose(document_.sources, narrowed(document_, node.place, failure.reference), path,
                                    path + ": " + failure.message, failure.help));
    return;
  }
  node.text = std::move(out);
  node.from_text = true;
  node.secret = node.secret || secret;
}

bool Interpolator::text(std::string_view from, std::string& to, bool& secret, int depth, Failure& failure) const {
  while (!from.empty()) {
    const auto dollar = from.find("${");
    if (dollar == std::string_view::npos) {
      to += from;
      break;
    }
    // "$${" is a "${" that means itself.
    if (dollar > 0 && from[dollar - 1] == '$') {
      to.append(from.substr(0, dollar - 1)).append("${");
      from.remove_prefix(dollar + 2);
      continue;
    }
    to += from.substr(0, dollar);
    const auto end = closing_brace(from, dollar + 2);
    if (end == std::string_view::npos) {
      failure = {"a \"${\" is not closed", "write \"$${\" where it is meant as text", "${"};
      return false;
    }
    if (!reference(from.substr(dollar + 2, end - dollar - 2), to, secret, depth, failure)) {
      if (depth == 0) failure.reference = std::string(from.substr(dollar, end + 1 - dollar));
      return false;
    }
    if (to.size() > kTextSizeMax) {
      failure = {"the text is longer than 1 MiB once its variables are put in", {}, {}};
      return false;
    }
    from.remove_prefix(end + 1);
  }
  return true;
}

bool Interpolator::reference(std::string_view inner, std::string& to, bool& secret, int depth, Failure& failure) const {
  const auto separator = inner.find(":-");
  const std::string_view name = inner.substr(0, separator);
  if (name == kDataDir && separator == std::string_view::npos && !data_dir_.empty()) {
    to += data_dir_;
    return true;
  }
  if (!is_variable_name(name)) {
    failure = {"\"${" + std::string(inner.substr(0, 80)) + "}\" names no variable",
               "write ${NAME} or ${NAME:-default}, or \"$${\" where it is meant as text",
               {}};
    return false;
  }
  secret = secret || is_secret_name(name);
  const std::string* const value = variable(name);
  if (value && (!value->empty() || separator == std::string_view::npos)) {
    to += *value;
    return true;
  }
  if (separator == std::string_view::npos) {
    failure = {"the environment variable " + std::string(name) + " is not set",
               "set it, or give a default: ${" + std::string(name) + ":-default}",
               {}};
    return false;
  }
  if (depth >= kDepthMax) {
    failure = {"defaults are nested more than " + std::to_string(kDepthMax) + " deep", {}, {}};
    return false;
  }
  return text(inner.substr(separator + 2), to, secret, depth + 1, failure);
}

bool Interpolator::file(std::string_view path, std::string& to, Failure& failure) const {
  auto content = surroundings_.read_file(std::string(path), kSecretFileSizeMax);
  if (!content) {
    failure = {content.error().message, "a value \"file:/path\" is replaced by what the file holds", {}};
    return false;
  }
  to = std::move(*content);
  if (!to.empty() && to.back() == '\n') to.pop_back();
  if (!to.empty() && to.back() == '\r') to.pop_back();
  return true;
}

const std::string* Interpolator::variable(std::string_view name) const {
  const auto found = std::lower_bound(variables_.begin(), variables_.end(), name,
                                      [](const auto& entry, std::string_view wanted) { return entry.first < wanted; });
  return found != variables_.end() && found->first == name ? &found->second : nullptr;
}

}  // namespace nexus::host::config
