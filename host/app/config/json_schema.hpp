// Checks a tree of the config against a JSON Schema (draft-07, the part of it that configs need). Single-threaded; the
// schema comes from a plugin and is not trusted: what is malformed in it is let pass, and no input makes it recurse
// without end.
#pragma once

#include <string>
#include <vector>

#include "host/app/config/document.hpp"
#include "nexus/cbor.hpp"

namespace nexus::host::config {

class SchemaCheck {
 public:
  // The document and the schema must outlive the check.
  SchemaCheck(const Document& document, const cbor::Value& schema, std::vector<Diagnostic>& diagnostics)
      : document_(document), root_(schema), diagnostics_(diagnostics) {}

  // Checks the node, and turns texts that stand for numbers or booleans into these where the schema wants it. `path` is
  // the node's dotted key.
  void run(Node& node, const std::string& path) { check(node, root_, path, 0); }

 private:
  const cbor::Value* resolve(const cbor::Value& schema) const;
  void check(Node& node, const cbor::Value& schema, const std::string& path, int depth);
  bool check_type(Node& node, const cbor::Value& schema, const std::string& path);
  void check_enum(const Node& node, const cbor::Value& schema, const std::string& path);
  void check_number(const Node& node, const cbor::Value& schema, const std::string& path);
  void check_text(const Node& node, const cbor::Value& schema, const std::string& path);
  void check_array(Node& node, const cbor::Value& schema, const std::string& path, int depth);
  void check_table(Node& node, const cbor::Value& schema, const std::string& path, int depth);
  void unknown(const Member& member, const cbor::Value* properties, const std::string& path);
  void report(const Place& place, const std::string& path, std::string message, std::string help = {});

  const Document& document_;
  const cbor::Value& root_;
  std::vector<Diagnostic>& diagnostics_;
};

// A tree as CBOR; date-times become text.
cbor::Value to_cbor(const Node& node);

}  // namespace nexus::host::config
