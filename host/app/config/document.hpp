// The tree that a config file is read into, with the place of every key and value, and the texts the places point to.
// toml++ is not seen outside toml_reader.cpp; everything else works on these plain values. No thread restrictions.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "host/app/config/diagnostic.hpp"

namespace nexus::host::config {

enum class OriginKind { default_value, file, environment, command_line };

// Where something stands: an index into Document::sources, and a line and columns from 1 in characters. An
// `end_column` of 0 means that only the first character is known.
struct Place {
  uint32_t source = 0;
  uint32_t line = 0;
  uint32_t column = 0;
  uint32_t end_column = 0;
};

// A text that values come from. An environment variable is a source of its own: one line, NAME=value.
class Source {
 public:
  // The name is a path, that of a variable, or an option.
  Source(OriginKind kind, std::string name, std::string text);

  OriginKind kind() const { return kind_; }
  const std::string& name() const { return name_; }
  const std::string& text() const { return text_; }
  std::string_view line(uint32_t number) const;  // without its line end; empty when there is no such line

 private:
  OriginKind kind_;
  std::string name_;
  std::string text_;
  std::vector<std::size_t> line_begins_;
};

struct Member;

struct Node {
  enum class Kind { table, array, string, integer, number, boolean, date_time };

  Kind kind = Kind::table;
  bool boolean = false;
  bool secret = false;      // came from a `file:` reference or from a variable with a secret's name
  bool from_text = false;   // came out of `${…}`, `file:`, a variable or an option, so "8080" may stand for a number
  bool unresolved = false;  // its references failed, which has been told; it has no value to check
  int64_t integer = 0;
  double number = 0;
  std::string text;  // string, or a date-time as TOML writes it
  std::vector<Member> members;
  std::vector<Node> items;
  Place place;

  const Member* find(std::string_view name) const;
  Member* find(std::string_view name);
  bool is_table() const { return kind == Kind::table; }
};

struct Member {
  std::string name;
  Place place;  // of the key
  Node node;
};

// Where the value of a key came from, ready to be printed.
struct Origin {
  OriginKind kind = OriginKind::default_value;
  std::string name;  // path, variable, option
  uint32_t line = 0;
  uint32_t column = 0;

  std::string text() const;  // "default", "nexus.toml:12", "environment NEXUS_…", "command line --…"
};

struct Document {
  std::vector<Source> sources;  // the first is the table of defaults
  Node root;                    // defaults, files, environment and command line, merged and interpolated
  std::string folder;           // where relative paths start
  std::vector<Diagnostic> warnings;

  Origin origin(const Place& place) const;

  // What stands at a dotted path whose names have no dot themselves, or null.
  const Node* at(std::string_view path) const;
};

// A diagnostic at a place; the source line is copied, secrets cut.
Diagnostic diagnose(const std::vector<Source>& sources, const Place& place, std::string key, std::string message,
                    std::string help = {});

// "a string", "an integer", …: what a person calls the kind; with the value where that is short.
std::string describe(const Node& node);

// A text from the config as it stands in a sentence: quoted, cut to a length, passwords of URLs and known secrets ***.
std::string shown_text(std::string_view text);

// TOML's writing of a text as a basic string, quotes included.
std::string quote(std::string_view text);

// A name as it stands in a dotted path: bare where TOML allows it, else quoted.
std::string path_segment(std::string_view name);
std::string join_path(std::string_view scope, std::string_view name);

}  // namespace nexus::host::config
