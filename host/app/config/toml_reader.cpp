#include "host/app/config/toml_reader.hpp"

#include <algorithm>
#include <sstream>

#include <toml++/toml.h>

#include "host/app/config/toml_scan.hpp"

namespace nexus::host::config {
namespace {

constexpr std::size_t kSyntaxErrorsMax = 20;
constexpr int kDepthMax = 64;
// Takes the place of a header that cannot be read, so that what follows is not taken for the table before.
constexpr std::string_view kUnreadable = "(unreadable)";

Place place_of(uint32_t source, const toml::source_region& region) {
  Place place{source, region.begin.line, region.begin.column, 0};
  if (region.end.line == region.begin.line && region.end.column > region.begin.column)
    place.end_column = region.end.column;
  return place;
}

template <class Value>
std::string printed(const Value& value) {
  std::ostringstream out;
  out << value;
  return out.str();
}

class Converter {
 public:
  Converter(uint32_t source, std::vector<Place>& too_deep) : source_(source), too_deep_(too_deep) {}

  Node convert(const toml::node& from, int depth) {
    Node to;
    to.place = place_of(source_, from.source());
    if (depth > kDepthMax) {
      too_deep_.push_back(to.place);
      to.kind = Node::Kind::table;
      return to;
    }
    switch (from.type()) {
      case toml::node_type::table:
        table(*from.as_table(), to, depth);
        break;
      case toml::node_type::array:
        to.kind = Node::Kind::array;
        for (const toml::node& item : *from.as_array()) to.items.push_back(convert(item, depth + 1));
        break;
      case toml::node_type::string:
        to.kind = Node::Kind::string;
        to.text = from.as_string()->get();
        break;
      case toml::node_type::integer:
        to.kind = Node::Kind::integer;
        to.integer = from.as_integer()->get();
        break;
      case toml::node_type::floating_point:
        to.kind = Node::Kind::number;
        to.number = from.as_floating_point()->get();
        break;
      case toml::node_type::boolean:
        to.kind = Node::Kind::boolean;
        to.boolean = from.as_boolean()->get();
        break;
      default:
        to.kind = Node::Kind::date_time;
        if (const auto* date = from.as_date()) to.text = printed(date->get());
        if (const auto* time = from.as_time()) to.text = printed(time->get());
        if (const auto* both = from.as_date_time()) to.text = printed(both->get());
        break;
    }
    return to;
  }

 private:
  void table(const toml::table& from, Node& to, int depth) {
    to.kind = Node::Kind::table;
    for (const auto& [key, value] : from) {
      if (depth == 0 && key.str().substr(0, kUnreadable.size()) == kUnreadable) continue;
      to.members.push_back({std::string(key.str()), place_of(source_, key.source()), convert(value, depth + 1)});
    }
    // toml++ sorts by name; people and errors go by the order of the text.
    std::stable_sort(to.members.begin(), to.members.end(), [](const Member& a, const Member& b) {
      return a.place.line != b.place.line ? a.place.line < b.place.line : a.place.column < b.place.column;
    });
  }

  uint32_t source_;
  std::vector<Place>& too_deep_;
};

// "Error while parsing key-value pair: expected '='" → "cannot read the key-value pair: expected '='"
std::string sentence(std::string_view description) {
  constexpr std::string_view kPrefix = "Error while parsing ";
  std::string out;
  if (description.substr(0, kPrefix.size()) == kPrefix) {
    out = "cannot read the " + std::string(description.substr(kPrefix.size()));
  } else {
    out = std::string(description);
    if (!out.empty() && out[0] >= 'A' && out[0] <= 'Z') out[0] = static_cast<char>(out[0] - 'A' + 'a');
  }
  while (!out.empty() && (out.back() == '.' || out.back() == '\n')) out.pop_back();
  return out;
}

// The text with lines that can be taken out without moving the others.
class Lines {
 public:
  explicit Lines(std::string_view text) {
    while (!text.empty()) {
      const auto end = text.find('\n');
      lines_.emplace_back(text.substr(0, end));
      text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
    }
  }
  void blank(const Statement& statement) {
    for (uint32_t line = statement.first_line; line <= statement.last_line && line <= lines_.size(); ++line) {
      lines_[line - 1].clear();
    }
    if (statement.header && statement.first_line <= lines_.size()) {
      lines_[statement.first_line - 1] =
          "[\"" + std::string(kUnreadable) + std::to_string(statement.first_line) + "\"]";
    }
  }
  std::string text() const {
    std::string out;
    for (const auto& line : lines_) out.append(line).append("\n");
    return out;
  }

 private:
  std::vector<std::string> lines_;
};

const Statement* statement_at(const std::vector<Statement>& statements, uint32_t line) {
  // An error at the end of a line or of the text belongs to the last statement that began before.
  const auto after =
      std::find_if(statements.begin(), statements.end(), [&](const Statement& s) { return s.first_line > line; });
  if (after == statements.begin()) return nullptr;
  auto found = std::prev(after);
  // Where a bracket is left open, toml++ reads on into the next statement and stumbles there.
  if (found != statements.begin() && !std::prev(found)->terminated) --found;
  return &*found;
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  return first == std::string_view::npos ? std::string_view{}
                                         : text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// What names a statement: all of a header, and what stands before the '=' of an assignment.
std::string_view name_of(const Source& source, const Statement& statement) {
  const std::string_view line = source.line(statement.first_line);
  return trimmed(statement.header ? line.substr(0, line.find('#')) : line.substr(0, line.find('=')));
}

// "it stands first on line 3", for what is there twice.
std::string first_definition(const Source& source, const std::vector<Statement>& statements, const Statement& again) {
  uint32_t line = 0;
  for (const Statement& statement : statements) {
    if (&statement == &again) break;
    // Keys of another table may have the same name.
    if (statement.header && !again.header) line = 0;
    if (line == 0 && statement.header == again.header && name_of(source, statement) == name_of(source, again)) {
      line = statement.first_line;
    }
  }
  return line == 0 ? std::string() : "it stands first on line " + std::to_string(line);
}

std::string help_for(const Statement& statement, uint32_t error_line) {
  if (statement.open_string)
    return "the string that begins on line " + std::to_string(statement.first_line) + " is not closed";
  if (!statement.terminated && statement.first_line != error_line) {
    return "the bracket that is opened on line " + std::to_string(statement.first_line) + " is not closed";
  }
  return {};
}

class Reader {
 public:
  Reader(const std::vector<Source>& sources, uint32_t index, std::vector<Diagnostic>& out)
      : sources_(sources), index_(index), out_(out), lines_(sources[index].text()), text_(sources[index].text()) {}

  void run(Node& root) {
    if (refuse_deep_keys()) return;
    for (std::size_t errors = 0; errors < kSyntaxErrorsMax; ++errors) {
      if (parse_once(root)) break;
    }
    std::stable_sort(found_.begin(), found_.end(), [](const auto& a, const auto& b) { return a.line < b.line; });
    out_.insert(out_.end(), found_.begin(), found_.end());
  }

 private:
  // toml++ takes keys of any depth, and walks them by recursion.
  bool refuse_deep_keys() {
    for (const Statement& statement : scan_toml(text_)) {
      if (statement.deep_column == 0) continue;
      out_.push_back(diagnose(sources_, {index_, statement.deep_line, statement.deep_column, 0}, {},
                              "this key has more than " + std::to_string(kKeyPartsMax) + " parts"));
      return true;
    }
    return false;
  }

  // True when there is nothing left to do.
  bool parse_once(Node& root) {
    try {
      const toml::table table = toml::parse(std::string_view(text_), std::string_view(sources_[index_].name()));
      std::vector<Place> too_deep;
      root = Converter(index_, too_deep).convert(table, 0);
      for (const Place& place : too_deep) {
        found_.push_back(
            diagnose(sources_, place, {}, "nested too deeply: " + std::to_string(kDepthMax) + " levels are allowed"));
      }
      return true;
    } catch (const toml::parse_error& error) {
      return !recover(error.description(), place_of(index_, error.source()));
    } catch (const std::exception& error) {
      found_.push_back(
          diagnose(sources_, {index_, 1, 1, 0}, {}, std::string("cannot read this file: ") + error.what()));
      return true;
    }
  }

  // toml++ only sees a control character in a string that somebody forgot to close.
  std::string explained(std::string_view description, const Place& place) const {
    const bool at_end = place.column > sources_[index_].line(place.line).size();
    if (at_end && description.find("unescaped control characters") != std::string_view::npos) {
      return "the string is not closed on this line";
    }
    return sentence(description);
  }

  // Takes the statement out; false when the rest cannot be made sense of.
  bool recover(std::string_view description, Place place) {
    const auto statements = scan_toml(text_);
    const Statement* const statement = statement_at(statements, place.line);
    Diagnostic diagnostic = diagnose(sources_, place, {}, explained(description, place));
    const Source& source = sources_[index_];
    if (statement) {
      diagnostic.help = help_for(*statement, place.line);
      if (description.find("redefine") != std::string_view::npos) {
        diagnostic.help = first_definition(source, statements, *statement);
      }
      const std::string_view first = source.line(statement->first_line);
      // The later lines of a secret that spans several do not say that they are one.
      if (statement->first_line != place.line && cut_secrets(first) != first) diagnostic.source_line.clear();
    }
    found_.push_back(std::move(diagnostic));
    if (!statement || statement->open_string) return false;
    lines_.blank(*statement);
    std::string rest = lines_.text();
    if (rest == text_) return false;
    text_ = std::move(rest);
    return true;
  }

  const std::vector<Source>& sources_;
  uint32_t index_;
  std::vector<Diagnostic>& out_;
  std::vector<Diagnostic> found_;
  Lines lines_;
  std::string text_;
};

void set_place(Node& node, const Place& place) {
  node.place = place;
  for (auto& member : node.members) {
    member.place = place;
    set_place(member.node, place);
  }
  for (auto& item : node.items) set_place(item, place);
}

}  // namespace

void read_toml(const std::vector<Source>& sources, uint32_t index, Node& root, std::vector<Diagnostic>& diagnostics) {
  Reader(sources, index, diagnostics).run(root);
}

bool read_toml_value(const std::string& text, const Place& place, Node& node) {
  const std::vector<Source> sources{{OriginKind::environment, {}, "value = " + text}};
  std::vector<Diagnostic> diagnostics;
  Node root;
  read_toml(sources, 0, root, diagnostics);
  if (!diagnostics.empty() || root.members.size() != 1 || root.members[0].name != "value") return false;
  node = std::move(root.members[0].node);
  set_place(node, place);
  return true;
}

}  // namespace nexus::host::config
